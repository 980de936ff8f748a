/* Convolutions, and linear layers as convolutions over a grid of one point.
 *
 * Gradients: that of the data is a convolution with exchanged channels (reversed too, where the
 * stride is 1); that of the weight sums over images in fixed chunks, so that its bits do not depend
 * on the number of threads. */
#include <string.h>

#include "compiler/gradient.h"
#include "compiler/lower.h"
#include "compiler/op_window.h"

enum {
    CONV_KERNEL,
    CONV_CHANNELS,
    CONV_STRIDE,
    CONV_PADDING,
    CONV_DILATION,
    CONV_GROUPS,
    CONV_BIAS
};
enum { LINEAR_CHANNELS, LINEAR_BIAS };
enum { CHANNEL_LIMIT = 1 << 20 };

static const struct tensor *tensor_at(const struct graph *graph, tensor_id id)
{
    return &graph->tensors.items[id];
}

/* ---- shapes and parameters ---- */

static bool read_channels(struct layer_call *call, int argument)
{
    const double channels = call->values[argument].values[0];

    if (channels > CHANNEL_LIMIT) {
        layer_fail(call, DIAGNOSTIC_TOO_LARGE, argument, "%.0f channels are too many", channels);
        return false;
    }
    call->attributes.channels = (int32_t)channels;
    call->output.channels = (int32_t)channels;
    return true;
}

static void conv_shape(struct layer_call *call)
{
    static const struct window_arguments places = {CONV_KERNEL, CONV_STRIDE, CONV_PADDING,
                                                   CONV_DILATION, false};
    const struct layer_value *groups = &call->values[CONV_GROUPS];
    const int32_t inputs = call->input->channels;

    if (!window_read(call, &places) || !read_channels(call, CONV_CHANNELS))
        return;
    call->attributes.bias = call->values[CONV_BIAS].values[0] != 0;
    if (groups->values[0] > CHANNEL_LIMIT)
        layer_fail(call, DIAGNOSTIC_GROUPS, CONV_GROUPS, "%.0f groups are too many",
                   groups->values[0]);
    call->attributes.groups = (int32_t)groups->values[0];
    if (call->error)
        return;
    if (inputs % call->attributes.groups != 0)
        layer_fail(call, DIAGNOSTIC_GROUPS, CONV_GROUPS,
                   "%d groups do not divide the %d channels that enter", call->attributes.groups,
                   inputs);
    else if (call->attributes.channels % call->attributes.groups != 0)
        layer_fail(call, DIAGNOSTIC_GROUPS, CONV_GROUPS,
                   "%d groups do not divide the %d channels that leave", call->attributes.groups,
                   call->attributes.channels);
}

static void linear_shape(struct layer_call *call)
{
    call->attributes.window = window_point();
    call->attributes.groups = 1;
    call->attributes.bias = call->values[LINEAR_BIAS].values[0] != 0;
    call->output = tensor_like(call->input, 0);
    call->output.spatial_rank = 0;
    if (grid_points(call->input->grid) != 1) {
        layer_fail(call, DIAGNOSTIC_BAD_SHAPE, -1,
                   "linear needs one value a channel, not %s: put `global_avg_pool` before it",
                   tensor_shape_text(call->input, call->graph->arena));
        return;
    }
    read_channels(call, LINEAR_CHANNELS);
}

static int add_parameters(struct graph *graph, const struct layer_call *call, const char *path,
                          tensor_id *out, int kernel_axes, enum initializer initializer)
{
    const struct attributes *attributes = &call->attributes;
    const int32_t inputs = call->input->channels / attributes->groups;
    struct tensor weight = {
        .kind = TENSOR_PARAMETER,
        .rank = (uint8_t)(2 + kernel_axes),
        .initializer = (uint8_t)initializer,
        .channels = attributes->channels,
        .shape = {attributes->channels, inputs},
        .fan_in = (int32_t)(inputs * window_size(&attributes->window)),
        .name = arena_format(graph->arena, "%s%sweight", path, *path ? "." : ""),
    };
    struct tensor bias = weight;

    for (int axis = 0; axis < kernel_axes; axis++)
        weight.shape[2 + axis] = attributes->window.kernel[GRID_RANK - kernel_axes + axis];
    out[0] = graph_add_tensor(graph, weight);
    if (!attributes->bias)
        return 1;
    bias.rank = 1;
    bias.initializer = INITIALIZER_LINEAR;
    bias.name = arena_format(graph->arena, "%s%sbias", path, *path ? "." : "");
    out[1] = graph_add_tensor(graph, bias);
    return 2;
}

static int conv_parameters(struct graph *graph, const struct layer_call *call, const char *path,
                           tensor_id *out)
{
    return add_parameters(graph, call, path, out, call->input->spatial_rank, INITIALIZER_WEIGHT);
}

static int linear_parameters(struct graph *graph, const struct layer_call *call, const char *path,
                             tensor_id *out)
{
    return add_parameters(graph, call, path, out, 0, INITIALIZER_LINEAR);
}

