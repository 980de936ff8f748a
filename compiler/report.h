/* What is known of a network at compile time: layers, parameters, multiply-adds, memory. */
#ifndef COMPILER_REPORT_H
#define COMPILER_REPORT_H

#include "compiler/pass.h"

/* All trained parameters, padding not counted. */
int64_t report_parameters(const struct graph *graph);

/* Multiply-adds of convolutions and linear layers, for one image. */
int64_t report_macs(const struct graph *graph);

/* The report as one JSON object, with the keys of the command line's contract. Requires all passes
 * to have run. The text lives in the arena. */
const char *report_json(const struct compilation *compilation, struct arena *arena);

#endif
