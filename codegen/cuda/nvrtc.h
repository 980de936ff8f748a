/* NVRTC, NVIDIA's compiler for kernels: opened while rnet runs, so that rnet is the same program on
 * machines with and without it, and needs none of its headers. */
#ifndef CODEGEN_CUDA_NVRTC_H
#define CODEGEN_CUDA_NVRTC_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

struct nvrtc; /* the opened library */

/* Opens the library: in the folder that the environment's RNET_CUDA names, or else in
 * `configured_folder` (of a CUDA toolkit or one of NVIDIA's Python wheels; NULL or empty: none), or
 * else where the system looks. STATUS_INVALID with a message that says how to get it. */
struct status nvrtc_open(const char *configured_folder, struct nvrtc **out_nvrtc);
void nvrtc_close(struct nvrtc *nvrtc);

/* STATUS_INVALID, with those that there are, unless code can be generated for architecture NN of
 * sm_NN. */
struct status nvrtc_check_architecture(const struct nvrtc *nvrtc, int architecture);

/* What a text is compiled to; in the arena. */
struct nvrtc_code {
    char *cubin, *ptx;
    size_t cubin_bytes, ptx_bytes; /* the latter with the NUL that ends it */
};

/* Compiles a text named `name`, in any thread. STATUS_INVALID with the compiler's first lines. */
struct status nvrtc_compile(const struct nvrtc *nvrtc, struct arena *arena, const char *name,
                            const char *text, int architecture, struct nvrtc_code *out_code);

/* The architecture of the first GPU of this machine: NN of sm_NN; 0 if there is none. */
int cuda_gpu_architecture(void);

#endif
