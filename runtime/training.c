/* The training loop. See training.h.
 *
 * Nothing is allocated between the start of an epoch and its last step. After each epoch the
 * weights are written first, then what only describes them. */
#include "runtime/training.h"

#include <inttypes.h>
#include <math.h>
#include <unistd.h>

#include "runtime/clock.h"
#include "runtime/floats.h"
#include "runtime/interrupt.h"
#include "runtime/keys.h"
#include "runtime/resume.h"
#include "runtime/run_file.h"
#include "runtime/weight_average.h"
#include "runtime/weights.h"

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

/* What has diverged is not written: all that was before stays. */
static struct status diverged(struct training *training, const char *what, int64_t step,
                              double value)
{
    const char *kept = "nothing was saved";
    if (training->history.epochs.count > 0)
        kept = arena_format(&training->arena, "the weights of the last whole epoch are in %s",
                            training->last_path);
    else if (training->saved_step >= 0)
        kept = arena_format(&training->arena, "the checkpoint of step %" PRId64 " is in %s",
                            training->saved_step, training->options.out);
    return status_error(STATUS_DIVERGED, "%s of step %" PRId64 " is not finite (%g); %s", what,
                        step, value, kept);
}

/* Loads the batch at place `first` of the epoch, or takes the one that was loaded ahead. */
static struct status batch_take(struct training *training, int64_t first, int64_t *images)
{
    struct batch_ahead *ahead = &training->ahead;
    if (!ahead->is_loaded)
        return loader_fill(&training->train, first, images);
    ahead->is_loaded = false;
    *images = ahead->images;
    return ahead->status;
}

static void batch_load_ahead(struct training *training, int64_t first)
{
    struct batch_ahead *ahead = &training->ahead;
    ahead->status = loader_fill(&training->train, first, &ahead->images);
    ahead->is_loaded = true;
}

/* A batch that has been taken. */
struct batch {
    int64_t first, images; /* its place in the epoch */
    bool is_last;          /* of the step's */
    bool more;             /* another one follows in the training */
};

/* Forward and backward for the batch at hand. */
static struct status batch_compute(struct training *training, const struct batch *batch,
                                   struct tally *tally, double *loss)
{
    struct executor *executor = &training->executor;
    const struct rnet_program *program = executor->program;
    struct tally own = {0};
    RETURN_IF_ERROR(
        optimizer_start(&training->optimizer, batch->images, batch->is_last, training->step + 1));
    if (batch->more)
        batch_load_ahead(training, batch->first + batch->images);
    RETURN_IF_ERROR(
        tally_add(&own, executor, program->train_loss, program->train_rank, batch->images));
    *loss = tally_loss(&own);
    if (!isfinite(*loss))
        return diverged(training, "the loss", training->step + 1, *loss);
    RETURN_IF_ERROR(optimizer_add(&training->optimizer));
    batch_counters_advance(executor);
    tally->loss += own.loss;
    tally->top1 += own.top1;
    tally->images += batch->images;
    return status_ok();
}

/* Computes as many batches as one update averages, or those that the epoch still has. Their images
 * are added up in `tally`; `*loss` is the mean of the batches' mean losses. */
static struct status batches_compute(struct training *training, struct tally *tally, double *loss)
{
    const int64_t most = training->executor.program->recipe.accumulate;
    const uint64_t seed = (uint64_t)training->options.seed;
    const bool is_last = training->step + 1 >= training->total_steps;
    int64_t batches = 0;
    double sum = 0;
    while (batches < most) {
        struct batch batch = {.first = training->sums.tally.images + tally->images,
                              .more = !is_last || batches + 1 < most};
        RETURN_IF_ERROR(batch_take(training, batch.first, &batch.images));
        if (batch.images == 0)
            break;
        batch.is_last =
            batches + 1 == most || batch.first + batch.images == training->facts.train_images;
        keys_set(&training->executor, seed, training->step * most + batches);
        RETURN_IF_ERROR(batch_compute(training, &batch, tally, loss));
        sum += *loss;
        batches++;
    }
    *loss = sum / (double)batches;
    return status_ok();
}

/* Updates the weights by the gradients of the step's batches. */
static struct status update_compute(struct training *training, struct step_record *record)
{
    record->clips = training->executor.program->recipe.clip > 0;
    RETURN_IF_ERROR(
        optimizer_finish(&training->optimizer, training->step + 1, &record->gradient_norm));
    if (!isfinite(record->gradient_norm))
        return diverged(training, "the norm of the gradients", training->step + 1,
                        record->gradient_norm);
    record->step = ++training->step;
    return status_ok();
}

