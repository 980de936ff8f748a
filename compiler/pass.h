/* The compiler's middle, as a list: from an elaborated network to a plan of kernels. */
#ifndef COMPILER_PASS_H
#define COMPILER_PASS_H

#include <stdio.h>

#include "compiler/elaborate.h"
#include "compiler/plan.h"
#include "compiler/program_memory.h"
#include "compiler/recompute.h"

/* All that the passes work on; filled from top to bottom. */
struct compilation {
    struct arena *arena;
    const struct source_set *sources;
    struct elaboration elaboration; /* given: the graph that passes extend, the recipe */
    bool keeps_convolutions; /* given: the program is for a GPU, and nothing is fused into
                                convolutions, for a library may compute them */
    uint64_t memory_limit; /* given: bytes of the whole program in training; 0: none */
    enum rnet_precision precision; /* given */
    bool inference; /* given: no training step; a loss for evaluation alone, if there are logits */
    struct plan plan;
    uint64_t train_workspace, infer_workspace; /* bytes */
    struct recomputation recomputation;        /* where there is a limit */
};

struct pass {
    const char *name;
    const char *purpose;
    void (*run)(struct compilation *compilation);
    /* NULL if all is well, or what is wrong: a fault of the compiler, never of the user. */
    const char *(*check)(const struct compilation *compilation);
    void (*print)(const struct compilation *compilation, FILE *stream);
};

/* Whether the plan keeps within the limit, if there is one. */
bool compilation_is_within_limit(const struct compilation *compilation);

/* What the program needs in training, if the workspace takes so many bytes then. */
struct program_memory compilation_training_memory(const struct compilation *compilation,
                                                  uint64_t workspace);

/* The passes in order. */
const struct pass *compiler_passes(size_t *out_count);

#endif
