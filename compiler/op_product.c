/* Products: of branches, where a branch with one value a channel gates a whole grid (squeeze and
 * excitation; Hu et al., 2018), and with a trained scale for each channel. */
#include <string.h>

#include "compiler/op_channel.h"

enum { SCALE_INIT };
/* ORDER SCALE: inputs and outputs of its gradient. */
enum { SCALE_DY, SCALE_X, SCALE_WEIGHT };
enum { SCALE_DWEIGHT, SCALE_DX };
enum { PRODUCT_TERMS = 8 }; /* the most factors; a kernel loads them all and the gradient too */

static bool is_spread(const struct tensor *term, const struct tensor *product)
{
    return grid_points(term->grid) == 1 && grid_points(product->grid) > 1;
}

/* ---- shapes ---- */

bool product_shape(const struct graph *graph, const tensor_id *terms, size_t count,
                   struct tensor *out_shape)
{
    const struct tensor *widest = &graph->tensors.items[terms[0]];

    if (count > PRODUCT_TERMS)
        return false;
    for (size_t i = 1; i < count; i++)
        if (grid_points(graph->tensors.items[terms[i]].grid) > grid_points(widest->grid))
            widest = &graph->tensors.items[terms[i]];
    for (size_t i = 0; i < count; i++) {
        const struct tensor *term = &graph->tensors.items[terms[i]];

        if (term->channels != widest->channels ||
            (grid_points(term->grid) > 1 && !tensor_same_shape(term, widest)))
            return false;
    }
    *out_shape = tensor_like(widest, widest->channels);
    return true;
}

tensor_id graph_add_product(struct graph *graph, const tensor_id *terms, size_t count,
                            const char *path, struct span span)
{
    struct tensor shape = {0};
    tensor_id output;
    op_id op;

    product_shape(graph, terms, count, &shape);
    output = graph_add_tensor(graph, shape);
    op = graph_add_op(graph, OP_MULTIPLY, terms, count, &output, 1);
    graph->ops.items[op].path = path;
    graph->ops.items[op].span = span;
    return output;
}

/* ---- products of branches ---- */

/* The gradient op's inputs are dy and the other terms; the kind says whether to sum over the grid.
 */
static void multiply_gradient(struct gradient_pass *pass, op_id id)
{
    const struct op op = pass->graph->ops.items[id];
    const struct tensor product = pass->graph->tensors.items[op.outputs[0]];
    const tensor_id dy = gradient_of(pass, op.outputs[0]);

    for (int term = 0; dy != TENSOR_NONE && term < op.input_count; term++) {
        const struct tensor like = pass->graph->tensors.items[op.inputs[term]];
        tensor_id inputs[PRODUCT_TERMS] = {dy};
        size_t count = 1;
        tensor_id result;

        if (!gradient_needed(pass, op.inputs[term]))
            continue;
        for (int other = 0; other < op.input_count; other++)
            if (other != term)
                inputs[count++] = op.inputs[other];
        result = graph_add_tensor(pass->graph, tensor_like(&like, like.channels));
        gradient_op(pass, is_spread(&like, &product) ? OP_SPREAD_GRADIENT : OP_PRODUCT_GRADIENT, id,
                    inputs, count, &result, 1);
        gradient_add(pass, op.inputs[term], result);
    }
}

/* The product of all inputs of the op at a point of `grid`. */
static uint16_t load_product(struct call_builder *call, const struct op *op,
                             const struct tensor *grid)
{
    struct lowering *lowering = call->lowering;
    uint16_t value = 0;

    for (int i = 0; i < op->input_count; i++) {
        const struct tensor *term = &lowering->graph->tensors.items[op->inputs[i]];
        const uint16_t factor =
            call_load(call, lower_buffer(lowering, op->inputs[i]),
                      is_spread(term, grid) ? ACCESS_IMAGE_CHANNEL : ACCESS_POINT);

        value = i == 0 ? factor : kernel_multiply(&call->kernel, value, factor);
    }
    return value;
}

