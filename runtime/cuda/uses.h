/* Which steps of a phase use the same memory, one after the other.
 *
 * Memory of the workspace is used again and again: which step uses a place next says whose the
 * place is. Arguments of different steps that are the same memory begin at the same place, as the
 * planner gives places to whole buffers. */
#ifndef RUNTIME_CUDA_USES_H
#define RUNTIME_CUDA_USES_H

#include <stdbool.h>

#include "base/arena.h"
#include "runtime/program.h"

/* What a step does with the memory at one place. */
struct use {
    uint64_t offset; /* bytes into the region */
    int64_t step;
    uint32_t region;
    bool loads; /* it does not only store */
};

/* One for each step and place, in the order of places, then of steps. */
struct uses {
    struct use *items;
    size_t count;
};

/* Collects those of a phase. They live in the arena. */
struct uses uses_collect(struct arena *arena, const struct rnet_program *program,
                         enum rnet_phase phase);

/* The last use before step `step`'s of a place that is among its arguments, or the first one after
 * it; NULL: there is none. Borrowed. */
const struct use *use_before(const struct uses *uses, const struct rnet_argument *place,
                             int64_t step);
const struct use *use_after(const struct uses *uses, const struct rnet_argument *place,
                            int64_t step);

#endif
