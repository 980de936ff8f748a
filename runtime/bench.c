/* The command `bench`: times steps on random data, with fresh weights. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "runtime/bench_loader.h"
#include "runtime/clock.h"
#include "runtime/commands.h"
#include "runtime/executor_options.h"
#include "runtime/initialize.h"
#include "runtime/median.h"
#include "runtime/metrics.h"
#include "runtime/optimizer.h"
#include "runtime/profile.h"
#include "runtime/random.h"
#include "runtime/report_network.h"

enum {
    WARMUP_STEPS = 2,
    TRAIN_PASSES = 3, /* forward, and two products backward */
    LATER_STEP = 2,   /* of a training: as all but its first */
};

struct bench_options {
    const char *mode, *data;
    int64_t steps, batch;
    struct executor_options computing;
    bool turns, profile, json;
};

/* What a step is run on. */
struct bench_state {
    struct executor executor;
    struct optimizer optimizer; /* of a training */
    struct arena arena;
};

struct bench_result {
    int64_t images, batches, steps; /* images of a batch, batches of a step */
    int threads;
    const char *device;
    double median, least; /* seconds */
    double first;         /* seconds of the very first step */
    double operations;    /* floating-point operations of a step */
    int64_t peak_bytes, device_bytes;
};

static bool is_training(const struct bench_options *options)
{
    return strcmp(options->mode, "train") == 0;
}

static bool is_loading(const struct bench_options *options)
{
    return strcmp(options->mode, "load") == 0;
}

static struct status input_fill(struct executor *executor)
{
    enum { NORMALS = 4 };
    const struct rnet_program *program = executor->program;
    float *input = (float *)(void *)executor->regions[RNET_REGION_INPUT];
    int64_t count = (int64_t)(program->region_bytes[RNET_REGION_INPUT] / sizeof *input);
    for (int64_t i = 0; i + NORMALS <= count; i += NORMALS)
        random_normals(0, random_stream(RANDOM_BENCH, 0), (uint64_t)i, input + i);
    int32_t *labels = (int32_t *)(void *)executor->regions[RNET_REGION_LABELS];
    struct random_source random = {0, random_stream(RANDOM_BENCH, 1), 0};
    for (int64_t i = 0; i < program->batch; i++)
        labels[i] = (int32_t)random_below(&random, program->classes);
    return executor_submit(executor, program->batch);
}

/* With a learning rate of 0 the weights stay sound, and every instruction still runs. */
static void scalars_fill(struct executor *executor)
{
    const struct rnet_recipe *recipe = &executor->program->recipe;
    float *scalars = executor_scalars(executor);
    scalars[RNET_SCALAR_LEARNING_RATE] = 0;
    scalars[RNET_SCALAR_MOMENTUM] = (float)recipe->momentum;
    scalars[RNET_SCALAR_WEIGHT_DECAY] = (float)recipe->weight_decay;
    scalars[RNET_SCALAR_GRADIENT_SCALE] = 1;
}

static struct status prepare(struct bench_state *state, bool train)
{
    const struct text_list frozen = {.arena = &state->arena};
    parameters_initialize(&state->executor, 0);
    scalars_fill(&state->executor);
    if (train)
        RETURN_IF_ERROR(
            optimizer_open(&state->optimizer, &state->arena, &state->executor, &frozen));
    return input_fill(&state->executor);
}

/* As many batches as the recipe takes for one update of the weights, and all that belongs to it. */
static struct status train_step(struct optimizer *optimizer, int64_t images)
{
    const int64_t batches = optimizer->executor->program->recipe.accumulate;
    double norm;
    for (int64_t i = 1; i <= batches; i++) {
        RETURN_IF_ERROR(optimizer_start(optimizer, images, i == batches, LATER_STEP));
        RETURN_IF_ERROR(optimizer_add(optimizer));
    }
    RETURN_IF_ERROR(optimizer_finish(optimizer, LATER_STEP, &norm));
    if (!isfinite(norm))
        return status_error(STATUS_DIVERGED, "the norm of the gradients is not finite (%g)", norm);
    return status_ok();
}

static struct status step_time(struct bench_state *state, const struct bench_options *options,
                               double *seconds)
{
    double start = clock_seconds();
    RETURN_IF_ERROR(is_training(options)
                        ? train_step(&state->optimizer, options->batch)
                        : executor_run(&state->executor, RNET_PHASE_INFER, options->batch));
    RETURN_IF_ERROR(executor_wait(&state->executor));
    *seconds = clock_seconds() - start;
    return status_ok();
}

