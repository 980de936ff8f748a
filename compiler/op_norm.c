/* Batch normalization, y = (x - mean) scale + beta with scale = gamma / sqrt(variance + epsilon).
 *
 * In training, mean and variance are the batch's. They come from sums of x - s and (x - s)^2 in
 * fixed chunks, merged in double precision, where s is the running mean before this step: raw sums
 * of squares would lose the variance of a signal whose mean is large, and the running mean is at
 * hand before x is, so that the sums can be taken while x is stored. Ioffe and Szegedy, "Batch
 * Normalization", 2015, give the formulas of the gradient. */
#include <string.h>

#include "compiler/op_channel.h"
#include "compiler/op_window.h"

enum { BN_EPSILON, BN_MOMENTUM };
/* ORDER BN: inputs and outputs of the op. */
enum { BN_X, BN_GAMMA, BN_BETA, BN_RUNNING_MEAN, BN_RUNNING_VARIANCE, BN_COUNTER };
enum { BN_Y, BN_MEAN, BN_INVERSE_DEVIATION, BN_SCALE };
enum { GRADIENT_DY, GRADIENT_X, GRADIENT_MEAN, GRADIENT_INVERSE_DEVIATION, GRADIENT_SCALE };
enum { GRADIENT_DGAMMA, GRADIENT_DBETA, GRADIENT_DX };

static void bn_shape(struct layer_call *call)
{
    call->attributes.epsilon = call->values[BN_EPSILON].values[0];
    call->attributes.momentum = call->values[BN_MOMENTUM].values[0];
    call->output = *call->input;
    if (call->attributes.momentum > 1)
        layer_fail(call, DIAGNOSTIC_BAD_SHAPE, BN_MOMENTUM, "momentum must lie between 0 and 1");
}

static int bn_parameters(struct graph *graph, const struct layer_call *call, const char *path,
                         tensor_id *out)
{
    static const struct {
        const char *name;
        struct tensor like;
    } parameters[] = {
        {"weight", {.kind = TENSOR_PARAMETER, .initializer = INITIALIZER_ONE}},
        {"bias", {.kind = TENSOR_PARAMETER, .initializer = INITIALIZER_ZERO}},
        {"running_mean", {.kind = TENSOR_STATISTIC, .initializer = INITIALIZER_ZERO}},
        {"running_var", {.kind = TENSOR_STATISTIC, .initializer = INITIALIZER_ONE}},
        {"num_batches_tracked", {.kind = TENSOR_COUNTER, .initializer = INITIALIZER_ZERO}},
    };

    for (size_t i = 0; i < countof(parameters); i++)
        out[i] = channel_parameter(graph, call, path, parameters[i].name, parameters[i].like);
    return countof(parameters);
}

static void bn_gradient(struct gradient_pass *pass, op_id id)
{
    channel_gradient(pass, id, OP_BN_GRADIENT, 2, pass->graph->ops.items[id].outputs + BN_MEAN, 3);
}

/* ---- lowering ---- */

/* Sums of x - s and of its square, chunk by chunk. */
static void lower_moments(struct lowering *lowering, const struct op *op, buffer_id sum,
                          buffer_id square_sum)
{
    struct call_builder call = call_begin(lowering, KERNEL_CHANNEL_SUM);
    const buffer_id x = lower_buffer(lowering, op->inputs[BN_X]);
    uint16_t shifted;

    call_in(&call, &lowering->graph->tensors.items[op->inputs[BN_X]]);
    call.kernel.chunk_images = lower_chunk_images(lowering);
    shifted = kernel_subtract(
        &call.kernel, call_load(&call, x, ACCESS_POINT),
        call_load(&call, lower_buffer(lowering, op->inputs[BN_RUNNING_MEAN]), ACCESS_CHANNEL));
    call_store(&call, shifted, sum);
    call_store(&call, kernel_multiply(&call.kernel, shifted, shifted), square_sum);
    call_end(&call, op->path);
}

