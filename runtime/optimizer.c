/* One step on either kind of device. See optimizer.h. */
#include "runtime/optimizer.h"

#include <math.h>

#include "runtime/clock.h"
#include "runtime/device.h"
#include "runtime/weight_average.h"

enum { LATER_STEP = 2 /* any but the first, whose average of weights only begins */ };

static bool device_steps(const struct optimizer *optimizer)
{
    return optimizer->executor->operations->run_batch != NULL;
}

/* Whether the update follows the gradients without a look at them. */
static bool updates_at_once(const struct optimizer *optimizer)
{
    const struct rnet_recipe *recipe = &optimizer->executor->program->recipe;
    return recipe->accumulate <= 1 && recipe->clip <= 0;
}

struct status optimizer_open(struct optimizer *optimizer, struct arena *arena,
                             struct executor *executor, const struct text_list *labels)
{
    optimizer->executor = executor;
    RETURN_IF_ERROR(frozen_open(&optimizer->frozen, arena, executor, labels));
    gradients_open(&optimizer->gradients, arena, executor, &optimizer->frozen);
    if (!device_steps(optimizer))
        return status_ok();
    return executor->operations->open_step(executor, &optimizer->frozen, &optimizer->gradients);
}

/* Has the device do a batch by itself, and time it where `seconds` is not NULL. */
static struct status batch_run(const struct optimizer *optimizer, int64_t images, int64_t step,
                               struct step_seconds *seconds)
{
    struct executor *executor = optimizer->executor;
    const struct step_batch batch = {
        .is_first = optimizer->batches == 1,
        .is_last = optimizer->is_last,
        .starts_average = step <= 1,
    };
    if (optimizer->is_last) {
        float *scalars = executor_scalars(executor);
        scalars[RNET_SCALAR_BATCHES] = (float)optimizer->batches;
        scalars[RNET_SCALAR_GRADIENT_SCALE] = (float)(1.0 / (double)optimizer->batches);
    }
    return executor->operations->run_batch(executor, images, &batch, seconds);
}

struct status optimizer_start(struct optimizer *optimizer, int64_t images, bool is_last,
                              int64_t step)
{
    optimizer->batches++;
    optimizer->is_last = is_last;
    if (device_steps(optimizer))
        return batch_run(optimizer, images, step, NULL);
    if (updates_at_once(optimizer))
        return executor_run_step(optimizer->executor, images);
    return executor_run(optimizer->executor, RNET_PHASE_TRAIN, images);
}

struct status optimizer_add(struct optimizer *optimizer)
{
    return device_steps(optimizer) ? status_ok()
                                   : gradients_add(&optimizer->gradients, optimizer->is_last);
}

/* What the host does for a device that does not. */
static struct status update(struct optimizer *optimizer, int64_t step, double *norm)
{
    struct executor *executor = optimizer->executor;
    RETURN_IF_ERROR(gradients_finish(&optimizer->gradients, norm));
    if (!isfinite(*norm))
        return status_ok();
    if (!updates_at_once(optimizer))
        RETURN_IF_ERROR(executor_run(executor, RNET_PHASE_UPDATE, executor->program->batch));
    RETURN_IF_ERROR(frozen_restore(&optimizer->frozen));
    return weight_average_update(executor, step);
}

struct status optimizer_finish(struct optimizer *optimizer, int64_t step, double *norm)
{
    struct executor *executor = optimizer->executor;
    *norm = 0;
    optimizer->batches = 0;
    if (!device_steps(optimizer))
        return update(optimizer, step, norm);
    if (executor->program->recipe.clip <= 0)
        return status_ok();
    return executor->operations->read_norm(executor, norm);
}

/* ---- timing ---- */

bool optimizer_has(const struct optimizer *optimizer, enum optimizer_part part)
{
    const struct rnet_recipe *recipe = &optimizer->executor->program->recipe;
    switch (part) {
    case OPTIMIZER_SUM:
        return recipe->accumulate > 1;
    case OPTIMIZER_LIMIT:
        return recipe->clip > 0;
    case OPTIMIZER_FREEZE:
        return optimizer->frozen.ranges.count > 0;
    case OPTIMIZER_AVERAGE:
        return recipe->ema > 0;
    case OPTIMIZER_PARTS:
        break;
    }
    return false;
}

/* Adds the time since `*last` to a part's. */
static void part_end(struct step_seconds *seconds, enum optimizer_part part, double *last)
{
    const double now = clock_seconds();
    seconds->parts[part] += now - *last;
    *last = now;
}

static struct status update_timed(struct optimizer *optimizer, struct step_seconds *seconds)
{
    struct executor *executor = optimizer->executor;
    double norm, last = clock_seconds();
    RETURN_IF_ERROR(gradients_finish(&optimizer->gradients, &norm));
    part_end(seconds, OPTIMIZER_LIMIT, &last);
    RETURN_IF_ERROR(
        executor_run_timed(executor, RNET_PHASE_UPDATE, executor->program->batch, seconds->update));
    last = clock_seconds();
    RETURN_IF_ERROR(frozen_restore(&optimizer->frozen));
    part_end(seconds, OPTIMIZER_FREEZE, &last);
    RETURN_IF_ERROR(weight_average_update(executor, LATER_STEP));
    part_end(seconds, OPTIMIZER_AVERAGE, &last);
    return status_ok();
}

static struct status batch_timed(struct optimizer *optimizer, int64_t images,
                                 struct step_seconds *seconds)
{
    if (device_steps(optimizer))
        return batch_run(optimizer, images, LATER_STEP, seconds);
    RETURN_IF_ERROR(
        executor_run_timed(optimizer->executor, RNET_PHASE_TRAIN, images, seconds->train));
    double last = clock_seconds();
    RETURN_IF_ERROR(gradients_add(&optimizer->gradients, optimizer->is_last));
    part_end(seconds, OPTIMIZER_SUM, &last);
    return optimizer->is_last ? update_timed(optimizer, seconds) : status_ok();
}

struct status optimizer_run_timed(struct optimizer *optimizer, int64_t images,
                                  struct step_seconds *seconds)
{
    const int64_t batches = optimizer->executor->program->recipe.accumulate;
    for (int part = 0; part < OPTIMIZER_PARTS; part++)
        seconds->parts[part] = 0;
    for (int64_t i = 1; i <= batches; i++) {
        optimizer->batches = i;
        optimizer->is_last = i == batches;
        RETURN_IF_ERROR(batch_timed(optimizer, images, seconds));
    }
    optimizer->batches = 0;
    return status_ok();
}
