/* Transposing weights between file and memory. See parameters.h. */
#include "runtime/parameters.h"

#include <string.h>

#include "base/arena.h"

/* A weight's extents; positions are those of the kernel, flattened. */
struct extents {
    int64_t outputs, inputs, positions, stride;
    int64_t block; /* outputs in one */
};

static int64_t padded(int64_t count)
{
    return (count + RNET_CHANNEL_PADDING - 1) / RNET_CHANNEL_PADDING * RNET_CHANNEL_PADDING;
}

static struct extents weight_extents(const struct rnet_parameter *parameter)
{
    int64_t stride = padded(parameter->shape[0]);
    struct extents extents = {parameter->shape[0], 1, 1, stride,
                              parameter->block ? parameter->block : stride};
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

/* Where an element lies in memory. */
static int64_t element_index(const struct extents *e, int64_t position, int64_t input,
                             int64_t output)
{
    int64_t begin = output / e->block * e->block, rest = e->stride - begin;
    int64_t width = rest < e->block ? rest : e->block;
    return begin * e->positions * e->inputs + (position * e->inputs + input) * width + output -
           begin;
}

void parameter_pack(const struct rnet_parameter *parameter, const float *file, float *memory)
{
    struct extents e = weight_extents(parameter);
    memset(memory, 0, (size_t)parameter_stored(parameter) * sizeof *memory);
    for (int64_t output = 0; output < e.outputs; output++)
        for (int64_t input = 0; input < e.inputs; input++)
            for (int64_t position = 0; position < e.positions; position++)
                memory[element_index(&e, position, input, output)] =
                    file[(output * e.inputs + input) * e.positions + position];
}

void parameter_unpack(const struct rnet_parameter *parameter, const float *memory, float *file)
{
    struct extents e = weight_extents(parameter);
    for (int64_t output = 0; output < e.outputs; output++)
        for (int64_t input = 0; input < e.inputs; input++)
            for (int64_t position = 0; position < e.positions; position++)
                file[(output * e.inputs + input) * e.positions + position] =
                    memory[element_index(&e, position, input, output)];
}

/* Moves one weight between its blocks and one of all outputs; `copy` has room for it. */
static void weight_rearrange(const struct rnet_parameter *parameter, float *memory, float *copy,
                             bool joins)
{
    struct extents e = weight_extents(parameter);
    int64_t rows = e.positions * e.inputs, lanes = RNET_CHANNEL_PADDING;
    memcpy(copy, memory, (size_t)parameter_stored(parameter) * sizeof *copy);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t output = 0; output < e.stride; output += lanes) {
            int64_t in_block = element_index(&e, row / e.inputs, row % e.inputs, output);
            int64_t in_row = row * e.stride + output;
            memcpy(&memory[joins ? in_row : in_block], &copy[joins ? in_block : in_row],
                   (size_t)lanes * sizeof *memory);
        }
}

void parameters_rearrange(const struct rnet_program *program, float *weights, bool joins)
{
    struct arena arena = {0};
    for (uint64_t i = 0; i < program->parameter_count; i++) {
        const struct rnet_parameter *parameter = &program->parameters[i];
        if (parameter->kind != RNET_PARAMETER_WEIGHT || parameter->block == 0)
            continue;
        float *copy = ARENA_ARRAY(&arena, float, parameter_stored(parameter));
        weight_rearrange(parameter, weights + parameter->offset / sizeof *weights, copy, joins);
        arena_release(&arena);
    }
}
