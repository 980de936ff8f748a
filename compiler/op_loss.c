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
    call_operand(&call,
                 call_load(&call, lower_buffer(lowering, op->inputs[LOSS_LOGITS]), ACCESS_POINT));
    if (lowering->training && lowering->recipe->label_smoothing > 0)
        call_operand(&call, kernel_constant(&call.kernel, lowering->recipe->label_smoothing));
    call.weight = lower_buffer(lowering, op->inputs[LOSS_LABELS]);
    call_output(&call, lower_buffer(lowering, op->outputs[LOSS_VALUE]));
    call_output(&call, lower_buffer(lowering, op->outputs[LOSS_RANK]));
    if (lowering->training)
        call_output(&call, lower_buffer(lowering, op->outputs[LOSS_GRADIENT]));
    call_end(&call, op->path);
}

/* A stretch of rows of 16 of the regions that hold weights. */
struct rows {
    uint64_t first, end; /* bytes */
};

static buffer_id region_rows(struct lowering *lowering, enum rnet_region region, struct rows rows)
{
    const struct buffer buffer = {.region = region,
                                  .tensor = TENSOR_NONE,
                                  .bytes = rows.end - rows.first,
                                  .offset = rows.first};

    vector_push(&lowering->calls->buffers, lowering->arena, buffer);
    return (buffer_id)(lowering->calls->buffers.count - 1);
}

/* The gradient as the rule wants it: scaled by the runtime where the recipe clips or accumulates,
 * with the decay's share. */
static uint16_t effective_gradient(struct call_builder *call, buffer_id gradients, uint16_t weight,
                                   bool decaying)
{
    const struct recipe *recipe = call->lowering->recipe;
    struct kernel *kernel = &call->kernel;
    uint16_t gradient = call_load(call, gradients, ACCESS_POINT);

    if (recipe->clip > 0 || recipe->accumulate > 1)
        gradient = kernel_multiply(kernel, gradient, call_scalar(call, RNET_SCALAR_GRADIENT_SCALE));
    if (decaying)
        gradient = kernel_add(
            kernel, gradient,
            kernel_multiply(kernel, call_scalar(call, RNET_SCALAR_WEIGHT_DECAY), weight));
    return gradient;
}

/* Stochastic gradient descent on many parameters at once, as rows of 16:
 *     velocity = momentum velocity + gradient + decay weight
 *     weight   = weight - rate velocity                        (Sutskever et al., 2013; PyTorch)
 * Nesterov's form steps by gradient + decay weight + momentum velocity, the velocity being new. */
static void lower_update(struct lowering *lowering, struct rows rows, bool decaying,
                         const char *path)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    struct kernel *kernel = &call.kernel;
    const buffer_id weights = region_rows(lowering, RNET_REGION_WEIGHTS, rows);
    const buffer_id velocities = region_rows(lowering, RNET_REGION_MOMENTUM, rows);
    const buffer_id gradients = region_rows(lowering, RNET_REGION_GRADIENTS, rows);
    uint16_t weight, gradient, momentum, velocity, step;

    memcpy(kernel->in_grid, (int32_t[]){1, 1, 1}, sizeof kernel->in_grid);
    kernel->in_channels = RNET_CHANNEL_PADDING;
    call.images = (int64_t)((rows.end - rows.first) / (RNET_CHANNEL_PADDING * sizeof(float)));
    weight = call_load(&call, weights, ACCESS_POINT);
    gradient = effective_gradient(&call, gradients, weight, decaying);
    momentum = call_scalar(&call, RNET_SCALAR_MOMENTUM);
    velocity = kernel_multiply(kernel, momentum, call_load(&call, velocities, ACCESS_POINT));
    velocity = kernel_add(kernel, velocity, gradient);
    step = velocity;
    if (lowering->recipe->nesterov)
        step = kernel_add(kernel, gradient, kernel_multiply(kernel, momentum, velocity));
    step = kernel_multiply(kernel, call_scalar(&call, RNET_SCALAR_LEARNING_RATE), step);
    call_store(&call, velocity, velocities);
    call_store(&call, kernel_subtract(kernel, weight, step), weights);
    call_end(&call, path);
}

static void update_lower(struct lowering *lowering, const struct op *op)
{
    const struct parameter_layout *layout = lowering->layout;

    if (layout->decayed_bytes > 0)
        lower_update(lowering, (struct rows){0, layout->decayed_bytes}, true, op->path);
    if (layout->weight_bytes > layout->decayed_bytes)
        lower_update(lowering, (struct rows){layout->decayed_bytes, layout->weight_bytes}, false,
                     op->path);
}

const struct op_definition softmax_loss_definition = {.gradient = softmax_loss_gradient,
                                                      .lower = softmax_loss_lower};
const struct op_definition update_definition = {.lower = update_lower};
