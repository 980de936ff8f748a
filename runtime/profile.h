/* Where the time of a step goes, by kernel, beside what the machine can do. */
#ifndef RUNTIME_PROFILE_H
#define RUNTIME_PROFILE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/text.h"
#include "runtime/execute.h"
#include "runtime/machine_limits.h"
#include "runtime/optimizer.h"

/* One kernel, over one step of training or inference; or what a training does beside kernels. */
struct profile_row {
    const char *name;
    int64_t calls;
    double seconds;       /* each call's median over the timed steps, summed */
    double multiply_adds; /* struct rnet_work, summed */
    double bytes;
};

/* Filled step by step. */
struct profile {
    struct arena *arena;
    const struct rnet_program *program;
    struct optimizer *optimizer; /* NULL: inference */
    int64_t images, steps;       /* of a batch; timed */
    double *call_seconds;        /* [steps][calls of a batch] */
    double *part_seconds;        /* [steps][OPTIMIZER_PARTS] */
    uint64_t calls;              /* of a batch: those of TRAIN and UPDATE, or of INFER */
    struct profile_row *rows;    /* that have calls; the longest first */
    size_t row_count;
    double seconds; /* of all rows */
    struct machine_limits limits;
};

/* Makes room for `steps` steps of the optimizer, or of inference where it is NULL, over batches of
 * `images` images. */
void profile_open(struct profile *profile, struct arena *arena, const struct rnet_program *program,
                  struct optimizer *optimizer, int64_t images, int64_t steps);

/* Runs one step and keeps its times as those of step `step`. */
struct status profile_step(struct profile *profile, struct executor *executor, int64_t step);

/* Makes the rows of all steps, and measures the machine on the executor's threads. */
struct status profile_finish(struct profile *profile, struct executor *executor);

/* A table for people. */
void profile_print(const struct profile *profile);

/* Adds members of a JSON object: "peak_flop_per_second":…,"memory_bytes_per_second":…,
 * "kernels":[{"name":…,"calls":…,"seconds":…,"multiply_adds":…,"bytes":…,…},…] */
void profile_add_json(const struct profile *profile, struct text_builder *text);

#endif
