/* Parameters that a training leaves as they are: --freeze LABEL.
 *
 * The update is one pass over all weights, so the frozen ones are put back after it, and their
 * momentum is kept at zero. Statistics of normalization layers are not parameters: those go on. */
#ifndef RUNTIME_FROZEN_H
#define RUNTIME_FROZEN_H

#include "runtime/execute.h"
#include "runtime/options.h"

/* A range of bytes in the regions of the weights and of their momentum. */
struct frozen_range {
    char *weights, *momentum;
    const void *kept;
    size_t size;
};

/* Zero it, then open it. */
struct frozen {
    const struct executor *executor;
    VECTOR(struct frozen_range) ranges;
};

/* Takes the present values of the parameters with one of the labels. The copies live in the
 * arena. A label that no parameter has is an error. */
struct status frozen_open(struct frozen *frozen, struct arena *arena,
                          const struct executor *executor, const struct text_list *labels);

/* Whether the parameter, of the region of the weights, is one of them. */
bool frozen_has(const struct frozen *frozen, const struct rnet_parameter *parameter);

/* Puts the values back. */
struct status frozen_restore(const struct frozen *frozen);

#endif
