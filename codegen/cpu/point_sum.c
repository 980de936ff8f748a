/* Sums over the channels of each grid point: vectors of 16 channels, then of fewer where the
 * channels end (padding may hold anything), and the lanes in pairs. */
#include "codegen/cpu/schedules.h"
#include "codegen/nest.h"

enum { TASK_BYTES = 32768 };

/* What the loops share. */
struct point_sum {
    const struct kernel *kernel;
    struct loop_program *program;
    loop_value image, point;
    loop_value sums; /* local: a vector a value */
};

static bool point_sum_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_POINT_SUM &&
           channel_stride(kernel->in_channels) % VECTOR_LANES == 0;
}

static loop_value slot(const struct point_sum *sum, int value)
{
    return loop_int(sum->program, (int64_t)value * VECTOR_LANES);
}

/* Adds `lanes` channels from `channel` on to the first lanes of each sum. */
static void add_channels(const void *closure, loop_value channel, int lanes)
{
    const struct point_sum *sum = closure;
    struct loop_program *program = sum->program;
    struct place place = place_in(sum->kernel, sum->image, sum->point, channel, lanes);
    for (int j = 0; j < sum->kernel->value_count; j++) {
        loop_value value = expression_value(sum->kernel, program, sum->kernel->values[j], &place);
        loop_value before = loop_load_local(program, sum->sums, slot(sum, j), lanes);
        loop_store_local(program, sum->sums, slot(sum, j),
                         loop_binary(program, LOOP_ADD, before, value));
    }
}

/* The sum of a vector's lanes: its halves, their halves, and so on. */
static loop_value reduce(const struct point_sum *sum, int value)
{
    struct loop_program *program = sum->program;
    for (int half = VECTOR_LANES / 2; half >= 1; half /= 2) {
        loop_value low = loop_load_local(program, sum->sums, slot(sum, value), half);
        loop_value upper = loop_plus(program, slot(sum, value), half);
        loop_value high = loop_load_local(program, sum->sums, upper, half);
        loop_store_local(program, sum->sums, slot(sum, value),
                         loop_binary(program, LOOP_ADD, low, high));
    }
    return loop_load_local(program, sum->sums, slot(sum, value), 1);
}

static void sum_point(const struct point_sum *sum)
{
    struct loop_program *program = sum->program;
    const struct kernel *kernel = sum->kernel;
    for (int j = 0; j < kernel->value_count; j++)
        loop_store_local(program, sum->sums, slot(sum, j), nest_zero(program, VECTOR_LANES));
    nest_channels(program, kernel->in_channels, add_channels, sum);
    loop_value points = loop_times(program, sum->image, grid_points(kernel->in_grid));
    for (int j = 0; j < kernel->value_count; j++)
        loop_store(program, (uint32_t)(kernel_first_output(kernel) + j),
                   loop_add(program, points, sum->point), reduce(sum, j));
}

static void point_sum_build(const struct kernel *kernel, struct loop_program *program)
{
    struct nest_parts parts = nest_parts(kernel, program, TASK_BYTES);
    struct point_sum sum = {.kernel = kernel, .program = program};
    sum.sums = loop_local(program, LOOP_F32, (int64_t)kernel->value_count * VECTOR_LANES);
    int bodies = nest_open_images(program, &parts.range, &sum.image);
    sum.point = loop_for(program, parts.first, parts.end, 1);
    sum_point(&sum);
    nest_close(program, bodies + 1);
}

const struct schedule point_sum_schedule = {
    .name = "point_sum",
    .applies = point_sum_applies,
    .build = point_sum_build,
};
