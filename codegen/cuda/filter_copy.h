/* Between a convolution's weight as kernels have it and the filter as libraries want it. */
#ifndef CODEGEN_CUDA_FILTER_COPY_H
#define CODEGEN_CUDA_FILTER_COPY_H

#include "codegen/loop.h"
#include "compiler/kernel.h"

/* For a kernel that is a pass of a convolution: the program, of one thread a task, that
 * struct rnet_cuda_convolution (runtime/program.h) describes, named as the kernel with "_filter"
 * behind. The filter is bfloat16 where the kernel's first parameter is. In the arena. */
struct loop_program *filter_copy(struct arena *arena, const struct kernel *kernel);

#endif