/* old + momentum (new - old), stored over old. */
static void store_running(struct call_builder *call, buffer_id running, uint16_t value,
                          double momentum)
{
    struct kernel *kernel = &call->kernel;
    const uint16_t old = call_load(call, running, ACCESS_CHANNEL);
    const uint16_t step = kernel_multiply(kernel, kernel_constant(kernel, momentum),
                                          kernel_subtract(kernel, value, old));

    call_store(call, kernel_add(kernel, old, step), running);
}

/* The batch's mean, inverse deviation and scale; the running statistics move toward them. The
 * running variance takes the unbiased estimate, as PyTorch's does. */
static void lower_statistics(struct lowering *lowering, const struct op *op, buffer_id sum,
                             buffer_id square_sum)
{
    struct call_builder call = call_begin(lowering, KERNEL_VECTOR);
    struct kernel *kernel = &call.kernel;
    uint16_t count, shift_mean, mean, variance, unbiased, inverse, gamma;

    call_in(&call, &lowering->graph->tensors.items[op->inputs[BN_X]]);
    kernel->chunk_images = lower_chunk_images(lowering);
    kernel->chunk_parts = 1;
    count = kernel_expression(kernel, (struct expression){.op = EXPRESSION_ELEMENTS});
    shift_mean = kernel_divide(kernel, call_load(&call, sum, ACCESS_CHUNK_SUM), count);
    mean = kernel_add(
        kernel, shift_mean,
        call_load(&call, lower_buffer(lowering, op->inputs[BN_RUNNING_MEAN]), ACCESS_CHANNEL));
    variance = kernel_divide(kernel, call_load(&call, square_sum, ACCESS_CHUNK_SUM), count);
    variance = kernel_subtract(kernel, variance, kernel_multiply(kernel, shift_mean, shift_mean));
    variance = kernel_binary(kernel, EXPRESSION_MAXIMUM, variance, kernel_constant(kernel, 0));
    unbiased = kernel_subtract(kernel, count, kernel_constant(kernel, 1));
    unbiased = kernel_binary(kernel, EXPRESSION_MAXIMUM, unbiased, kernel_constant(kernel, 1));
    unbiased = kernel_divide(kernel, kernel_multiply(kernel, variance, count), unbiased);
    inverse = inverse_deviation(kernel, variance, op->attributes.epsilon);
    gamma = call_load(&call, lower_buffer(lowering, op->inputs[BN_GAMMA]), ACCESS_CHANNEL);
    call_store(&call, mean, lower_buffer(lowering, op->outputs[BN_MEAN]));
    call_store(&call, inverse, lower_buffer(lowering, op->outputs[BN_INVERSE_DEVIATION]));
    call_store(&call, kernel_multiply(kernel, gamma, inverse),
               lower_buffer(lowering, op->outputs[BN_SCALE]));
    store_running(&call, lower_buffer(lowering, op->inputs[BN_RUNNING_MEAN]), mean,
                  op->attributes.momentum);
    store_running(&call, lower_buffer(lowering, op->inputs[BN_RUNNING_VARIANCE]), unbiased,
                  op->attributes.momentum);
    call_end(&call, op->path);
}

/* scale = gamma / sqrt(running variance + epsilon) */
static void lower_running_scale(struct lowering *lowering, const struct op *op)
{
    struct call_builder call = call_begin(lowering, KERNEL_VECTOR);
    struct kernel *kernel = &call.kernel;
    uint16_t inverse, gamma;

    memcpy(kernel->in_grid, (int32_t[]){1, 1, 1}, sizeof kernel->in_grid);
    kernel->in_channels = lowering->graph->tensors.items[op->inputs[BN_X]].channels;
    inverse = inverse_deviation(
        kernel,
        call_load(&call, lower_buffer(lowering, op->inputs[BN_RUNNING_VARIANCE]), ACCESS_CHANNEL),
        op->attributes.epsilon);
    gamma = call_load(&call, lower_buffer(lowering, op->inputs[BN_GAMMA]), ACCESS_CHANNEL);
    call_store(&call, kernel_multiply(kernel, gamma, inverse),
               lower_buffer(lowering, op->outputs[BN_SCALE]));
    call_end(&call, op->path);
}

