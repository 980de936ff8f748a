/* How two networks differ: by layers with their places, shapes and settings, not by text. */
#ifndef COMPILER_DIFF_H
#define COMPILER_DIFF_H

#include "compiler/report.h"

enum difference_kind {
    DIFFERENCE_ONLY_A,
    DIFFERENCE_ONLY_B,
    DIFFERENCE_CHANGED,
};

struct difference {
    enum difference_kind kind;
    bool is_block;      /* a whole block, which the other network lacks */
    const char *name;   /* the layer's path, or the block's, in the network that has it (A first) */
    const char *place;  /* the same, an unlabelled layer by what it follows: "layer1.0.relu after
                           bn1" */
    const char *op;     /* "conv"; "block" */
    const char *detail; /* "3x3, 64" of a layer that only one has; "input [8] -> [16]" of one that
                           changed */
};

struct diff {
    const struct report *a, *b;
    VECTOR(struct difference) items; /* in A's order, then what only B has in B's */
};

/* Layers correspond if their scopes and labels are the same, or for layers without a label scope,
 * kind and the labelled layer or sum that they follow. Of shapes, what changes is reported where it
 * begins, not all the way down. Everything lives in the arena. */
struct diff *diff_networks(const struct report *a, const struct report *b, struct arena *arena);

/* diff_text.c: tables of totals and stages, then differences, equal ones of a stage's blocks in one
 * line. `name_a` and `name_b` say which is which. */
void diff_print(const struct diff *diff, const char *name_a, const char *name_b, FILE *stream);
/* The same as one JSON object. */
const char *diff_json(const struct diff *diff, const char *name_a, const char *name_b,
                      struct arena *arena);

#endif
