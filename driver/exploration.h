/* An exploration: variants of a network, each trained with one or several seeds, in a directory
 * that says how far it is.
 *
 *     DIR/explore.json        what is trained on what; the identity of each variant
 *     DIR/programs/VARIANT    the compiled variants
 *     DIR/logs/VARIANT        what their trainings said
 *     DIR/VARIANT/seed-K      their trainings, as `train --repeat` leaves them
 *     DIR/report.html         the comparison */
#ifndef DRIVER_EXPLORATION_H
#define DRIVER_EXPLORATION_H

#include "driver/vary.h"

struct variant {
    const struct report_setting *settings; /* one for each varied parameter */
    const char *name, *folder;
    uint64_t identity; /* of what a training of it does */
    double macs;       /* multiply-adds for one image */
};

struct exploration {
    struct arena *arena;
    const struct options *options;
    const char *out; /* DIR */
    const char *network;
    char **extra;           /* further options of `train`, ended by NULL */
    const char *extra_text; /* the same as one text */
    struct varied_parameters varied;
    struct variant *variants; /* varied.variant_count */
    int64_t seeds;
    int lock; /* descriptor of the directory, which is locked */
};

/* The options of `build` for a variant. */
struct options exploration_options(const struct exploration *exploration,
                                   const struct variant *variant);

/* DIR/VARIANT/seed-K for the seed number `index`, from 0. */
const char *exploration_run(const struct exploration *exploration, const struct variant *variant,
                            int64_t index);

/* A training that diverged has a mark in its directory, so that it isn't tried again. */
const char *exploration_diverged_mark(const struct exploration *exploration,
                                      const struct variant *variant, int64_t index);

/* Checks all variants and prints what is wrong with any, each diagnostic once; fills identity,
 * macs and the network's name. Returns an exit status. */
int exploration_check(struct exploration *exploration);

/* Makes and locks the directory. What it holds already must be an exploration of the same data and
 * epochs, and what was trained in it the same networks. */
struct status exploration_open(struct exploration *exploration);

/* Trains what is not trained yet, one run after the other. Returns an exit status: EXIT_STOPPED
 * after a signal; EXIT_DIVERGED where a variant diverged, which is no reason not to train the
 * others. */
int exploration_train(struct exploration *exploration);

/* Writes DIR/report.html of the runs that there are, if any; with `stream`, prints their table or
 * JSON too. */
struct status exploration_show(const struct exploration *exploration, FILE *stream);

#endif
