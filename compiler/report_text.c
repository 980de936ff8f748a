/* The report as a table for people: a row a stage, or a row a layer, then totals. */
#include <string.h>

#include "base/text.h"
#include "compiler/op.h"
#include "compiler/report.h"

enum { NAME_COLUMN = 18, SHAPE_COLUMN = 20, LONGEST_NUMBER = 40 };

/* "25,557,032": the text of `value` into `text`, in threes. */
static const char *in_threes(int64_t value, char text[LONGEST_NUMBER])
{
    char digits[LONGEST_NUMBER];
    const int count = snprintf(digits, sizeof digits, "%lld", (long long)value);
    char *end = text;

    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            *end++ = ',';
        *end++ = digits[i];
    }
    *end = '\0';
    return text;
}

static void print_cost(const struct report_cost *cost, FILE *stream)
{
    char parameters[LONGEST_NUMBER], macs[LONGEST_NUMBER], bytes[TEXT_IN_BYTES];

    fprintf(stream, " %12s %16s %8.3f %10s", in_threes(cost->parameters, parameters),
            in_threes(cost->macs, macs), (double)cost->work / 1e9,
            text_in_bytes((uint64_t)cost->activation_bytes, bytes));
}

static const char *output_shape(const struct report *report, size_t layer, struct arena *arena)
{
    const struct graph *graph = report->compilation->elaboration.graph;
    const struct op *op = &graph->ops.items[report->layers.items[layer].op];

    return tensor_shape_text(&graph->tensors.items[op->outputs[0]], arena);
}

static int stage_name_width(const struct report *report)
{
    size_t width = NAME_COLUMN;

    for (size_t i = 0; i < report->stages.count; i++)
        if (strlen(report->stages.items[i].name) > width)
            width = strlen(report->stages.items[i].name);
    return (int)width;
}

static void print_stages(const struct report *report, FILE *stream, struct arena *arena)
{
    const int width = stage_name_width(report);

    fprintf(stream, "%-*s %6s %6s  %-*s %12s %16s %8s %10s  main path\n", width, "stage", "blocks",
            "layers", SHAPE_COLUMN, "output", "parameters", "multiply-adds", "GFLOPs", "bytes");
    for (size_t i = 0; i < report->stages.count; i++) {
        const struct report_stage *stage = &report->stages.items[i];

        fprintf(stream, "%-*s ", width, stage->name);
        if (stage->is_stage)
            fprintf(stream, "%6lld", (long long)stage->blocks);
        else
            fprintf(stream, "%6s", "");
        fprintf(stream, " %6lld  %-*s", (long long)stage->cost.layers, SHAPE_COLUMN,
                output_shape(report, stage->end - 1, arena));
        print_cost(&stage->cost, stream);
        fprintf(stream, "  %s\n", gate_counts_text(&stage->main_path, arena));
    }
    fprintf(stream, "%-*s %6s %6lld  %-*s", width, "total", "", (long long)report->total.layers,
            SHAPE_COLUMN, "");
    print_cost(&report->total, stream);
    fprintf(stream, "  %s\n", gate_counts_text(&report->main_path_total, arena));
}

static void print_layers(const struct report *report, FILE *stream, struct arena *arena)
{
    const struct graph *graph = report->compilation->elaboration.graph;
    size_t width = NAME_COLUMN;

    for (size_t i = 0; i < report->layers.count; i++) {
        const size_t length = strlen(graph->ops.items[report->layers.items[i].op].path);

        width = length > width ? length : width;
    }
    fprintf(stream, "  %-*s %-16s %-*s %12s %16s %8s %10s\n", (int)width, "layer", "op",
            SHAPE_COLUMN, "output", "parameters", "multiply-adds", "GFLOPs", "bytes");
    for (size_t i = 0; i < report->layers.count; i++) {
        const struct report_layer *layer = &report->layers.items[i];
        const struct op *op = &graph->ops.items[layer->op];

        fprintf(stream, "%c %-*s %-16s %-*s", layer->on_main_path ? '*' : ' ', (int)width,
                op->path, op_name((enum op_kind)op->kind), SHAPE_COLUMN,
                output_shape(report, i, arena));
        print_cost(&layer->cost, stream);
        fprintf(stream, "\n");
    }
    fprintf(stream, "\n");
}