static int64_t conv_macs(const struct graph *graph, const struct op *op)
{
    const struct tensor *input = tensor_at(graph, op->inputs[0]);
    const struct tensor *output = tensor_at(graph, op->outputs[0]);

    return grid_points(output->grid) * output->channels *
           (input->channels / op->attributes.groups) * window_size(&op->attributes.window);
}

/* ---- gradients ---- */

static void conv_gradient(struct gradient_pass *pass, op_id id)
{
    const struct op op = pass->graph->ops.items[id];
    const tensor_id dy = gradient_of(pass, op.outputs[0]);
    const tensor_id x = op.inputs[0], weight = op.inputs[1];
    tensor_id result;

    if (dy == TENSOR_NONE)
        return;
    result = gradient_of_parameter(pass, weight);
    gradient_op(pass, OP_CONV_WEIGHT_GRADIENT, id, (tensor_id[]){x, dy}, 2, &result, 1);
    if (op.attributes.bias) {
        result = gradient_of_parameter(pass, op.inputs[2]);
        gradient_op(pass, OP_BIAS_GRADIENT, id, &dy, 1, &result, 1);
    }
    if (!gradient_needed(pass, x))
        return;
    const struct tensor like = *tensor_at(pass->graph, x);
    result = graph_add_tensor(pass->graph, tensor_like(&like, like.channels));
    gradient_op(pass, OP_CONV_DATA_GRADIENT, id, (tensor_id[]){dy, weight}, 2, &result, 1);
    gradient_add(pass, x, result);
}

/* ---- lowering ---- */

/* Whether the bias is added by a call of its own: a library computes the convolution alone, and
 * what is done behind it then joins the addition. */
static bool adds_bias_apart(const struct lowering *lowering, const struct op *op)
{
    return op->attributes.bias && lowering->target.keeps_convolutions &&
           grid_points(tensor_at(lowering->graph, op->outputs[0])->grid) > 1;
}

