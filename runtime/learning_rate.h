/* The learning rate of each step: the base rate times the factor of every schedule entry.
 *
 *     step(factor, m1, m2 ...)   the factor once for each milestone (in epochs) that has begun
 *     cosine                     from 1 to 0 along half a cosine over the whole training
 *     warmup(epochs)             from near 0 to 1, linearly, step by step */
#ifndef RUNTIME_LEARNING_RATE_H
#define RUNTIME_LEARNING_RATE_H

#include "base/arena.h"
#include "base/status.h"
#include "runtime/program.h"

/* A schedule for `epochs` epochs of `steps_per_epoch` steps. */
struct learning_rate {
    double base;
    const struct rnet_schedule *entries; /* borrowed, or stretched in an arena */
    uint32_t count;
    int64_t epochs, steps_per_epoch;
};

/* Checks the recipe's schedule and stretches it from the recipe's epochs to `epochs`: milestone m
 * becomes floor(m * epochs / recipe's), a warmup likewise but exactly. `*note`, if set, says what
 * became of it, or is NULL when nothing changed. Text and schedule live in the arena. */
struct status learning_rate_open(struct learning_rate *rate, struct arena *arena,
                                 const struct rnet_recipe *recipe, int64_t epochs,
                                 int64_t steps_per_epoch, const char **note);

/* The rate of step `step` (0-based) within epoch `epoch` (0-based). */
double learning_rate_at(const struct learning_rate *rate, int64_t epoch, int64_t step);

#endif
