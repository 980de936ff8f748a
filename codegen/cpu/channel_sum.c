/* Sums a channel: vectors of 16 channels, several running sums at once to hide latency.
 *
 * A task is one chunk and a block of channels. Each running sum is of one image's points only and
 * is added to the chunk's sum afterwards: two levels keep float sums of many thousand elements
 * accurate. The order depends on the kernel alone. */
#include "codegen/cpu/schedules.h"
#include "codegen/nest.h"

enum {
    TASK_CHANNELS = 256, /* the most channels of a task */
    SUMS = 8,            /* running sums wanted at once */
    MOST_STEPS = 4,      /* points in one step */
};

/* What the loops share: `vectors` vectors of channels times `steps` points times values. */
struct sums {
    const struct kernel *kernel;
    struct loop_program *program;
    int vectors, steps;
    loop_value running, total; /* locals: [step][vector][value], [vector][value] vectors */
};

static bool channel_sum_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_CHANNEL_SUM &&
           channel_stride(kernel->in_channels) % VECTOR_LANES == 0;
}

static loop_value slot(const struct sums *sums, int step, int vector, int value)
{
    int number = (step * sums->vectors + vector) * sums->kernel->value_count + value;
    return loop_int(sums->program, (int64_t)number * VECTOR_LANES);
}

static void add_to(const struct sums *sums, loop_value local, loop_value at, loop_value value)
{
    loop_value before = loop_load_local(sums->program, local, at, VECTOR_LANES);
    loop_store_local(sums->program, local, at, loop_binary(sums->program, LOOP_ADD, before, value));
}

static void clear(const struct sums *sums, loop_value local, int steps)
{
    for (int s = 0; s < steps; s++)
        for (int v = 0; v < sums->vectors; v++)
            for (int j = 0; j < sums->kernel->value_count; j++)
                loop_store_local(sums->program, local, slot(sums, s, v, j),
                                 nest_zero(sums->program, VECTOR_LANES));
}

/* Adds the values of `steps` points from `point` on. */
static void add_points(const struct sums *sums, loop_value image, loop_value point,
                       loop_value channel, int steps)
{
    for (int s = 0; s < steps; s++)
        for (int v = 0; v < sums->vectors; v++) {
            struct place place = place_in(
                sums->kernel, image, loop_plus(sums->program, point, s),
                loop_plus(sums->program, channel, (int64_t)v * VECTOR_LANES), VECTOR_LANES);
            for (int j = 0; j < sums->kernel->value_count; j++)
                add_to(
                    sums, sums->running, slot(sums, s, v, j),
                    expression_value(sums->kernel, sums->program, sums->kernel->values[j], &place));
        }
}

static void add_image(const struct sums *sums, loop_value image, loop_value channel)
{
    struct loop_program *program = sums->program;
    int64_t points = grid_points(sums->kernel->in_grid), whole = points - points % sums->steps;
    clear(sums, sums->running, sums->steps);
    loop_value point =
        loop_for(program, loop_int(program, 0), loop_int(program, whole), sums->steps);
    add_points(sums, image, point, channel, sums->steps);
    loop_end(program);
    add_points(sums, image, loop_int(program, whole), channel, (int)(points - whole));
    for (int s = 0; s < sums->steps; s++)
        for (int v = 0; v < sums->vectors; v++)
            for (int j = 0; j < sums->kernel->value_count; j++)
                add_to(sums, sums->total, slot(sums, 0, v, j),
                       loop_load_local(program, sums->running, slot(sums, s, v, j), VECTOR_LANES));
}

static void store_totals(const struct sums *sums, loop_value chunk, loop_value channel)
{
    struct loop_program *program = sums->program;
    uint32_t first = (uint32_t)kernel_first_output(sums->kernel);
    for (int v = 0; v < sums->vectors; v++) {
        loop_value at = loop_plus(program, channel, (int64_t)v * VECTOR_LANES);
        loop_value index = activation_index(program, chunk, 1, loop_int(program, 0),
                                            sums->kernel->in_channels, at);
        for (int j = 0; j < sums->kernel->value_count; j++)
            loop_store(program, first + (uint32_t)j, index,
                       loop_load_local(program, sums->total, slot(sums, 0, v, j), VECTOR_LANES));
    }
}

/* How many vectors of channels to sum at once: a divisor of those of a task. */
static int choose_vectors(const struct kernel *kernel, int64_t task_vectors)
{
    int most = SUMS / kernel->value_count;
    int vectors = most > 4 ? 4 : most < 1 ? 1 : most;
    while (task_vectors % vectors)
        vectors--;
    return vectors;
}

/* The channels of a task: the most that divide the stride into equal parts. */
static int64_t task_channels(int64_t stride)
{
    int64_t parts = 1;
    while (stride % (parts * VECTOR_LANES) || stride / parts > TASK_CHANNELS)
        parts++;
    return stride / parts;
}

static void channel_sum_build(const struct kernel *kernel, struct loop_program *program)
{
    int64_t stride = channel_stride(kernel->in_channels), block = task_channels(stride);
    program->images_per_task = kernel->chunk_images;
    program->tasks_per_group = stride / block;
    struct sums sums = {.kernel = kernel, .program = program};
    sums.vectors = choose_vectors(kernel, block / VECTOR_LANES);
    sums.steps = SUMS / (sums.vectors * kernel->value_count);
    sums.steps = sums.steps < 1 ? 1 : sums.steps > MOST_STEPS ? MOST_STEPS : sums.steps;
    int64_t size = (int64_t)sums.vectors * kernel->value_count * VECTOR_LANES;
    struct task_range range = nest_task(program);
    sums.running = loop_local(program, LOOP_F32, size * sums.steps);
    sums.total = loop_local(program, LOOP_F32, size);
    loop_value chunk = loop_task(program), first = loop_times(program, range.part, block);
    if (program->tasks_per_group > 1)
        chunk =
            loop_binary(program, LOOP_DIVIDE, chunk, loop_int(program, program->tasks_per_group));
    loop_value channel = loop_for(program, first, loop_plus(program, first, block),
                                  (int64_t)sums.vectors * VECTOR_LANES);
    clear(&sums, sums.total, 1);
    loop_value image;
    int bodies = nest_open_images(program, &range, &image);
    add_image(&sums, image, channel);
    nest_close(program, bodies);
    store_totals(&sums, chunk, channel);
    nest_close(program, 1);
}

const struct schedule channel_sum_schedule = {
    .name = "channel_sum",
    .applies = channel_sum_applies,
    .build = channel_sum_build,
};
