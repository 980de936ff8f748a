/* A kernel with inputs and what they give, as a file: made where the compiler is (record_kernels),
 * run where a GPU is (replay_kernels). A file holds cases one after the other: the header, then the
 * name, cubin and PTX, then each parameter's numbers, four bytes each, also where the kernel has
 * bfloat16 - for outputs those that are expected, unrounded - and then, for each output, how large
 * what was summed is: the scale of rounding errors, and -1 where the number does not matter. */
#ifndef TESTS_GPU_KERNEL_CASE_H
#define TESTS_GPU_KERNEL_CASE_H

#include <stdint.h>

#define KERNEL_CASE_MAGIC "rnetcas2"

enum { KERNEL_CASE_PARAMETERS = 24 };

struct kernel_case {
    char magic[8];
    uint32_t parameter_count, first_output;
    uint32_t threads, tasks_per_block, shared_bytes, architecture;
    int64_t images, tasks;
    uint64_t name_bytes, cubin_bytes, ptx_bytes; /* the name without, the PTX with its NUL */
    uint64_t counts[KERNEL_CASE_PARAMETERS];     /* of numbers */
    uint8_t is_bfloat16[KERNEL_CASE_PARAMETERS]; /* in the kernel's memory */
};

/* What outputs hold before the kernel runs; some kernels read them. */
static const float kernel_case_before = -12352.0f; /* exact in bfloat16 */

#endif
