/* Gathering the report: one pass over the forward operations, cut into stages by their names. */
#include "compiler/report.h"

#include <string.h>

#include "base/table.h"
#include "base/vector.h"
#include "compiler/op.h"
#include "compiler/stage_path.h"

/* ---- costs ---- */

static int64_t parameter_elements(const struct tensor *tensor)
{
    int64_t count = 1;

    for (int axis = 0; axis < tensor->rank; axis++)
        count *= tensor->shape[axis];
    return count;
}

static int64_t activation_bytes(const struct tensor *tensor)
{
    return tensor->kind == TENSOR_ACTIVATION
               ? grid_points(tensor->grid) * tensor->channels * (int64_t)sizeof(float)
               : 0;
}

static struct report_cost op_cost(const struct graph *graph, const struct op *op, int64_t work)
{
    struct report_cost cost = {.layers = 1, .macs = report_op_macs(graph, op), .work = work};

    for (int i = 0; i < op->input_count; i++) {
        const struct tensor *input = &graph->tensors.items[op->inputs[i]];

        if (input->kind == TENSOR_PARAMETER)
            cost.parameters += parameter_elements(input);
    }
    cost.activation_bytes = activation_bytes(&graph->tensors.items[op->outputs[0]]);
    return cost;
}

static void cost_add(struct report_cost *sum, const struct report_cost *cost)
{
    sum->layers += cost->layers;
    sum->parameters += cost->parameters;
    sum->macs += cost->macs;
    sum->work += cost->work;
    sum->activation_bytes += cost->activation_bytes;
}

/* ---- layers ---- */

static bool is_layer(const struct op *op)
{
    return !op->is_backward && op->kind != OP_INPUT && op->kind != OP_SOFTMAX_LOSS;
}

static void add_layers(struct report *report, struct arena *arena)
{
    const struct graph *graph = report->compilation->elaboration.graph;
    const int64_t *work = report_work(graph, report->count, arena);

    report->path = main_path_find(graph, arena);
    for (op_id id = 0; id < graph->ops.count; id++) {
        const struct op *op = &graph->ops.items[id];
        struct report_layer layer = {.op = id, .on_main_path = report->path.ops[id]};
        struct stage_path place;

        if (!is_layer(op))
            continue;
        layer.cost = op_cost(graph, op, work[id]);
        vector_push(&report->layers, arena, layer);
        cost_add(&report->total, &layer.cost);
        gate_counts_add(&report->main_path_total, &report->path, graph, id);
        if (stage_path_read(op->path, &place))
            gate_counts_add(&report->main_path, &report->path, graph, id);
    }
}

/* ---- stages ---- */

static const char *layer_path(const struct report *report, size_t layer)
{
    const struct graph *graph = report->compilation->elaboration.graph;

    return graph->ops.items[report->layers.items[layer].op].path;
}

