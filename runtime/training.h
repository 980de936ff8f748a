/* A training: the epochs, what is written after each, and how it ends. */
#ifndef RUNTIME_TRAINING_H
#define RUNTIME_TRAINING_H

#include "runtime/evaluate.h"
#include "runtime/history.h"
#include "runtime/learning_rate.h"
#include "runtime/optimizer.h"
#include "runtime/progress.h"
#include "runtime/report_html.h"
#include "runtime/tensorboard.h"

/* What the command line says; borrowed from it. */
struct train_options {
    const char *data, *out, *init;
    int64_t epochs;       /* 0: the recipe's */
    int64_t steps;        /* -1: no limit */
    double learning_rate; /* < 0: the recipe's */
    int64_t seed;
    struct executor_options computing;
    int64_t checkpoint_every;       /* steps; 0: at the end of each epoch only */
    struct text_list reset, frozen; /* labels of parameters: not from `init`; not trained */
    bool no_shuffle, no_augment, resume, tensorboard;
};

/* What adds up over the training steps of an epoch. A step is one update of the weights, by the
 * recipe's `accumulate` batches; the last step of an epoch takes what is left. */
struct epoch_sums {
    struct tally tally;
    double seconds, waited; /* in the steps; of that, for images */
    double learning_rate;   /* of the last step */
};

/* The batch after the one that is computed, loaded while the device computes. */
struct batch_ahead {
    bool is_loaded;
    int64_t images;       /* 0: the epoch is over */
    struct status status; /* of its loading; of interest only once it is needed */
};

/* Zero it, then open it. */
struct training {
    struct arena arena; /* lives as long as the training */
    struct train_options options;
    struct data_set data;
    struct executor executor;
    struct loader train, validation;
    struct optimizer optimizer;
    struct learning_rate rate;
    struct metrics metrics;
    struct tensorboard board;
    struct history history;
    struct mistakes mistakes; /* of the last validation */
    struct progress progress;
    struct report_facts facts;
    bool holds_run; /* the directory, before this process */
    const char *last_path, *best_path, *report_path, *metrics_path, *csv_path, *board_path,
        *run_path;
    int64_t steps_per_epoch, total_steps;
    int64_t step;           /* optimizer steps done */
    int64_t epoch;          /* whole epochs done, validation included */
    int64_t saved_step;     /* of the newest checkpoint; -1: there is none */
    struct epoch_sums sums; /* of the epoch under way */
    struct batch_ahead ahead;
    int64_t metrics_position;       /* bytes of metrics.jsonl that a resumed run keeps */
    int64_t board_position;         /* likewise of the event file */
    double started, seconds_before; /* this process; seconds of those before it */
};

/* Reads the data, sets up the network and its weights, makes the directory and its metrics.jsonl;
 * with `resume` it takes all of that from the newest checkpoint. A training that is refused leaves
 * no directory behind, and an existing one as it was.
 * Release it also after a failure. */
struct status training_open(struct training *training, const struct rnet_program *program,
                            const struct train_options *options);

void training_release(struct training *training);

/* Trains to the end. STATUS_STOPPED after a signal, STATUS_DIVERGED for a loss or a weight that is
 * not finite; in every case the weight files and checkpoints in the directory are whole. */
struct status training_run(struct training *training);

#endif