static void product_lower(struct lowering *lowering, const struct op *op)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    const struct tensor *output = &lowering->graph->tensors.items[op->outputs[0]];

    call_in(&call, output);
    call_store(&call, load_product(&call, op, output), lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

/* The sum over the grid is its average times its points. */
static void spread_gradient_lower(struct lowering *lowering, const struct op *op)
{
    struct call_builder call = call_begin(lowering, KERNEL_AVERAGE_POOL);
    const struct tensor *dy = &lowering->graph->tensors.items[op->inputs[0]];
    const uint16_t points = kernel_constant(&call.kernel, (double)grid_points(dy->grid));

    call_in(&call, dy);
    call_out(&call, &lowering->graph->tensors.items[op->outputs[0]]);
    memcpy(call.kernel.window.kernel, dy->grid, sizeof dy->grid);
    call_operand(&call, kernel_multiply(&call.kernel, load_product(&call, op, dy), points));
    call_output(&call, lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

/* ---- a trained scale ---- */

static void scale_shape(struct layer_call *call)
{
    call->output = *call->input;
}

static int scale_parameters(struct graph *graph, const struct layer_call *call, const char *path,
                            tensor_id *out)
{
    const struct tensor weight = {.kind = TENSOR_PARAMETER,
                                  .initializer = INITIALIZER_VALUE,
                                  .initial_value = call->values[SCALE_INIT].values[0]};

    out[0] = channel_parameter(graph, call, path, "weight", weight);
    return 1;
}

static void scale_gradient(struct gradient_pass *pass, op_id id)
{
    channel_gradient(pass, id, OP_SCALE_GRADIENT, 1, &pass->graph->ops.items[id].inputs[1], 1);
}

/* out = x weight */
static void lower_scaled(struct lowering *lowering, const struct op *op, tensor_id x,
                         tensor_id weight, tensor_id out)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    uint16_t value, factor;

    call_in(&call, &lowering->graph->tensors.items[x]);
    value = call_load(&call, lower_buffer(lowering, x), ACCESS_POINT);
    factor = call_load(&call, lower_buffer(lowering, weight), ACCESS_CHANNEL);
    call_store(&call, kernel_multiply(&call.kernel, value, factor), lower_buffer(lowering, out));
    call_end(&call, op->path);
}

static void scale_lower(struct lowering *lowering, const struct op *op)
{
    lower_scaled(lowering, op, op->inputs[0], op->inputs[1], op->outputs[0]);
}

/* Sums dy x over images and grid, chunk by chunk. */
static void scale_gradient_lower(struct lowering *lowering, const struct op *op)
{
    const struct tensor *x = &lowering->graph->tensors.items[op->inputs[SCALE_X]];
    const buffer_id chunks =
        lower_scratch(lowering, lower_chunk_bytes(lowering, lower_chunk_images(lowering),
                                                  channel_stride(x->channels)));
    struct call_builder call = call_begin(lowering, KERNEL_CHANNEL_SUM);
    uint16_t dy, value;

    call_in(&call, x);
    call.kernel.chunk_images = lower_chunk_images(lowering);
    dy = call_load(&call, lower_buffer(lowering, op->inputs[SCALE_DY]), ACCESS_POINT);
    value = call_load(&call, lower_buffer(lowering, op->inputs[SCALE_X]), ACCESS_POINT);
    call_store(&call, kernel_multiply(&call.kernel, dy, value), chunks);
    call_end(&call, op->path);
    lower_chunk_sum(lowering, chunks, lower_chunk_images(lowering), x->channels,
                    lower_buffer(lowering, op->outputs[SCALE_DWEIGHT]), op->path);
    if (op->output_count > SCALE_DX)
        lower_scaled(lowering, op, op->inputs[SCALE_DY], op->inputs[SCALE_WEIGHT],
                     op->outputs[SCALE_DX]);
}

const struct op_definition multiply_definition = {.gradient = multiply_gradient,
                                                  .lower = product_lower};
const struct op_definition product_gradient_definition = {.lower = product_lower};
const struct op_definition spread_gradient_definition = {.lower = spread_gradient_lower};

const struct op_definition scale_definition = {
    .is_layer = true,
    .arguments = {{"init", ARGUMENT_NUMBER, false, -1e30, 1}},
    .argument_count = 1,
    .shape = scale_shape,
    .parameters = scale_parameters,
    .gradient = scale_gradient,
    .lower = scale_lower,
};

const struct op_definition scale_gradient_definition = {.lower = scale_gradient_lower};
