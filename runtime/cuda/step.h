/* What of a step is beside its phases (optimizer.h), on a GPU: sums, norm and limit of gradients,
 * frozen parameters, the average of the weights. All of it is launches, copies and fills in the
 * GPU's memory, so that it is captured with the phases; only the norm comes back.
 *
 * A training's tables and the values of what is frozen are known when it begins, and lie in an
 * allocation of their own. */
#ifndef RUNTIME_CUDA_STEP_H
#define RUNTIME_CUDA_STEP_H

#include "runtime/cuda/code.h"
#include "runtime/cuda/memory.h"
#include "runtime/optimizer.h"

struct step_batch;

/* ORDER PART: numbers of pieces of work, behind those of the phases. */
enum cuda_step_part {
    CUDA_STEP_SUM_BEGIN = RNET_PHASE_COUNT, /* sum = gradients */
    CUDA_STEP_SUM_ADD,                      /* sum = sum + gradients */
    CUDA_STEP_SUM_END,                      /* gradients = gradients + sum */
    CUDA_STEP_LIMIT,
    CUDA_STEP_FREEZE,
    CUDA_STEP_AVERAGE_BEGIN, /* average = weights */
    CUDA_STEP_AVERAGE,
    CUDA_STEP_END
};

enum { CUDA_STEP_PIECES = 8 /* the most of a batch */ };

/* Bytes that lie together in the weights and their momentum, and among the kept. */
struct cuda_frozen {
    uint64_t offset, kept, size;
};

/* Zero it, then open it. */
struct cuda_step {
    const struct cuda_code *code;
    const struct cuda_memory *memory;
    struct CUfunc_st *functions[RNET_CUDA_FUNCTION_COUNT]; /* NULL: the program has none */
    device_address base;                                   /* of the training's allocation */
    uint64_t bytes;                                        /* of that; 0: there is none */
    device_address blocks, norms, norm, kept;
    int64_t block_count;
    struct cuda_frozen *frozen;
    size_t frozen_count;
    float *norm_copy; /* pinned, two numbers */
};

/* Finds the program's functions. Release it also after a failure. */
struct status cuda_step_open(struct cuda_step *step, const struct cuda_code *code,
                             const struct cuda_memory *memory);

void cuda_step_release(struct cuda_step *step);

/* Gives the GPU what a training knows when it begins. */
struct status cuda_step_prepare(struct cuda_step *step, const struct executor *executor,
                                const struct frozen *frozen, const struct gradients *gradients);

/* The pieces of work of a batch, phases included, in their order; returns how many. */
int cuda_step_pieces(const struct cuda_step *step, const struct step_batch *batch,
                     uint32_t pieces[CUDA_STEP_PIECES]);

/* Puts a part on the computing stream. */
struct status cuda_step_launch(const struct cuda_step *step, enum cuda_step_part part);

/* Runs a part, and adds how long it took to the seconds of what it belongs to. */
struct status cuda_step_run_timed(const struct cuda_step *step, enum cuda_step_part part,
                                  double seconds[OPTIMIZER_PARTS]);

/* What a part does, for messages. */
const char *cuda_step_part_name(enum cuda_step_part part);

/* The norm that the last CUDA_STEP_LIMIT found, once that is done. */
double cuda_step_norm(const struct cuda_step *step);

#endif
