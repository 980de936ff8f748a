/* How far a training is, on stderr: a bar with the time left on a terminal, lines elsewhere. */
#ifndef RUNTIME_PROGRESS_H
#define RUNTIME_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/history.h"

struct progress {
    bool terminal;
    int64_t epochs, steps_per_epoch, total_steps;
    int64_t first;         /* steps done before the start */
    double started, shown; /* moments, as clock_seconds gives them */
};

struct progress progress_start(int64_t epochs, int64_t steps_per_epoch, int64_t total_steps,
                               int64_t first);

/* "4:05" or "1:02:03", into `text`. */
const char *progress_duration(char text[32], double seconds);

/* Shows a step, unless one was shown just before. */
void progress_step(struct progress *progress, const struct step_record *record);

/* Prints an epoch's line. */
void progress_epoch(struct progress *progress, const struct epoch_record *record, int64_t steps);

/* Removes the bar, if there is one. */
void progress_clear(const struct progress *progress);

/* Shows on a terminal how far something is that the user waits for before anything is computed;
 * nothing remains of it when all is done. */
void progress_wait(const char *what, int64_t done, int64_t all);

/* Prints the validation top-1 of all epochs as a small plot on stderr. */
void progress_curve(const struct history *history);

#endif
