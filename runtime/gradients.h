/* Gradients between the backward pass and the update: the sum over the batches of one step
 * (`accumulate`), and the limit of their norm (`clip`).
 *
 * The update multiplies gradients by one number (RNET_SCALAR_GRADIENT_SCALE); the mean and the
 * limit are in it. As in PyTorch a step averages the mean gradients of its batches, those of a
 * shorter last batch as well, and the norm is that of all trained parameters together, before
 * weight decay. It is summed in double precision over blocks that depend on the network alone.
 * A device may do the sums itself and takes only the blocks (optimizer.h). */
#ifndef RUNTIME_GRADIENTS_H
#define RUNTIME_GRADIENTS_H

#include "base/arena.h"
#include "runtime/execute.h"
#include "runtime/frozen.h"

/* Rows of one parameter's gradient. */
struct gradient_block {
    const float *first;
    int64_t rows, width, stride; /* in floats */
};

/* Zero it, then open it. */
struct gradients {
    const struct executor *executor;
    float *sum; /* the region: of this step's batches but the last; NULL where each is a step */
    int64_t batches;               /* of this step so far */
    struct gradient_block *blocks; /* for the norm; NULL where there is no limit */
    double *squares;               /* of each block */
    size_t block_count;
};

/* Takes from the recipe what is to be done. The arena must outlive it. */
void gradients_open(struct gradients *gradients, struct arena *arena,
                    const struct executor *executor, const struct frozen *frozen);

/* Takes the gradients that a backward pass has left; those of a step's last batch, `is_last`,
 * become the sum of all. */
struct status gradients_add(struct gradients *gradients, bool is_last);

/* Prepares the update by that sum, and begins the next step. `*norm` is that of the mean gradient
 * before it is limited, which is not finite where a gradient is not; 0 where the recipe does not
 * clip. */
struct status gradients_finish(struct gradients *gradients, double *norm);

#endif
