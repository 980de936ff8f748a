/* Kernels of one value a channel, in double precision, 16 channels at a time: as many as a cache
 * line holds of the floats that are loaded. Channels may be the elements of a whole weight. */
#include "codegen/cpu/schedules.h"
#include "codegen/nest.h"

enum {
    TASK_CHANNELS = 64,
    MOST_TASKS = 64,
};

/* Channels of a task: more than the least where there would be too many tasks. */
static int64_t task_channels(int64_t stride)
{
    int64_t blocks = (stride + TASK_CHANNELS - 1) / TASK_CHANNELS;
    return (blocks + MOST_TASKS - 1) / MOST_TASKS * TASK_CHANNELS;
}

static bool vector_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_VECTOR &&
           channel_stride(kernel->in_channels) % VECTOR_LANES == 0;
}

static void vector_build(const struct kernel *kernel, struct loop_program *program)
{
    int64_t stride = channel_stride(kernel->in_channels), block = task_channels(stride);
    program->images_per_task = 0;
    program->tasks_per_group = (stride + block - 1) / block;
    struct task_range range = nest_task(program);
    loop_value begin = loop_times(program, range.part, block);
    loop_value end = loop_binary(program, LOOP_MINIMUM, loop_plus(program, begin, block),
                                 loop_int(program, stride));
    loop_value channel = loop_for(program, begin, end, VECTOR_LANES), zero = loop_int(program, 0);
    struct place place = place_in(kernel, zero, zero, channel, VECTOR_LANES);
    place.scalar = LOOP_F64;
    loop_value values[KERNEL_VALUES];
    uint32_t first = (uint32_t)kernel_first_output(kernel);
    for (uint32_t j = 0; j < kernel->value_count; j++)
        values[j] = loop_convert(
            program, expression_value(kernel, program, kernel->values[j], &place), LOOP_F32);
    for (uint32_t j = 0; j < kernel->value_count; j++)
        loop_store(program, first + j, channel, values[j]);
    loop_end(program);
}

const struct schedule vector_schedule = {
    .name = "vector",
    .applies = vector_applies,
    .build = vector_build,
};
