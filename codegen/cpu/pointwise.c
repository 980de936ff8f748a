/* Pointwise kernels: 16 elements at a time, tasks of about TASK_BYTES a tensor.
 *
 * Without leaves that depend on where an element is, a task's elements are one flat row, padding
 * included (which may hold anything); else the loops run over points and vectors of channels. All
 * values are computed before any is stored: outputs may be the memory of inputs. */
#include "codegen/cpu/schedules.h"
#include "codegen/nest.h"

enum {
    TASK_BYTES = 32768,
    CHANNEL_ACCESSES = 1 << ACCESS_CHANNEL | 1 << ACCESS_FIRST | 1 << ACCESS_IMAGE_CHANNEL |
                       1 << ACCESS_PIXEL | 1 << ACCESS_IMAGE,
};

static bool is_flat(const struct kernel *kernel)
{
    for (int j = 0; j < kernel->value_count; j++)
        if (expression_has_access(kernel, kernel->values[j], CHANNEL_ACCESSES))
            return false;
    return true;
}

static bool pointwise_applies(const struct kernel *kernel)
{
    if (kernel->anchor != KERNEL_POINTWISE)
        return false;
    return is_flat(kernel) || channel_stride(kernel->in_channels) % VECTOR_LANES == 0;
}

static void store_values(const struct kernel *kernel, struct loop_program *program,
                         const struct place *place, loop_value index)
{
    loop_value values[KERNEL_VALUES];
    uint32_t first = (uint32_t)kernel_first_output(kernel);
    bool streams = kernel->streams && channel_stride(kernel->in_channels) % VECTOR_LANES == 0;
    for (uint32_t j = 0; j < kernel->value_count; j++)
        values[j] = expression_value(kernel, program, kernel->values[j], place);
    for (uint32_t j = 0; j < kernel->value_count; j++)
        loop_store_aligned(program, first + j, index, values[j], streams);
}

/* Values at a flat element: a tensor of one image, one point and as many channels as one likes. */
static void store_flat(const struct kernel *kernel, struct loop_program *program,
                       loop_value element, int lanes)
{
    loop_value zero = loop_int(program, 0);
    struct place place = place_in(kernel, zero, zero, element, lanes);
    store_values(kernel, program, &place, element);
}

static void build_flat(const struct kernel *kernel, struct loop_program *program,
                       const struct task_range *range, loop_value first_point, loop_value end_point)
{
    int64_t points = grid_points(kernel->in_grid), stride = channel_stride(kernel->in_channels);
    loop_value first_row =
        loop_add(program, loop_times(program, range->first, points), first_point);
    loop_value last = loop_plus(program, range->end, -1);
    loop_value end_row = loop_add(program, loop_times(program, last, points), end_point);
    loop_value begin = loop_times(program, first_row, stride);
    loop_value end = loop_times(program, end_row, stride);
    if (stride % VECTOR_LANES == 0) {
        store_flat(kernel, program, loop_for(program, begin, end, VECTOR_LANES), VECTOR_LANES);
        loop_end(program);
        return;
    }
    loop_value lanes = loop_int(program, VECTOR_LANES);
    loop_value count = loop_binary(program, LOOP_SUBTRACT, end, begin);
    loop_value rest = loop_binary(program, LOOP_REMAINDER, count, lanes);
    loop_value middle = loop_binary(program, LOOP_SUBTRACT, end, rest);
    store_flat(kernel, program, loop_for(program, begin, middle, VECTOR_LANES), VECTOR_LANES);
    loop_end(program);
    store_flat(kernel, program, loop_for(program, middle, end, 1), 1);
    loop_end(program);
}

static void build_points(const struct kernel *kernel, struct loop_program *program,
                         const struct task_range *range, loop_value first_point,
                         loop_value end_point)
{
    loop_value image;
    int bodies = nest_open_images(program, range, &image);
    loop_value point = loop_for(program, first_point, end_point, 1);
    loop_value channels = loop_int(program, channel_stride(kernel->in_channels));
    loop_value channel = loop_for(program, loop_int(program, 0), channels, VECTOR_LANES);
    struct place place = place_in(kernel, image, point, channel, VECTOR_LANES);
    loop_value index =
        activation_index(program, image, place.points, point, kernel->in_channels, channel);
    store_values(kernel, program, &place, index);
    nest_close(program, bodies + 2);
}

static void pointwise_build(const struct kernel *kernel, struct loop_program *program)
{
    struct nest_parts parts = nest_parts(kernel, program, TASK_BYTES);
    if (is_flat(kernel))
        build_flat(kernel, program, &parts.range, parts.first, parts.end);
    else
        build_points(kernel, program, &parts.range, parts.first, parts.end);
}

const struct schedule pointwise_schedule = {
    .name = "pointwise",
    .applies = pointwise_applies,
    .build = pointwise_build,
};
