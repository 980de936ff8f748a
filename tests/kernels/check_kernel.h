/* Checks one kernel on random data: plain reference loops = interpreted loop programs of every
 * schedule that applies, in double and in single precision = compiled code of each. */
#ifndef TESTS_KERNELS_CHECK_KERNEL_H
#define TESTS_KERNELS_CHECK_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "codegen/cpu/lower_llvm.h"
#include "compiler/kernel.h"

enum check_parts {
    CHECK_INTERPRETED = 1, /* slow: small grids only (kernel_shrink) */
    CHECK_COMPILED = 2,
};

/* Runs the kernel over `images` images; `parts` are enum check_parts, or'ed. One with bfloat16 is
 * interpreted alone, as a GPU's. Activations' padding
 * lanes are NaN, outputs are surrounded by guards. Prints what differs to stderr and returns the
 * number of schedules and modes that failed. */
int check_kernel(const struct kernel *kernel, int64_t images, unsigned parts);

/* Random inputs of a kernel, and what it makes of them in double precision. Outputs hold the number
 * -12352 before. In the arena. */
struct kernel_sample {
    void *values[KERNEL_PARAMETERS];      /* float or int32_t; of outputs: what is expected */
    float *magnitudes[KERNEL_PARAMETERS]; /* of outputs: what a rounding error is relative to; -1
                                             where the number does not matter */
    int64_t counts[KERNEL_PARAMETERS];
};

void kernel_sample_make(struct arena *arena, const struct kernel *kernel, int64_t images,
                        struct kernel_sample *out);
/* Runs the kernel as compiled code, made of one of its loop programs, task by task; compares as
 * check_kernel does. Returns whether it failed. */
int check_function(const struct kernel *kernel, int64_t images, const struct loop_program *program,
                   cpu_function *function);

/* Makes a copy in which every parameter that may be bfloat16 is. */
void kernel_to_bfloat16(const struct kernel *kernel, struct kernel *out);

/* Makes a copy with each axis of more than 6 points cut to a few, the other grid following its
 * window, so that it can be interpreted. Returns whether anything was cut; *out is always set. */
bool kernel_shrink(const struct kernel *kernel, struct kernel *out);

#endif
