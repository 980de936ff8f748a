/* Group and layer normalization, y = (x - mean) gamma / deviation + beta: over groups of an image's
 * channels and its grid (Wu and He, 2018), or over the channels of each grid point (Ba et al.,
 * 2016). Training and evaluation are the same.
 *
 * A scope is what is normalized together. The mean is a sum over the scope, and so is the variance,
 * of squares of differences from that mean: the scope lies in a cache by then. Both forms share all
 * but the anchor that sums and the access that finds a scope's value. With x' = (x - mean) /
 * deviation and g = dy gamma:  dx = (g - mean(g) - x' mean(g x')) / deviation. */
#include <string.h>

#include "compiler/op_channel.h"
#include "compiler/op_window.h"

enum { GROUP_GROUPS, GROUP_EPSILON };
enum { LAYER_EPSILON };
/* ORDER GROUP NORM: inputs and outputs of the op and of its gradient. */
enum { NORM_X, NORM_GAMMA, NORM_BETA };
enum { NORM_Y, NORM_MEAN, NORM_INVERSE };
enum { GRADIENT_DY, GRADIENT_X, GRADIENT_GAMMA, GRADIENT_MEAN, GRADIENT_INVERSE };
enum { GRADIENT_DGAMMA, GRADIENT_DBETA, GRADIENT_DX };

/* ---- shapes and parameters ---- */

static void group_norm_shape(struct layer_call *call)
{
    const double groups = call->values[GROUP_GROUPS].values[0];

    call->output = *call->input;
    call->attributes.epsilon = call->values[GROUP_EPSILON].values[0];
    if (groups > call->input->channels || call->input->channels % (int32_t)groups != 0) {
        layer_fail(call, DIAGNOSTIC_GROUPS, GROUP_GROUPS,
                   "%.0f groups do not divide the %d channels that enter", groups,
                   call->input->channels);
        return;
    }
    call->attributes.groups = (int32_t)groups;
}

static void layer_norm_shape(struct layer_call *call)
{
    call->output = *call->input;
    call->attributes.epsilon = call->values[LAYER_EPSILON].values[0];
}

/* [images][channels]: a group's value stands at each of its channels. */
static struct tensor group_scopes(const struct layer_call *call)
{
    struct tensor scopes = tensor_like(call->input, call->input->channels);

    for (int axis = 0; axis < GRID_RANK; axis++)
        scopes.grid[axis] = 1;
    return scopes;
}

/* [images][grid points] */
static struct tensor layer_scopes(const struct layer_call *call)
{
    return tensor_like(call->input, 1);
}

static int norm_parameters(struct graph *graph, const struct layer_call *call, const char *path,
                           tensor_id *out)
{
    const struct tensor gamma = {.kind = TENSOR_PARAMETER, .initializer = INITIALIZER_ONE};
    const struct tensor beta = {.kind = TENSOR_PARAMETER, .initializer = INITIALIZER_ZERO};

    out[0] = channel_parameter(graph, call, path, "weight", gamma);
    out[1] = channel_parameter(graph, call, path, "bias", beta);
    return 2;
}

/* ---- gradients ---- */

static void norm_gradient(struct gradient_pass *pass, op_id id, enum op_kind kind)
{
    const struct op *op = &pass->graph->ops.items[id];

    channel_gradient(
        pass, id, kind, 2,
        (tensor_id[]){op->inputs[NORM_GAMMA], op->outputs[NORM_MEAN], op->outputs[NORM_INVERSE]},
        3);
}

static void group_norm_gradient(struct gradient_pass *pass, op_id id)
{
    norm_gradient(pass, id, OP_GROUP_NORM_GRADIENT);
}

static void layer_norm_gradient(struct gradient_pass *pass, op_id id)
{
    norm_gradient(pass, id, OP_LAYER_NORM_GRADIENT);
}

/* ---- lowering ---- */

/* Where the two forms differ. */
struct scope {
    enum kernel_anchor sum;
    enum access access; /* of a scope's value, at an element of x */
    double elements;    /* of a scope */
};

static struct scope scope_of(const struct lowering *lowering, const struct op *op, tensor_id input)
{
    const struct tensor *x = &lowering->graph->tensors.items[input];

    if (op->kind == OP_LAYER_NORM || op->kind == OP_LAYER_NORM_GRADIENT)
        return (struct scope){KERNEL_POINT_SUM, ACCESS_PIXEL, x->channels};
    return (struct scope){KERNEL_GROUP_SUM, ACCESS_IMAGE_CHANNEL,
                          (double)grid_points(x->grid) * x->channels / op->attributes.groups};
}

/* A call whose kernel is over the elements of x. */
static struct call_builder begin(struct lowering *lowering, const struct op *op,
                                 enum kernel_anchor anchor, tensor_id x)
{
    struct call_builder call = call_begin(lowering, anchor);

