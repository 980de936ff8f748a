/* Sums over the channels of each grid point: threads side by side share a point, several points a
 * task; what the threads of a point have is combined in pairs. */
#include "codegen/cuda/block.h"
#include "codegen/cuda/schedules.h"

enum { MOST_COLUMNS = 32 }; /* threads of a point */

struct point_sum {
    const struct kernel *kernel;
    struct loop_program *program;
    int lanes, columns, points; /* the last: of a task */
    struct task_range range;
    loop_value first_row; /* a row is a point of one of the task's images */
    loop_value sums;      /* local: one a value */
};

static bool point_sum_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_POINT_SUM;
}

/* The image of a row; it may be beyond the last. */
static loop_value image_of(const struct point_sum *sum, loop_value row)
{
    loop_value points = loop_int(sum->program, grid_points(sum->kernel->in_grid));
    return loop_add(sum->program, sum->range.first,
                    loop_binary(sum->program, LOOP_DIVIDE, row, points));
}

static loop_value point_of(const struct point_sum *sum, loop_value row)
{
    loop_value points = loop_int(sum->program, grid_points(sum->kernel->in_grid));
    return loop_binary(sum->program, LOOP_REMAINDER, row, points);
}

/* Adds a thread's channels of a row to its sums. */
static void add_channels(const struct point_sum *sum, loop_value row, loop_value column)
{
    struct loop_program *program = sum->program;
    loop_value image = image_of(sum, row), point = point_of(sum, row);
    loop_if(program, loop_binary(program, LOOP_LESS, image, sum->range.end));
    loop_value channel =
        loop_for(program, loop_times(program, column, sum->lanes),
                 loop_int(program, sum->kernel->in_channels), (int64_t)sum->columns * sum->lanes);
    struct place place = place_in(sum->kernel, image, point, channel, sum->lanes);
    for (int j = 0; j < sum->kernel->value_count; j++) {
        loop_value value = expression_value(sum->kernel, program, sum->kernel->values[j], &place);
        if (sum->lanes > 1)
            value = loop_unary(program, LOOP_REDUCE_ADD, value);
        loop_value slot = loop_int(program, j);
        loop_value before = loop_load_local(program, sum->sums, slot, 1);
        loop_store_local(program, sum->sums, slot, loop_binary(program, LOOP_ADD, before, value));
    }
    nest_close(program, 2);
}

static void sum_points(const struct point_sum *sum)
{
    struct loop_program *program = sum->program;
    loop_value columns = loop_int(program, sum->columns), thread = loop_threads(program);
    for (int j = 0; j < sum->kernel->value_count; j++)
        loop_store_local(program, sum->sums, loop_int(program, j), nest_zero(program, 1));
    loop_value row =
        loop_add(program, sum->first_row, loop_binary(program, LOOP_DIVIDE, thread, columns));
    add_channels(sum, row, loop_binary(program, LOOP_REMAINDER, thread, columns));
    loop_end(program);
}

/* Combines value `j` of the threads of each point and stores it. */
static void store_value(const struct point_sum *sum, int j, loop_value shared)
{
    struct loop_program *program = sum->program;
    loop_value columns = loop_int(program, sum->columns), thread = loop_threads(program);
    loop_value column = loop_binary(program, LOOP_REMAINDER, thread, columns);
    loop_value index = loop_add(program, loop_times(program, column, sum->points),
                                loop_binary(program, LOOP_DIVIDE, thread, columns));
    loop_store_local(program, shared, index,
                     loop_load_local(program, sum->sums, loop_int(program, j), 1));
    loop_end(program);
    block_reduce(program, LOOP_ADD, shared, sum->columns, sum->points, 1);
    thread = loop_threads(program);
    loop_if(program, loop_binary(program, LOOP_LESS, thread, loop_int(program, sum->points)));
    loop_value row = loop_add(program, sum->first_row, thread), image = image_of(sum, row);
    loop_if(program, loop_binary(program, LOOP_LESS, image, sum->range.end));
    loop_value place = loop_add(
        program, loop_times(program, image, grid_points(sum->kernel->in_grid)), point_of(sum, row));
    loop_store(program, (uint32_t)(kernel_first_output(sum->kernel) + j), place,
               loop_load_local(program, shared, thread, 1));
    nest_close(program, 3);
}

static void point_sum_build(const struct kernel *kernel, struct loop_program *program)
{
    struct point_sum sum = {.kernel = kernel, .program = program, .columns = 1};
    const int64_t points = grid_points(kernel->in_grid);
    sum.lanes = kernel->in_channels % BLOCK_LANES == 0 ? BLOCK_LANES : 1;
    while (sum.columns < MOST_COLUMNS && 2 * sum.columns * sum.lanes <= kernel->in_channels)
        sum.columns *= 2;
    sum.points = BLOCK_THREADS / sum.columns;
    program->images_per_task = sum.points > points ? sum.points / points : 1;
    program->tasks_per_group = (program->images_per_task * points + sum.points - 1) / sum.points;
    program->threads = BLOCK_THREADS;
    sum.range = nest_task(program);
    sum.first_row = loop_times(program, sum.range.part, sum.points);
    sum.sums = loop_local(program, LOOP_F32, kernel->value_count);
    loop_value shared = loop_shared(program, LOOP_F32, (int64_t)sum.columns * sum.points);
    sum_points(&sum);
    for (int j = 0; j < kernel->value_count; j++)
        store_value(&sum, j, shared);
}

const struct schedule cuda_point_sum_schedule = {
    .name = "cuda_point_sum",
    .applies = point_sum_applies,
    .build = point_sum_build,
};
