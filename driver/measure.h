/* From a file to its report: what `report` and `diff` share. */
#ifndef DRIVER_MEASURE_H
#define DRIVER_MEASURE_H

#include "compiler/report.h"
#include "driver/front.h"

/* Elaborates the file of the options, plans its memory where every layer has code, and gathers the
 * report, in the arena. `*out_report` is NULL where the file has mistakes, which are printed.
 * Errors: STATUS_USAGE for an unknown --count, STATUS_INVALID for a --memory-limit that
 * can't be met. */
struct status measure_network(struct arena *arena, const struct options *options,
                              struct front *out_front, struct report **out_report);

#endif
