/* What gives tensors another form: joins along the channels, resizing, rows. */
#include <string.h>

#include "compiler/gradient.h"
#include "compiler/lower.h"
#include "compiler/op_window.h"

enum { RESIZE_FACTOR };
enum { ROWS_LENGTH };
enum { GRID_LIMIT = 1 << 20 };

static tensor_id add_op(struct graph *graph, enum op_kind kind, struct tensor shape,
                        const tensor_id *inputs, size_t count, const char *path, struct span span)
{
    const tensor_id output = graph_add_tensor(graph, shape);
    const op_id op = graph_add_op(graph, kind, inputs, count, &output, 1);

    graph->ops.items[op].path = path;
    graph->ops.items[op].span = span;
    return output;
}

bool join_shape(const struct graph *graph, const tensor_id *parts, size_t count,
                struct tensor *out_shape)
{
    const struct tensor *first = &graph->tensors.items[parts[0]];
    int64_t channels = 0;

    for (size_t i = 0; i < count; i++) {
        const struct tensor *part = &graph->tensors.items[parts[i]];

        if (part->spatial_rank != first->spatial_rank ||
            memcmp(part->grid, first->grid, sizeof part->grid) != 0)
            return false;
        channels += part->channels;
    }
    *out_shape = tensor_like(first, (int32_t)channels);
    return channels <= INT32_MAX;
}

tensor_id graph_add_join(struct graph *graph, const tensor_id *parts, size_t count,
                         const char *path, struct span span)
{
    struct tensor shape = {0};

    join_shape(graph, parts, count, &shape);
    return add_op(graph, OP_JOIN, shape, parts, count, path, span);
}

/* dx_i = the part of dy that came from x_i */
static void join_gradient(struct gradient_pass *pass, op_id id)
{
    const struct op op = pass->graph->ops.items[id];
    const tensor_id dy = gradient_of(pass, op.outputs[0]);
    int32_t first = 0;

    for (int part = 0; dy != TENSOR_NONE && part < op.input_count; part++) {
        const struct tensor like = pass->graph->tensors.items[op.inputs[part]];

        if (gradient_needed(pass, op.inputs[part])) {
            const tensor_id dx = graph_add_tensor(pass->graph, tensor_like(&like, like.channels));
            const op_id slice = gradient_op(pass, OP_JOIN_GRADIENT, id, &dy, 1, &dx, 1);

            pass->graph->ops.items[slice].attributes.first_channel = first;
            gradient_add(pass, op.inputs[part], dx);
        }
        first += like.channels;
    }
}

/* A piece of a join that is there: a part of a buffer's channels. */
struct piece {
    buffer_id buffer;
    struct channel_part part;
};

/* Appends the call that joins up to KERNEL_VALUES pieces into `out`, on the grid of `like`. Returns
 * the joined piece. */
static struct piece lower_pieces(struct lowering *lowering, const struct op *op,
                                 const struct tensor *like, const struct piece *pieces,
                                 size_t count, buffer_id out)
{
    const enum kernel_storage storage = (enum kernel_storage)lowering->storages[op->outputs[0]];
    struct call_builder call = call_begin(lowering, KERNEL_JOIN);
    int32_t channels = 0;

    for (size_t i = 0; i < count; i++)
        channels += pieces[i].part.count;
    const struct tensor joined = tensor_like(like, channels);

    call_in(&call, &joined);
    call_out(&call, &joined);
    for (size_t i = 0; i < count; i++) {
        call.kernel.parts[i] = pieces[i].part;
        call_operand(&call, call_load(&call, pieces[i].buffer, ACCESS_POINT));
    }
    if (out == BUFFER_NONE)
        out = lower_scratch_activation(lowering, &joined, storage);
    call_output(&call, out);
    call_end(&call, op->path);
    return (struct piece){out, {channels, 0, channels}};
}

/* More pieces than a kernel takes are joined in groups first. */
static void join_lower(struct lowering *lowering, const struct op *op)
{
    const struct tensor *like = &lowering->graph->tensors.items[op->outputs[0]];
    struct piece *pieces = ARENA_ARRAY(lowering->arena, struct piece, op->input_count);
    size_t count = op->input_count;

    for (size_t i = 0; i < count; i++) {
        const int32_t channels = lowering->graph->tensors.items[op->inputs[i]].channels;

        pieces[i] = (struct piece){lower_buffer(lowering, op->inputs[i]), {channels, 0, channels}};
    }
    while (count > KERNEL_VALUES) {
        size_t joined = 0;

        for (size_t first = 0; first < count; first += KERNEL_VALUES) {
            const size_t left = count - first, taken = left < KERNEL_VALUES ? left : KERNEL_VALUES;

            pieces[joined++] =
                taken == 1 ? pieces[first]
                           : lower_pieces(lowering, op, like, pieces + first, taken, BUFFER_NONE);
        }
        count = joined;
    }
    lower_pieces(lowering, op, like, pieces, count, lower_buffer(lowering, op->outputs[0]));
}

static void join_gradient_lower(struct lowering *lowering, const struct op *op)
{
    const struct tensor *dx = &lowering->graph->tensors.items[op->outputs[0]];
    const struct piece piece = {lower_buffer(lowering, op->inputs[0]),
                                {lowering->graph->tensors.items[op->inputs[0]].channels,
                                 op->attributes.first_channel, dx->channels}};

    lower_pieces(lowering, op, dx, &piece, 1, lower_buffer(lowering, op->outputs[0]));
}

