/* How much memory a program needs at the most: what the plan gives it, and an estimate of the rest.
 *
 * For the processor that is what a process has resident, and so what a limit bounds: the regions of
 * memory, what the recipe adds to them (sums over batches, averages of the weights), tables of
 * steps and parameters, code, libraries and stacks. A data set whose size is that of its kind and
 * which lies in memory, CIFAR, counts toward a limit; other data do not.
 *
 * For a GPU it is what the program places in the GPU's memory. Working space of the library that
 * computes convolutions, and the driver's own, come on top. */
#ifndef COMPILER_PROGRAM_MEMORY_H
#define COMPILER_PROGRAM_MEMORY_H

#include "compiler/plan.h"

/* Bytes. */
struct program_memory {
    uint64_t parameters; /* weights and statistics; in training gradients, momentum and what the
                            recipe adds */
    uint64_t batch;      /* images, labels and keys of a step */
    uint64_t workspace;  /* everything that lives within one step */
    uint64_t process;    /* the estimate: tables, code, libraries, stacks */
    uint64_t data;       /* images of the recipe's data set, where they lie in memory */
};

/* Of a program with so large a workspace, when it trains or when it only evaluates. `on_gpu`: in a
 * GPU's memory. Requires a finished plan. */
struct program_memory program_memory(const struct plan *plan, uint64_t workspace, bool training,
                                     bool on_gpu);

/* What the estimate grows by if each step of training ran twice: more than recomputation adds. */
uint64_t program_memory_repeated(const struct plan *plan, bool on_gpu);

/* All but the data: what `bench` has resident. */
uint64_t program_memory_sum(const struct program_memory *memory);

#endif