static bool same_text(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

/* Whether layer `b` goes on with the stage, or the stretch without one, of layer `a`. */
static bool same_stage(const struct report *report, size_t a, size_t b)
{
    const char *path_a = layer_path(report, a), *path_b = layer_path(report, b);
    struct stage_path place_a, place_b;
    const bool in_a = stage_path_read(path_a, &place_a);
    const bool in_b = stage_path_read(path_b, &place_b);

    if (!in_a || !in_b)
        return in_a == in_b;
    return same_text(path_a, place_a.stage, path_b, place_b.stage);
}

static void add_to_stage(struct report *report, struct report_stage *stage, size_t index)
{
    const struct report_layer *layer = &report->layers.items[index];
    const struct graph *graph = report->compilation->elaboration.graph;
    const char *path = layer_path(report, index);
    struct stage_path place;

    stage->end = index + 1;
    cost_add(&stage->cost, &layer->cost);
    if (layer->on_main_path)
        stage->main_path.kinds[graph->ops.items[layer->op].kind]++;
    if (!stage_path_read(path, &place))
        return;
    stage->is_stage = true;
    if (!stage->block || !same_text(stage->block, strlen(stage->block), path, place.block)) {
        stage->block = arena_copy_text(graph->arena, path, place.block);
        stage->blocks++;
    }
}

static void add_stages(struct report *report, struct arena *arena)
{
    for (size_t i = 0; i < report->layers.count; i++) {
        if (i == 0 || !same_stage(report, i - 1, i))
            vector_push(&report->stages, arena, (struct report_stage){.first = i});
        add_to_stage(report, &report->stages.items[report->stages.count - 1], i);
    }
}

/* The scope that all layers of a stretch share, or the first one's path. */
static const char *shared_scope(const struct report *report, const struct report_stage *stage,
                                struct arena *arena)
{
    const char *first = layer_path(report, stage->first);
    size_t length = scope_length(first);

    for (size_t i = stage->first + 1; i < stage->end; i++)
        while (length > 0 && (strncmp(first, layer_path(report, i), length) != 0 ||
                              layer_path(report, i)[length] != '.'))
            length = scope_length(arena_copy_text(arena, first, length));
    return length > 0 ? arena_copy_text(arena, first, length) : first;
}

/* A stage that other layers interrupt goes by the name of its block. */
static void name_stages(struct report *report, struct arena *arena)
{
    struct table runs = {.arena = arena}; /* name of a stage -> in how many runs it stands */
    struct stage_path place;

    for (size_t i = 0; i < report->stages.count; i++) {
        struct report_stage *stage = &report->stages.items[i];
        const char *path = layer_path(report, stage->first);
        const struct table_entry *entry;

        if (!stage_path_read(path, &place))
            continue;
        stage->name = arena_copy_text(arena, path, place.stage);
        entry = table_find(&runs, path, place.stage);
        table_set(&runs, path, place.stage, entry ? entry->value + 1 : 1);
    }
    for (size_t i = 0; i < report->stages.count; i++) {
        struct report_stage *stage = &report->stages.items[i];

        if (!stage->is_stage)
            stage->name = report->stages.count == 1        ? "network"
                          : i == 0                         ? "stem"
                          : i + 1 == report->stages.count ? "head"
                                                           : shared_scope(report, stage, arena);
        else if (!*stage->name ||
                 (stage->blocks == 1 &&
                  table_find(&runs, stage->name, strlen(stage->name))->value > 1))
            stage->name = stage->blocks == 1 ? stage->block : "blocks";
    }
}

/* ---- memory ---- */

bool report_can_plan(const struct elaboration *elaboration)
{
    const struct graph *graph = elaboration->graph;

    if (!graph_has_logits(graph))
        return false;
    for (size_t i = 0; i < graph->ops.count; i++)
        if (!op_has_code((enum op_kind)graph->ops.items[i].kind))
            return false;
    return true;
}

static uint64_t region_bytes(const struct program_memory *memory)
{
    return memory->parameters + memory->batch + memory->workspace;
}

static void add_memory(struct report *report)
{
    const struct compilation *compilation = report->compilation;
    struct program_memory train, infer;

    report->has_memory = compilation->plan.train != NULL && !compilation->inference;
    if (!report->has_memory)
        return;
    train = compilation_training_memory(compilation, compilation->train_workspace);
    infer = program_memory(&compilation->plan, compilation->infer_workspace, false,
                           compilation->keeps_convolutions);
    report->train_bytes = region_bytes(&train);
    report->infer_bytes = region_bytes(&infer);
    report->data_bytes = train.data;
    report->train_peak = program_memory_sum(&train);
    report->unlimited_train_peak = report->train_peak;
    if (compilation->recomputation.repeated > 0) {
        train = compilation_training_memory(compilation, compilation->recomputation.unlimited);
        report->unlimited_train_peak = program_memory_sum(&train);
    }
}

/* ---- all together ---- */

struct report *report_make(const struct compilation *compilation, enum report_count count,
                           struct arena *arena)
{
    struct report *report = ARENA_NEW(arena, struct report);

    report->compilation = compilation;
    report->count = count;
    add_layers(report, arena);
    add_stages(report, arena);
    name_stages(report, arena);
    add_memory(report);
    return report;
}

const char *report_argument(const struct elaboration *elaboration, const char *name)
{
    for (size_t i = 0; i < elaboration->parameter_count; i++)
        if (elaboration->parameters[i].is_number &&
            strcmp(elaboration->parameters[i].name, name) == 0)
            return elaboration->parameters[i].value;
    return NULL;
}
