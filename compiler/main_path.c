/* The main path by dynamic programming: operations stand in topological order, so one sweep forward
 * finds the cheapest way to each, and one back from the output marks it. */
#include "compiler/main_path.h"

#include "base/text.h"
#include "compiler/op.h"

/* The cheapest way from the input to what an operation gives. */
struct way {
    uint32_t convolutions, length;
    op_id from; /* the operation before; 0 is the input */
};

static bool is_shorter(const struct way *a, const struct way *b)
{
    return a->convolutions != b->convolutions ? a->convolutions < b->convolutions
                                              : a->length < b->length;
}

static struct way cheapest_way(const struct graph *graph, const struct way *ways,
                               const struct op *op)
{
    struct way best = {0};
    bool found = false;

    for (int i = 0; i < op->input_count; i++) {
        const struct tensor *input = &graph->tensors.items[op->inputs[i]];
        struct way way;

        if (input->kind != TENSOR_ACTIVATION)
            continue;
        way = ways[input->producer];
        way.from = input->producer;
        if (!found || is_shorter(&way, &best))
            best = way;
        found = true;
    }
    best.convolutions += op->kind == OP_CONV;
    best.length++;
    return best;
}

struct main_path main_path_find(const struct graph *graph, struct arena *arena)
{
    const struct main_path path = {ARENA_ARRAY(arena, bool, graph->ops.count),
                                   ARENA_ARRAY(arena, op_id, graph->ops.count)};
    struct way *ways = ARENA_ARRAY(arena, struct way, graph->ops.count);
    op_id op;

    for (op = 1; op < graph->ops.count; op++)
        if (!graph->ops.items[op].is_backward)
            ways[op] = cheapest_way(graph, ways, &graph->ops.items[op]);
    path.ops[0] = true;
    if (graph->outputs.count == 0)
        return path;
    op = graph->tensors.items[graph->outputs.items[0].tensor].producer;
    for (; op != 0; op = ways[op].from) {
        path.ops[op] = true;
        path.from[op] = ways[op].from;
    }
    return path;
}

void gate_counts_add(struct gate_counts *counts, const struct main_path *path,
                     const struct graph *graph, op_id op)
{
    if (path->ops[op])
        counts->kinds[graph->ops.items[op].kind]++;
}

const char *gate_counts_text(const struct gate_counts *counts, struct arena *arena)
{
    struct text_builder text = {.arena = arena};

    for (int kind = 0; kind < OP_KIND_COUNT; kind++)
        if (counts->kinds[kind] > 0 && op_definition((enum op_kind)kind)->is_layer)
            text_add(&text, "%s%d %s", text.length > 0 ? ", " : "", counts->kinds[kind],
                     op_name((enum op_kind)kind));
    return text.length > 0 ? text_result(&text) : "none";
}
