/* Gathering a training's state into a checkpoint and taking it back. See resume.h. */
#include "runtime/resume.h"

#include <inttypes.h>
#include <string.h>

#include "base/table.h"
#include "runtime/checkpoint.h"
#include "runtime/clock.h"
#include "runtime/parameters.h"

/* What a run may not change when it goes on. */
struct settings {
    int64_t seed, batch, accumulate, train_images, validation_images;
    int64_t shuffled, augmented, averages;
    uint64_t layout; /* of the parameters in their regions */
    uint64_t frozen; /* of the labels */
};

struct saved_state {
    struct settings settings;
    int64_t epochs;
    double learning_rate, seconds;
    int64_t step, epoch, metrics_position, board_position;
    struct epoch_sums sums;
};

/* ORDER PART: the parts of a checkpoint. */
enum part {
    PART_STATE,
    PART_STEP_SERIES,
    PART_EPOCHS,
    PART_COUNTERS,
    PART_WEIGHTS,
    PART_STATISTICS,
    PART_MOMENTUM,
    PART_AVERAGE_WEIGHTS,
    PART_AVERAGE_STATISTICS,
    PART_COUNT
};

static const enum rnet_region part_regions[] = {
    [PART_WEIGHTS] = RNET_REGION_WEIGHTS,
    [PART_STATISTICS] = RNET_REGION_STATISTICS,
    [PART_MOMENTUM] = RNET_REGION_MOMENTUM,
    [PART_AVERAGE_WEIGHTS] = RNET_REGION_AVERAGE_WEIGHTS,
    [PART_AVERAGE_STATISTICS] = RNET_REGION_AVERAGE_STATISTICS,
};

/* Memory that a checkpoint takes as it is; empty where the training has none of the kind. */
struct memory {
    void *bytes;
    size_t size;
};

/* The memory of a part from PART_WEIGHTS on. */
static struct memory part_memory(const struct training *training, int part)
{
    const struct executor *executor = &training->executor;
    return (struct memory){executor->regions[part_regions[part]],
                           executor->program->region_bytes[part_regions[part]]};
}

static uint64_t layout_hash(const struct rnet_program *program)
{
    uint64_t hash = 0;
    for (uint64_t i = 0; i < program->parameter_count; i++) {
        const struct rnet_parameter *parameter = &program->parameters[i];
        const uint64_t facts[] = {
            hash,
            hash_bytes(parameter->name, strlen(parameter->name)),
            hash_bytes(parameter->shape, sizeof parameter->shape),
            parameter->offset,
            parameter->region,
            parameter->kind,
        };
        hash = hash_bytes(facts, sizeof facts);
    }
    return hash;
}

static uint64_t labels_hash(const struct text_list *labels)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < labels->texts.count; i++) {
        const char *label = labels->texts.items[i];
        const uint64_t facts[] = {hash, hash_bytes(label, strlen(label))};
        hash = hash_bytes(facts, sizeof facts);
    }
    return hash;
}

static struct settings settings_of(const struct training *training)
{
    const struct report_facts *facts = &training->facts;
    return (struct settings){
        .seed = facts->seed,
        .batch = facts->program->batch,
        .accumulate = facts->program->recipe.accumulate,
        .train_images = facts->train_images,
        .validation_images = facts->validation_images,
        .shuffled = facts->shuffled,
        .augmented = facts->augmented,
        .averages = facts->program->recipe.ema > 0,
        .layout = layout_hash(facts->program),
        .frozen = labels_hash(&training->options.frozen),
    };
}

/* The memory of each part; that of the state and of the epochs is the caller's to add. */
static void parts_fill(const struct training *training, struct checkpoint *checkpoint)
{
    const struct executor *executor = &training->executor;
    const struct rnet_program *program = executor->program;
    checkpoint->count = PART_COUNT;
    checkpoint->parts[PART_STEP_SERIES] =
        (struct checkpoint_part){&training->history.steps, sizeof training->history.steps};
    checkpoint->parts[PART_COUNTERS] = (struct checkpoint_part){
        executor->batch_counters, program->parameter_count * sizeof(int64_t)};
    for (int part = PART_WEIGHTS; part < PART_COUNT; part++) {
        const struct memory memory = part_memory(training, part);
        checkpoint->parts[part] = (struct checkpoint_part){memory.bytes, memory.size};
    }
}

