/* Computing again what there is no room to keep.
 *
 * A training step keeps what its gradients are made of from the forward half to the backward half.
 * Under a limit of memory the forward half is cut into segments. Of a segment that is computed
 * again only what later segments read is kept; the rest lives as long as the forward half reads it,
 * and its calls run once more before the first gradient that needs any of it: the same kernels,
 * with results of their own. So depth adds no kernel, and the step costs at most one forward pass
 * more. Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
 *
 * No bit of a result changes, for a call that runs again reads what it read before:
 *   - A result that depends on what the step changes in place, as moments do on the running mean
 *     that they are shifted by, is kept, and what changes something in place never runs again. A
 *     convolution with such sums beside its result does, and the sums are ignored.
 *   - Random layers draw from keys, which stay through a step.
 * Results much smaller than what they are made of, such as statistics, are kept as well.
 *
 * The rule knows no network. A segment ends before its results exceed a budget, where the fewest
 * bytes pass from calls before to calls after. The earliest segments are computed again, as many as
 * the limit asks for: theirs wait longest, and when their turn comes the later ones are gone. They
 * drop all that they can, or only what takes less work for its bytes than results do on average.
 * Of all budgets, with either, the one that repeats the least work is taken. */
#ifndef COMPILER_RECOMPUTE_H
#define COMPILER_RECOMPUTE_H

#include "compiler/lower.h"

struct recomputation {
    uint64_t unlimited; /* bytes of the workspace with everything kept */
    uint64_t least;     /* ... with as little kept as this way can; 0: not asked for */
    uint64_t workspace; /* ... as it is now */
    size_t repeated;    /* calls that run again */
    double work;        /* theirs, as a share of the forward half's */
};

/* Repeats calls of a training step so that its workspace takes at most `limit` bytes; with less
 * than that unlimited, or where even the least is more, the calls stay as they are. Requires fused
 * calls: TRAIN, with one SOFTMAX_LOSS between its halves, then UPDATE; or no calls. Time and memory
 * are near linear in their number. Buffers have places then (memory.h). */
struct recomputation recompute_calls(struct calls *calls, uint64_t limit);

#endif
