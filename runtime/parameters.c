/* Transposing weights between file and memory. See parameters.h. */
#include "runtime/parameters.h"

#include <string.h>

/* A weight's extents; positions are those of the kernel, flattened. */
struct extents {
    int64_t outputs, inputs, positions, stride;
};

static int64_t padded(int64_t count)
{
    return (count + RNET_CHANNEL_PADDING - 1) / RNET_CHANNEL_PADDING * RNET_CHANNEL_PADDING;
}

static struct extents weight_extents(const struct rnet_parameter *parameter)
{
    struct extents extents = {parameter->shape[0], 1, 1, padded(parameter->shape[0])};
    if (parameter->rank > 1)
        extents.inputs = parameter->shape[1];
    for (uint32_t axis = 2; axis < parameter->rank; axis++)
        extents.positions *= parameter->shape[axis];
    return extents;
}

int64_t parameter_elements(const struct rnet_parameter *parameter)
{
    int64_t count = 1;
    for (uint32_t axis = 0; axis < parameter->rank; axis++)
        count *= parameter->shape[axis];
    return count;
}

int64_t parameter_stored(const struct rnet_parameter *parameter)
{
    if (parameter->kind == RNET_PARAMETER_BATCH_COUNTER)
        return 0;
    struct extents extents = weight_extents(parameter);
    return extents.positions * extents.inputs * extents.stride;
}

void parameter_pack(const struct rnet_parameter *parameter, const float *file, float *memory)
{
    struct extents e = weight_extents(parameter);
    memset(memory, 0, (size_t)parameter_stored(parameter) * sizeof *memory);
    for (int64_t output = 0; output < e.outputs; output++)
        for (int64_t input = 0; input < e.inputs; input++)
            for (int64_t position = 0; position < e.positions; position++)
                memory[(position * e.inputs + input) * e.stride + output] =
                    file[(output * e.inputs + input) * e.positions + position];
}

void parameter_unpack(const struct rnet_parameter *parameter, const float *memory, float *file)
{
    struct extents e = weight_extents(parameter);
    for (int64_t output = 0; output < e.outputs; output++)
        for (int64_t input = 0; input < e.inputs; input++)
            for (int64_t position = 0; position < e.positions; position++)
                file[(output * e.inputs + input) * e.positions + position] =
                    memory[(position * e.inputs + input) * e.stride + output];
}
