/* What phases leave for the host to read: losses, ranks, logits, other outputs.
 *
 * All but the last are copied to pinned memory as the last thing that their phase does, whether the
 * host will look or not: it is little, and so nothing waits for a decision of the host's. Outputs
 * other than logits may be large, and are copied when they are read. */
#ifndef RUNTIME_CUDA_RESULTS_H
#define RUNTIME_CUDA_RESULTS_H

#include "runtime/cuda/memory.h"

/* ORDER RESULT: as in results.c's table. */
enum {
    RESULT_TRAIN_LOSS,
    RESULT_TRAIN_RANK,
    RESULT_LOGITS,
    RESULT_LOSS,
    RESULT_RANK,
    RESULT_COUNT
};

struct result {
    struct rnet_location location;
    enum rnet_phase phase;
    size_t bytes; /* of a whole batch */
    float *copy;  /* pinned */
    uint64_t run; /* when the phase ran last; two results may have one location */
};

/* Zero it, then open it. */
struct results {
    const struct gpu *gpu;
    const struct cuda_memory *memory;
    float *output; /* the other output that was read last; NULL: none */
    size_t output_bytes;
    struct result items[RESULT_COUNT];
    struct CUevent_st *done; /* all copies of all runs so far */
    uint64_t runs;
};

struct status results_open(struct results *results, const struct cuda_memory *memory,
                           const struct rnet_program *program);

void results_release(struct results *results);

/* Puts the copies of a phase's results on the computing stream: part of what a graph captures. */
struct status results_copy(const struct results *results, enum rnet_phase phase);

/* Marks the results of a phase as the newest, once its work has been put on the stream. */
struct status results_mark(struct results *results, enum rnet_phase phase);

/* Waits for the newest result at a location, and shows it. */
struct status results_read(struct results *results, struct rnet_location location, int64_t count,
                           const float **out);

#endif
