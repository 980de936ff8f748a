/* The compiler's middle, as a list: from an elaborated network to a plan of kernels. */
#ifndef COMPILER_PASS_H
#define COMPILER_PASS_H

#include <stdio.h>

#include "compiler/elaborate.h"
#include "compiler/plan.h"

/* All that the passes work on; filled from top to bottom. */
struct compilation {
    struct arena *arena;
    const struct source_set *sources;
    struct elaboration elaboration; /* given: the graph that passes extend, the recipe */
    bool keeps_convolutions; /* given: nothing is fused into them, for a library may compute them */
    enum rnet_precision precision; /* given */
    bool inference; /* given: no training step; a loss for evaluation alone, if there are logits */
    struct plan plan;
    uint64_t train_workspace, infer_workspace; /* bytes */
};

struct pass {
    const char *name;
    const char *purpose;
    void (*run)(struct compilation *compilation);
    /* NULL if all is well, or what is wrong: a fault of the compiler, never of the user. */
    const char *(*check)(const struct compilation *compilation);
    void (*print)(const struct compilation *compilation, FILE *stream);
};

/* The passes in order. */
const struct pass *compiler_passes(size_t *out_count);

#endif
