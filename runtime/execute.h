/* Walks the step tables of a program on a team of threads.
 *
 * The regions are allocated once, when the executor is opened; running a phase allocates nothing.
 * Each step's tasks are shared among the threads, with a barrier between steps. Tasks do not
 * depend on each other, so neither the sharing nor the number of threads changes a result. */
#ifndef RUNTIME_EXECUTE_H
#define RUNTIME_EXECUTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "runtime/program.h"
#include "runtime/threads.h"

struct task_range;

/* Zero it, then open it. */
struct executor {
    const struct rnet_program *program;
    struct thread_team *team;
    char *regions[RNET_REGION_COUNT]; /* zeroed at first; NULL where the program needs none */
    size_t mapped[RNET_REGION_COUNT]; /* bytes of each mapping */
    void **buffers;                   /* address of each of the program's arguments */
    struct task_range *ranges;        /* two sets of one range a thread */
    int64_t *batch_counters;          /* num_batches_tracked, at the parameter's index */
};

/* Checks the program's version, starts the threads (0: one for each processor) and allocates the
 * regions. Release it also after a failure. */
struct status executor_open(struct executor *executor, const struct rnet_program *program,
                            int64_t threads);

void executor_release(struct executor *executor);

/* Runs one phase over the first `images` images of the input, 1 <= images <= program->batch. */
void executor_run(struct executor *executor, enum rnet_phase phase, int64_t images);

/* The address of what a step leaves, or of what the runtime fills. Borrowed. */
const float *executor_result(const struct executor *executor, struct rnet_location location);
float *executor_scalars(const struct executor *executor);

/* "weights", "statistics" ... */
const char *executor_region_name(enum rnet_region region);

/* The distance of two grid points of an activation with so many channels, in floats. */
int64_t channel_stride(int64_t channels);

#endif
