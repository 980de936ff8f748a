/* Pointwise kernels: a vector of channels a thread, neighbours side by side in memory. Without
 * leaves that depend on where an element is, vectors are counted through the whole image. */
#include "codegen/cuda/block.h"
#include "codegen/cuda/schedules.h"

enum {
    PLACE_ACCESSES = 1 << ACCESS_CHANNEL | 1 << ACCESS_FIRST | 1 << ACCESS_IMAGE_CHANNEL |
                     1 << ACCESS_PIXEL | 1 << ACCESS_IMAGE,
};

static bool pointwise_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_POINTWISE;
}

static bool is_flat(const struct kernel *kernel)
{
    for (int j = 0; j < kernel->value_count; j++)
        if (expression_has_access(kernel, kernel->values[j], PLACE_ACCESSES))
            return false;
    return true;
}

/* A tensor of one image, one point and as many channels as one likes. */
static void build_flat(const struct kernel *kernel, struct loop_program *program, int64_t elements)
{
    const int lanes = block_stream_lanes(kernel, elements);
    struct block_unit unit = block_open_units(program, elements / lanes);
    loop_value zero = loop_int(program, 0);
    loop_value index = loop_add(program, loop_times(program, unit.image, elements),
                                loop_times(program, unit.number, lanes));
    struct place place = place_in(kernel, zero, zero, index, lanes);
    block_store_values(kernel, program, &place, index);
    nest_close(program, unit.bodies);
}

static void pointwise_build(const struct kernel *kernel, struct loop_program *program)
{
    const int64_t stride = channel_stride(kernel->in_channels);
    const int64_t points = grid_points(kernel->in_grid);
    const int lanes = block_stream_lanes(kernel, stride);
    if (is_flat(kernel)) {
        build_flat(kernel, program, points * stride);
        return;
    }
    struct block_unit unit = block_open_units(program, points * stride / lanes);
    struct block_element element =
        block_element(program, unit.number, kernel->in_grid, stride, lanes);
    struct place place = place_in(kernel, unit.image, element.point.index, element.channel, lanes);
    loop_value index = activation_index(program, unit.image, points, element.point.index,
                                        kernel->in_channels, element.channel);
    block_store_values(kernel, program, &place, index);
    nest_close(program, unit.bodies);
}

const struct schedule cuda_pointwise_schedule = {
    .name = "cuda_pointwise",
    .applies = pointwise_applies,
    .build = pointwise_build,
};
