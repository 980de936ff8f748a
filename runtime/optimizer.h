/* From batches to new weights: what a training does around the phases TRAIN and UPDATE.
 *
 * A step takes the gradients of one or more batches (gradients.h), updates the weights by them,
 * puts back those that are frozen (frozen.h) and lets the average follow (weight_average.h). A
 * device may do all of that by itself, as part of the work that it is given for each batch; then
 * nothing but the norm comes back. Else the host does it between the phases. */
#ifndef RUNTIME_OPTIMIZER_H
#define RUNTIME_OPTIMIZER_H

#include "runtime/frozen.h"
#include "runtime/gradients.h"

/* Zero it, then open it. */
struct optimizer {
    struct executor *executor;
    struct frozen frozen;
    struct gradients gradients;
    int64_t batches; /* of the step so far */
    bool is_last;    /* no other batch belongs to it */
};

/* What of a step is beside the phases. */
enum optimizer_part {
    OPTIMIZER_SUM,     /* of the batches' gradients: `accumulate` */
    OPTIMIZER_LIMIT,   /* of their norm: `clip` */
    OPTIMIZER_FREEZE,  /* frozen parameters are put back */
    OPTIMIZER_AVERAGE, /* of the weights: `ema` */
    OPTIMIZER_PARTS
};

/* How long a step takes. */
struct step_seconds {
    double *train, *update; /* each step of the phase; of TRAIN for the last batch */
    double parts[OPTIMIZER_PARTS];
};

/* Freezes the parameters with one of the labels at their present values, and takes from the recipe
 * what else is to be done. The arena must outlive it. A label that no parameter has is an error. */
struct status optimizer_open(struct optimizer *optimizer, struct arena *arena,
                             struct executor *executor, const struct text_list *labels);

/* Starts forward and backward for a batch of so many images, and what may follow before the host
 * has looked at its loss. `is_last` says that no other batch belongs to step `step`, counted
 * from 1.
 */
struct status optimizer_start(struct optimizer *optimizer, int64_t images, bool is_last,
                              int64_t step);

/* Takes the gradients of a batch whose loss is finite. */
struct status optimizer_add(struct optimizer *optimizer);

/* Ends step `step`: the rest of what makes the new weights. `*norm` is that of the mean gradient
 * before it is limited, 0 where the recipe does not clip. Where it is not finite the training is
 * over, and what the weights are is unspecified. */
struct status optimizer_finish(struct optimizer *optimizer, int64_t step, double *norm);

/* Whether a step has the part. */
bool optimizer_has(const struct optimizer *optimizer, enum optimizer_part part);

/* Runs a step that is not the training's first, of as many batches as the recipe has, each of
 * `images` images, and times it piece by piece. One has run before. */
struct status optimizer_run_timed(struct optimizer *optimizer, int64_t images,
                                  struct step_seconds *seconds);

#endif
