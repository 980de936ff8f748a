/* Filters for cuDNN that are copied together: one launch before a phase's steps for all weights,
 * one behind TRAIN's for all gradients of weights.
 *
 * A convolution takes part where the program's steps show whence its weight comes: from the region
 * of the weights, or by a step that exchanges inputs and outputs, which is then left out; and of a
 * weight gradient, that its chunks are added up into the gradients by a step, which is then left
 * out too. Each such filter has a place of its own, and a gradient that of its weight where no step
 * needs the weight any more. What does not take part, or has no room, is copied for each use as
 * before. cuDNN must take all that take part at the number of images at hand; if not, none does. */
#ifndef RUNTIME_CUDA_FILTERS_H
#define RUNTIME_CUDA_FILTERS_H

#include "runtime/cuda/cudnn.h"

/* What becomes of a step. */
struct filter_step {
    bool has_place; /* of its filter; nothing is to be copied for it */
    bool is_left_out;
    uint64_t offset; /* bytes from the filters' beginning */
};

/* Copies of one launch. */
struct filter_table {
    enum rnet_cuda_function_kind function;
    int32_t *copies, *parts; /* as program.h says; freed once they are on the GPU */
    int64_t copy_count, part_count;
    device_address copies_at, parts_at;
};

/* A phase's part in it. */
struct filter_phase {
    struct filter_step *steps; /* NULL: nothing takes part */
    struct filter_table before, behind;
};

/* Zero it, then plan it. */
struct filters {
    const struct cuda_code *code;
    struct cudnn *cudnn;
    const struct cuda_memory *memory;
    struct CUfunc_st *functions[RNET_CUDA_FUNCTION_COUNT];
    struct filter_phase phases[RNET_PHASE_COUNT];
    uint64_t filter_bytes, bytes; /* of the filters; with the tables behind them */
};

/* Finds what takes part, after cuDNN has planned the largest batch; sets `bytes`. Release it also
 * after a failure. */
struct status filters_plan(struct filters *filters, const struct cuda_code *code,
                           struct cudnn *cudnn);

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
