/* What a GPU can do at most. */
#ifndef RUNTIME_CUDA_LIMITS_H
#define RUNTIME_CUDA_LIMITS_H

#include "runtime/cuda/gpu.h"
#include "runtime/machine_limits.h"

/* Single-precision multiply-adds, tensor cores not counted: what its multiprocessors do at the
 * highest clock. Memory: measured by copying as much as fits, at most 1 GiB, each byte read and
 * written. */
struct status gpu_limits_measure(const struct gpu *gpu, struct machine_limits *out);

#endif