static void step_describe(struct training *training, const struct step_record *record)
{
    struct tensorboard *board = &training->board;
    history_add_step(&training->history, record->loss);
    tensorboard_scalar(board, "loss/step", record->step, record->loss);
    tensorboard_scalar(board, "learning_rate", record->step, record->learning_rate);
    if (record->clips)
        tensorboard_scalar(board, "gradient_norm", record->step, record->gradient_norm);
    progress_step(&training->progress, record);
}

static struct status step_run(struct training *training)
{
    double start = clock_seconds(), waited = training->train.waited;
    struct epoch_sums *sums = &training->sums;
    struct tally tally = {0};
    int64_t epoch = training->epoch;
    struct step_record record = {
        .epoch = epoch,
        .learning_rate = learning_rate_at(&training->rate, epoch,
                                          training->step - epoch * training->steps_per_epoch),
    };
    scalars_set(&training->executor, record.learning_rate);
    RETURN_IF_ERROR(batches_compute(training, &tally, &record.loss));
    RETURN_IF_ERROR(update_compute(training, &record));
    double seconds = clock_seconds() - start;
    record.images_per_second = (double)tally.images / seconds;
    sums->tally.loss += tally.loss;
    sums->tally.top1 += tally.top1;
    sums->tally.images += tally.images;
    sums->seconds += seconds;
    sums->waited += training->train.waited - waited;
    sums->learning_rate = record.learning_rate;
    RETURN_IF_ERROR(metrics_step(&training->metrics, &record));
    step_describe(training, &record);
    return status_ok();
}

/* Weight files hold the average where one is kept: the weights that evaluation reports. */
static struct status trained_weights_write(struct training *training, const char *path)
{
    RETURN_IF_ERROR(weight_average_exchange(&training->executor));
    RETURN_IF_ERROR(weights_write(&training->executor, &training->data, path));
    return weight_average_exchange(&training->executor);
}

/* A step whose loss is finite may leave weights that are not. */
static struct status weights_check(struct training *training)
{
    static const enum rnet_region regions[] = {RNET_REGION_WEIGHTS, RNET_REGION_STATISTICS};
    const struct executor *executor = &training->executor;
    for (size_t i = 0; i < countof(regions); i++) {
        RETURN_IF_ERROR(executor_fetch(executor, regions[i]));
        const float *values = (const float *)(const void *)executor->regions[regions[i]];
        const uint64_t bytes = executor->program->region_bytes[regions[i]];
        const float *wrong = floats_find_not_finite(values, (int64_t)(bytes / sizeof *values));
        if (wrong != NULL)
            return diverged(training, "a weight", training->step, (double)*wrong);
    }
    return status_ok();
}

/* Writes the weights, then the checkpoint, which thereby never is ahead of them. */
static struct status state_write(struct training *training)
{
    RETURN_IF_ERROR(weights_check(training));
    RETURN_IF_ERROR(trained_weights_write(training, training->last_path));
    return training_save(training);
}

static struct status report_write(struct training *training)
{
    training->facts.steps = training->step;
    training->facts.seconds = training->seconds_before + clock_seconds() - training->started;
    RETURN_IF_ERROR(history_write_csv(&training->history, training->csv_path));
    return report_html_write(training->report_path, &training->facts, &training->history,
                             &training->mistakes, &training->data);
}

static struct status stopped(struct training *training)
{
    RETURN_IF_ERROR(state_write(training));
    return status_error(STATUS_STOPPED,
                        "stopped by a signal after step %" PRId64 "; --resume goes on",
                        training->step);
}

static struct epoch_record epoch_record_make(const struct training *training,
                                             const struct tally *validation)
{
    const struct epoch_sums *sums = &training->sums;
    return (struct epoch_record){
        .epoch = training->epoch,
        .train_loss = tally_loss(&sums->tally),
        .train_top1 = tally_top1(&sums->tally),
        .validation_loss = tally_loss(validation),
        .validation_top1 = tally_top1(validation),
        .validation_top5 = tally_top5(validation),
        .learning_rate = sums->learning_rate,
        .images_per_second = (double)sums->tally.images / sums->seconds,
        .waiting = sums->waited / sums->seconds,
    };
}

