/* rnet build --target cuda: from loop programs to the code and tables of a GPU's executable. */
#ifndef DRIVER_BUILD_CUDA_H
#define DRIVER_BUILD_CUDA_H

#include <stdio.h>

#include "codegen/program_cuda.h"
#include "compiler/pass.h"
#include "driver/options.h"

/* NN of the sm_NN that the options ask for, or of this machine's GPU. */
struct status build_cuda_architecture(const struct options *options, int *out_architecture);

/* Compiles the programs of the plan's kernels with NVRTC. */
struct status build_cuda_code(struct arena *arena, const struct options *options,
                              const struct compilation *compilation,
                              struct loop_program *const *programs, struct program_cuda *out_cuda);

/* --emit cuda: the kernels as text. Needs no NVRTC. */
void build_cuda_text(const struct plan *plan, struct loop_program *const *programs, FILE *stream);

#endif
