/* Joining work to what surrounds it, so that a tensor passes through memory fewer times.
 *
 * Rules, applied once in order of execution:
 *   inline    a pointwise call whose result only pointwise calls, channel sums and operands of
 *             convolutions of the same domain read is computed again by each of them, where that
 *             moves no more memory than storing it
 *   epilogue  a convolution or data gradient whose result one pointwise call alone reads computes
 *             what that call does as it stores
 *   sums      channel sums over what a convolution stores, made of nothing that comes later, are
 *             collected as it stores
 *   join      another pointwise call whose result is read by more moves into its first reader, if
 *             that one is pointwise, which then stores both results
 *
 * In a training step of convolutions, batch normalizations and rectifications that leaves in
 * memory what the convolutions gave and the sums of branches: statistics ride in the store,
 * normalization and rectification in the load, and backward likewise.
 *
 * Where a library may compute the convolutions they are kept plain, and only the first and the last
 * rule hold, for the others' calls. */
#ifndef COMPILER_FUSE_H
#define COMPILER_FUSE_H

#include "compiler/lower.h"

/* Requires calls as lower_graph gives them: each workspace buffer is written once. Provides fewer
 * calls with the same results. `keeps_convolutions`: nothing is put into them. */
void fuse_calls(struct calls *calls, bool keeps_convolutions);

#endif