/* Checkpoints hold weights, and what lies as they do, in one block each, for every target. */
static void weights_rearrange(const struct training *training, bool joins)
{
    static const enum part parts[] = {PART_WEIGHTS, PART_MOMENTUM, PART_AVERAGE_WEIGHTS};
    for (size_t i = 0; i < countof(parts); i++) {
        const struct memory memory = part_memory(training, parts[i]);
        if (memory.size > 0)
            parameters_rearrange(training->executor.program, memory.bytes, joins);
    }
}

struct status training_save(struct training *training)
{
    struct saved_state state = {
        .settings = settings_of(training),
        .epochs = training->rate.epochs,
        .learning_rate = training->rate.base,
        .seconds = training->seconds_before + clock_seconds() - training->started,
        .step = training->step,
        .epoch = training->epoch,
        .sums = training->sums,
    };
    for (int part = PART_WEIGHTS; part < PART_COUNT; part++)
        RETURN_IF_ERROR(executor_fetch(&training->executor, part_regions[part]));
    RETURN_IF_ERROR(metrics_sync(&training->metrics, &state.metrics_position));
    RETURN_IF_ERROR(tensorboard_sync(&training->board, &state.board_position));
    struct checkpoint checkpoint;
    parts_fill(training, &checkpoint);
    checkpoint.parts[PART_STATE] = (struct checkpoint_part){&state, sizeof state};
    checkpoint.parts[PART_EPOCHS] =
        (struct checkpoint_part){training->history.epochs.items,
                                 training->history.epochs.count * sizeof(struct epoch_record)};
    weights_rearrange(training, true);
    struct status status = checkpoint_write(training->options.out, training->step, &checkpoint);
    weights_rearrange(training, false);
    if (status_is_ok(&status))
        training->saved_step = training->step;
    return status;
}

static struct status settings_check(const struct settings *saved, const struct settings *now,
                                    const char *out)
{
    const struct {
        const char *what;
        int64_t saved, now;
    } numbers[] = {
        {"seed", saved->seed, now->seed},
        {"batch", saved->batch, now->batch},
        {"number of batches in an update", saved->accumulate, now->accumulate},
        {"number of training images", saved->train_images, now->train_images},
        {"number of validation images", saved->validation_images, now->validation_images},
        {"shuffling", saved->shuffled, now->shuffled},
        {"augmentation", saved->augmented, now->augmented},
        {"moving average of weights", saved->averages, now->averages},
    };
    if (saved->layout != now->layout)
        return status_error(STATUS_INVALID, "the run in %s is one of another network", out);
    if (saved->frozen != now->frozen)
        return status_error(STATUS_INVALID, "the run in %s cannot go on: --freeze is another", out);
    for (size_t i = 0; i < countof(numbers); i++)
        if (numbers[i].saved != numbers[i].now)
            return status_error(STATUS_INVALID,
                                "the run in %s cannot go on: its %s was %" PRId64 " and is %" PRId64
                                " now",
                                out, numbers[i].what, numbers[i].saved, numbers[i].now);
    return status_ok();
}

static bool sizes_fit(const struct training *training, const struct checkpoint *saved)
{
    struct checkpoint wanted = {0};
    parts_fill(training, &wanted);
    wanted.parts[PART_STATE].size = sizeof(struct saved_state);
    wanted.parts[PART_EPOCHS].size =
        saved->parts[PART_EPOCHS].size / sizeof(struct epoch_record) * sizeof(struct epoch_record);
    bool fit = true;
    for (int part = 0; fit && part < PART_COUNT; part++)
        fit = saved->parts[part].size == wanted.parts[part].size;
    return fit;
}

