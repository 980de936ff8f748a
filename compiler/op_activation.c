/* Smooth activations: sigmoid, silu (x sigmoid(x)) and gelu (x times the normal distribution's
 * function at x; Hendrycks and Gimpel, 2016). Their gradients are computed from the input again:
 * nothing but x is kept. */
#include "compiler/gradient.h"
#include "compiler/lower.h"
#include "compiler/op.h"

/* The value of an activation at x, or of its derivative. */
typedef uint16_t activation(struct kernel *kernel, uint16_t x);

/* ---- small expressions ---- */

static uint16_t inverse(struct kernel *kernel, uint16_t a)
{
    return kernel_divide(kernel, kernel_constant(kernel, 1), a);
}

/* ---- the activations ---- */

/* 1 / (1 + exp(-x)); where exp(-x) overflows, the quotient is 0, as it should be. */
static uint16_t sigmoid(struct kernel *kernel, uint16_t x)
{
    const uint16_t power = kernel_unary(kernel, EXPRESSION_EXP,
                                        kernel_subtract(kernel, kernel_constant(kernel, 0), x));

    return inverse(kernel, kernel_add(kernel, kernel_constant(kernel, 1), power));
}

static uint16_t sigmoid_slope(struct kernel *kernel, uint16_t x)
{
    const uint16_t y = sigmoid(kernel, x);

    return kernel_multiply(kernel, y, kernel_subtract(kernel, kernel_constant(kernel, 1), y));
}

static uint16_t silu(struct kernel *kernel, uint16_t x)
{
    return kernel_multiply(kernel, x, sigmoid(kernel, x));
}

static uint16_t silu_slope(struct kernel *kernel, uint16_t x)
{
    return kernel_add(kernel, sigmoid(kernel, x),
                      kernel_multiply(kernel, x, sigmoid_slope(kernel, x)));
}

/* exp(-x^2 / 2) */
static uint16_t bell(struct kernel *kernel, uint16_t x)
{
    const uint16_t exponent =
        kernel_multiply(kernel, kernel_constant(kernel, -0.5), kernel_multiply(kernel, x, x));

    return kernel_unary(kernel, EXPRESSION_EXP, exponent);
}

/* The normal distribution's function, by formula 7.1.26 of Abramowitz and Stegun for the error
 * function: absolute error 7.5e-8, about the last digit of float32. */
static uint16_t normal(struct kernel *kernel, uint16_t x)
{
    static const double coefficients[] = {1.061405429, -1.453152027, 1.421413741, -0.284496736,
                                          0.254829592};
    const uint16_t size = kernel_binary(kernel, EXPRESSION_MAXIMUM, x,
                                        kernel_subtract(kernel, kernel_constant(kernel, 0), x));
    const uint16_t t = inverse(
        kernel,
        kernel_add(kernel, kernel_constant(kernel, 1),
                   kernel_multiply(kernel, kernel_constant(kernel, 0.3275911 * 0.70710678118654752),
                                   size)));
    uint16_t tail = kernel_multiply(kernel, kernel_constant(kernel, coefficients[0]), t);
    uint16_t erf;

    for (size_t i = 1; i < countof(coefficients); i++)
        tail = kernel_multiply(kernel, t,
                               kernel_add(kernel, kernel_constant(kernel, coefficients[i]), tail));
    erf = kernel_subtract(kernel, kernel_constant(kernel, 1),
                          kernel_multiply(kernel, tail, bell(kernel, x)));
    return kernel_add(kernel,
                      kernel_multiply(kernel, kernel_constant(kernel, 0.5),
                                      kernel_subtract(kernel, kernel_constant(kernel, 1), erf)),
                      kernel_binary(kernel, EXPRESSION_IF_POSITIVE, x, erf));
}

static uint16_t gelu(struct kernel *kernel, uint16_t x)
{
    return kernel_multiply(kernel, x, normal(kernel, x));
}

static uint16_t gelu_slope(struct kernel *kernel, uint16_t x)
{
    const uint16_t density =
        kernel_multiply(kernel, kernel_constant(kernel, 0.39894228040143268), bell(kernel, x));

    return kernel_add(kernel, normal(kernel, x), kernel_multiply(kernel, x, density));
}

/* ---- operations ---- */

static void same_shape(struct layer_call *call)
{
    call->output = *call->input;
}

static void lower_value(struct lowering *lowering, const struct op *op, activation *value)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    uint16_t x;

    call_in(&call, &lowering->graph->tensors.items[op->inputs[0]]);
    x = call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT);
    call_store(&call, value(&call.kernel, x), lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

/* dx = dy slope(x) */
static void lower_gradient(struct lowering *lowering, const struct op *op, activation *slope)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    uint16_t dy, x;

    call_in(&call, &lowering->graph->tensors.items[op->inputs[0]]);
    dy = call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT);
    x = call_load(&call, lower_buffer(lowering, op->inputs[1]), ACCESS_POINT);
    call_store(&call, kernel_multiply(&call.kernel, dy, slope(&call.kernel, x)),
               lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

#define ACTIVATION(name, KIND)                                                                     \
    static void name##_gradient(struct gradient_pass *pass, op_id id)                              \
    {                                                                                              \
        gradient_of_input(pass, id, OP_##KIND##_GRADIENT, pass->graph->ops.items[id].inputs[0]);   \
    }                                                                                              \
    static void name##_lower(struct lowering *lowering, const struct op *op)                       \
    {                                                                                              \
        lower_value(lowering, op, name);                                                           \
    }                                                                                              \
    static void name##_gradient_lower(struct lowering *lowering, const struct op *op)              \
    {                                                                                              \
        lower_gradient(lowering, op, name##_slope);                                                \
    }                                                                                              \
    const struct op_definition name##_definition = {.is_layer = true,                              \
                                                    .shape = same_shape,                           \
                                                    .gradient = name##_gradient,                   \
                                                    .lower = name##_lower};                        \
    const struct op_definition name##_gradient_definition = {.lower = name##_gradient_lower};

ACTIVATION(sigmoid, SIGMOID)
ACTIVATION(silu, SILU)
ACTIVATION(gelu, GELU)