static int64_t batches_per_step(const struct rnet_program *program,
                                const struct bench_options *options)
{
    return is_training(options) ? program->recipe.accumulate : 1;
}

static struct status measure(struct bench_state *state, const struct bench_options *options,
                             struct bench_result *result)
{
    struct executor *executor = &state->executor;
    const int64_t batches = batches_per_step(executor->program, options);
    double *times = ARENA_ARRAY(&state->arena, double, options->steps), seconds = 0, first = 0;
    for (int64_t step = -WARMUP_STEPS; step < options->steps; step++) {
        RETURN_IF_ERROR(step_time(state, options, &seconds));
        if (step == -WARMUP_STEPS)
            first = seconds;
        if (step >= 0)
            times[step] = seconds;
    }
    double median = median_sort(times, options->steps);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double macs = network_cost(executor->program).macs * (double)(batches * options->batch);
    *result = (struct bench_result){
        .device = executor_device_name(executor),
        .images = options->batch,
        .batches = batches,
        .steps = options->steps,
        .threads = thread_team_count(executor->team),
        .median = median,
        .least = times[0],
        .first = first,
        .operations = 2 * macs * (is_training(options) ? TRAIN_PASSES : 1),
        .peak_bytes = usage.ru_maxrss * 1024,
        .device_bytes = executor_device_bytes(executor),
    };
    return status_ok();
}

/* A step for each line of input, its seconds on a line of output: so another program can let this
 * one and its peers take turns, all of them warm. */
static struct status take_turns(struct bench_state *state, const struct bench_options *options)
{
    const struct executor *executor = &state->executor;
    double seconds = 0, first = 0;
    for (int step = 0; step < WARMUP_STEPS; step++) {
        RETURN_IF_ERROR(step_time(state, options, &seconds));
        first = step == 0 ? seconds : first;
    }
    printf("{\"mode\":\"%s\",\"batch\":%" PRId64 ",\"threads\":%d,\"device\":\"%s\","
           "\"first_step_seconds\":%.9g,\"accumulate\":%" PRId64 "}\n",
           options->mode, options->batch, thread_team_count(executor->team),
           executor_device_name(executor), first, batches_per_step(executor->program, options));
    fflush(stdout);
    for (int character; (character = getchar()) != EOF;) {
        if (character != '\n')
            continue;
        RETURN_IF_ERROR(step_time(state, options, &seconds));
        printf("%.9g\n", seconds);
        fflush(stdout);
    }
    return status_ok();
}

/* The same number of steps again, now with a look at the clock after each kernel. */
static struct status measure_kernels(struct bench_state *state, const struct bench_options *options,
                                     struct profile *profile)
{
    profile_open(profile, &state->arena, state->executor.program,
                 is_training(options) ? &state->optimizer : NULL, options->batch, options->steps);
    for (int64_t step = 0; step < options->steps; step++)
        RETURN_IF_ERROR(profile_step(profile, &state->executor, step));
    return profile_finish(profile, &state->executor);
}

static double images_per_second(const struct bench_result *result)
{
    return (double)(result->images * result->batches) / result->median;
}

/* `profile` may be NULL. */
static void result_print_json(const struct bench_result *result, const struct profile *profile,
                              const char *mode, struct arena *arena)
{
    struct text_builder text = {.arena = arena};
    text_add(&text,
             "{\"mode\":\"%s\",\"batch\":%" PRId64 ",\"steps\":%" PRId64
             ",\"threads\":%d,\"device\":\"%s\",\"median_seconds\":%.9g,\"min_seconds\":%.9g,"
             "\"images_per_second\":%.9g,\"gflop_per_second\":%.9g,\"peak_rss_bytes\":%" PRId64
             ",\"first_step_seconds\":%.9g,\"device_bytes\":%" PRId64 ",\"accumulate\":%" PRId64,
             mode, result->images, result->steps, result->threads, result->device, result->median,
             result->least, images_per_second(result), result->operations / result->median / 1e9,
             result->peak_bytes, result->first, result->device_bytes, result->batches);
    if (profile != NULL) {
        text_add(&text, ",");
        profile_add_json(profile, &text);
    }
    printf("%s}\n", text_result(&text));
}

static void result_print(const struct bench_result *result, const char *mode)
{
    printf("%s on %s, ", mode, result->device);
    if (result->batches > 1)
        printf("%" PRId64 " batches of %" PRId64 " a step", result->batches, result->images);
    else
        printf("batch %" PRId64, result->images);
    printf(", %" PRId64 " steps, %d threads\n"
           "  median %.3f ms, least %.3f ms a step\n"
           "  %.1f images/s, %.1f GFLOP/s, at most %.1f MiB resident\n",
           result->steps, result->threads, result->median * 1e3, result->least * 1e3,
           images_per_second(result), result->operations / result->median / 1e9,
           (double)result->peak_bytes / 0x1p20);
}

