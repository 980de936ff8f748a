/* The graph's verifier: what every pass may rely on, checked after each of them. */
#include "compiler/graph.h"
#include "compiler/op.h"

static bool comes_from_outside(const struct tensor *tensor)
{
    return tensor->kind == TENSOR_PARAMETER || tensor->kind == TENSOR_STATISTIC ||
           tensor->kind == TENSOR_COUNTER || tensor->kind == TENSOR_LABELS;
}

static const char *check_inputs(const struct graph *graph, op_id id, const bool *defined)
{
    const struct op *op = &graph->ops.items[id];

    for (int i = 0; i < op->input_count; i++) {
        const tensor_id input = op->inputs[i];

        if (input >= graph->tensors.count)
            return arena_format(graph->arena, "op %u (%s): no tensor %%%u", id, op->path, input);
        if (!defined[input] && !comes_from_outside(&graph->tensors.items[input]))
            return arena_format(graph->arena, "op %u (%s): %%%u is used before it is defined", id,
                                op->path, input);
    }
    return NULL;
}

static const char *check_outputs(const struct graph *graph, op_id id, bool *defined)
{
    const struct op *op = &graph->ops.items[id];

    for (int i = 0; i < op->output_count; i++) {
        const tensor_id output = op->outputs[i];

        if (output >= graph->tensors.count || defined[output])
            return arena_format(graph->arena, "op %u (%s): %%%u is defined twice", id, op->path,
                                output);
        if (graph->tensors.items[output].producer != id)
            return arena_format(graph->arena, "op %u (%s): %%%u names another producer", id,
                                op->path, output);
        defined[output] = true;
    }
    return NULL;
}

static const char *check_sum(const struct graph *graph, op_id id)
{
    const struct op *op = &graph->ops.items[id];

    for (int i = 0; op->kind == OP_ADD && i < op->input_count; i++)
        if (!tensor_same_shape(&graph->tensors.items[op->inputs[i]],
                               &graph->tensors.items[op->outputs[0]]))
            return arena_format(graph->arena, "op %u (%s): terms of a sum differ in shape", id,
                                op->path);
    return NULL;
}

const char *graph_check(const struct graph *graph)
{
    bool *defined = ARENA_ARRAY(graph->arena, bool, graph->tensors.count);

    for (op_id id = 0; id < graph->ops.count; id++) {
        const char *problem = check_inputs(graph, id, defined);

        if (!problem)
            problem = check_outputs(graph, id, defined);
        if (!problem)
            problem = check_sum(graph, id);
        if (problem)
            return problem;
    }
    return NULL;
}