/* Each point becomes `factor` points along each axis. */
static void resize_shape(struct layer_call *call)
{
    const struct layer_value *factor = &call->values[RESIZE_FACTOR];
    const int rank = call->input->spatial_rank;

    call->output = *call->input;
    if (factor->axis_count != 0 && factor->axis_count != rank) {
        layer_fail(call, DIAGNOSTIC_BAD_SHAPE, RESIZE_FACTOR,
                   "a list of %d for a tensor with %d spatial axes", factor->axis_count, rank);
        return;
    }
    for (int axis = 0; axis < rank; axis++) {
        int32_t *size = &call->output.grid[GRID_RANK - rank + axis];
        const double grown = *size * factor->values[factor->axis_count ? axis : 0];

        if (grown > GRID_LIMIT) {
            layer_fail(call, DIAGNOSTIC_TOO_LARGE, RESIZE_FACTOR, "a grid of %.0f is too large",
                       grown);
            return;
        }
        *size = (int32_t)grown;
    }
}

static void resize_gradient(struct gradient_pass *pass, op_id id)
{
    gradient_of_input(pass, id, OP_RESIZE_GRADIENT, TENSOR_NONE);
}

/* Copying a point into a window is the gradient of averaging over it, times the window's size; and
 * the other way round. `small` is the tensor of the coarse grid, `large` that of the fine one. */
static void lower_resized(struct lowering *lowering, const struct op *op, enum kernel_anchor anchor,
                          tensor_id small, tensor_id large)
{
    const struct tensor *coarse = &lowering->graph->tensors.items[small];
    const struct tensor *fine = &lowering->graph->tensors.items[large];
    struct call_builder call = call_begin(lowering, anchor);
    struct window *window = &call.kernel.window;
    uint16_t value;

    call_in(&call, fine);
    call_out(&call, coarse);
    for (int axis = 0; axis < GRID_RANK; axis++)
        window->kernel[axis] = window->stride[axis] = fine->grid[axis] / coarse->grid[axis];
    value = call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT);
    value = kernel_multiply(&call.kernel, value,
                            kernel_constant(&call.kernel, (double)window_size(window)));
    call_operand(&call, value);
    call_output(&call, lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

static void resize_lower(struct lowering *lowering, const struct op *op)
{
    lower_resized(lowering, op, KERNEL_AVERAGE_POOL_GRADIENT, op->inputs[0], op->outputs[0]);
}

static void resize_gradient_lower(struct lowering *lowering, const struct op *op)
{
    lower_resized(lowering, op, KERNEL_AVERAGE_POOL, op->outputs[0], op->inputs[0]);
}

/* C x H x W as (C / k H W) x k: what a detector's heads give. Column j of the rows is channels
 * [j C / k, (j + 1) C / k), so it is x.view(k, C / k H W) transposed. */
static void rows_shape(struct layer_call *call)
{
    const double length = call->values[ROWS_LENGTH].values[0];
    const struct tensor *input = call->input;
    int64_t rows;

    if (length > input->channels || input->channels % (int32_t)length != 0) {
        layer_fail(call, DIAGNOSTIC_BAD_SHAPE, ROWS_LENGTH,
                   "rows of %.0f do not divide the %d channels", length, input->channels);
        return;
    }
    rows = input->channels / (int32_t)length * grid_points(input->grid);
    if (rows > INT32_MAX) {
        layer_fail(call, DIAGNOSTIC_TOO_LARGE, -1, "%lld rows are too many", (long long)rows);
        return;
    }
    call->output = (struct tensor){
        .kind = TENSOR_ACTIVATION,
        .spatial_rank = 1,
        .channels = (int32_t)rows,
        .grid = {1, 1, (int32_t)length},
    };
}

static void rows_gradient(struct gradient_pass *pass, op_id id)
{
    gradient_of_input(pass, id, OP_ROWS_GRADIENT, TENSOR_NONE);
}

static void lower_rows(struct lowering *lowering, const struct op *op, bool flip)
{
    struct call_builder call = call_begin(lowering, KERNEL_ROWS);

    call_in(&call, &lowering->graph->tensors.items[op->inputs[0]]);
    call_out(&call, &lowering->graph->tensors.items[op->outputs[0]]);
    call.kernel.flip = flip;
    call_operand(&call, call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT));
    call_output(&call, lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

static void rows_lower(struct lowering *lowering, const struct op *op)
{
    lower_rows(lowering, op, false);
}

static void rows_gradient_lower(struct lowering *lowering, const struct op *op)
{
    lower_rows(lowering, op, true);
}

const struct op_definition join_definition = {.gradient = join_gradient, .lower = join_lower};
const struct op_definition join_gradient_definition = {.lower = join_gradient_lower};

const struct op_definition resize_definition = {
    .is_layer = true,
    .arguments = {{"factor", ARGUMENT_AXES, true, 1, 0}},
    .argument_count = 1,
    .shape = resize_shape,
    .gradient = resize_gradient,
    .lower = resize_lower,
};

const struct op_definition resize_gradient_definition = {.lower = resize_gradient_lower};

const struct op_definition rows_definition = {
    .is_layer = true,
    .arguments = {{"length", ARGUMENT_INTEGER, true, 1, 0}},
    .argument_count = 1,
    .shape = rows_shape,
    .gradient = rows_gradient,
    .lower = rows_lower,
};

const struct op_definition rows_gradient_definition = {.lower = rows_gradient_lower};
