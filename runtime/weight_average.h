/* The exponential moving average of the weights (`ema`).
 *
 * After each step, average = decay average + (1 - decay) weights, of the parameters and of the
 * running statistics of normalization layers alike; the first step's weights are taken as they
 * are. (PyTorch: torch.optim.swa_utils.AveragedModel with use_buffers.) The average is what a
 * training evaluates and writes into weight files, so it can change places with the weights. */
#ifndef RUNTIME_WEIGHT_AVERAGE_H
#define RUNTIME_WEIGHT_AVERAGE_H

#include "base/arena.h"
#include "runtime/execute.h"

/* ORDER AVERAGED: the regions that an average holds. */
enum { AVERAGED_WEIGHTS, AVERAGED_STATISTICS, AVERAGED_COUNT };

/* A copy of a region. */
struct averaged_region {
    enum rnet_region region;
    float *values; /* NULL: no average is kept, or the network has none */
    int64_t count;
};

/* Zero it, then open it. */
struct weight_average {
    const struct executor *executor;
    struct averaged_region regions[AVERAGED_COUNT];
};

/* Makes room in the arena where the recipe keeps an average; without one the rest does nothing. */
void weight_average_open(struct weight_average *average, struct arena *arena,
                         const struct executor *executor);

/* Takes the weights as they are after `step` steps. */
struct status weight_average_update(const struct weight_average *average, int64_t step);

/* Exchanges the average with the weights: for evaluation and files, and then back. */
struct status weight_average_exchange(const struct weight_average *average);

#endif
