/* The CUDA C of loop programs, compiled for this processor: what a GPU is told, run without one.
 *
 * A block's threads are contexts of execution that take turns: each runs to the next barrier. */
#ifndef TESTS_KERNELS_HOST_CUDA_H
#define TESTS_KERNELS_HOST_CUDA_H

#include "codegen/cpu/lower_llvm.h"

struct host_cuda; /* the loaded code */

/* Compiles programs of different names with CC (cc by default) at once, for runs over at most
 * `most_images` images, and loads them. The functions are valid until host_cuda_free. Prints what
 * is wrong and returns NULL if anything is. */
struct host_cuda *host_cuda_new(struct loop_program *const *programs, size_t count,
                                int64_t most_images, cpu_function **out_functions);
void host_cuda_free(struct host_cuda *host);

/* Compiles them to a library at `path`, with a function run_NAME, as cpu_function, and an int
 * parameters_NAME for each. Prints what is wrong and returns false if anything is. */
bool host_cuda_build(struct loop_program *const *programs, size_t count, int64_t most_images,
                     const char *path);

#endif