static void board_epoch(struct training *training, const struct epoch_record *record)
{
    struct tensorboard *board = &training->board;
    tensorboard_scalar(board, "loss/train", training->step, record->train_loss);
    tensorboard_scalar(board, "loss/validation", training->step, record->validation_loss);
    tensorboard_scalar(board, "top1/train", training->step, record->train_top1);
    tensorboard_scalar(board, "top1/validation", training->step, record->validation_top1);
    tensorboard_scalar(board, "top5/validation", training->step, record->validation_top5);
    tensorboard_scalar(board, "images_per_second", training->step, record->images_per_second);
}

/* Writes what describes an epoch that is over. */
static struct status epoch_describe(struct training *training, const struct epoch_record *record)
{
    history_add_epoch(&training->history, record);
    board_epoch(training, record);
    RETURN_IF_ERROR(metrics_epoch(&training->metrics, record));
    if (training->train.prefetch == NULL)
        return status_ok();
    return metrics_loader(&training->metrics, record);
}

/* Validates and writes everything that belongs to a whole epoch. */
static struct status epoch_finish(struct training *training)
{
    struct tally validation;
    bool whole;
    RETURN_IF_ERROR(weight_average_exchange(&training->executor));
    RETURN_IF_ERROR(
        evaluate_images(&training->validation, &validation, &training->mistakes, &whole));
    RETURN_IF_ERROR(weight_average_exchange(&training->executor));
    if (!whole)
        return stopped(training);
    if (!isfinite(tally_loss(&validation)))
        return diverged(training, "the validation loss", training->step, tally_loss(&validation));
    struct epoch_record record = epoch_record_make(training, &validation);
    const struct epoch_record *best = history_best(&training->history);
    if (best == NULL || record.validation_top1 > best->validation_top1)
        RETURN_IF_ERROR(trained_weights_write(training, training->best_path));
    RETURN_IF_ERROR(epoch_describe(training, &record));
    training->epoch++;
    training->sums = (struct epoch_sums){0};
    RETURN_IF_ERROR(state_write(training));
    RETURN_IF_ERROR(report_write(training));
    progress_epoch(&training->progress, &record, training->step);
    return status_ok();
}

static bool checkpoint_is_due(const struct training *training)
{
    int64_t every = training->options.checkpoint_every;
    return every > 0 && training->step % every == 0;
}

/* Runs one epoch from where it stands, or the part of it that --steps leaves. */
static struct status epoch_run(struct training *training)
{
    int64_t end = (training->epoch + 1) * training->steps_per_epoch;
    loader_start_epoch(&training->train, training->epoch);
    training->ahead.is_loaded = false;
    while (training->step < end && training->step < training->total_steps) {
        RETURN_IF_ERROR(step_run(training));
        if (interrupt_requested())
            return stopped(training);
        if (checkpoint_is_due(training) && training->step < end) {
            RETURN_IF_ERROR(weights_check(training));
            RETURN_IF_ERROR(training_save(training));
        }
    }
    return training->step < end ? state_write(training) : epoch_finish(training);
}

/* The last step of an epoch may be done and its validation not. */
static bool is_done(const struct training *training)
{
    int64_t end = (training->epoch + 1) * training->steps_per_epoch;
    return training->step >= training->total_steps && training->step < end;
}

/* A run that was over when it began: resumed, or of no steps. Its report may say more than this
 * process knows, so it stays. */
static struct status finished_again(struct training *training)
{
    RETURN_IF_ERROR(state_write(training));
    if (access(training->report_path, F_OK) != 0)
        RETURN_IF_ERROR(report_write(training));
    return run_file_write(training->run_path, &training->facts, true);
}

struct status training_run(struct training *training)
{
    struct status status = status_ok();
    training->started = clock_seconds();
    training->progress = progress_start(training->facts.epochs, training->steps_per_epoch,
                                        training->total_steps, training->step);
    if (is_done(training))
        return finished_again(training);
    while (status_is_ok(&status) && !is_done(training))
        status = epoch_run(training);
    progress_clear(&training->progress);
    /* The curves of a run that ended early are worth having, but not worth hiding why. */
    struct status written = report_write(training);
    if (status_is_ok(&status) && status_is_ok(&written))
        written = run_file_write(training->run_path, &training->facts, true);
    return status_is_ok(&status) ? written : status;
}
