/* Random layers: dropout (Srivastava et al., 2014), which drops values, and drop_path (Huang et
 * al., 2016, stochastic depth), which drops an image's whole tensor. What is kept is divided by the
 * share that is.
 *
 * Whether an element is kept is a function of the step's key for this layer and of the element's
 * number (LOOP_RANDOM), so the backward pass draws the mask again instead of keeping it. Keys are
 * run-time data: layers that differ in nothing else share their kernels. */
#include "compiler/gradient.h"
#include "compiler/lower.h"
#include "compiler/op_window.h"

enum { DROP_RATE };

/* Layers are numbered as they are added: that is all that their keys know of them. */
static void drop_shape(struct layer_call *call)
{
    call->output = *call->input;
    call->attributes.rate = call->values[DROP_RATE].values[0];
    if (call->attributes.rate >= 1)
        layer_fail(call, DIAGNOSTIC_BAD_SHAPE, DROP_RATE,
                   "a rate of %g would drop everything: it must be below 1", call->attributes.rate);
    else
        call->attributes.random_layer = call->graph->random_layer_count++;
}

static void dropout_gradient(struct gradient_pass *pass, op_id id)
{
    gradient_of_input(pass, id, OP_DROPOUT_GRADIENT, TENSOR_NONE);
}

static void drop_path_gradient(struct gradient_pass *pass, op_id id)
{
    gradient_of_input(pass, id, OP_DROP_PATH_GRADIENT, TENSOR_NONE);
}

/* out = x / keep where the random number is below keep, else 0. The share is rounded to what the
 * kernel compares in, so that every precision keeps the same elements. */
static void lower_dropped(struct lowering *lowering, const struct op *op, enum access access)
{
    const double keep = (double)(float)(1 - op->attributes.rate);
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    struct kernel *kernel = &call.kernel;
    uint16_t value, margin;

    call_in(&call, &lowering->graph->tensors.items[op->inputs[0]]);
    value = call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT);
    value = kernel_multiply(kernel, value, kernel_constant(kernel, 1 / keep));
    margin = kernel_subtract(
        kernel, kernel_constant(kernel, keep),
        call_random(&call, lower_key(lowering, op->attributes.random_layer), access));
    call_store(&call, kernel_binary(kernel, EXPRESSION_IF_POSITIVE, margin, value),
               lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

/* Nothing is dropped in evaluation: the output is the input. */
static void lower_drop(struct lowering *lowering, const struct op *op, enum access access)
{
    if (!lowering->training || op->attributes.rate == 0)
        lower_same(lowering, op->outputs[0], op->inputs[0]);
    else
        lower_dropped(lowering, op, access);
}

static void dropout_lower(struct lowering *lowering, const struct op *op)
{
    lower_drop(lowering, op, ACCESS_POINT);
}

static void drop_path_lower(struct lowering *lowering, const struct op *op)
{
    lower_drop(lowering, op, ACCESS_IMAGE);
}

#define DROP_LAYER(name)                                                                           \
    {                                                                                              \
        .is_layer = true, .arguments = {{"rate", ARGUMENT_NUMBER, true, 0, 0}},                    \
        .argument_count = 1, .shape = drop_shape, .gradient = name##_gradient,                     \
        .lower = name##_lower                                                                      \
    }

const struct op_definition dropout_definition = DROP_LAYER(dropout);
const struct op_definition drop_path_definition = DROP_LAYER(drop_path);
const struct op_definition dropout_gradient_definition = {.lower = dropout_lower};
const struct op_definition drop_path_gradient_definition = {.lower = drop_path_lower};
