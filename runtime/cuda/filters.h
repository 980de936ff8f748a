/* Filters for cuDNN that are copied together: one launch before a phase's steps for all weights,
 * one behind TRAIN's for all gradients of weights. Which those are is in filter_plan.h. cuDNN must
 * take all of them at the number of images at hand, and the GPU have the memory; if not, each is
 * copied for its use. */
#ifndef RUNTIME_CUDA_FILTERS_H
#define RUNTIME_CUDA_FILTERS_H

#include "runtime/cuda/filter_plan.h"

/* Zero it, then plan it. */
struct filters {
    const struct cuda_code *code;
    struct cudnn *cudnn;
    const struct cuda_memory *memory;
    struct CUfunc_st *functions[RNET_CUDA_FUNCTION_COUNT];
    struct filter_phase phases[RNET_PHASE_COUNT];
    uint64_t bytes; /* of the filters, and of the tables behind them */
    bool lacks_memory;
};

/* Finds what takes part, after cuDNN has planned the largest batch; sets `bytes`. Release it also
 * after a failure. */
struct status filters_plan(struct filters *filters, const struct cuda_code *code,
                           struct cudnn *cudnn);

/* Does without, as the GPU has no memory for them: each filter is copied for its use. */
void filters_forgo(struct filters *filters);

/* Puts the tables into the GPU's memory. */
struct status filters_open(struct filters *filters, const struct cuda_memory *memory);

void filters_release(struct filters *filters);

/* How a phase's steps are run over so many images: NULL, each by itself, or an entry a step. */
const struct filter_step *filters_steps(const struct filters *filters, enum rnet_phase phase,
                                        int64_t images);

/* Puts the copies before or behind a phase's steps on the computing stream; of a phase of which
 * filters_steps has an entry a step. */
struct status filters_before(const struct filters *filters, enum rnet_phase phase);
struct status filters_behind(const struct filters *filters, enum rnet_phase phase);

#endif
