/* Running phases on a GPU, as a graph.
 *
 * The launches of a phase are the same every time, but for the number of images; scalars, keys and
 * the batch lie in the device's memory. So the first run for a number of images launches kernel by
 * kernel and waits for each, which names the kernel that fails and lets libraries set themselves
 * up; the second is captured as a CUDA graph; from then on the graph is all that is launched.
 * With RNET_CHECK_KERNELS in the environment every run is as the first. */
#ifndef RUNTIME_CUDA_PHASES_H
#define RUNTIME_CUDA_PHASES_H

#include "runtime/cuda/chains.h"
#include "runtime/cuda/results.h"
#include "runtime/cuda/step.h"

/* A run of some phases in a row over so many images, and of parts of a step (enum cuda_step_part)
 * between and after them. Both are pieces of work; the numbers of the parts follow the phases'. */
struct phase_run {
    uint32_t pieces; /* a bit for each */
    int64_t images;
    uint64_t used;                /* when, for choosing which to forget */
    struct CUgraphExec_st *graph; /* NULL: it ran once so far */
};

enum { PHASE_RUNS = 16 /* the most that are remembered */ };

/* Zero it, then open it. */
struct phases {
    const struct gpu *gpu;
    const struct rnet_program *program;
    const struct results *results;
    const struct cuda_step *step;
    const struct filters *filters;
    struct launcher launcher;
    struct chains chains;
    struct phase_run runs[PHASE_RUNS];
    int run_count;
    uint64_t clock;
    bool checks; /* every run as the first */
};

struct status phases_open(struct phases *phases, const struct rnet_program *program,
                          const struct cuda_code *code, const struct cuda_memory *memory,
                          const struct results *results, const struct cuda_step *step,
                          struct cudnn *cudnn, const struct filters *filters);

void phases_release(struct phases *phases);

/* Puts `count` different pieces of work on the computing stream. A failing kernel is named where it
 * is known. */
struct status phases_run(struct phases *phases, const uint32_t *pieces, int count, int64_t images);

/* Runs a phase that has run at this number of images before, as a graph of its own that marks the
 * time at each step; sets seconds[i] to how long step i took, and waits. */
struct status phases_run_timed(const struct phases *phases, enum rnet_phase phase, int64_t images,
                               double *seconds);

#endif
