/* What happens at each point alone: rectification, sums of branches; and the input itself. */
#include "compiler/gradient.h"
#include "compiler/lower.h"
#include "compiler/op.h"

static void relu_shape(struct layer_call *call)
{
    call->output = *call->input;
}

/* The mask comes from the output, which is kept anyway for what follows: y > 0 where x > 0. */
static void relu_gradient(struct gradient_pass *pass, op_id id)
{
    gradient_of_input(pass, id, OP_RELU_GRADIENT, pass->graph->ops.items[id].outputs[0]);
}

static void relu_lower(struct lowering *lowering, const struct op *op)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    uint16_t x;

    call_in(&call, &lowering->graph->tensors.items[op->inputs[0]]);
    x = call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT);
    call_store(&call,
               kernel_binary(&call.kernel, EXPRESSION_MAXIMUM, x, kernel_constant(&call.kernel, 0)),
               lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

static void relu_gradient_lower(struct lowering *lowering, const struct op *op)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    uint16_t dy, y;

    call_in(&call, &lowering->graph->tensors.items[op->inputs[0]]);
    dy = call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT);
    y = call_load(&call, lower_buffer(lowering, op->inputs[1]), ACCESS_POINT);
    call_store(&call, kernel_binary(&call.kernel, EXPRESSION_IF_POSITIVE, y, dy),
               lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

/* The gradient of a sum is the same tensor for every term: no op, no copy. */
static void add_gradient(struct gradient_pass *pass, op_id id)
{
    const struct op op = pass->graph->ops.items[id];
    const tensor_id dy = gradient_of(pass, op.outputs[0]);

    for (int term = 0; dy != TENSOR_NONE && term < op.input_count; term++)
        if (gradient_needed(pass, op.inputs[term]))
            gradient_add(pass, op.inputs[term], dy);
}

enum { TERMS_PER_CALL = 8 }; /* well below what a kernel can load */

/* Adds terms [first, first + count) to `sum` so far (or BUFFER_NONE) into `out`. */
static void lower_partial_sum(struct lowering *lowering, const struct op *op, int first, int count,
                              buffer_id sum, buffer_id out)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    uint16_t value;

    call_in(&call, &lowering->graph->tensors.items[op->outputs[0]]);
    value = call_load(&call, sum != BUFFER_NONE ? sum : lower_buffer(lowering, op->inputs[first]),
                      ACCESS_POINT);
    for (int term = sum != BUFFER_NONE ? first : first + 1; term < first + count; term++)
        value =
            kernel_add(&call.kernel, value,
                       call_load(&call, lower_buffer(lowering, op->inputs[term]), ACCESS_POINT));
    call_store(&call, value, out);
    call_end(&call, op->path);
}

static void add_lower(struct lowering *lowering, const struct op *op)
{
    const buffer_id result = lower_buffer(lowering, op->outputs[0]);
    buffer_id sum = BUFFER_NONE;

    for (int first = 0; first < op->input_count; first += TERMS_PER_CALL) {
        const int left = op->input_count - first;
        const bool is_last = left <= TERMS_PER_CALL;
        const buffer_id out = is_last ? result : lower_scratch_like(lowering, result);

        lower_partial_sum(lowering, op, first, is_last ? left : TERMS_PER_CALL, sum, out);
        sum = out;
    }
}

const struct op_definition input_definition = {.is_layer = false};
const struct op_definition relu_definition = {
    .is_layer = true, .shape = relu_shape, .gradient = relu_gradient, .lower = relu_lower};
const struct op_definition relu_gradient_definition = {.lower = relu_gradient_lower};
const struct op_definition add_definition = {.gradient = add_gradient, .lower = add_lower};