static void print_head(const struct report *report, FILE *stream, struct arena *arena)
{
    const struct elaboration *elaboration = &report->compilation->elaboration;
    const struct graph *graph = elaboration->graph;

    fprintf(stream, "%s", graph->network);
    for (size_t i = 0; i < elaboration->parameter_count; i++)
        if (elaboration->parameters[i].is_number)
            fprintf(stream, "  %s %s", elaboration->parameters[i].name,
                    elaboration->parameters[i].value);
    fprintf(stream, "\ninput %s", tensor_shape_text(&graph->tensors.items[0], arena));
    for (size_t i = 0; i < graph->outputs.count; i++)
        fprintf(stream, "  %s %s", graph->outputs.items[i].name,
                tensor_shape_text(&graph->tensors.items[graph->outputs.items[i].tensor], arena));
    fprintf(stream, "\n\n");
}

static void print_peak(const struct report *report, FILE *stream)
{
    const struct recomputation *recomputation = &report->compilation->recomputation;
    char bytes[TEXT_IN_BYTES];

    fprintf(stream, "planned peak    training %s with code and libraries",
            text_in_bytes(report->train_peak, bytes));
    if (report->data_bytes > 0)
        fprintf(stream, "; %s more for the images of %s", text_in_bytes(report->data_bytes, bytes),
                report->compilation->plan.recipe->data);
    fputc('\n', stream);
    if (report->compilation->memory_limit == 0)
        return;
    fprintf(stream, "memory limit    %s;",
            text_in_bytes(report->compilation->memory_limit, bytes));
    fprintf(stream, " without it %s", text_in_bytes(report->unlimited_train_peak, bytes));
    if (recomputation->repeated > 0)
        fprintf(stream, "; %zu steps run again, %.0f %% of the forward pass's work",
                recomputation->repeated, 100 * recomputation->work);
    else
        fprintf(stream, "; nothing is computed again");
    fputc('\n', stream);
}

static void print_memory(const struct report *report, FILE *stream)
{
    const struct compilation *compilation = report->compilation;
    char all[TEXT_IN_BYTES], workspace[TEXT_IN_BYTES];

    if (!report->has_memory) {
        fprintf(stream, "memory          \xE2\x80\x94 (some of this has no code yet)\n");
        return;
    }
    fprintf(stream, "memory          training %s, activations %s of it",
            text_in_bytes(report->train_bytes, all),
            text_in_bytes(compilation->train_workspace, workspace));
    fprintf(stream, "; inference %s, %s of it; batch %lld\n", text_in_bytes(report->infer_bytes, all),
            text_in_bytes(compilation->infer_workspace, workspace),
            (long long)compilation->plan.batch);
    print_peak(report, stream);
}

static void print_totals(const struct report *report, FILE *stream, struct arena *arena)
{
    char number[LONGEST_NUMBER];

    fprintf(stream, "\nparameters      %s\n", in_threes(report->total.parameters, number));
    fprintf(stream, "multiply-adds   %s\n", in_threes(report->total.macs, number));
    fprintf(stream, "GFLOPs          %.2f, counted as %s\n", (double)report->total.work / 1e9,
            report_count_name(report->count));
    fprintf(stream, "main path       %s in stages; %s in all\n",
            gate_counts_text(&report->main_path, arena),
            gate_counts_text(&report->main_path_total, arena));
    print_memory(report, stream);
}

void report_print(const struct report *report, bool with_layers, FILE *stream)
{
    struct arena arena = {0};

    print_head(report, stream, &arena);
    if (with_layers)
        print_layers(report, stream, &arena);
    print_stages(report, stream, &arena);
    print_totals(report, stream, &arena);
    arena_release(&arena);
}
