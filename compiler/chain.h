/* Calls in a row that a library may compute in one piece (struct rnet_cuda_chain): a convolution
 * whose result is finished by the pointwise call behind it, or added up by the channel sum behind
 * that, or both.
 *
 * Fusion leaves convolutions alone where a library may compute them (fuse.h), so that each has its
 * plain kernel; a chain says what else could be computed with it. Whether a library takes it, and
 * is then faster than the calls one by one, is known only where the program runs. */
#ifndef COMPILER_CHAIN_H
#define COMPILER_CHAIN_H

#include "compiler/lower.h"

/* Moves the calls of inference that need nothing but parameters and statistics to its beginning:
 * they stand between convolutions and what finishes their results. */
void chain_make_way(struct calls *calls);

/* Sets each call's `chain`: NULL, or that which begins with it, in the calls' arena and without the
 * numbers of its kernels. Chains do not overlap. Without calls->has_chains there are none. */
void chain_find(struct calls *calls);

/* How many calls, from `call` on, the planner of memory must treat as one. */
uint32_t chain_length(const struct call *call);

#endif
