/* What a training's curves are drawn from. */
#ifndef RUNTIME_HISTORY_H
#define RUNTIME_HISTORY_H

#include "base/vector.h"
#include "runtime/metrics.h"

enum { HISTORY_POINTS = 512 };

/* The losses of all steps, as at most HISTORY_POINTS means of `span` consecutive steps each. Its
 * memory is fixed: when it is full, neighbours are merged and the span doubles. */
struct step_series {
    double points[HISTORY_POINTS];
    int64_t count, span;
    double pending_sum;
    int64_t pending;
};

/* Zero it, then set the arena. */
struct history {
    struct arena *arena;
    struct step_series steps;
    VECTOR(struct epoch_record) epochs;
};

void history_add_step(struct history *history, double loss);
void history_add_epoch(struct history *history, const struct epoch_record *record);

/* Writes a table of the epochs to `path`, atomically: comma-separated, with a line of names. */
struct status history_write_csv(const struct history *history, const char *path);

/* The epoch with the best validation top-1 (the earliest of equals), or NULL. */
const struct epoch_record *history_best(const struct history *history);

#endif
