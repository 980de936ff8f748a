/* Schedules: how a kernel becomes loops. One a file, tried in a target's order, the naive one
 * last. */
#ifndef CODEGEN_SCHEDULE_H
#define CODEGEN_SCHEDULE_H

#include <stdbool.h>

#include "codegen/loop.h"
#include "compiler/kernel.h"

struct schedule {
    const char *name;
    /* Whether this schedule can build the kernel; not applicable is not an error. */
    bool (*applies)(const struct kernel *kernel);
    /* Appends the body of one task to an empty program whose parameters are already declared, one
     * a kernel's parameter and in its order, and sets the program's tasks. */
    void (*build)(const struct kernel *kernel, struct loop_program *program);
};

/* A place to generate code for: its schedules in order of preference. */
struct target {
    const char *name;
    const struct schedule *const *schedules; /* ends in NULL; the last one always applies */
    bool cuts_weights;                       /* they know weights in blocks (kernel.h) */
};

extern const struct target reference_target; /* naive loops only */
extern const struct target cpu_target;       /* vectorized, then naive */
extern const struct target cuda_target;      /* for NVIDIA GPUs, then naive */

/* Makes the loop program of a kernel with the first schedule that applies, or with the one named
 * `schedule` (NULL result if that does not apply, or weights are cut and must not be). The program
 * is checked by loop_check. */
struct loop_program *schedule_kernel(struct arena *arena, const struct kernel *kernel,
                                     const struct target *target, const char *schedule);

#endif
