/* A kernel's anchor in terms of the forward convolution. See convolution_facts.h. */
#include "codegen/cuda/convolution_facts.h"

#include <string.h>

#include "codegen/nest.h"

/* The argument that value `number` is, if it is a tensor as it lies in memory. */
static int32_t plain_argument(const struct kernel *kernel, int number)
{
    uint32_t parameter;
    if (!expression_is_plain_load(kernel, kernel->values[number], &parameter))
        return RNET_CUDA_NO_ARGUMENT;
    return (int32_t)parameter;
}

static void set_sides(const struct kernel *kernel, struct rnet_cuda_convolution *facts)
{
    const bool exchanged = kernel->anchor == KERNEL_DATA_GRADIENT;
    memcpy(facts->x_grid, exchanged ? kernel->out_grid : kernel->in_grid, sizeof facts->x_grid);
    memcpy(facts->y_grid, exchanged ? kernel->in_grid : kernel->out_grid, sizeof facts->y_grid);
    facts->x_channels = exchanged ? kernel->out_channels : kernel->in_channels;
    facts->y_channels = exchanged ? kernel->in_channels : kernel->out_channels;
    memcpy(facts->window, kernel->window.kernel, sizeof facts->window);
    memcpy(facts->stride, kernel->window.stride, sizeof facts->stride);
    memcpy(facts->padding, kernel->window.padding, sizeof facts->padding);
    memcpy(facts->dilation, kernel->window.dilation, sizeof facts->dilation);
}

static void set_arguments(const struct kernel *kernel, struct rnet_cuda_convolution *facts)
{
    const int32_t first = plain_argument(kernel, 0);
    facts->x = facts->dy = facts->weight = RNET_CUDA_NO_ARGUMENT;
    facts->output = kernel_first_output(kernel);
    facts->loads_plainly = first != RNET_CUDA_NO_ARGUMENT;
    switch ((enum rnet_cuda_pass)facts->pass) {
    case RNET_CUDA_FORWARD:
        facts->x = first;
        facts->weight = kernel_weight_parameter(kernel);
        break;
    case RNET_CUDA_DATA_GRADIENT:
        facts->dy = first;
        facts->weight = kernel_weight_parameter(kernel);
        break;
    case RNET_CUDA_WEIGHT_GRADIENT:
        facts->x = first;
        facts->dy = plain_argument(kernel, 1);
        facts->loads_plainly &= facts->dy != RNET_CUDA_NO_ARGUMENT;
        break;
    }
}

static bool is_bfloat16(const struct kernel *kernel, int32_t argument)
{
    return kernel->storage[argument] == KERNEL_BF16;
}

/* A library wants all activations of a kind; the gradient of a weight is float32 in any case. */
static void set_storage(const struct kernel *kernel, struct rnet_cuda_convolution *facts)
{
    const int32_t first = facts->x != RNET_CUDA_NO_ARGUMENT ? facts->x : facts->dy;
    const int32_t second = facts->pass == RNET_CUDA_WEIGHT_GRADIENT ? facts->dy : facts->output;
    if (!facts->loads_plainly)
        return;
    facts->is_bfloat16 = is_bfloat16(kernel, first);
    facts->loads_plainly = is_bfloat16(kernel, second) == facts->is_bfloat16;
}

bool convolution_facts(const struct kernel *kernel, struct rnet_cuda_convolution *out_facts)
{
    *out_facts = (struct rnet_cuda_convolution){
        .groups = (uint32_t)kernel->groups,
        .chunk_images = kernel->chunk_images,
        .stores_plainly = kernel->epilogue == 0,
        .is_only_output = kernel->output_count == 1,
    };
    switch ((enum kernel_anchor)kernel->anchor) {
    case KERNEL_CONVOLUTION:
        out_facts->pass = RNET_CUDA_FORWARD;
        break;
    case KERNEL_DATA_GRADIENT:
        out_facts->pass = RNET_CUDA_DATA_GRADIENT;
        break;
    case KERNEL_WEIGHT_GRADIENT:
        out_facts->pass = RNET_CUDA_WEIGHT_GRADIENT;
        break;
    default:
        return false;
    }
    set_sides(kernel, out_facts);
    set_arguments(kernel, out_facts);
    set_storage(kernel, out_facts);
    return true;
}

/* Whether all it does is to add up the chunks of its one input. */
static bool sums_chunks(const struct kernel *kernel)
{
    if (kernel->anchor != KERNEL_VECTOR || kernel->parameter_count != 2 ||
        kernel->value_count != 1 || kernel->output_count != 1)
        return false;
    const struct expression *root = &kernel->expressions[kernel->values[0]];
    return root->op == EXPRESSION_LOAD && root->access == ACCESS_CHUNK_SUM && root->parameter == 0;
}

enum rnet_cuda_role convolution_role(const struct kernel *kernel)
{
    if (kernel->anchor == KERNEL_TRANSPOSE && !kernel->flip)
        return RNET_CUDA_TRANSPOSE;
    if (kernel->anchor == KERNEL_TRANSPOSE)
        return kernel->groups == 1 ? RNET_CUDA_FLIP : RNET_CUDA_NO_ROLE;
    return sums_chunks(kernel) ? RNET_CUDA_SUM_CHUNKS : RNET_CUDA_NO_ROLE;
}
