/* Loop programs to code for NVIDIA GPUs, several at a time. */
#ifndef CODEGEN_CUDA_COMPILE_H
#define CODEGEN_CUDA_COMPILE_H

#include "base/arena.h"
#include "base/status.h"
#include "codegen/cuda/nvrtc.h"
#include "codegen/loop.h"

enum {
    CUDA_DEFAULT_ARCHITECTURE = 90, /* where there is no GPU to ask */
};

/* What to generate code for. */
struct cuda_target {
    const char *configured_folder; /* where NVRTC may be; see nvrtc_open */
    int architecture;              /* NN of sm_NN */
    int64_t most_images;           /* the most that a step is run over */
    int threads;                   /* how many programs to compile at a time; 0: one a processor */
};

/* Compiles `count` checked programs (lower_cuda.h), each a module of its own that also holds the
 * program of the same number in `copies`, where that is not NULL. The same programs, target and
 * NVRTC give the same bytes, whatever the number of threads. */
struct status cuda_compile(struct arena *arena, const struct cuda_target *target,
                           struct loop_program *const *programs, struct loop_program *const *copies,
                           size_t count, struct nvrtc_code *out_code);

#endif
