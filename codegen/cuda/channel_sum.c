/* Sums a channel: a task has a chunk of images and up to 4 vectors of channels; lines of threads
 * go through the points side by side.
 *
 * A thread's running sum is of one image and is added to its total afterwards; the totals of all
 * lines are combined in pairs. The order depends on the kernel alone. */
#include "codegen/cuda/block.h"
#include "codegen/cuda/schedules.h"

enum { MOST_COLUMNS = 4 }; /* few, so that there are tasks for all multiprocessors */

struct sums {
    const struct kernel *kernel;
    struct loop_program *program;
    int lanes, columns, lines;
    loop_value running, total; /* locals: [value] vectors */
};

static bool channel_sum_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_CHANNEL_SUM;
}

static loop_value slot(const struct sums *sums, int value)
{
    return loop_int(sums->program, (int64_t)value * sums->lanes);
}

static void clear(const struct sums *sums, loop_value local)
{
    for (int j = 0; j < sums->kernel->value_count; j++)
        loop_store_local(sums->program, local, slot(sums, j),
                         nest_zero(sums->program, sums->lanes));
}

static void add_to(const struct sums *sums, loop_value local, int value, loop_value summand)
{
    loop_value before = loop_load_local(sums->program, local, slot(sums, value), sums->lanes);
    loop_store_local(sums->program, local, slot(sums, value),
                     loop_binary(sums->program, LOOP_ADD, before, summand));
}

/* Adds the line's points of all the task's images to the thread's totals. */
static void add_images(const struct sums *sums, const struct task_range *range, loop_value line,
                       loop_value channel)
{
    struct loop_program *program = sums->program;
    const struct kernel *kernel = sums->kernel;
    loop_value image;
    clear(sums, sums->total);
    int bodies = nest_open_images(program, range, &image);
    clear(sums, sums->running);
    loop_value points = loop_int(program, grid_points(kernel->in_grid));
    loop_value point = loop_for(program, line, points, sums->lines);
    struct place place = place_in(kernel, image, point, channel, sums->lanes);
    for (int j = 0; j < kernel->value_count; j++)
        add_to(sums, sums->running, j,
               expression_value(kernel, program, kernel->values[j], &place));
    loop_end(program);
    for (int j = 0; j < kernel->value_count; j++)
        add_to(sums, sums->total, j,
               loop_load_local(program, sums->running, slot(sums, j), sums->lanes));
    nest_close(program, bodies);
}

/* Combines value `j` of all lines and stores it. */
static void store_value(const struct sums *sums, int j, loop_value shared, loop_value chunk,
                        loop_value first_channel)
{
    struct loop_program *program = sums->program;
    const int length = sums->columns * sums->lanes;
    loop_value thread = loop_threads(program);
    loop_store_local(program, shared, loop_times(program, thread, sums->lanes),
                     loop_load_local(program, sums->total, slot(sums, j), sums->lanes));
    loop_end(program);
    block_reduce(program, LOOP_ADD, shared, sums->lines, length, sums->lanes);
    thread = loop_threads(program);
    loop_if(program, loop_binary(program, LOOP_LESS, thread, loop_int(program, sums->columns)));
    loop_value within = loop_times(program, thread, sums->lanes);
    loop_value index =
        activation_index(program, chunk, 1, loop_int(program, 0), sums->kernel->in_channels,
                         loop_add(program, first_channel, within));
    loop_store(program, (uint32_t)(kernel_first_output(sums->kernel) + j), index,
               loop_load_local(program, shared, within, sums->lanes));
    nest_close(program, 2);
}

/* The most columns that divide a line of `vectors` vectors. */
static int choose_columns(int64_t vectors)
{
    int columns = MOST_COLUMNS;
    while (vectors % columns != 0)
        columns--;
    return columns;
}

static void channel_sum_build(const struct kernel *kernel, struct loop_program *program)
{
    const int64_t stride = channel_stride(kernel->in_channels);
    struct sums sums = {.kernel = kernel, .program = program};
    sums.lanes = block_stream_lanes(kernel, stride);
    sums.columns = choose_columns(stride / sums.lanes);
    sums.lines = BLOCK_THREADS / sums.columns;
    const int length = sums.columns * sums.lanes;
    program->images_per_task = kernel->chunk_images;
    program->tasks_per_group = stride / length;
    program->threads = sums.lines * sums.columns;
    struct task_range range = nest_task(program);
    loop_value chunk = loop_binary(program, LOOP_DIVIDE, loop_task(program),
                                   loop_int(program, program->tasks_per_group));
    loop_value first_channel = loop_times(program, range.part, length);
    loop_value columns = loop_int(program, sums.columns);
    sums.running = loop_local(program, LOOP_F32, (int64_t)kernel->value_count * sums.lanes);
    sums.total = loop_local(program, LOOP_F32, (int64_t)kernel->value_count * sums.lanes);
    loop_value shared = loop_shared(program, LOOP_F32, (int64_t)sums.lines * length);
    loop_value thread = loop_threads(program);
    loop_value column = loop_binary(program, LOOP_REMAINDER, thread, columns);
    loop_value line = loop_binary(program, LOOP_DIVIDE, thread, columns);
    add_images(&sums, &range, line,
               loop_add(program, first_channel, loop_times(program, column, sums.lanes)));
    loop_end(program);
    for (int j = 0; j < kernel->value_count; j++)
        store_value(&sums, j, shared, chunk, first_channel);
}

const struct schedule cuda_channel_sum_schedule = {
    .name = "cuda_channel_sum",
    .applies = channel_sum_applies,
    .build = channel_sum_build,
};
