/* The values that training starts from. */
#ifndef RUNTIME_INITIALIZE_H
#define RUNTIME_INITIALIZE_H

#include <stdint.h>

#include "runtime/execute.h"

/* Sets every parameter of the executor as the program's table says. A number depends on the seed,
 * the parameter's index and its place in the parameter (in a file's layout), on nothing else. */
void parameters_initialize(const struct executor *executor, uint64_t seed);

#endif
