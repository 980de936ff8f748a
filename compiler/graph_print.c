/* The graph as text: `--emit graph`. One operation a line, readable aloud. */
#include "compiler/graph.h"

#include "compiler/op.h"

static void print_axes(const char *name, const int32_t values[GRID_RANK], int rank, FILE *stream)
{
    fprintf(stream, " %s ", name);
    for (int axis = GRID_RANK - rank; axis < GRID_RANK; axis++)
        fprintf(stream, "%s%d", axis == GRID_RANK - rank ? "" : "x", values[axis]);
}

static void print_attributes(const struct graph *graph, const struct op *op, FILE *stream)
{
    const struct tensor *first = &graph->tensors.items[op->inputs[0]];
    const struct window *window = &op->attributes.window;
    const int rank = first->spatial_rank;

    if (window->kernel[GRID_RANK - 1] > 0 && rank > 0) {
        print_axes("kernel", window->kernel, rank, stream);
        print_axes("stride", window->stride, rank, stream);
        print_axes("padding", window->padding, rank, stream);
    }
    if (op->attributes.groups > 1)
        fprintf(stream, " groups %d", op->attributes.groups);
    if (op->kind == OP_BN)
        fprintf(stream, " epsilon %g momentum %g", op->attributes.epsilon,
                op->attributes.momentum);
}

static const char *element_name(const struct tensor *tensor)
{
    return tensor->kind == TENSOR_LABELS ? "i32" : "f32";
}

static void print_tensor(const struct graph *graph, tensor_id id, FILE *stream,
                         struct arena *arena)
{
    const struct tensor *tensor = &graph->tensors.items[id];

    if (tensor->name)
        fprintf(stream, " %%%u:%s", id, tensor->name);
    else if (tensor->kind == TENSOR_LABELS || tensor->kind == TENSOR_PER_IMAGE)
        fprintf(stream, " %%%u:%s[]", id, element_name(tensor));
    else
        fprintf(stream, " %%%u:%s%s", id, element_name(tensor), tensor_shape_text(tensor, arena));
}

static void print_op(const struct graph *graph, const struct op *op,
                     const struct source_set *sources, FILE *stream, struct arena *arena)
{
    for (int i = 0; i < op->output_count; i++)
        print_tensor(graph, op->outputs[i], stream, arena);
    fprintf(stream, " = %s", op_name((enum op_kind)op->kind));
    if (op->input_count > 0)
        print_attributes(graph, op, stream);
    for (int i = 0; i < op->input_count; i++)
        print_tensor(graph, op->inputs[i], stream, arena);
    if (*op->path)
        fprintf(stream, "  @%s", op->path);
    if (op->span.source != 0 && sources) {
        const struct source *source = sources->sources.items[op->span.source];
        const struct position position = source_position(source, op->span.begin);

        fprintf(stream, "  %s:%u:%u", source->path, position.line, position.column);
    }
    fputc('\n', stream);
}

void graph_print(const struct graph *graph, const struct source_set *sources, FILE *stream)
{
    struct arena arena = {0};

    fprintf(stream, "network %s\n", graph->network);
    for (size_t i = 0; i < graph->ops.count; i++) {
        print_op(graph, &graph->ops.items[i], sources, stream, &arena);
        arena_reset(&arena);
    }
    for (size_t i = 0; i < graph->outputs.count; i++)
        fprintf(stream, "output %s %%%u\n", graph->outputs.items[i].name,
                graph->outputs.items[i].tensor);
    arena_release(&arena);
}
