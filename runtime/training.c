/* The training loop. See training.h.
 *
 * Nothing is allocated between the start of an epoch and its last step. After each epoch the
 * weights are written first, then what only describes them. */
#include "runtime/training.h"

#include <inttypes.h>
#include <math.h>

#include "runtime/clock.h"
#include "runtime/interrupt.h"
#include "runtime/weights.h"

/* What adds up over the training steps of an epoch. */
struct epoch_sums {
    struct tally tally;
    double seconds, learning_rate;
};

static void scalars_set(const struct executor *executor, double learning_rate)
{
    const struct rnet_recipe *recipe = &executor->program->recipe;
    float *scalars = executor_scalars(executor);
    scalars[RNET_SCALAR_LEARNING_RATE] = (float)learning_rate;
    scalars[RNET_SCALAR_MOMENTUM] = (float)recipe->momentum;
    scalars[RNET_SCALAR_WEIGHT_DECAY] = (float)recipe->weight_decay;
}

static void batch_counters_advance(const struct executor *executor)
{
    const struct rnet_program *program = executor->program;
    for (uint64_t i = 0; i < program->parameter_count; i++)
        if (program->parameters[i].kind == RNET_PARAMETER_BATCH_COUNTER)
            executor->batch_counters[i]++;
}

static struct status diverged(const struct training *training, double loss)
{
    bool saved = training->history.epochs.count > 0;
    return status_error(STATUS_DIVERGED,
                        "the loss of step %" PRId64 " is not finite (%g); %s%s",
                        training->step + 1, loss,
                        saved ? "the weights of the last whole epoch are in " : "nothing was saved",
                        saved ? training->last_path : "");
}

/* Forward, backward and update for the `images` images that the loader has filled. */
static struct status step_compute(struct training *training, int64_t images,
                                  struct epoch_sums *sums, double *loss)
{
    struct executor *executor = &training->executor;
    const struct rnet_program *program = executor->program;
    struct tally tally = {0};
    executor_run(executor, RNET_PHASE_TRAIN, images);
    tally_add(&tally, executor, program->train_loss, program->train_rank, images);
    *loss = tally_loss(&tally);
    if (!isfinite(*loss))
        return diverged(training, *loss);
    executor_run(executor, RNET_PHASE_UPDATE, images);
    batch_counters_advance(executor);
    sums->tally.loss += tally.loss;
    sums->tally.top1 += tally.top1;
    sums->tally.images += images;
    training->step++;
    return status_ok();
}

static struct status step_run(struct training *training, int64_t epoch, struct epoch_sums *sums)
{
    double start = clock_seconds();
    int64_t images = loader_fill(&training->train, sums->tally.images);
    struct step_record record = {
        .epoch = epoch,
        .learning_rate = learning_rate_at(&training->rate, epoch,
                                          training->step - epoch * training->steps_per_epoch),
    };
    scalars_set(&training->executor, record.learning_rate);
    RETURN_IF_ERROR(step_compute(training, images, sums, &record.loss));
    double seconds = clock_seconds() - start;
    record.step = training->step;
    record.images_per_second = (double)images / seconds;
    sums->seconds += seconds;
    sums->learning_rate = record.learning_rate;
    history_add_step(&training->history, record.loss);
    RETURN_IF_ERROR(metrics_step(&training->metrics, &record));
    progress_step(&training->progress, &record);
    return status_ok();
}

static struct status last_write(const struct training *training)
{
    return weights_write(&training->executor, &training->data, training->last_path);
}

static struct status report_write(struct training *training)
{
    training->facts.steps = training->step;
    training->facts.seconds = clock_seconds() - training->started;
    return report_html_write(training->report_path, &training->facts, &training->history);
}

static struct status stopped(const struct training *training)
{
    RETURN_IF_ERROR(last_write(training));
    return status_error(STATUS_STOPPED, "stopped by a signal after step %" PRId64
                        "; the weights are in %s", training->step, training->last_path);
}

/* Validates and writes everything that belongs to a whole epoch. */
static struct status epoch_finish(struct training *training, int64_t epoch,
                                  const struct epoch_sums *sums)
{
    struct tally validation;
    if (!evaluate_images(&training->validation, &validation))
        return stopped(training);
    const struct epoch_record *best = history_best(&training->history);
    struct epoch_record record = {
        .epoch = epoch,
        .train_loss = tally_loss(&sums->tally),
        .train_top1 = tally_top1(&sums->tally),
        .validation_loss = tally_loss(&validation),
        .validation_top1 = tally_top1(&validation),
        .validation_top5 = tally_top5(&validation),
        .learning_rate = sums->learning_rate,
        .images_per_second = (double)sums->tally.images / sums->seconds,
    };
    bool better = best == NULL || record.validation_top1 > best->validation_top1;
    RETURN_IF_ERROR(last_write(training));
    if (better)
        RETURN_IF_ERROR(weights_write(&training->executor, &training->data, training->best_path));
    history_add_epoch(&training->history, &record);
    RETURN_IF_ERROR(metrics_epoch(&training->metrics, &record));
    RETURN_IF_ERROR(report_write(training));
    progress_epoch(&training->progress, &record, training->step);
    return status_ok();
}

/* Runs one epoch, or the part of it that --steps leaves. */
static struct status epoch_run(struct training *training, int64_t epoch)
{
    struct epoch_sums sums = {0};
    int64_t end = (epoch + 1) * training->steps_per_epoch;
    loader_start_epoch(&training->train, epoch);
    while (training->step < end && training->step < training->total_steps) {
        RETURN_IF_ERROR(step_run(training, epoch, &sums));
        if (interrupt_requested())
            return stopped(training);
    }
    if (training->step < end)
        return last_write(training);
    return epoch_finish(training, epoch, &sums);
}

struct status training_run(struct training *training)
{
    struct status status = status_ok();
    training->started = clock_seconds();
    training->progress = progress_start(training->facts.epochs, training->steps_per_epoch,
                                        training->total_steps);
    if (training->total_steps == 0)
        status = last_write(training);
    for (int64_t epoch = 0; training->step < training->total_steps && status_is_ok(&status);
         epoch++)
        status = epoch_run(training, epoch);
    progress_clear(&training->progress);
    /* The curves of a run that ended early are worth having, but not worth hiding why. */
    struct status written = report_write(training);
    return status_is_ok(&status) ? written : status;
}