static void lower_bias(struct lowering *lowering, const struct op *op, buffer_id sums)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);

    call_in(&call, tensor_at(lowering->graph, op->outputs[0]));
    const uint16_t sum = call_load(&call, sums, ACCESS_POINT);
    const uint16_t bias = call_load(&call, lower_buffer(lowering, op->inputs[2]), ACCESS_CHANNEL);

    call_store(&call, kernel_add(&call.kernel, sum, bias), lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

static void conv_lower(struct lowering *lowering, const struct op *op)
{
    struct call_builder call = call_begin(lowering, KERNEL_CONVOLUTION);
    const buffer_id x = lower_buffer(lowering, op->inputs[0]);
    const bool apart = adds_bias_apart(lowering, op);
    const buffer_id result = lower_buffer(lowering, op->outputs[0]);
    const buffer_id out = apart ? lower_scratch_like(lowering, result) : result;

    call_in(&call, tensor_at(lowering->graph, op->inputs[0]));
    call_out(&call, tensor_at(lowering->graph, op->outputs[0]));
    call.kernel.window = op->attributes.window;
    call.kernel.groups = op->attributes.groups;
    call.kernel.weight_block = lowering->layout->weight_block;
    call_operand(&call, call_load(&call, x, ACCESS_POINT));
    if (op->attributes.bias && !apart) {
        const uint16_t sum =
            kernel_expression(&call.kernel, (struct expression){.op = EXPRESSION_RESULT});
        const uint16_t bias =
            call_load(&call, lower_buffer(lowering, op->inputs[2]), ACCESS_CHANNEL);

        call.kernel.epilogue = (uint16_t)(kernel_add(&call.kernel, sum, bias) + 1);
    }
    call.weight = lower_buffer(lowering, op->inputs[1]);
    call_output(&call, out);
    call_end(&call, op->path);
    if (apart)
        lower_bias(lowering, op, out);
}

/* The window of the convolution that is the data gradient of one with stride 1; false where there
 * is none. */
static bool reversed_window(const struct window *forward, struct window *out)
{
    *out = *forward;
    for (int axis = 0; axis < GRID_RANK; axis++) {
        out->padding[axis] =
            forward->dilation[axis] * (forward->kernel[axis] - 1) - forward->padding[axis];
        if (forward->stride[axis] != 1 || out->padding[axis] < 0)
            return false;
    }
    return true;
}

static buffer_id lower_transposed_weight(struct lowering *lowering, const struct op *op, bool flip)
{
    struct call_builder call = call_begin(lowering, KERNEL_TRANSPOSE);
    buffer_id transposed;

    call_in(&call, tensor_at(lowering->graph, op->outputs[0]));
    call_out(&call, tensor_at(lowering->graph, op->inputs[0]));
    memcpy(call.kernel.in_grid, (int32_t[]){1, 1, 1}, sizeof call.kernel.in_grid);
    memcpy(call.kernel.out_grid, (int32_t[]){1, 1, 1}, sizeof call.kernel.out_grid);
    call.kernel.window = window_over(op->attributes.window.kernel);
    call.kernel.groups = op->attributes.groups;
    call.kernel.weight_block = lowering->layout->weight_block;
    call.kernel.flip = flip;
    call.weight = lower_buffer(lowering, op->inputs[1]);
    transposed = lower_scratch(lowering, (uint64_t)kernel_weight_elements(&call.kernel, true) *
                                             sizeof(float));
    call_output(&call, transposed);
    call_end(&call, op->path);
    return transposed;
}

static void conv_data_gradient_lower(struct lowering *lowering, const struct op *op)
{
    struct window reversed;
    const bool is_convolution = reversed_window(&op->attributes.window, &reversed);
    const buffer_id weight = lower_transposed_weight(lowering, op, is_convolution);
    struct call_builder call =
        call_begin(lowering, is_convolution ? KERNEL_CONVOLUTION : KERNEL_DATA_GRADIENT);

    call_in(&call, tensor_at(lowering->graph, op->inputs[0]));
    call_out(&call, tensor_at(lowering->graph, op->outputs[0]));
    call.kernel.window = is_convolution ? reversed : op->attributes.window;
    call.kernel.groups = op->attributes.groups;
    call.kernel.weight_block = lowering->layout->weight_block;
    call_operand(&call, call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT));
    call.weight = weight;
    call_output(&call, lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

static void conv_weight_gradient_lower(struct lowering *lowering, const struct op *op)
{
    struct call_builder call = call_begin(lowering, KERNEL_WEIGHT_GRADIENT);
    int64_t elements;
    buffer_id chunks;

    call_in(&call, tensor_at(lowering->graph, op->inputs[0]));
    call_out(&call, tensor_at(lowering->graph, op->inputs[1]));
    call.kernel.window = op->attributes.window;
    call.kernel.groups = op->attributes.groups;
    call.kernel.weight_block = lowering->layout->weight_block;
    elements = kernel_weight_elements(&call.kernel, false);
    call.kernel.chunk_images = lower_weight_chunk_images(
        lowering, &call.kernel, (enum kernel_storage)lowering->storages[op->inputs[0]], elements);
    call_operand(&call, call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT));
    call_operand(&call, call_load(&call, lower_buffer(lowering, op->inputs[1]), ACCESS_POINT));
    chunks =
        lower_scratch(lowering, lower_chunk_bytes(lowering, call.kernel.chunk_images, elements));
    call_output(&call, chunks);
    call_end(&call, op->path);
    lower_chunk_sum(lowering, chunks, call.kernel.chunk_images, elements,
                    lower_buffer(lowering, op->outputs[0]), op->path);
}

static void bias_gradient_lower(struct lowering *lowering, const struct op *op)
{
    struct call_builder call = call_begin(lowering, KERNEL_CHANNEL_SUM);
    const struct tensor *dy = tensor_at(lowering->graph, op->inputs[0]);
    const buffer_id chunks =
        lower_scratch(lowering, lower_chunk_bytes(lowering, lower_chunk_images(lowering),
                                                  channel_stride(dy->channels)));

    call_in(&call, dy);
    call.kernel.chunk_images = lower_chunk_images(lowering);
    call_store(&call, call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT),
               chunks);
    call_end(&call, op->path);
    lower_chunk_sum(lowering, chunks, lower_chunk_images(lowering), dy->channels,
                    lower_buffer(lowering, op->outputs[0]), op->path);
}

/* ---- definitions ---- */

const struct op_definition conv_definition = {
    .is_layer = true,
    .arguments = {{"kernel", ARGUMENT_AXES, true, 1, 0},
                  {"channels", ARGUMENT_INTEGER, true, 1, 0},
                  {"stride", ARGUMENT_AXES, false, 1, 1},
                  {"padding", ARGUMENT_AXES, false, 0, 0},
                  {"dilation", ARGUMENT_AXES, false, 1, 1},
                  {"groups", ARGUMENT_INTEGER, false, 1, 1},
                  {"bias", ARGUMENT_BOOLEAN, false, 0, 0}},
    .argument_count = 7,
    .shape = conv_shape,
    .parameters = conv_parameters,
    .macs = conv_macs,
    .gradient = conv_gradient,
    .lower = conv_lower,
};

const struct op_definition linear_definition = {
    .is_layer = true,
    .arguments = {{"channels", ARGUMENT_INTEGER, true, 1, 0},
                  {"bias", ARGUMENT_BOOLEAN, false, 0, 1}},
    .argument_count = 2,
    .shape = linear_shape,
    .parameters = linear_parameters,
    .macs = conv_macs,
    .gradient = conv_gradient,
    .lower = conv_lower,
};

const struct op_definition conv_data_gradient_definition = {.lower = conv_data_gradient_lower};
const struct op_definition conv_weight_gradient_definition = {.lower = conv_weight_gradient_lower};
const struct op_definition bias_gradient_definition = {.lower = bias_gradient_lower};
