/* One step on either kind of device. See optimizer.h. */
#include "runtime/optimizer.h"

#include <math.h>

#include "runtime/device.h"
#include "runtime/weight_average.h"

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

static struct status batch_run(const struct optimizer *optimizer, int64_t images, bool is_last,
                               int64_t step)
{
    struct executor *executor = optimizer->executor;
    const struct step_batch batch = {
        .is_first = optimizer->batches == 1,
        .is_last = is_last,
        .starts_average = step <= 1,
    };
    if (is_last) {
        float *scalars = executor_scalars(executor);
        scalars[RNET_SCALAR_BATCHES] = (float)optimizer->batches;
        scalars[RNET_SCALAR_GRADIENT_SCALE] = (float)(1.0 / (double)optimizer->batches);
    }
    return executor->operations->run_batch(executor, images, &batch);
}

struct status optimizer_start(struct optimizer *optimizer, int64_t images, bool is_last,
                              int64_t step)
{
    optimizer->batches++;
    if (device_steps(optimizer))
        return batch_run(optimizer, images, is_last, step);
    if (updates_at_once(optimizer))
        return executor_run_step(optimizer->executor, images);
    return executor_run(optimizer->executor, RNET_PHASE_TRAIN, images);
}

struct status optimizer_add(struct optimizer *optimizer)
{
    return device_steps(optimizer) ? status_ok() : gradients_add(&optimizer->gradients);
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
