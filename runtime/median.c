/* See median.h. */
#include "runtime/median.h"

#include <stdlib.h>

static int order(const void *first, const void *second)
{
    double a = *(const double *)first, b = *(const double *)second;
    return a < b ? -1 : a > b;
}

double median_sort(double *values, int64_t count)
{
    qsort(values, (size_t)count, sizeof *values, order);
    return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}
