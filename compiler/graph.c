/* Building graphs. Everything is in the graph's arena and only ever appended to. */
#include "compiler/graph.h"

#include <string.h>

#include "base/text.h"
#include "compiler/op.h"

struct graph *graph_new(struct arena *arena, const char *network)
{
    struct graph *graph = ARENA_NEW(arena, struct graph);

    graph->arena = arena;
    graph->network = network;
    return graph;
}

tensor_id graph_add_tensor(struct graph *graph, struct tensor tensor)
{
    vector_push(&graph->tensors, graph->arena, tensor);
    return (tensor_id)(graph->tensors.count - 1);
}

op_id graph_add_op(struct graph *graph, enum op_kind kind, const tensor_id *inputs,
                   size_t input_count, const tensor_id *outputs, size_t output_count)
{
    const op_id id = (op_id)graph->ops.count;
    const struct op op = {
        .kind = (uint8_t)kind,
        .input_count = (uint16_t)input_count,
        .output_count = (uint16_t)output_count,
        .inputs = arena_copy(graph->arena, inputs, input_count * sizeof *inputs),
        .outputs = arena_copy(graph->arena, outputs, output_count * sizeof *outputs),
        .path = "",
        .site = graph->site,
    };

    vector_push(&graph->ops, graph->arena, op);
    for (size_t i = 0; i < output_count; i++)
        graph->tensors.items[outputs[i]].producer = id;
    return id;
}

tensor_id graph_add_input(struct graph *graph, int32_t channels, const int32_t *grid,
                          int spatial_rank)
{
    struct tensor image = {
        .kind = TENSOR_ACTIVATION,
        .spatial_rank = (uint8_t)spatial_rank,
        .channels = channels,
        .grid = {1, 1, 1},
    };
    tensor_id tensor;

    for (int axis = 0; axis < spatial_rank; axis++)
        image.grid[GRID_RANK - spatial_rank + axis] = grid[axis];
    tensor = graph_add_tensor(graph, image);
    graph_add_op(graph, OP_INPUT, NULL, 0, &tensor, 1);
    return tensor;
}

bool graph_has_logits(const struct graph *graph)
{
    return graph->outputs.count == 1 &&
           grid_points(graph->tensors.items[graph->outputs.items[0].tensor].grid) == 1;
}

bool tensor_same_shape(const struct tensor *a, const struct tensor *b)
{
    return a->channels == b->channels && a->spatial_rank == b->spatial_rank &&
           memcmp(a->grid, b->grid, sizeof a->grid) == 0;
}

const char *tensor_shape_text(const struct tensor *tensor, struct arena *arena)
{
    struct text_builder text = {.arena = arena};

    if (tensor->kind == TENSOR_PARAMETER || tensor->kind == TENSOR_GRADIENT) {
        for (int axis = 0; axis < tensor->rank; axis++)
            text_add(&text, "%s%d", axis == 0 ? "[" : ", ", tensor->shape[axis]);
        text_add(&text, "]");
        return text_result(&text);
    }
    text_add(&text, "[%d", tensor->channels);
    for (int axis = GRID_RANK - tensor->spatial_rank; axis < GRID_RANK; axis++)
        text_add(&text, ", %d", tensor->grid[axis]);
    text_add(&text, "]");
    return text_result(&text);
}

struct tensor tensor_like(const struct tensor *like, int32_t channels)
{
    struct tensor tensor = {
        .kind = TENSOR_ACTIVATION,
        .spatial_rank = like->spatial_rank,
        .channels = channels,
    };

    memcpy(tensor.grid, like->grid, sizeof tensor.grid);
    return tensor;
}

const char *op_name(enum op_kind kind)
{
    static const char *const names[] = {
#define OP(op_kind, name, family) name,
#include "compiler/op.def"
#undef OP
    };

    return names[kind];
}
