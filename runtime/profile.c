/* Times of calls, gathered by kernel. See profile.h.
 *
 * A call is a step of the program's tables. Each has the median of its times, because on a shared
 * machine single times jump; a kernel has the sum over its calls. */
#include "runtime/profile.h"

#include <inttypes.h>
#include <stdlib.h>

#include "runtime/median.h"

static const double LEAST_SHARE = 0.001; /* of the time, to have a line of its own in the table */

static const struct rnet_steps *first_phase(const struct profile *profile)
{
    return &profile->program
                ->phases[profile->optimizer != NULL ? RNET_PHASE_TRAIN : RNET_PHASE_INFER];
}

static const struct rnet_step *step_of_call(const struct profile *profile, uint64_t call)
{
    const struct rnet_steps *steps = first_phase(profile);
    return call < steps->count
               ? &steps->steps[call]
               : &profile->program->phases[RNET_PHASE_UPDATE].steps[call - steps->count];
}

void profile_open(struct profile *profile, struct arena *arena, const struct rnet_program *program,
                  struct optimizer *optimizer, int64_t images, int64_t steps)
{
    *profile = (struct profile){.arena = arena,
                                .program = program,
                                .optimizer = optimizer,
                                .images = images,
                                .steps = steps};
    profile->calls = first_phase(profile)->count;
    if (optimizer != NULL)
        profile->calls += program->phases[RNET_PHASE_UPDATE].count;
    profile->call_seconds = ARENA_ARRAY(arena, double, profile->calls *(uint64_t)steps);
    profile->part_seconds = ARENA_ARRAY(arena, double, OPTIMIZER_PARTS *(uint64_t)steps);
    profile->rows = ARENA_ARRAY(arena, struct profile_row, program->kernel_count + OPTIMIZER_PARTS);
}

struct status profile_step(struct profile *profile, struct executor *executor, int64_t step)
{
    double *seconds = profile->call_seconds + (uint64_t)step * profile->calls;
    if (profile->optimizer == NULL)
        return executor_run_timed(executor, RNET_PHASE_INFER, profile->images, seconds);
    struct step_seconds all = {.train = seconds, .update = seconds + first_phase(profile)->count};
    RETURN_IF_ERROR(optimizer_run_timed(profile->optimizer, profile->images, &all));
    for (int part = 0; part < OPTIMIZER_PARTS; part++)
        profile->part_seconds[step * OPTIMIZER_PARTS + part] = all.parts[part];
    return status_ok();
}

/* ---- rows ---- */

static double call_median(const struct profile *profile, uint64_t call, double *scratch)
{
    for (int64_t step = 0; step < profile->steps; step++)
        scratch[step] = profile->call_seconds[(uint64_t)step * profile->calls + call];
    return median_sort(scratch, profile->steps);
}

static double work_bytes(const struct rnet_work *work, int64_t images)
{
    int64_t chunks =
        work->chunk_images > 0 ? (images + work->chunk_images - 1) / work->chunk_images : 0;
    return (double)(work->image_bytes * images + work->chunk_bytes * chunks + work->fixed_bytes);
}

/* Adds a call that a step makes so many times. */
static void row_add(struct profile_row *row, const struct rnet_work *work, int64_t images,
                    double seconds, int64_t times)
{
    row->calls += times;
    row->seconds += (double)times * seconds;
    row->multiply_adds += (double)(times * work->image_multiply_adds * images);
    row->bytes += (double)times * work_bytes(work, images);
}

static int row_order(const void *first, const void *second)
{
    const struct profile_row *a = first, *b = second;
    return a->seconds > b->seconds ? -1 : a->seconds < b->seconds;
}

static void kernel_rows_make(struct profile *profile, double *scratch)
{
    const struct rnet_program *program = profile->program;
    const int64_t batches = profile->optimizer != NULL ? program->recipe.accumulate : 1;
    for (uint64_t kernel = 0; kernel < program->kernel_count; kernel++)
        profile->rows[kernel].name = program->kernels[kernel].name;
    for (uint64_t call = 0; call < profile->calls; call++) {
        const struct rnet_step *step = step_of_call(profile, call);
        row_add(&profile->rows[step->kernel], &program->kernels[step->kernel].work,
                step->images != 0 ? step->images : profile->images,
                call_median(profile, call, scratch),
                call < first_phase(profile)->count ? batches : 1);
    }
}

/* What a part loads and stores in a step. */
static double part_bytes(const struct rnet_program *program, enum optimizer_part part)
{
    const uint64_t *bytes = program->region_bytes;
    const double gradients = (double)bytes[RNET_REGION_GRADIENTS];
    switch (part) {
    case OPTIMIZER_SUM: /* the first is copied, the others added */
        return (2 + 3 * (double)(program->recipe.accumulate - 1)) * gradients;
    case OPTIMIZER_LIMIT:
        return gradients;
    case OPTIMIZER_AVERAGE:
        return 3 *
               (double)(bytes[RNET_REGION_AVERAGE_WEIGHTS] + bytes[RNET_REGION_AVERAGE_STATISTICS]);
    case OPTIMIZER_FREEZE:
    case OPTIMIZER_PARTS:
        break;
    }
    return 0;
}

