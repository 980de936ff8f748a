/* Loop programs to CUDA C.
 *
 * A program becomes one function of its name with C linkage, of the parameters that
 * runtime/program.h describes. A task of a program with threads is a block; of one without, a
 * thread. The text needs no header. */
#ifndef CODEGEN_CUDA_LOWER_CUDA_H
#define CODEGEN_CUDA_LOWER_CUDA_H

#include <stdio.h>

#include "codegen/loop.h"

enum {
    CUDA_TASK_THREADS = 64, /* threads of a block in a program without threads, a task each */
};

/* How the function is launched: threads of a block, and how many tasks a block runs. */
int32_t cuda_block_threads(const struct loop_program *program);
int32_t cuda_block_tasks(const struct loop_program *program);

/* Writes a checked program, for runs over at most `most_images` images. Deterministic. */
void lower_cuda(const struct loop_program *program, int64_t most_images, FILE *stream);

#endif