static void lower_normalize(struct lowering *lowering, const struct op *op, buffer_id mean)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    struct kernel *kernel = &call.kernel;
    uint16_t value, scale, beta;

    call_in(&call, &lowering->graph->tensors.items[op->inputs[BN_X]]);
    value = call_load(&call, lower_buffer(lowering, op->inputs[BN_X]), ACCESS_POINT);
    value = kernel_subtract(kernel, value, call_load(&call, mean, ACCESS_CHANNEL));
    scale = call_load(&call, lower_buffer(lowering, op->outputs[BN_SCALE]), ACCESS_CHANNEL);
    beta = call_load(&call, lower_buffer(lowering, op->inputs[BN_BETA]), ACCESS_CHANNEL);
    value = kernel_add(kernel, kernel_multiply(kernel, value, scale), beta);
    call_store(&call, value, lower_buffer(lowering, op->outputs[BN_Y]));
    call_end(&call, op->path);
}

static uint64_t chunk_vector_bytes(struct lowering *lowering, tensor_id tensor)
{
    return lower_chunk_bytes(lowering, lower_chunk_images(lowering),
                             channel_stride(lowering->graph->tensors.items[tensor].channels));
}

static void bn_lower(struct lowering *lowering, const struct op *op)
{
    if (lowering->training) {
        const uint64_t bytes = chunk_vector_bytes(lowering, op->inputs[BN_X]);
        const buffer_id sum = lower_scratch(lowering, bytes);
        const buffer_id square_sum = lower_scratch(lowering, bytes);

        lower_moments(lowering, op, sum, square_sum);
        lower_statistics(lowering, op, sum, square_sum);
        lower_normalize(lowering, op, lower_buffer(lowering, op->outputs[BN_MEAN]));
    } else {
        lower_running_scale(lowering, op);
        lower_normalize(lowering, op, lower_buffer(lowering, op->inputs[BN_RUNNING_MEAN]));
    }
}

/* The two vectors that bring the means of dy and of dy x' into dx, x' being x normalized. */
struct corrections {
    buffer_id dy_mean;  /* sum(dy) / count */
    buffer_id x_factor; /* sum(dy x') / count * inverse deviation */
};

static uint16_t load_centered(struct call_builder *call, const struct op *op)
{
    struct lowering *lowering = call->lowering;
    const uint16_t x =
        call_load(call, lower_buffer(lowering, op->inputs[GRADIENT_X]), ACCESS_POINT);

    return kernel_subtract(
        &call->kernel, x,
        call_load(call, lower_buffer(lowering, op->inputs[GRADIENT_MEAN]), ACCESS_CHANNEL));
}

static void lower_gradient_sums(struct lowering *lowering, const struct op *op, buffer_id dy_sum,
                                buffer_id product_sum)
{
    struct call_builder call = call_begin(lowering, KERNEL_CHANNEL_SUM);
    uint16_t dy, inverse, normalized;

    call_in(&call, &lowering->graph->tensors.items[op->inputs[GRADIENT_X]]);
    call.kernel.chunk_images = lower_chunk_images(lowering);
    dy = call_load(&call, lower_buffer(lowering, op->inputs[GRADIENT_DY]), ACCESS_POINT);
    inverse = call_load(&call, lower_buffer(lowering, op->inputs[GRADIENT_INVERSE_DEVIATION]),
                        ACCESS_CHANNEL);
    normalized = kernel_multiply(&call.kernel, load_centered(&call, op), inverse);
    call_store(&call, dy, dy_sum);
    call_store(&call, kernel_multiply(&call.kernel, dy, normalized), product_sum);
    call_end(&call, op->path);
}

