/* Steps of a program, one at a time, on the computing stream: by cuDNN where it takes them, else by
 * their kernels. */
#ifndef RUNTIME_CUDA_LAUNCHER_H
#define RUNTIME_CUDA_LAUNCHER_H

#include "runtime/cuda/filters.h"

/* Zero it, then open it. */
struct launcher {
    const struct cuda_code *code;
    const struct cuda_memory *memory;
    struct cudnn *cudnn;
    device_address *addresses; /* of each of the program's arguments */
};

struct status launcher_open(struct launcher *launcher, const struct cuda_code *code,
                            const struct cuda_memory *memory, struct cudnn *cudnn);

void launcher_release(struct launcher *launcher);

/* Where a step's filter lies; 0: it is copied for the step. `filter` is its entry of filters_steps,
 * or NULL. */
device_address launcher_filter(const struct launcher *launcher, const struct filter_step *filter);

/* Puts a step on the stream, unless `filter` says that it is left out. The first time for a number
 * of images must not be captured. */
struct status launcher_run(const struct launcher *launcher, const struct rnet_step *step,
                           int64_t images, const struct filter_step *filter);

#endif
