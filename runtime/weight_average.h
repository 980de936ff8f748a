/* The exponential moving average of the weights (`ema`).
 *
 * After each step, average = decay average + (1 - decay) weights, of the parameters and of the
 * running statistics of normalization layers alike; the first step's weights are taken as they
 * are. (PyTorch: torch.optim.swa_utils.AveragedModel with use_buffers.) The average is what a
 * training evaluates and writes into weight files, so it can change places with the weights. It
 * lies in regions of the program, which are empty where the recipe keeps none: then both functions
 * do nothing. */
#ifndef RUNTIME_WEIGHT_AVERAGE_H
#define RUNTIME_WEIGHT_AVERAGE_H

#include "runtime/execute.h"

/* Takes the weights as they are after `step` steps. */
struct status weight_average_update(const struct executor *executor, int64_t step);

/* Exchanges the average with the weights: for evaluation and files, and then back. */
struct status weight_average_exchange(const struct executor *executor);

#endif
