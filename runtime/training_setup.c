/* Setting a training up and taking it down: directory, data, network, weights, schedule. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/checkpoint.h"
#include "runtime/initialize.h"
#include "runtime/resume.h"
#include "runtime/run_file.h"
#include "runtime/training.h"
#include "runtime/weight_average.h"
#include "runtime/weights.h"

/* Refuses a directory that holds a run, unless that is to go on. Nothing is made before all else
 * is known to be in order. */
static struct status directory_check(struct training *training)
{
    struct arena *arena = &training->arena;
    const char *out = training->options.out;
    training->metrics_path = arena_format(arena, "%s/metrics.jsonl", out);
    training->last_path = arena_format(arena, "%s/last.safetensors", out);
    training->best_path = arena_format(arena, "%s/best.safetensors", out);
    training->csv_path = arena_format(arena, "%s/metrics.csv", out);
    training->board_path = arena_format(arena, "%s/events.out.tfevents.rnet", out);
    training->report_path = arena_format(arena, "%s/report.html", out);
    training->run_path = arena_format(arena, "%s/run.json", out);
    training->holds_run = access(training->metrics_path, F_OK) == 0 ||
                          access(training->last_path, F_OK) == 0 || checkpoint_is_there(out);
    if (training->holds_run && !training->options.resume)
        return status_error(STATUS_INVALID,
                            "%s already holds a run; give another --out, or --resume to go on",
                            out);
    return status_ok();
}

static struct status loaders_open(struct training *training)
{
    const struct train_options *options = &training->options;
    const struct rnet_recipe *recipe = &training->executor.program->recipe;
    struct augmentation evaluate = {recipe->evaluate, recipe->evaluate_count};
    struct augmentation augment = {recipe->augment, recipe->augment_count};
    struct loader_options train = {
        .part = DATA_TRAIN,
        .augmentation = options->no_augment ? evaluate : augment,
        .shuffle = !options->no_shuffle,
        .seed = (uint64_t)options->seed,
    };
    struct loader_options validation = {.part = DATA_VALIDATION, .augmentation = evaluate};
    RETURN_IF_ERROR(loader_open(&training->train, &training->arena, &training->data,
                                &training->executor, &train));
    return loader_open(&training->validation, &training->arena, &training->data,
                       &training->executor, &validation);
}

static struct status fresh_start(struct training *training)
{
    parameters_initialize(&training->executor, (uint64_t)training->options.seed);
    const struct train_options *options = &training->options;
    const struct weights_options reading = {
        .reset = options->reset.texts.items,
        .reset_count = options->reset.texts.count,
    };
    if (options->init != NULL)
        RETURN_IF_ERROR(weights_read_with(&training->executor, options->init, &reading));
    return weight_average_update(&training->executor, 0);
}

/* Sets how long the training is and how the learning rate goes along it. */
static struct status length_set(struct training *training)
{
    const struct rnet_program *program = training->executor.program;
    const struct train_options *options = &training->options;
    int64_t images = training->data.parts[DATA_TRAIN].count;
    int64_t epochs = options->epochs != 0 ? options->epochs : program->recipe.epochs;
    const char *note;
    int64_t batches = (images + program->batch - 1) / program->batch;
    int64_t accumulate = program->recipe.accumulate;
    training->steps_per_epoch = (batches + accumulate - 1) / accumulate;
    if (__builtin_mul_overflow(training->steps_per_epoch, epochs, &training->total_steps))
        return status_error(STATUS_USAGE, "--epochs %" PRId64 " is too long a training", epochs);
    if (options->steps >= 0 && options->steps < training->total_steps)
        training->total_steps = options->steps;
    RETURN_IF_ERROR(learning_rate_open(&training->rate, &training->arena, &program->recipe, epochs,
                                       training->steps_per_epoch, &note));
    if (options->learning_rate >= 0)
        training->rate.base = options->learning_rate;
    if (note != NULL)
        fprintf(stderr, "schedule: %s\n", note);
    return status_ok();
}

static void facts_set(struct training *training)
{
    training->facts = (struct report_facts){
        .program = training->executor.program,
        .data = training->options.data,
        .init = training->options.init,
        .train_images = training->data.parts[DATA_TRAIN].count,
        .validation_images = training->data.parts[DATA_VALIDATION].count,
        .epochs = training->rate.epochs,
        .steps_per_epoch = training->steps_per_epoch,
        .learning_rate = training->rate.base,
        .seed = training->options.seed,
        .threads = thread_team_count(training->executor.team),
        .shuffled = !training->options.no_shuffle,
        .augmented = !training->options.no_augment,
    };
}

static struct status step_prepare(struct training *training)
{
    return optimizer_open(&training->optimizer, &training->arena, &training->executor,
                          &training->options.frozen);
}

static struct status board_open(struct training *training)
{
    if (!training->options.tensorboard)
        return status_ok();
    return tensorboard_open(&training->board, training->board_path, training->board_position);
}

static struct status begin(struct training *training)
{
    RETURN_IF_ERROR(fresh_start(training));
    RETURN_IF_ERROR(step_prepare(training));
    RETURN_IF_ERROR(file_make_directory(&training->arena, training->options.out));
    RETURN_IF_ERROR(metrics_create(&training->metrics, training->metrics_path));
    RETURN_IF_ERROR(run_file_write(training->run_path, &training->facts, false));
    return board_open(training);
}

/* Goes on from the newest checkpoint, or from the start where there is none. */
static struct status resumed_start(struct training *training)
{
    bool found, begun = access(training->metrics_path, F_OK) == 0;
    RETURN_IF_ERROR(metrics_reopen(&training->metrics, training->metrics_path));
    RETURN_IF_ERROR(training_restore(training, &found));
    if (!found)
        RETURN_IF_ERROR(fresh_start(training));
    RETURN_IF_ERROR(step_prepare(training));
    if (begun && found)
        fprintf(stderr, "going on after step %" PRId64 "\n", training->step);
    else if (begun)
        fprintf(stderr, "%s holds no checkpoint; starting again\n", training->options.out);
    training->facts.steps = training->step;
    training->facts.seconds = training->seconds_before;
    RETURN_IF_ERROR(run_file_write(training->run_path, &training->facts, false));
    RETURN_IF_ERROR(board_open(training));
    RETURN_IF_ERROR(metrics_cut(&training->metrics, training->metrics_position));
    return begun ? metrics_resume(&training->metrics, training->step) : status_ok();
}

struct status training_open(struct training *training, const struct rnet_program *program,
                            const struct train_options *options)
{
    training->options = *options;
    training->saved_step = -1;
    training->history.arena = &training->arena;
    RETURN_IF_ERROR(directory_check(training));
    RETURN_IF_ERROR(data_set_open(&training->data, options->data,
                                  DATA_NEEDS_TRAIN | DATA_NEEDS_VALIDATION, program));
    RETURN_IF_ERROR(executor_open_with(&training->executor, program, &options->computing));
    RETURN_IF_ERROR(loaders_open(training));
    RETURN_IF_ERROR(length_set(training));
    facts_set(training);
    mistakes_open(&training->mistakes, &training->arena, program);
    return training->holds_run ? resumed_start(training) : begin(training);
}

void training_release(struct training *training)
{
    metrics_close(&training->metrics);
    tensorboard_close(&training->board);
    loader_close(&training->train);
    loader_close(&training->validation);
    executor_release(&training->executor);
    data_set_release(&training->data);
    arena_release(&training->arena);
}