static void part_rows_make(struct profile *profile, double *scratch)
{
    static const char *const names[OPTIMIZER_PARTS] = {
        [OPTIMIZER_SUM] = "sum of gradients",
        [OPTIMIZER_LIMIT] = "norm of gradients",
        [OPTIMIZER_FREEZE] = "frozen parameters",
        [OPTIMIZER_AVERAGE] = "average of weights",
    };
    const struct rnet_program *program = profile->program;
    for (int part = 0; part < OPTIMIZER_PARTS; part++) {
        if (!optimizer_has(profile->optimizer, (enum optimizer_part)part))
            continue;
        for (int64_t step = 0; step < profile->steps; step++)
            scratch[step] = profile->part_seconds[step * OPTIMIZER_PARTS + part];
        profile->rows[program->kernel_count + (uint64_t)part] = (struct profile_row){
            .name = names[part],
            .calls = part == OPTIMIZER_SUM ? program->recipe.accumulate : 1,
            .seconds = median_sort(scratch, profile->steps),
            .bytes = part_bytes(program, (enum optimizer_part)part),
        };
    }
}

static void rows_make(struct profile *profile)
{
    const uint64_t count = profile->program->kernel_count + OPTIMIZER_PARTS;
    double *scratch = ARENA_ARRAY(profile->arena, double, profile->steps);
    kernel_rows_make(profile, scratch);
    if (profile->optimizer != NULL)
        part_rows_make(profile, scratch);
    qsort(profile->rows, count, sizeof *profile->rows, row_order);
    for (uint64_t i = 0; i < count; i++) {
        profile->row_count += profile->rows[i].calls > 0;
        profile->seconds += profile->rows[i].seconds;
    }
}

struct status profile_finish(struct profile *profile, struct executor *executor)
{
    rows_make(profile);
    return executor_limits(executor, &profile->limits);
}

/* ---- rates ---- */

struct rates {
    double flop_per_second, byte_per_second;
    double of_peak, of_memory; /* fractions of the machine's */
};

static struct rates row_rates(const struct profile *profile, const struct profile_row *row)
{
    double seconds = row->seconds > 0 ? row->seconds : 1e-9;
    double flops = 2 * row->multiply_adds / seconds, bytes = row->bytes / seconds;
    return (struct rates){flops, bytes, flops / profile->limits.flop_per_second,
                          bytes / profile->limits.byte_per_second};
}

/* The time at which a row would meet one of the two limits. */
static double row_limit(const struct profile *profile, const struct profile_row *row)
{
    double arithmetic = 2 * row->multiply_adds / profile->limits.flop_per_second;
    double memory = row->bytes / profile->limits.byte_per_second;
    return arithmetic > memory ? arithmetic : memory;
}

/* ---- output ---- */

static void row_print(const struct profile *profile, const struct profile_row *row,
                      const char *name)
{
    struct rates rates = row_rates(profile, row);
    printf("%6.1f %% %9.3f %6" PRId64, 100 * row->seconds / profile->seconds, row->seconds * 1e3,
           row->calls);
    if (row->multiply_adds > 0)
        printf(" %8.1f %5.1f %%", rates.flop_per_second / 1e9, 100 * rates.of_peak);
    else
        printf(" %8s %7s", "", "");
    printf(" %6.1f %5.1f %%  %s\n", rates.byte_per_second / 1e9, 100 * rates.of_memory, name);
}

static void row_include(struct profile_row *sum, const struct profile_row *row)
{
    sum->calls += row->calls;
    sum->seconds += row->seconds;
    sum->multiply_adds += row->multiply_adds;
    sum->bytes += row->bytes;
}

/* The rows that are long enough, one line for all others, and the sum. */
static void rows_print(const struct profile *profile)
{
    struct profile_row all = {0}, small = {0};
    size_t shown = 0;
    for (size_t i = 0; i < profile->row_count; i++) {
        const struct profile_row *row = &profile->rows[i];
        bool is_shown = row->seconds >= LEAST_SHARE * profile->seconds;
        row_include(&all, row);
        if (is_shown)
            row_print(profile, row, row->name);
        else
            row_include(&small, row);
        shown += is_shown;
    }
    if (shown < profile->row_count)
        row_print(profile, &small,
                  arena_format(profile->arena, "%zu others", profile->row_count - shown));
    row_print(profile, &all, "all");
}

void profile_print(const struct profile *profile)
{
    double limit = 0;
    for (size_t i = 0; i < profile->row_count; i++)
        limit += row_limit(profile, &profile->rows[i]);
    printf("%s: %.1f GFLOP/s, %.1f GB/s\n\n"
           "   share        ms  calls  GFLOP/s of peak   GB/s of memory  kernel\n",
           profile->limits.origin, profile->limits.flop_per_second / 1e9,
           profile->limits.byte_per_second / 1e9);
    rows_print(profile);
    printf("\nEach kernel at the nearer of the two limits: %.3f ms, %.0f %% of the time taken.\n",
           limit * 1e3, 100 * limit / profile->seconds);
}

void profile_add_json(const struct profile *profile, struct text_builder *text)
{
    text_add(text, "\"peak_flop_per_second\":%.6g,\"memory_bytes_per_second\":%.6g,\"kernels\":[",
             profile->limits.flop_per_second, profile->limits.byte_per_second);
    for (size_t i = 0; i < profile->row_count; i++) {
        const struct profile_row *row = &profile->rows[i];
        struct rates rates = row_rates(profile, row);
        text_add(text, "%s{\"name\":", i > 0 ? "," : "");
        text_add_json(text, row->name);
        text_add(text,
                 ",\"calls\":%" PRId64 ",\"seconds\":%.6g,\"share\":%.6g,\"multiply_adds\":%.0f,"
                 "\"bytes\":%.0f,\"gflop_per_second\":%.6g,\"gbyte_per_second\":%.6g,"
                 "\"of_peak\":%.6g,\"of_memory\":%.6g}",
                 row->calls, row->seconds, row->seconds / profile->seconds, row->multiply_adds,
                 row->bytes, rates.flop_per_second / 1e9, rates.byte_per_second / 1e9,
                 rates.of_peak, rates.of_memory);
    }
    text_add(text, "]");
}
