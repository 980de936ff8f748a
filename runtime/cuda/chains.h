/* Chains of steps by cuDNN in one piece (struct rnet_cuda_chain), where that is faster.
 *
 * Only a program that tunes asks for them, and only at the largest batch: most engines that compute
 * a chain are compiled when they are planned, and which of them pays is known by measuring alone.
 * The first time a kind of chain is met, its steps are timed as they follow each other, and then
 * each way that cuDNN has. A way is taken if it is faster and gives the same: tensors as the steps
 * leave them, as far as two engines round alike, and sums as the step that adds up makes them of
 * those tensors. Where all of them are zero nothing is known, and the steps stay. */
#ifndef RUNTIME_CUDA_CHAINS_H
#define RUNTIME_CUDA_CHAINS_H

#include "runtime/cuda/launcher.h"

enum {
    CHAIN_NOT_CHOSEN = -2, /* not met yet */
    CHAIN_BY_STEPS = -1,
};

/* Zero it, then open it. */
struct chains {
    const struct launcher *launcher;
    int *chosen; /* of each chain of the program: a way of cuDNN's, or as above */
};

struct status chains_open(struct chains *chains, const struct launcher *launcher);

void chains_release(struct chains *chains);

/* How many kinds of chains cuDNN computes; *met: of how many that were met. */
uint64_t chains_taken(const struct chains *chains, uint64_t *met);

/* Puts the chain that begins with `step` on the stream; *length says of how many steps, 0 where it
 * is left to them. `filters` is the step's entry of filters_steps and those behind, or NULL. The
 * first time must not be captured. */
struct status chains_run(const struct chains *chains, const struct rnet_step *step, int64_t images,
                         const struct filter_step *filters, uint32_t *length);

#endif