    call_in(&call, &lowering->graph->tensors.items[x]);
    if (anchor == KERNEL_GROUP_SUM)
        call.kernel.groups = op->attributes.groups;
    return call;
}

static uint16_t load(struct call_builder *call, tensor_id tensor, enum access access)
{
    return call_load(call, lower_buffer(call->lowering, tensor), access);
}

/* What a sum of values / elements adds: together they give the mean. */
static uint16_t share(struct call_builder *call, const struct scope *scope, uint16_t value)
{
    return kernel_multiply(&call->kernel, value,
                           kernel_constant(&call->kernel, 1 / scope->elements));
}

static uint16_t load_centered(struct call_builder *call, const struct scope *scope, tensor_id x,
                              tensor_id mean)
{
    return kernel_subtract(&call->kernel, load(call, x, ACCESS_POINT),
                           load(call, mean, scope->access));
}

static void lower_mean(struct lowering *lowering, const struct op *op, const struct scope *scope)
{
    struct call_builder call = begin(lowering, op, scope->sum, op->inputs[NORM_X]);

    call_store(&call, share(&call, scope, load(&call, op->inputs[NORM_X], ACCESS_POINT)),
               lower_buffer(lowering, op->outputs[NORM_MEAN]));
    call_end(&call, op->path);
}

static void lower_variance(struct lowering *lowering, const struct op *op,
                           const struct scope *scope, buffer_id variance)
{
    struct call_builder call = begin(lowering, op, scope->sum, op->inputs[NORM_X]);
    const uint16_t centered =
        load_centered(&call, scope, op->inputs[NORM_X], op->outputs[NORM_MEAN]);

    call_store(&call, share(&call, scope, kernel_multiply(&call.kernel, centered, centered)),
               variance);
    call_end(&call, op->path);
}

/* 1 / sqrt(variance + epsilon), once a scope. */
static void lower_inverse(struct lowering *lowering, const struct op *op, buffer_id variance)
{
    const struct tensor *scopes = &lowering->graph->tensors.items[op->outputs[NORM_INVERSE]];
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    struct kernel *kernel = &call.kernel;
    uint16_t value;

    call_in(&call, scopes);
    value =
        inverse_deviation(kernel, call_load(&call, variance, ACCESS_POINT), op->attributes.epsilon);
    call_store(&call, value, lower_buffer(lowering, op->outputs[NORM_INVERSE]));
    call_end(&call, op->path);
}

static void lower_normalize(struct lowering *lowering, const struct op *op,
                            const struct scope *scope)
{
    struct call_builder call = begin(lowering, op, KERNEL_POINTWISE, op->inputs[NORM_X]);
    struct kernel *kernel = &call.kernel;
    uint16_t value = load_centered(&call, scope, op->inputs[NORM_X], op->outputs[NORM_MEAN]);

    value = kernel_multiply(kernel, value, load(&call, op->outputs[NORM_INVERSE], scope->access));
    value = kernel_multiply(kernel, value, load(&call, op->inputs[NORM_GAMMA], ACCESS_CHANNEL));
    value = kernel_add(kernel, value, load(&call, op->inputs[NORM_BETA], ACCESS_CHANNEL));
    call_store(&call, value, lower_buffer(lowering, op->outputs[NORM_Y]));
    call_end(&call, op->path);
}

static void norm_lower(struct lowering *lowering, const struct op *op)
{
    const struct scope scope = scope_of(lowering, op, op->inputs[NORM_X]);
    const buffer_id inverse = lower_buffer(lowering, op->outputs[NORM_INVERSE]);
    const buffer_id variance = lower_scratch_like(lowering, inverse);

    lower_mean(lowering, op, &scope);
    lower_variance(lowering, op, &scope, variance);
    lower_inverse(lowering, op, variance);
    lower_normalize(lowering, op, &scope);
}

static uint16_t load_normalized(struct call_builder *call, const struct scope *scope,
                                const struct op *op)
{
    return kernel_multiply(
        &call->kernel,
        load_centered(call, scope, op->inputs[GRADIENT_X], op->inputs[GRADIENT_MEAN]),
        load(call, op->inputs[GRADIENT_INVERSE], scope->access));
}

/* dy gamma */
static uint16_t load_scaled(struct call_builder *call, const struct op *op)
{
    return kernel_multiply(&call->kernel, load(call, op->inputs[GRADIENT_DY], ACCESS_POINT),
                           load(call, op->inputs[GRADIENT_GAMMA], ACCESS_CHANNEL));
}

