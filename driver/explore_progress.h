/* How far an exploration is, on standard error: on a terminal a line that changes, else lines at a
 * sane rate. */
#ifndef DRIVER_EXPLORE_PROGRESS_H
#define DRIVER_EXPLORE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/run_read.h"

struct explore_progress {
    bool terminal;
    size_t number, count;  /* of the run, from 1; of all runs */
    const char *name;      /* of the run */
    double work_left;      /* multiply-adds an image, summed over the runs to come */
    double work_done;      /* of the runs that this process is through with */
    double started, shown; /* moments */
    double run_started;
    double run_work;    /* of the run under way */
    double first_share; /* how much of it was done before; negative: not known yet */
    double share;       /* how much of it is done */
};

struct explore_progress explore_progress_start(size_t count, double work);

/* A run begins. */
void explore_progress_run(struct explore_progress *progress, size_t number, const char *name,
                          double work);

/* A run has come to `position`; `facts` say how long it is. */
void explore_progress_show(struct explore_progress *progress, const struct run_record *facts,
                           const struct run_position *position);

/* Prints a line of its own about the run. */
void explore_progress_say(const struct explore_progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The run is over; `was_trained`: by this process, whose pace it tells. */
void explore_progress_end(struct explore_progress *progress, bool was_trained);

/* Between two runs: "; about 1:05 left", or nothing where nothing is left or known. */
void explore_progress_left(const struct explore_progress *progress, char text[64]);

#endif
