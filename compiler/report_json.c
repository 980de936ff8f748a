/* The report as one JSON object. */
#include <string.h>

#include "base/text.h"
#include "base/vector.h"
#include "compiler/op.h"
#include "compiler/report.h"
#include "compiler/stage_path.h"

enum { BILLION = 1000 * 1000 * 1000 };

void report_add_billions(struct text_builder *text, int64_t work)
{
    text_add(text, "%lld.%09lld", (long long)(work / BILLION), (long long)(work % BILLION));
}

void report_add_gates(struct text_builder *text, const struct gate_counts *counts)
{
    static const enum op_kind always[] = {OP_CONV, OP_BN, OP_RELU, OP_MAX_POOL};

    for (size_t i = 0; i < countof(always); i++)
        text_add(text, "%c\"%s\":%d", i == 0 ? '{' : ',', op_name(always[i]),
                 counts->kinds[always[i]]);
    for (int kind = 0; kind < OP_KIND_COUNT; kind++) {
        bool said = counts->kinds[kind] == 0;

        for (size_t i = 0; i < countof(always); i++)
            said |= kind == (int)always[i];
        if (!said)
            text_add(text, ",\"%s\":%d", op_name((enum op_kind)kind), counts->kinds[kind]);
    }
    text_add(text, "}");
}

static void add_cost(struct text_builder *text, const struct report_cost *cost)
{
    text_add(text, ",\"parameters\":%lld,\"macs\":%lld,\"gflops\":", (long long)cost->parameters,
             (long long)cost->macs);
    report_add_billions(text, cost->work);
    text_add(text, ",\"activation_bytes\":%lld", (long long)cost->activation_bytes);
}

/* ---- layers ---- */

static void add_axes(struct text_builder *text, const char *name, const int32_t *values, int rank)
{
    text_add(text, ",\"%s\":[", name);
    for (int axis = GRID_RANK - rank; axis < GRID_RANK; axis++)
        text_add(text, "%s%d", axis == GRID_RANK - rank ? "" : ",", values[axis]);
    text_add(text, "]");
}

static void add_layer(struct text_builder *text, const struct graph *graph,
                      const struct report_layer *layer)
{
    const struct op *op = &graph->ops.items[layer->op];
    const struct tensor *input = &graph->tensors.items[op->inputs[0]];
    const struct tensor *output = &graph->tensors.items[op->outputs[0]];

    text_add(text, "{\"name\":");
    text_add_json(text, op->path);
    text_add(text, ",\"op\":\"%s\",\"block\":", op_name((enum op_kind)op->kind));
    text_add_json(text, arena_copy_text(text->arena, op->path, scope_length(op->path)));
    text_add(text, ",\"input\":%s,\"output\":%s", tensor_shape_text(input, text->arena),
             tensor_shape_text(output, text->arena));
    if (op->attributes.window.kernel[GRID_RANK - 1] > 0 && input->spatial_rank > 0) {
        add_axes(text, "kernel", op->attributes.window.kernel, input->spatial_rank);
        add_axes(text, "stride", op->attributes.window.stride, input->spatial_rank);
    }
    if (op->attributes.groups > 0)
        text_add(text, ",\"groups\":%d", op->attributes.groups);
    add_cost(text, &layer->cost);
    text_add(text, ",\"main_path\":%s}", layer->on_main_path ? "true" : "false");
}

static void add_layers(struct text_builder *text, const struct report *report)
{
    text_add(text, ",\"layers\":[");
    for (size_t i = 0; i < report->layers.count; i++) {
        text_add(text, "%s", i == 0 ? "" : ",");
        add_layer(text, report->compilation->elaboration.graph, &report->layers.items[i]);
    }
    text_add(text, "]");
}

static void add_stages(struct text_builder *text, const struct report *report)
{
    const struct graph *graph = report->compilation->elaboration.graph;

    text_add(text, ",\"stages\":[");
    for (size_t i = 0; i < report->stages.count; i++) {
        const struct report_stage *stage = &report->stages.items[i];
        const struct op *last = &graph->ops.items[report->layers.items[stage->end - 1].op];

        text_add(text, "%s{\"name\":", i == 0 ? "" : ",");
        text_add_json(text, stage->name);
        text_add(text, ",\"blocks\":%lld,\"layers\":%lld,\"output\":%s", (long long)stage->blocks,
                 (long long)stage->cost.layers,
                 tensor_shape_text(&graph->tensors.items[last->outputs[0]], text->arena));
        add_cost(text, &stage->cost);
        text_add(text, ",\"main_path\":");
        report_add_gates(text, &stage->main_path);
        text_add(text, "}");
    }
    text_add(text, "]");
}

/* ---- the whole ---- */

