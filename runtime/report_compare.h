/* One page for several runs: their curves together, and a table of what came out. */
#ifndef RUNTIME_REPORT_COMPARE_H
#define RUNTIME_REPORT_COMPARE_H

#include "runtime/history.h"

/* A run as a page shows it; nothing of it needs the network's program. */
struct report_run {
    const char *name;
    const struct history *history;
    double parameters, gflops; /* 0: unknown */
};

/* The best and the last validation error of a run in percent, NAN without an epoch. */
double report_run_best(const struct report_run *run);
double report_run_last(const struct report_run *run);

/* The mean and the standard deviation (of a sample; 0 for one) of `count` numbers. */
void mean_and_deviation(const double *numbers, size_t count, double *mean, double *deviation);

/* Writes the page, atomically. */
struct status report_compare_write(const char *path, const char *title, const char *subtitle,
                                   const struct report_run *runs, size_t count);

#endif
