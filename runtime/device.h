/* What a device does for an executor (execute.h): a table of functions for each kind.
 *
 * Above this line nothing knows where a program runs. The processor's table is in execute.c, the
 * one of NVIDIA GPUs in cuda/device.c. */
#ifndef RUNTIME_DEVICE_H
#define RUNTIME_DEVICE_H

#include "runtime/execute.h"

struct frozen;
struct gradients;
struct step_seconds;

/* Where a batch stands in its step, an update of the weights by the gradients of some batches. */
struct step_batch {
    bool is_first, is_last;
    bool starts_average; /* of the weights: the step is the training's first */
};

/* Each function is as the executor's of that name says. */
struct device_operations {
    const char *kind; /* "cpu", "cuda" */
    /* Maps the host's memory and makes all else that running needs. The team has been started.
     * `number` is the N of "cuda:N". */
    struct status (*open)(struct executor *executor, const struct executor_options *options,
                          int64_t number);
    void (*release)(struct executor *executor); /* also after a failed open */
    struct status (*submit)(struct executor *executor, int64_t images);
    /* Runs `count` phases one after the other. */
    struct status (*run)(struct executor *executor, const enum rnet_phase *phases, int count,
                         int64_t images);
    /* The parts of a step (optimizer.h) that the device does by itself; NULL where the host does
     * them. open_step: before the first batch, with what is frozen and the blocks of the norm.
     * run_batch: TRAIN, and the sum of the gradients; after the last batch also their norm and its
     * limit, UPDATE, frozen parameters and the average. The host has set the scalars. Where
     * `seconds` is not NULL the batch runs piece by piece, waited for, and their times are set
     * there, those of parts added. read_norm: of the last step. */
    struct status (*open_step)(struct executor *executor, const struct frozen *frozen,
                               const struct gradients *gradients);
    struct status (*run_batch)(struct executor *executor, int64_t images,
                               const struct step_batch *batch, struct step_seconds *seconds);
    struct status (*read_norm)(struct executor *executor, double *norm);
    struct status (*run_timed)(struct executor *executor, enum rnet_phase phase, int64_t images,
                               double *step_seconds);
    struct status (*limits)(struct executor *executor, struct machine_limits *out);
    struct status (*read)(struct executor *executor, struct rnet_location location, int64_t count,
                          const float **out);
    struct status (*fetch)(const struct executor *executor, enum rnet_region region);
    void (*changed)(const struct executor *executor, enum rnet_region region);
    struct status (*write)(const struct executor *executor, enum rnet_region region,
                           uint64_t offset, const void *bytes, size_t size);
    struct status (*wait)(struct executor *executor);
    const char *(*name)(const struct executor *executor);
    int64_t (*bytes)(const struct executor *executor);
};

extern const struct device_operations cpu_operations, cuda_operations;

/* Maps `region` of the host's memory, zeroed, where the program needs it. It is the executor's to
 * unmap. */
struct status executor_map_region(struct executor *executor, enum rnet_region region);

#endif
