/* The end of a training step: softmax cross-entropy, and the update of the parameters. */
#include <string.h>

#include "compiler/gradient.h"
#include "compiler/lower.h"
#include "compiler/op.h"

/* ORDER LOSS: the op's tensors. */
enum { LOSS_LOGITS, LOSS_LABELS };
enum { LOSS_VALUE, LOSS_RANK, LOSS_GRADIENT };

static void softmax_loss_gradient(struct gradient_pass *pass, op_id id)
{
    const struct op op = pass->graph->ops.items[id];

    gradient_add(pass, op.inputs[LOSS_LOGITS], op.outputs[LOSS_GRADIENT]);
}

static void softmax_loss_lower(struct lowering *lowering, const struct op *op)
{
    struct call_builder call = call_begin(lowering, KERNEL_SOFTMAX_LOSS);

    call_in(&call, &lowering->graph->tensors.items[op->inputs[LOSS_LOGITS]]);
    call_operand(&call, call_load(&call, lower_buffer(lowering, op->inputs[LOSS_LOGITS]),
                                  ACCESS_POINT));
    call.weight = lower_buffer(lowering, op->inputs[LOSS_LABELS]);
    call_output(&call, lower_buffer(lowering, op->outputs[LOSS_VALUE]));
    call_output(&call, lower_buffer(lowering, op->outputs[LOSS_RANK]));
    if (lowering->training)
        call_output(&call, lower_buffer(lowering, op->outputs[LOSS_GRADIENT]));
    call_end(&call, op->path);
}

static buffer_id whole_region(struct lowering *lowering, enum rnet_region region)
{
    const struct buffer buffer = {
        .region = region, .tensor = TENSOR_NONE, .bytes = lowering->layout->weight_bytes};

    vector_push(&lowering->calls->buffers, lowering->arena, buffer);
    return (buffer_id)(lowering->calls->buffers.count - 1);
}

/* Stochastic gradient descent on all parameters at once, as rows of 16:
 *     velocity = momentum velocity + gradient + decay weight
 *     weight   = weight - rate velocity                        (Sutskever et al., 2013; PyTorch) */
static void update_lower(struct lowering *lowering, const struct op *op)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    struct kernel *kernel = &call.kernel;
    const buffer_id weights = whole_region(lowering, RNET_REGION_WEIGHTS);
    const buffer_id velocities = whole_region(lowering, RNET_REGION_MOMENTUM);
    const buffer_id gradients = whole_region(lowering, RNET_REGION_GRADIENTS);
    uint16_t weight, gradient, velocity;

    memcpy(kernel->in_grid, (int32_t[]){1, 1, 1}, sizeof kernel->in_grid);
    kernel->in_channels = RNET_CHANNEL_PADDING;
    call.images = (int64_t)(lowering->layout->weight_bytes / (RNET_CHANNEL_PADDING * sizeof(float)));
    weight = call_load(&call, weights, ACCESS_POINT);
    gradient = call_load(&call, gradients, ACCESS_POINT);
    gradient = kernel_binary(kernel, EXPRESSION_ADD, gradient,
                             kernel_binary(kernel, EXPRESSION_MULTIPLY,
                                           call_scalar(&call, RNET_SCALAR_WEIGHT_DECAY), weight));
    velocity = kernel_binary(kernel, EXPRESSION_MULTIPLY, call_scalar(&call, RNET_SCALAR_MOMENTUM),
                             call_load(&call, velocities, ACCESS_POINT));
    velocity = kernel_binary(kernel, EXPRESSION_ADD, velocity, gradient);
    weight = kernel_binary(kernel, EXPRESSION_SUBTRACT, weight,
                           kernel_binary(kernel, EXPRESSION_MULTIPLY,
                                         call_scalar(&call, RNET_SCALAR_LEARNING_RATE), velocity));
    call_store(&call, velocity, velocities);
    call_store(&call, weight, weights);
    call_end(&call, op->path);
}

const struct op_definition softmax_loss_definition = {.gradient = softmax_loss_gradient,
                                                      .lower = softmax_loss_lower};
const struct op_definition update_definition = {.lower = update_lower};