static void memory_take(struct training *training, const struct checkpoint *saved)
{
    struct executor *executor = &training->executor;
    const struct checkpoint_part *parts = saved->parts;
    memcpy(&training->history.steps, parts[PART_STEP_SERIES].bytes, parts[PART_STEP_SERIES].size);
    memcpy(executor->batch_counters, parts[PART_COUNTERS].bytes, parts[PART_COUNTERS].size);
    for (int part = PART_WEIGHTS; part < PART_COUNT; part++)
        if (parts[part].size > 0)
            memcpy(part_memory(training, part).bytes, parts[part].bytes, parts[part].size);
    weights_rearrange(training, false);
    for (int part = PART_WEIGHTS; part < PART_COUNT; part++)
        executor_changed(executor, part_regions[part]);
    for (size_t i = 0; i < parts[PART_EPOCHS].size / sizeof(struct epoch_record); i++) {
        struct epoch_record record;
        memcpy(&record, (const char *)parts[PART_EPOCHS].bytes + i * sizeof record, sizeof record);
        history_add_epoch(&training->history, &record);
    }
}

/* The numbers that are used as places must be places; a checksum does not promise that. */
static bool state_is_sound(const struct training *training, const struct saved_state *state,
                           const struct checkpoint *saved)
{
    struct step_series series;
    memcpy(&series, saved->parts[PART_STEP_SERIES].bytes, sizeof series);
    const struct rnet_program *program = training->executor.program;
    int64_t per_epoch = training->steps_per_epoch;
    int64_t per_step = program->batch * program->recipe.accumulate;
    if (series.count < 0 || series.count >= HISTORY_POINTS || series.span < 0)
        return false;
    if (state->epoch < 0 || state->epoch > INT64_MAX / per_epoch - 1)
        return false;
    int64_t done = state->step - state->epoch * per_epoch;
    int64_t images = done == per_epoch ? training->facts.train_images : done * per_step;
    return done >= 0 && done <= per_epoch && state->sums.tally.images == images &&
           state->metrics_position >= 0 && state->board_position >= 0;
}

/* What may change is said. */
static void changes_print(const struct training *training, const struct saved_state *state)
{
    if (state->epochs != training->rate.epochs)
        fprintf(stderr, "note: the run had %" PRId64 " epochs and has %" PRId64 " now\n",
                state->epochs, training->rate.epochs);
    if (memcmp(&state->learning_rate, &training->rate.base, sizeof state->learning_rate) != 0)
        fprintf(stderr, "note: the run's learning rate was %g and is %g now\n",
                state->learning_rate, training->rate.base);
}

static struct status state_take(struct training *training, const struct checkpoint *saved)
{
    const char *out = training->options.out;
    struct saved_state state;
    if (saved->count != PART_COUNT || saved->parts[PART_STATE].size != sizeof state)
        return status_error(STATUS_INVALID, "the run in %s is one of another version", out);
    memcpy(&state, saved->parts[PART_STATE].bytes, sizeof state);
    struct settings now = settings_of(training);
    RETURN_IF_ERROR(settings_check(&state.settings, &now, out));
    if (!sizes_fit(training, saved))
        return status_error(STATUS_INVALID, "the run in %s is one of another network", out);
    if (!state_is_sound(training, &state, saved))
        return status_error(STATUS_INVALID, "the checkpoint in %s contradicts itself", out);
    changes_print(training, &state);
    memory_take(training, saved);
    training->step = training->saved_step = state.step;
    training->epoch = state.epoch;
    training->sums = state.sums;
    training->seconds_before = state.seconds;
    training->metrics_position = state.metrics_position;
    training->board_position = state.board_position;
    return status_ok();
}

struct status training_restore(struct training *training, bool *found)
{
    struct arena arena = {0};
    struct checkpoint saved;
    checkpoint_sweep(training->options.out);
    struct status status = checkpoint_read(&arena, training->options.out, &saved, found);
    if (status_is_ok(&status) && *found)
        status = state_take(training, &saved);
    arena_release(&arena);
    return status;
}
