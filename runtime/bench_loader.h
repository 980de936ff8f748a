/* How fast the loader makes training batches, apart from any step. */
#ifndef RUNTIME_BENCH_LOADER_H
#define RUNTIME_BENCH_LOADER_H

#include "base/status.h"
#include "runtime/execute.h"

struct loader_timing {
    int64_t images, steps;
    int threads;
    double seconds;
};

/* Loads `steps` batches of the training part of `data`, augmented by the recipe, epoch after epoch,
 * after as many untimed ones as fill the loader's ring. */
struct status bench_loader(const struct rnet_program *program, const char *data, int64_t steps,
                           const struct executor_options *computing, struct loader_timing *timing);

#endif
