/* The words of a drawing, in the language of `dot`: private to draw.c. */
#ifndef COMPILER_DRAW_TEXT_H
#define COMPILER_DRAW_TEXT_H

#include <stddef.h>

#include "compiler/report.h"

/* The head of the file, and the node of the network's input. */
void draw_begin(FILE *stream, const struct graph *graph, struct arena *arena);

/* Clusters; the caller closes each with "}". */
void draw_begin_stage(FILE *stream, size_t number, const struct report_stage *stage,
                      const char *shape);
void draw_begin_block(FILE *stream, size_t number, const char *name, size_t copies);

/* A node is a column of rows, one a layer. `prefix` characters of the layers' paths are the
 * block's. */
void draw_begin_node(FILE *stream, op_id node, bool is_main);
void draw_row(FILE *stream, const struct graph *graph, const struct op *op, size_t prefix);
void draw_end_node(FILE *stream);

void draw_edge(FILE *stream, op_id from, op_id to, bool is_main);

/* Stages side by side: in place of a line across, each says by name where the signal comes from
 * and where it goes. `stage` is the number of the stage that is entered. */
void draw_entry(FILE *stream, size_t stage, const char *from);
void draw_exit(FILE *stream, size_t stage, const char *to);
void draw_edge_across(FILE *stream, op_id from, op_id to, size_t stage, bool is_main);

void draw_output(FILE *stream, const struct graph *graph, const struct graph_output *output,
                 op_id from, bool is_main, struct arena *arena);

#endif
