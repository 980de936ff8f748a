/* The main path of a network: the way along the shortcuts, from its input to its first output. */
#ifndef COMPILER_MAIN_PATH_H
#define COMPILER_MAIN_PATH_H

#include "compiler/graph.h"

/* How many operations of each kind a signal meets. */
struct gate_counts {
    int32_t kinds[OP_KIND_COUNT];
};

struct main_path {
    bool *ops;   /* for each operation of the graph: it lies on the path */
    op_id *from; /* for each operation on the path: the one before */
};

/* Where an operation has several data inputs (a sum, a product, a join), the path takes the one
 * with fewest convolutions behind it; of equal ones that with fewest operations, then the first.
 * Operations of the backward pass are not looked at. Linear in the size of the graph. */
struct main_path main_path_find(const struct graph *graph, struct arena *arena);

/* Counts one operation if it lies on the path. */
void gate_counts_add(struct gate_counts *counts, const struct main_path *path,
                     const struct graph *graph, op_id op);

/* "4 conv, 8 bn, 4 relu" of the layers among the kinds, or "none". In the arena. */
const char *gate_counts_text(const struct gate_counts *counts, struct arena *arena);

#endif
