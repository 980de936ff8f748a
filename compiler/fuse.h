/* Joining pointwise work to what reads it, so that a tensor passes through memory fewer times.
 *
 * Two rules, applied once in order of execution:
 *   inline  a pointwise call whose result only pointwise calls and channel sums of the same domain
 *           read is computed again by each of them, where that moves no more memory than storing it
 *   join    a pointwise call whose result is read by more than that moves into its first reader, if
 *           that one is pointwise, which then stores both results
 */
#ifndef COMPILER_FUSE_H
#define COMPILER_FUSE_H

#include "compiler/lower.h"

/* Requires calls as lower_graph gives them: each workspace buffer is written once. Provides fewer
 * calls with the same results. */
void fuse_calls(struct calls *calls);

#endif
