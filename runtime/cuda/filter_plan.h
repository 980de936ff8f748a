/* Finding the filters that are copied together.
 *
 * A convolution takes part where the program's steps show whence its weight comes: from the region
 * of the weights, or by a step that exchanges inputs and outputs, which is then left out; and of a
 * weight gradient, that its chunks are added up into the gradients by a step, which is then left
 * out too. Each such filter has a place of its own, and a gradient that of its weight where no step
 * needs the weight any more. What does not take part, or has no room, is copied for each use. */
#ifndef RUNTIME_CUDA_FILTER_PLAN_H
#define RUNTIME_CUDA_FILTER_PLAN_H

#include "runtime/cuda/cudnn.h"
#include "runtime/cuda/filter_table.h"

/* What becomes of a step. */
struct filter_step {
    bool has_place; /* of its filter; nothing is to be copied for it */
    bool is_left_out;
    uint64_t offset; /* bytes from the filters' beginning */
};

/* A phase's part in it. */
struct filter_phase {
    struct filter_step *steps; /* NULL: nothing takes part */
    struct filter_table before, behind;
};

/* Plans a phase, after cuDNN has planned the largest batch; false: there is no memory.
 * `*filter_bytes` is what its filters need. Release it also after a failure. */
bool filter_phase_plan(struct filter_phase *out, struct cudnn *cudnn, enum rnet_phase phase,
                       uint64_t *filter_bytes);

void filter_phase_release(struct filter_phase *phase);

#endif