/* The network's parameters that are numbers, such as its depth, stand among the facts. */
static void add_arguments(struct text_builder *text, const struct elaboration *elaboration)
{
    static const char *const taken[] = {
        "network",    "input",  "outputs", "classes",         "count",
        "parameters", "macs",   "gflops",  "activation_bytes", "batch",
        "layers",     "stages", "main_path", "main_path_total", "arguments"};

    for (size_t i = 0; i < elaboration->parameter_count; i++) {
        const struct network_parameter *parameter = &elaboration->parameters[i];
        bool is_taken = !parameter->is_number;

        for (size_t t = 0; t < countof(taken); t++)
            is_taken |= strcmp(parameter->name, taken[t]) == 0;
        if (is_taken)
            continue;
        text_add(text, ",");
        text_add_json(text, parameter->name);
        text_add(text, ":%s", parameter->value);
    }
}

/* All parameters of the network as they were bound; what is no number is text. */
static void add_bindings(struct text_builder *text, const struct elaboration *elaboration)
{
    text_add(text, ",\"arguments\":{");
    for (size_t i = 0; i < elaboration->parameter_count; i++) {
        const struct network_parameter *parameter = &elaboration->parameters[i];

        text_add(text, "%s", i == 0 ? "" : ",");
        text_add_json(text, parameter->name);
        text_add(text, ":");
        if (parameter->is_number)
            text_add(text, "%s", parameter->value);
        else
            text_add_json(text, parameter->value);
    }
    text_add(text, "}");
}

static void add_outputs(struct text_builder *text, const struct graph *graph)
{
    text_add(text, ",\"outputs\":[");
    for (size_t i = 0; i < graph->outputs.count; i++) {
        const struct graph_output *output = &graph->outputs.items[i];

        text_add(text, "%s{\"name\":", i == 0 ? "" : ",");
        text_add_json(text, output->name);
        text_add(text, ",\"shape\":%s}",
                 tensor_shape_text(&graph->tensors.items[output->tensor], text->arena));
    }
    text_add(text, "]");
}

/* `null` stands for what is not known because some layer has no code yet. */
static void add_memory(struct text_builder *text, const struct report *report)
{
    const struct compilation *compilation = report->compilation;

    if (!report->has_memory) {
        text_add(text, ",\"batch\":null,\"train_memory_bytes\":null,\"infer_memory_bytes\":null,"
                       "\"train_activation_bytes\":null,\"infer_activation_bytes\":null,"
                       "\"train_peak_bytes\":null,\"data_bytes\":null");
        return;
    }
    text_add(text,
             ",\"batch\":%lld,\"train_memory_bytes\":%llu,\"infer_memory_bytes\":%llu,"
             "\"train_activation_bytes\":%llu,\"infer_activation_bytes\":%llu",
             (long long)compilation->plan.batch, (unsigned long long)report->train_bytes,
             (unsigned long long)report->infer_bytes,
             (unsigned long long)compilation->train_workspace,
             (unsigned long long)compilation->infer_workspace);
    text_add(text, ",\"train_peak_bytes\":%llu,\"data_bytes\":%llu",
             (unsigned long long)report->train_peak, (unsigned long long)report->data_bytes);
    if (compilation->memory_limit > 0)
        text_add(text,
                 ",\"memory_limit_bytes\":%llu,\"unlimited_train_peak_bytes\":%llu,"
                 "\"repeated_steps\":%zu,\"repeated_work\":%.4f",
                 (unsigned long long)compilation->memory_limit,
                 (unsigned long long)report->unlimited_train_peak,
                 compilation->recomputation.repeated, compilation->recomputation.work);
}

static void add_facts(struct text_builder *text, const struct report *report)
{
    const struct elaboration *elaboration = &report->compilation->elaboration;
    const struct graph *graph = elaboration->graph;
    const struct tensor *first = &graph->tensors.items[graph->outputs.items[0].tensor];
    const char *classes = report_argument(elaboration, "classes");

    text_add(text, "\"network\":");
    text_add_json(text, graph->network);
    text_add(text, ",\"input\":%s,\"classes\":%s",
             tensor_shape_text(&graph->tensors.items[0], text->arena),
             classes ? classes : arena_format(text->arena, "%d", first->channels));
    add_arguments(text, elaboration);
    add_outputs(text, graph);
    text_add(text, ",\"count\":\"%s\"", report_count_name(report->count));
    add_cost(text, &report->total);
    add_memory(text, report);
    text_add(text, ",\"main_path\":");
    report_add_gates(text, &report->main_path);
    text_add(text, ",\"main_path_total\":");
    report_add_gates(text, &report->main_path_total);
    add_bindings(text, elaboration);
}

const char *report_as_json(const struct report *report, struct arena *arena)
{
    struct text_builder text = {.arena = arena};

    text_add(&text, "{");
    add_facts(&text, report);
    add_stages(&text, report);
    add_layers(&text, report);
    text_add(&text, "}");
    return text_result(&text);
}

const char *report_json(const struct compilation *compilation, struct arena *arena)
{
    return report_as_json(report_make(compilation, REPORT_MACS, arena), arena);
}