static void lower_gradient_vectors(struct lowering *lowering, const struct op *op, buffer_id dy_sum,
                                   buffer_id product_sum, const struct corrections *corrections)
{
    struct call_builder call = call_begin(lowering, KERNEL_VECTOR);
    struct kernel *kernel = &call.kernel;
    uint16_t count, dbeta, dgamma, inverse, x_factor;

    call_in(&call, &lowering->graph->tensors.items[op->inputs[GRADIENT_X]]);
    kernel->chunk_images = lower_chunk_images(lowering);
    kernel->chunk_parts = 1;
    count = kernel_expression(kernel, (struct expression){.op = EXPRESSION_ELEMENTS});
    dbeta = call_load(&call, dy_sum, ACCESS_CHUNK_SUM);
    dgamma = call_load(&call, product_sum, ACCESS_CHUNK_SUM);
    inverse = call_load(&call, lower_buffer(lowering, op->inputs[GRADIENT_INVERSE_DEVIATION]),
                        ACCESS_CHANNEL);
    x_factor = kernel_divide(kernel, kernel_multiply(kernel, dgamma, inverse), count);
    call_store(&call, dgamma, lower_buffer(lowering, op->outputs[GRADIENT_DGAMMA]));
    call_store(&call, dbeta, lower_buffer(lowering, op->outputs[GRADIENT_DBETA]));
    call_store(&call, kernel_divide(kernel, dbeta, count), corrections->dy_mean);
    call_store(&call, x_factor, corrections->x_factor);
    call_end(&call, op->path);
}

/* dx = scale (dy - mean(dy) - (x - mean) x_factor) */
static void lower_gradient_data(struct lowering *lowering, const struct op *op,
                                const struct corrections *corrections)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    struct kernel *kernel = &call.kernel;
    uint16_t value, product, scale;

    call_in(&call, &lowering->graph->tensors.items[op->inputs[GRADIENT_X]]);
    value = call_load(&call, lower_buffer(lowering, op->inputs[GRADIENT_DY]), ACCESS_POINT);
    value = kernel_subtract(kernel, value, call_load(&call, corrections->dy_mean, ACCESS_CHANNEL));
    product = kernel_multiply(kernel, load_centered(&call, op),
                              call_load(&call, corrections->x_factor, ACCESS_CHANNEL));
    value = kernel_subtract(kernel, value, product);
    scale = call_load(&call, lower_buffer(lowering, op->inputs[GRADIENT_SCALE]), ACCESS_CHANNEL);
    call_store(&call, kernel_multiply(kernel, scale, value),
               lower_buffer(lowering, op->outputs[GRADIENT_DX]));
    call_end(&call, op->path);
}

static void bn_gradient_lower(struct lowering *lowering, const struct op *op)
{
    const uint64_t bytes = chunk_vector_bytes(lowering, op->inputs[GRADIENT_X]);
    const struct tensor *mean = &lowering->graph->tensors.items[op->inputs[GRADIENT_MEAN]];
    const uint64_t vector_bytes = (uint64_t)vector_stride(mean->channels) * sizeof(float);
    const buffer_id dy_sum = lower_scratch(lowering, bytes);
    const buffer_id product_sum = lower_scratch(lowering, bytes);
    const struct corrections corrections = {lower_scratch(lowering, vector_bytes),
                                            lower_scratch(lowering, vector_bytes)};

    lower_gradient_sums(lowering, op, dy_sum, product_sum);
    lower_gradient_vectors(lowering, op, dy_sum, product_sum, &corrections);
    if (op->output_count > GRADIENT_DX)
        lower_gradient_data(lowering, op, &corrections);
}

const struct op_definition bn_definition = {
    .is_layer = true,
    .arguments = {{"epsilon", ARGUMENT_NUMBER, false, 0, 1e-5},
                  {"momentum", ARGUMENT_NUMBER, false, 0, 0.1}},
    .argument_count = 2,
    .shape = bn_shape,
    .parameters = bn_parameters,
    .vector_outputs = 3,
    .gradient = bn_gradient,
    .lower = bn_lower,
};

const struct op_definition bn_gradient_definition = {.lower = bn_gradient_lower};
