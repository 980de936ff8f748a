/* One page for several runs: their curves together, and a table of what came out. */
#ifndef RUNTIME_REPORT_COMPARE_H
#define RUNTIME_REPORT_COMPARE_H

#include <stdbool.h>

#include "runtime/history.h"

/* Something that tells runs apart, such as a parameter and its value; plain text. */
struct report_setting {
    const char *name, *value;
};

/* A run as a page shows it: one training, or several that differ in their seed alone. Nothing of
 * it needs the network's program. */
struct report_run {
    const char *name;
    const struct history *const *seeds;    /* what each training measured */
    size_t seed_count;                     /* at least 1 */
    double parameters, gflops;             /* 0: unknown */
    const struct report_setting *settings; /* all runs of a page have the same names, in order */
    size_t setting_count;
    const char *note; /* what else is to be said, such as "not finished"; may be NULL */
};

struct report_page {
    const char *title, *subtitle;
    bool differ_in_seed;                /* the runs are alike, so that their mean says something */
    const struct report_setting *facts; /* true of all runs */
    size_t fact_count;
};

/* An error in percent over the seeds of a run, of those that have a whole epoch; without one, all
 * NAN. The deviation is that of a sample, 0 for one seed. */
struct report_error {
    double mean, deviation, least;
};

/* The validation's top-1 error, of each seed's best epoch and of its last one. */
struct report_error report_run_best(const struct report_run *run);
struct report_error report_run_last(const struct report_run *run);

/* The epochs that all seeds of a run have done. */
size_t report_run_epochs(const struct report_run *run);

/* Training images a second, over all epochs and seeds; NAN where unknown. */
double report_run_speed(const struct report_run *run);

/* The number of the run with the least mean of report_run_best; `count` where no run has one. */
size_t report_best_run(const struct report_run *runs, size_t count);

/* A number as tables show it: rounded, in groups of three digits; empty if it is not positive. */
const char *report_whole(struct arena *arena, double number);

/* The mean and the standard deviation (of a sample; 0 for one) of `count` numbers. */
void mean_and_deviation(const double *numbers, size_t count, double *mean, double *deviation);

/* Writes the page, atomically. */
struct status report_compare_write(const char *path, const struct report_page *what,
                                   const struct report_run *runs, size_t count);

#endif
