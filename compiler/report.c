/* The report: sums over the forward part of the graph. */
#include "compiler/report.h"

#include <string.h>

#include "base/text.h"
#include "base/vector.h"
#include "compiler/op.h"

static int64_t elements(const struct tensor *tensor)
{
    int64_t count = 1;

    for (int axis = 0; axis < tensor->rank; axis++)
        count *= tensor->shape[axis];
    return count;
}

int64_t report_parameters(const struct graph *graph)
{
    int64_t sum = 0;

    for (size_t t = 0; t < graph->tensors.count; t++)
        if (graph->tensors.items[t].kind == TENSOR_PARAMETER)
            sum += elements(&graph->tensors.items[t]);
    return sum;
}

static int64_t op_macs(const struct graph *graph, const struct op *op)
{
    const struct op_definition *definition = op_definition((enum op_kind)op->kind);

    return definition->macs && !op->is_backward ? definition->macs(graph, op) : 0;
}

int64_t report_macs(const struct graph *graph)
{
    int64_t sum = 0;

    for (size_t i = 0; i < graph->ops.count; i++)
        sum += op_macs(graph, &graph->ops.items[i]);
    return sum;
}

static int64_t op_parameters(const struct graph *graph, const struct op *op)
{
    int64_t sum = 0;

    for (int i = 0; i < op->input_count; i++)
        if (graph->tensors.items[op->inputs[i]].kind == TENSOR_PARAMETER)
            sum += elements(&graph->tensors.items[op->inputs[i]]);
    return sum;
}

static void add_axes(struct text_builder *text, const int32_t *values, int rank)
{
    for (int axis = GRID_RANK - rank; axis < GRID_RANK; axis++)
        text_add(text, "%s%d", axis == GRID_RANK - rank ? "" : ",", values[axis]);
}

/* "layer1.0" of "layer1.0.conv1". */
static const char *block_of(const char *path, struct arena *arena)
{
    const char *dot = strrchr(path, '.');

    return dot ? arena_copy_text(arena, path, (size_t)(dot - path)) : "";
}

static void add_layer(struct text_builder *text, const struct graph *graph, const struct op *op)
{
    const struct tensor *input = &graph->tensors.items[op->inputs[0]];
    const struct tensor *output = &graph->tensors.items[op->outputs[0]];

    text_add(text, "{\"name\":");
    text_add_json(text, op->path);
    text_add(text, ",\"op\":\"%s\",\"block\":", op_name((enum op_kind)op->kind));
    text_add_json(text, block_of(op->path, text->arena));
    text_add(text, ",\"input\":%s,\"output\":%s", tensor_shape_text(input, text->arena),
             tensor_shape_text(output, text->arena));
    if (op->attributes.window.kernel[GRID_RANK - 1] > 0 && input->spatial_rank > 0) {
        text_add(text, ",\"kernel\":[");
        add_axes(text, op->attributes.window.kernel, input->spatial_rank);
        text_add(text, "],\"stride\":[");
        add_axes(text, op->attributes.window.stride, input->spatial_rank);
        text_add(text, "]");
    }
    if (op->attributes.groups > 0)
        text_add(text, ",\"groups\":%d", op->attributes.groups);
    text_add(text, ",\"parameters\":%lld,\"macs\":%lld}", (long long)op_parameters(graph, op),
             (long long)op_macs(graph, op));
}

static void add_layers(struct text_builder *text, const struct graph *graph)
{
    const char *separator = "";

    text_add(text, "\"layers\":[");
    for (size_t i = 0; i < graph->ops.count; i++) {
        const struct op *op = &graph->ops.items[i];

        if (op->is_backward || op->kind == OP_INPUT || op->kind == OP_SOFTMAX_LOSS)
            continue;
        text_add(text, "%s", separator);
        add_layer(text, graph, op);
        separator = ",";
    }
    text_add(text, "]");
}

/* The network's parameters that are numbers, such as its depth, stand among the facts. */
static void add_arguments(struct text_builder *text, const struct elaboration *elaboration)
{
    static const char *const taken[] = {"network", "input",  "classes", "parameters",
                                        "macs",    "gflops", "count",   "layers"};

    for (size_t i = 0; i < elaboration->parameter_count; i++) {
        const struct network_parameter *parameter = &elaboration->parameters[i];
        bool is_taken = !parameter->is_number;

        for (size_t t = 0; t < countof(taken); t++)
            is_taken |= strcmp(parameter->name, taken[t]) == 0;
        if (is_taken)
            continue;
        text_add_json(text, parameter->name);
        text_add(text, ":%s,", parameter->value);
    }
}

static uint64_t program_bytes(const struct plan *plan, uint64_t workspace, bool training)
{
    uint64_t sum = workspace;

    for (int region = 0; region < RNET_REGION_COUNT; region++)
        if (region != RNET_REGION_WORKSPACE &&
            (training || (region != RNET_REGION_GRADIENTS && region != RNET_REGION_MOMENTUM)))
            sum += plan->region_bytes[region];
    return sum;
}

const char *report_json(const struct compilation *compilation, struct arena *arena)
{
    const struct graph *graph = compilation->elaboration.graph;
    const struct tensor *logits = &graph->tensors.items[graph->outputs.items[0].tensor];
    const int64_t macs = report_macs(graph);
    struct text_builder text = {.arena = arena};

    text_add(&text, "{\"network\":");
    text_add_json(&text, graph->network);
    text_add(&text, ",\"input\":%s,\"classes\":%d,",
             tensor_shape_text(&graph->tensors.items[0], arena), logits->channels);
    add_arguments(&text, &compilation->elaboration);
    text_add(&text, "\"parameters\":%lld,\"macs\":%lld,\"count\":\"macs\",\"gflops\":%.9g,",
             (long long)report_parameters(graph), (long long)macs, (double)macs / 1e9);
    text_add(&text, "\"batch\":%lld,\"train_memory_bytes\":%llu,\"infer_memory_bytes\":%llu,",
             (long long)compilation->plan.batch,
             (unsigned long long)program_bytes(&compilation->plan, compilation->train_workspace,
                                               true),
             (unsigned long long)program_bytes(&compilation->plan, compilation->infer_workspace,
                                               false));
    add_layers(&text, graph);
    text_add(&text, "}");
    return text_result(&text);
}
