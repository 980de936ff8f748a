/* Nodes, edges and clusters as `dot` reads them. Names come from the language, whose identifiers
 * need no escape. */
#include "compiler/draw_text.h"

#include <string.h>

#include "compiler/layer_text.h"

#define MAIN_COLOR "#b3261e"
#define EDGE_COLOR "#7a7a7a"

void draw_begin(FILE *stream, const struct graph *graph, struct arena *arena)
{
    fprintf(stream,
            "digraph \"%s\" {\n"
            "graph [fontname=\"Helvetica\", fontsize=14, nodesep=0.2, ranksep=0.25, style=rounded, "
            "color=\"#b0b0b0\", newrank=false]\n"
            "node [fontname=\"Helvetica\", fontsize=11, shape=plain]\n"
            "edge [color=\"" EDGE_COLOR "\", arrowsize=0.6]\n"
            "n0 [shape=box, style=rounded, color=\"" MAIN_COLOR "\", penwidth=2, "
            "label=\"input %s\"]\n",
            graph->network, tensor_shape_text(&graph->tensors.items[0], arena));
}

void draw_begin_stage(FILE *stream, size_t number, const struct report_stage *stage,
                      const char *shape)
{
    fprintf(stream, "subgraph cluster_stage%zu {\nlabel=<<B>%s</B>", number, stage->name);
    if (stage->blocks > 1)
        fprintf(stream, ": %lld blocks", (long long)stage->blocks);
    fprintf(stream, "<BR/>%s>\nbgcolor=\"#f7f7f5\"\n", shape);
}

void draw_begin_block(FILE *stream, size_t number, const char *name, size_t copies)
{
    fprintf(stream, "subgraph cluster_block%zu {\nlabel=<%s", number, name);
    if (copies > 1)
        fprintf(stream, " <B>\xC3\x97 %zu</B>", copies);
    fprintf(stream, ">\nfontsize=11\nbgcolor=\"#ffffff\"\n%s", copies > 1 ? "penwidth=3\n" : "");
}

void draw_begin_node(FILE *stream, op_id node, bool is_main)
{
    fprintf(stream,
            "n%u [label=<<TABLE BORDER=\"%d\" CELLBORDER=\"1\" CELLSPACING=\"0\" "
            "CELLPADDING=\"3\" COLOR=\"%s\">",
            node, is_main ? 2 : 0, is_main ? MAIN_COLOR : "#9a9a9a");
}

static const char *row_color(const struct op *op)
{
    switch (op->kind) {
    case OP_CONV:
    case OP_LINEAR:
        return "#d6e4f5";
    case OP_BN:
        return "#ececec";
    case OP_RELU:
        return "#fbe3c4";
    case OP_MAX_POOL:
    case OP_AVERAGE_POOL:
    case OP_GLOBAL_AVERAGE_POOL:
        return "#d9efd6";
    default:
        return "#ffffff";
    }
}

static const char *kind_text(const struct op *op)
{
    return op->kind == OP_ADD        ? "+"
           : op->kind == OP_MULTIPLY ? "\xC3\x97"
                                     : op_name((enum op_kind)op->kind);
}

/* What a layer is called: by its label, with the kind where the label does not begin with it, as
 * "conv1" does. A number is no label. */
static void add_name(struct text_builder *text, const struct op *op, size_t prefix)
{
    const char *kind = op_name((enum op_kind)op->kind);
    const char *name = op->path + prefix + (op->path[prefix] == '.');
    const char *last = strrchr(name, '.');

    last = last ? last + 1 : name;
    if (*last && strspn(last, "0123456789") < strlen(last) && strcmp(last, kind) != 0)
        text_add(text, strncmp(last, kind, strlen(kind)) == 0 ? "<I>%s</I>" : "<I>%s</I> %s", last,
                 kind_text(op));
    else
        text_add(text, "%s", kind_text(op));
}

void draw_row(FILE *stream, const struct graph *graph, const struct op *op, size_t prefix)
{
    struct arena arena = {0};
    struct text_builder text = {.arena = &arena};

    add_name(&text, op, prefix);
    layer_add_attributes(&text, graph, op);
    fprintf(stream, "<TR><TD BGCOLOR=\"%s\">%s</TD></TR>", row_color(op), text_result(&text));
    arena_release(&arena);
}

void draw_end_node(FILE *stream)
{
    fprintf(stream, "</TABLE>>]\n");
}

static const char *edge_style(bool is_main)
{
    return is_main ? " [color=\"" MAIN_COLOR "\", penwidth=3, weight=8]" : "";
}

void draw_edge(FILE *stream, op_id from, op_id to, bool is_main)
{
    fprintf(stream, "n%u -> n%u%s\n", from, to, edge_style(is_main));
}

void draw_entry(FILE *stream, size_t stage, const char *from)
{
    fprintf(stream,
            "in%zu [shape=box, style=rounded, color=\"" MAIN_COLOR "\", label=\"from %s\"]\n",
            stage, from);
}

void draw_exit(FILE *stream, size_t stage, const char *to)
{
    fprintf(stream,
            "out%zu [shape=box, style=rounded, color=\"" MAIN_COLOR "\", label=\"to %s\"]\n",
            stage, to);
}

/* The exit is joined once, by the edge of the main path; a line that is not seen keeps the stages
 * in order. */
void draw_edge_across(FILE *stream, op_id from, op_id to, size_t stage, bool is_main)
{
    if (is_main)
        fprintf(stream, "n%u -> out%zu%s\nout%zu -> in%zu [style=invis, constraint=false]\n", from,
                stage, edge_style(true), stage, stage);
    fprintf(stream, "in%zu -> n%u%s\n", stage, to, edge_style(is_main));
}

void draw_output(FILE *stream, const struct graph *graph, const struct graph_output *output,
                 op_id from, bool is_main, struct arena *arena)
{
    fprintf(stream, "\"output %s\" [shape=box, style=rounded, label=\"%s %s\"%s]\n", output->name,
            output->name, tensor_shape_text(&graph->tensors.items[output->tensor], arena),
            is_main ? ", color=\"" MAIN_COLOR "\", penwidth=2" : "");
    fprintf(stream, "n%u -> \"output %s\"%s\n", from, output->name, edge_style(is_main));
}
