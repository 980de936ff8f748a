/* Sums over groups of channels and the grid, within an image: sums a channel first, in vectors of
 * 16 channels with several running sums to hide latency, then over each group. A task is one image
 * and a block of whole groups. */
#include "codegen/cpu/schedules.h"
#include "codegen/nest.h"

enum {
    TASK_CHANNELS = 64, /* wanted in a task, where groups allow it */
    STEPS = 4,          /* points in one step */
};

/* What the loops share. */
struct group_sum {
    const struct kernel *kernel;
    struct loop_program *program;
    loop_value image;
    loop_value first;   /* channel of the block */
    int64_t block;      /* its channels */
    loop_value running; /* local: [step][value] vectors */
    loop_value sums;    /* local: [value][channel of the block] */
};

static bool group_sum_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_GROUP_SUM &&
           channel_stride(kernel->in_channels) % VECTOR_LANES == 0;
}

/* A multiple of both the group and the vector that divides the channels, or all channels. */
static int64_t block_channels(const struct kernel *kernel)
{
    int64_t size = kernel->in_channels / kernel->groups, block = size;
    while (block % VECTOR_LANES && block < kernel->in_channels)
        block += size;
    while (block < TASK_CHANNELS && kernel->in_channels % (2 * block) == 0)
        block *= 2;
    if (block % VECTOR_LANES || kernel->in_channels % block)
        return channel_stride(kernel->in_channels);
    return block;
}

static loop_value running_slot(const struct group_sum *sum, int step, int value)
{
    int64_t number = step * sum->kernel->value_count + value;
    return loop_int(sum->program, number * VECTOR_LANES);
}

static void add_points(const struct group_sum *sum, loop_value point, loop_value channel, int steps)
{
    struct loop_program *program = sum->program;
    for (int s = 0; s < steps; s++) {
        struct place place =
            place_in(sum->kernel, sum->image, loop_plus(program, point, s), channel, VECTOR_LANES);
        for (int j = 0; j < sum->kernel->value_count; j++) {
            loop_value at = running_slot(sum, s, j);
            loop_value value =
                expression_value(sum->kernel, program, sum->kernel->values[j], &place);
            loop_value before = loop_load_local(program, sum->running, at, VECTOR_LANES);
            loop_store_local(program, sum->running, at,
                             loop_binary(program, LOOP_ADD, before, value));
        }
    }
}

/* Leaves the sums of a vector of channels, from `offset` in the block on, in `sums`. */
static void sum_channels(const struct group_sum *sum, loop_value offset)
{
    struct loop_program *program = sum->program;
    int64_t points = grid_points(sum->kernel->in_grid), whole = points - points % STEPS;
    loop_value channel = loop_add(program, sum->first, offset);
    for (int s = 0; s < STEPS; s++)
        for (int j = 0; j < sum->kernel->value_count; j++)
            loop_store_local(program, sum->running, running_slot(sum, s, j),
                             nest_zero(program, VECTOR_LANES));
    loop_value point = loop_for(program, loop_int(program, 0), loop_int(program, whole), STEPS);
    add_points(sum, point, channel, STEPS);
    loop_end(program);
    add_points(sum, loop_int(program, whole), channel, (int)(points - whole));
    for (int j = 0; j < sum->kernel->value_count; j++) {
        loop_value total =
            loop_load_local(program, sum->running, running_slot(sum, 0, j), VECTOR_LANES);
        for (int s = 1; s < STEPS; s++)
            total = loop_binary(
                program, LOOP_ADD, total,
                loop_load_local(program, sum->running, running_slot(sum, s, j), VECTOR_LANES));
        loop_store_local(program, sum->sums, loop_plus(program, offset, j * sum->block), total);
    }
}

/* Adds up each group of the block and stores the sum at each of its channels. */
static void store_groups(const struct group_sum *sum, int value)
{
    struct loop_program *program = sum->program;
    const struct kernel *kernel = sum->kernel;
    int64_t size = kernel->in_channels / kernel->groups;
    int64_t channels = sum->block < kernel->in_channels ? sum->block : kernel->in_channels;
    loop_value zero = loop_int(program, 0);
    loop_value begin = loop_for(program, zero, loop_int(program, channels), size);
    loop_value end = loop_plus(program, begin, size);
    nest_store_one(program, sum->running, nest_zero(program, 1));
    loop_value offset = loop_for(program, begin, end, 1);
    loop_value part =
        loop_load_local(program, sum->sums, loop_plus(program, offset, value * sum->block), 1);
    loop_value before = nest_load_one(program, sum->running, 1);
    nest_store_one(program, sum->running, loop_binary(program, LOOP_ADD, before, part));
    loop_end(program);
    offset = loop_for(program, begin, end, 1);
    loop_value index = activation_index(program, sum->image, 1, zero, kernel->in_channels,
                                        loop_add(program, sum->first, offset));
    loop_store(program, (uint32_t)(kernel_first_output(kernel) + value), index,
               nest_load_one(program, sum->running, 1));
    nest_close(program, 2);
}

static void group_sum_build(const struct kernel *kernel, struct loop_program *program)
{
    struct group_sum sum = {.kernel = kernel, .program = program, .block = block_channels(kernel)};
    program->images_per_task = 1;
    program->tasks_per_group = channel_stride(kernel->in_channels) / sum.block;
    struct task_range range = nest_task(program);
    int64_t vectors = (int64_t)STEPS * kernel->value_count;
    sum.image = range.first;
    sum.first = loop_times(program, range.part, sum.block);
    sum.running = loop_local(program, LOOP_F32, vectors * VECTOR_LANES);
    sum.sums = loop_local(program, LOOP_F32, kernel->value_count * sum.block);
    loop_value blocks = loop_int(program, sum.block);
    sum_channels(&sum, loop_for(program, loop_int(program, 0), blocks, VECTOR_LANES));
    loop_end(program);
    for (int j = 0; j < kernel->value_count; j++)
        store_groups(&sum, j);
}

const struct schedule group_sum_schedule = {
    .name = "group_sum",
    .applies = group_sum_applies,
    .build = group_sum_build,
};
