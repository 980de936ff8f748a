/* A training: the epochs, what is written after each, and how it ends. */
#ifndef RUNTIME_TRAINING_H
#define RUNTIME_TRAINING_H

#include "runtime/evaluate.h"
#include "runtime/history.h"
#include "runtime/learning_rate.h"
#include "runtime/progress.h"
#include "runtime/report_html.h"

/* What the command line says; borrowed from it. */
struct train_options {
    const char *data, *out, *init;
    int64_t epochs;       /* 0: the recipe's */
    int64_t steps;        /* -1: no limit */
    double learning_rate; /* < 0: the recipe's */
    int64_t seed, threads;
    bool no_shuffle, no_augment;
};

/* Zero it, then open it. */
struct training {
    struct arena arena; /* lives as long as the training */
    struct train_options options;
    struct data_set data;
    struct executor executor;
    struct loader train, validation;
    struct learning_rate rate;
    struct metrics metrics;
    struct history history;
    struct progress progress;
    struct report_facts facts;
    const char *last_path, *best_path, *report_path, *metrics_path;
    int64_t steps_per_epoch, total_steps;
    int64_t step; /* optimizer steps done */
    double started;
};

/* Reads the data, sets up the network and its weights, makes the directory and its metrics.jsonl.
 * Release it also after a failure. */
struct status training_open(struct training *training, const struct rnet_program *program,
                            const struct train_options *options);

void training_release(struct training *training);

/* Trains to the end. STATUS_STOPPED after a signal, STATUS_DIVERGED for a loss that is not
 * finite; in every case the weight files in the directory are whole. */
struct status training_run(struct training *training);

#endif