/* The means of g and of g x' over each scope. */
static void lower_gradient_means(struct lowering *lowering, const struct op *op,
                                 const struct scope *scope, buffer_id g_mean,
                                 buffer_id product_mean)
{
    struct call_builder call = begin(lowering, op, scope->sum, op->inputs[GRADIENT_X]);
    const uint16_t g = share(&call, scope, load_scaled(&call, op));

    call_store(&call, g, g_mean);
    call_store(&call, kernel_multiply(&call.kernel, g, load_normalized(&call, scope, op)),
               product_mean);
    call_end(&call, op->path);
}

static void lower_gradient_points(struct lowering *lowering, const struct op *op,
                                  const struct scope *scope, buffer_id g_mean,
                                  buffer_id product_mean)
{
    struct call_builder call = begin(lowering, op, KERNEL_POINTWISE, op->inputs[GRADIENT_X]);
    struct kernel *kernel = &call.kernel;
    uint16_t value = load_scaled(&call, op), product;

    value = kernel_subtract(kernel, value, call_load(&call, g_mean, scope->access));
    product = kernel_multiply(kernel, load_normalized(&call, scope, op),
                              call_load(&call, product_mean, scope->access));
    value = kernel_subtract(kernel, value, product);
    call_store(
        &call,
        kernel_multiply(kernel, value, load(&call, op->inputs[GRADIENT_INVERSE], scope->access)),
        lower_buffer(lowering, op->outputs[GRADIENT_DX]));
    call_end(&call, op->path);
}

static void lower_gradient_data(struct lowering *lowering, const struct op *op,
                                const struct scope *scope)
{
    const buffer_id mean = lower_buffer(lowering, op->inputs[GRADIENT_MEAN]);
    const uint64_t bytes = lowering->calls->buffers.items[mean].bytes;
    const buffer_id g_mean = lower_scratch(lowering, bytes);
    const buffer_id product_mean = lower_scratch(lowering, bytes);

    lower_gradient_means(lowering, op, scope, g_mean, product_mean);
    lower_gradient_points(lowering, op, scope, g_mean, product_mean);
}

/* dgamma = sum(dy x') and dbeta = sum(dy) over images and grid, chunk by chunk. */
static void lower_gradient_parameters(struct lowering *lowering, const struct op *op,
                                      const struct scope *scope)
{
    const int32_t channels = lowering->graph->tensors.items[op->inputs[GRADIENT_X]].channels;
    const uint64_t bytes =
        lower_chunk_bytes(lowering, lower_chunk_images(lowering), channel_stride(channels));
    const buffer_id product_chunks = lower_scratch(lowering, bytes);
    const buffer_id dy_chunks = lower_scratch(lowering, bytes);
    struct call_builder call = begin(lowering, op, KERNEL_CHANNEL_SUM, op->inputs[GRADIENT_X]);
    const uint16_t dy = load(&call, op->inputs[GRADIENT_DY], ACCESS_POINT);

    call.kernel.chunk_images = lower_chunk_images(lowering);
    call_store(&call, kernel_multiply(&call.kernel, dy, load_normalized(&call, scope, op)),
               product_chunks);
    call_store(&call, dy, dy_chunks);
    call_end(&call, op->path);
    lower_chunk_sum(lowering, product_chunks, lower_chunk_images(lowering), channels,
                    lower_buffer(lowering, op->outputs[GRADIENT_DGAMMA]), op->path);
    lower_chunk_sum(lowering, dy_chunks, lower_chunk_images(lowering), channels,
                    lower_buffer(lowering, op->outputs[GRADIENT_DBETA]), op->path);
}

static void norm_gradient_lower(struct lowering *lowering, const struct op *op)
{
    const struct scope scope = scope_of(lowering, op, op->inputs[GRADIENT_X]);

    lower_gradient_parameters(lowering, op, &scope);
    if (op->output_count > GRADIENT_DX)
        lower_gradient_data(lowering, op, &scope);
}

/* ---- definitions ---- */

const struct op_definition group_norm_definition = {
    .is_layer = true,
    .arguments = {{"groups", ARGUMENT_INTEGER, true, 1, 0},
                  {"epsilon", ARGUMENT_NUMBER, false, 0, 1e-5}},
    .argument_count = 2,
    .shape = group_norm_shape,
    .parameters = norm_parameters,
    .kept_outputs = 2,
    .kept_shape = group_scopes,
    .gradient = group_norm_gradient,
    .lower = norm_lower,
};

const struct op_definition layer_norm_definition = {
    .is_layer = true,
    .arguments = {{"epsilon", ARGUMENT_NUMBER, false, 0, 1e-6}},
    .argument_count = 1,
    .shape = layer_norm_shape,
    .parameters = norm_parameters,
    .kept_outputs = 2,
    .kept_shape = layer_scopes,
    .gradient = layer_norm_gradient,
    .lower = norm_lower,
};

const struct op_definition group_norm_gradient_definition = {.lower = norm_gradient_lower};
const struct op_definition layer_norm_gradient_definition = {.lower = norm_gradient_lower};