static struct status options_check(const struct rnet_program *program,
                                   struct bench_options *options)
{
    bool steps = is_training(options) || strcmp(options->mode, "infer") == 0;
    if (!steps && !is_loading(options))
        return status_error(STATUS_USAGE, "--mode is train, infer or load, not %s", options->mode);
    if (is_training(options) && program->phases[RNET_PHASE_TRAIN].count == 0)
        return status_error(STATUS_INVALID, "this was built with --inference and can't train");
    if (steps == (options->data != NULL))
        return status_error(STATUS_USAGE, "--mode load, and no other, needs --data SPEC");
    if (options->turns && (!steps || options->profile || options->json))
        return status_error(STATUS_USAGE,
                            "--turns is for --mode train or infer, without --profile and --json");
    if (options->profile && !steps)
        return status_error(STATUS_USAGE, "--profile is for --mode train or infer");
    if (options->batch > program->batch)
        return status_error(STATUS_USAGE, "--batch is at most the compiled batch, %" PRId64,
                            program->batch);
    if (options->batch == 0)
        options->batch = program->batch;
    return status_ok();
}

static struct status load(const struct rnet_program *program, const struct bench_options *options)
{
    struct loader_timing timing;
    RETURN_IF_ERROR(
        bench_loader(program, options->data, options->steps, &options->computing, &timing));
    double rate = (double)timing.images / timing.seconds;
    printf(options->json ? "{\"mode\":\"load\",\"images\":%" PRId64 ",\"steps\":%" PRId64
                           ",\"threads\":%d,\"seconds\":%.9g,\"images_per_second\":%.9g}\n"
                         : "load, %" PRId64 " images in %" PRId64
                           " steps, %d threads: %.3f s, %.1f images/s\n",
           timing.images, timing.steps, timing.threads, timing.seconds, rate);
    return status_ok();
}

static struct status bench_steps(struct bench_state *state, const struct bench_options *options)
{
    struct bench_result result;
    struct profile profile;
    RETURN_IF_ERROR(prepare(state, is_training(options)));
    if (options->turns)
        return take_turns(state, options);
    RETURN_IF_ERROR(measure(state, options, &result));
    if (options->profile)
        RETURN_IF_ERROR(measure_kernels(state, options, &profile));
    if (options->json) {
        result_print_json(&result, options->profile ? &profile : NULL, options->mode,
                          &state->arena);
        return status_ok();
    }
    result_print(&result, options->mode);
    if (options->profile)
        profile_print(&profile);
    return status_ok();
}

static struct status bench(const struct rnet_program *program, const struct bench_options *options)
{
    struct bench_state state = {0};
    struct status status = executor_open_with(&state.executor, program, &options->computing);
    if (status_is_ok(&status))
        status = bench_steps(&state, options);
    arena_release(&state.arena);
    executor_release(&state.executor);
    return status;
}

struct status command_bench(const struct rnet_program *program, int argc, char **argv)
{
    struct bench_options options = {.steps = 10};
    const struct option_entry entries[] = {
        {"mode", OPTION_TEXT, "train|infer|load", "what a step is", .target = &options.mode,
         .required = true},
        {"data", OPTION_TEXT, "SPEC", "what load takes its batches from", .target = &options.data},
        {"steps", OPTION_INTEGER, "N", "timed steps, after two that are not (default: 10)",
         .target = &options.steps, .minimum = 1},
        {"batch", OPTION_INTEGER, "M", "images a step (default and most: the compiled batch)",
         .target = &options.batch, .minimum = 1},
        EXECUTOR_OPTION_ENTRIES(options.computing),
        {"turns", OPTION_FLAG, NULL, "a step for each line of input; prints its seconds",
         .target = &options.turns},
        {"profile", OPTION_FLAG, NULL, "where the time goes, by kernel, beside the machine's peak",
         .target = &options.profile},
        {"json", OPTION_FLAG, NULL, "print one JSON object", .target = &options.json},
    };
    const struct option_set set = {"bench", "Times steps on random data, or the loader.",
                                   entries, sizeof entries / sizeof *entries,
                                   NULL,    NULL};
    bool helped;
    RETURN_IF_ERROR(options_parse(&set, argc, argv, &helped));
    if (helped)
        return status_ok();
    RETURN_IF_ERROR(options_check(program, &options));
    return is_loading(&options) ? load(program, &options) : bench(program, &options);
}
