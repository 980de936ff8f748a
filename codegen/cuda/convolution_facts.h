/* What a library needs to know of a kernel that is a pass of a convolution. */
#ifndef CODEGEN_CUDA_CONVOLUTION_FACTS_H
#define CODEGEN_CUDA_CONVOLUTION_FACTS_H

#include <stdbool.h>

#include "compiler/kernel.h"
#include "runtime/program.h"

/* Whether the kernel is a pass of a convolution; then describes it, but for `filter`. */
bool convolution_facts(const struct kernel *kernel, struct rnet_cuda_convolution *out_facts);

/* What the kernel does to a weight before a convolution, or to what a weight gradient leaves. */
enum rnet_cuda_role convolution_role(const struct kernel *kernel);

#endif
