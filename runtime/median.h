/* The median of measured times: what one slow moment of a shared machine does not move. */
#ifndef RUNTIME_MEDIAN_H
#define RUNTIME_MEDIAN_H

#include <stdint.h>

/* Sorts `count` >= 1 values in place and returns the middle one, or the mean of the two. */
double median_sort(double *values, int64_t count);

#endif
