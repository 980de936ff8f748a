/* The keys of a training step's random layers (RNET_REGION_KEYS): functions of the seed, the step
 * and the layer, so that neither threads nor an interruption change what is dropped. */
#ifndef RUNTIME_KEYS_H
#define RUNTIME_KEYS_H

#include "runtime/execute.h"

/* Sets them for a step, counted from 0 over the whole training. */
void keys_set(const struct executor *executor, uint64_t seed, int64_t step);

#endif
