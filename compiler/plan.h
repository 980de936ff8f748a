/* The compiled program before its code: distinct kernels, steps that call them, memory. */
#ifndef COMPILER_PLAN_H
#define COMPILER_PLAN_H

#include <stdio.h>

#include "compiler/graph.h"
#include "compiler/lower.h"
#include "compiler/recipe.h"
#include "runtime/program.h"

struct plan {
    const struct graph *graph;
    const struct recipe *recipe;
    int64_t batch;
    struct kernel_set kernels; /* of training and inference together, by first use */
    struct parameter_layout layout;
    struct calls *train, *infer; /* their calls' kernels are numbers in `kernels` */
    uint64_t region_bytes[RNET_REGION_COUNT];
};

/* A parameter's start as the runtime will make it. */
struct parameter_start {
    enum rnet_initializer init;
    double value; /* see enum rnet_initializer */
};

struct parameter_start parameter_start(const struct tensor *tensor, const struct recipe *recipe);

/* Requires train and infer lowered, fused and their memory planned. Merges their kernels and sums
 * up the regions. */
void plan_finish(struct plan *plan, uint64_t train_workspace, uint64_t infer_workspace);

/* plan_print.c: kernels by number, then one step a line with its arguments' places. */
void plan_print(const struct plan *plan, FILE *stream);

/* One call a line, by kernel and buffer: the state between lowering and memory. */
void calls_print(const struct calls *calls, FILE *stream);

/* calls_check: each kernel is well formed (kernel_check), has as many arguments as parameters, and
 * workspace buffers are written once and before they are read. NULL, or what is wrong. */
const char *calls_check(const struct calls *calls);

#endif
