/* Walks the step tables of a program on a device: the processor, or a GPU.
 *
 * Everything is allocated once, when the executor is opened; running a phase allocates nothing.
 * What runs where is the device's business (device.h): on the processor a team of threads shares
 * each step's tasks, with a barrier between steps; tasks do not depend on each other, so neither
 * the sharing nor the number of threads changes a result.
 *
 * A device may be ahead of or behind the host's memory. Its work is done in the order in which it
 * was asked for, but may be done later: only executor_read, executor_fetch and executor_wait wait
 * for it. Once a device fails it stays failed, and whatever is asked next says so. */
#ifndef RUNTIME_EXECUTE_H
#define RUNTIME_EXECUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "runtime/program.h"
#include "runtime/threads.h"

struct device_operations;
struct machine_limits;
struct task_range;

/* Zero it, then open it. */
struct executor {
    const struct rnet_program *program;
    const struct device_operations *operations; /* of the device; NULL until it is open */
    void *device;                               /* what the operations keep */
    struct thread_team *team;
    /* The host's memory, zeroed at first; NULL where the program needs none.
     *   weights, statistics, gradients, momentum   read them after executor_fetch, and say
     *                                              executor_changed after writing to them
     *   input, labels   where the next batch goes; moves with executor_submit
     *   scalars, keys   taken at each executor_run
     *   workspace       of the processor alone; NULL on other devices */
    char *regions[RNET_REGION_COUNT];
    size_t mapped[RNET_REGION_COUNT]; /* bytes of each mapping */
    void **buffers;                   /* address of each of the program's arguments */
    struct task_range *ranges;        /* two sets of one range a thread */
    int64_t *batch_counters;          /* num_batches_tracked, at the parameter's index */
};

struct executor_options {
    int64_t threads;    /* 0: one for each processor */
    const char *device; /* "cpu" or "cuda:N"; NULL: what the program was compiled for */
    bool tune;          /* measure what can be computed in several ways */
};

/* Checks the program's version, starts the threads, opens the device and makes its memory.
 * Release it also after a failure. */
struct status executor_open_with(struct executor *executor, const struct rnet_program *program,
                                 const struct executor_options *options);
struct status executor_open(struct executor *executor, const struct rnet_program *program,
                            int64_t threads);

void executor_release(struct executor *executor);

/* Gives the device the first `images` images and labels of regions[INPUT] and regions[LABELS] as
 * the next batch; TRAIN and INFER compute with the last one given. The two pointers then show where
 * the batch after it goes, which may be filled while the device computes. */
struct status executor_submit(struct executor *executor, int64_t images);

/* Runs one phase over the first `images` images of the batch, 1 <= images <= program->batch. */
struct status executor_run(struct executor *executor, enum rnet_phase phase, int64_t images);

/* Runs one phase that has run before, waits for it, and sets step_seconds[i] to how long step i of
 * it took, the way to the next step included. */
struct status executor_run_timed(struct executor *executor, enum rnet_phase phase, int64_t images,
                                 double *step_seconds);

/* Measures what the device can do at most. */
struct status executor_limits(struct executor *executor, struct machine_limits *out);

/* Runs TRAIN, then UPDATE, as one piece of work where the device can. */
struct status executor_run_step(struct executor *executor, int64_t images);

/* Waits for what a phase has left at a location of the program, `count` numbers, and shows where
 * they are. Borrowed, until that phase runs again. */
struct status executor_read(struct executor *executor, struct rnet_location location, int64_t count,
                            const float **out);

/* Makes regions[region] hold what the device has; of the first four regions. */
struct status executor_fetch(const struct executor *executor, enum rnet_region region);

/* Says that regions[region] was written to, so that the device takes it before it goes on. */
void executor_changed(const struct executor *executor, enum rnet_region region);

/* Writes to a part of a region, of the first four, wherever it is; NULL writes zeros. */
struct status executor_write(const struct executor *executor, enum rnet_region region,
                             uint64_t offset, const void *bytes, size_t size);

/* Waits until the device has done all that it was asked. */
struct status executor_wait(struct executor *executor);

/* The run-time scalars, to be filled. Borrowed. */
float *executor_scalars(const struct executor *executor);

/* What computes, for people: "cpu, 2 threads", "cuda:0, NVIDIA H100 80GB HBM3". Borrowed. */
const char *executor_device_name(const struct executor *executor);

/* The most bytes that were needed on the device; 0 on the processor. */
int64_t executor_device_bytes(const struct executor *executor);

/* "weights", "statistics" ... */
const char *executor_region_name(enum rnet_region region);

/* The distance of two grid points of an activation with so many channels, in floats. */
int64_t channel_stride(int64_t channels);

#endif
