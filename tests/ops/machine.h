/* Runs a whole compiled plan in the interpreter, in double precision: the slow truth about a
 * training step, without any machine code. */
#ifndef TESTS_OPS_MACHINE_H
#define TESTS_OPS_MACHINE_H

#include "codegen/loop.h"
#include "codegen/schedule.h"
#include "compiler/pass.h"

struct machine {
    struct arena *arena;
    struct compilation compilation;
    struct loop_program **programs;
    double *regions[RNET_REGION_COUNT]; /* one double for each float32 of the program */
    int32_t *labels;
    int32_t *keys; /* of the random layers */
};

/* Compiles the graph (whose logits are `logits`) for the recipe with the schedules of `target` and
 * sets all memory to zero. Passes are verified; a fault ends the process with a message. */
void machine_init(struct machine *machine, struct arena *arena, struct graph *graph,
                  tensor_id logits, const struct recipe *recipe, const struct target *target,
                  bool fuse);

/* Runs all steps of a phase over `images` images. */
void machine_run(struct machine *machine, enum rnet_phase phase, int64_t images);

/* The mean of the losses that TRAIN (training) or LOSS left, over `images` images. */
double machine_loss(const struct machine *machine, int64_t images, bool training);

/* How many values the weights' region holds, padding included. */
size_t machine_weight_count(const struct machine *machine);

/* For each of them, whether it is a parameter's value and not padding. In the machine's arena. */
const bool *machine_weight_mask(const struct machine *machine);

#endif
