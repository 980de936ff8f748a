/* What a training measures, and metrics.jsonl: one JSON object a line, written as it happens. */
#ifndef RUNTIME_METRICS_H
#define RUNTIME_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

struct step_record {
    int64_t epoch; /* 0-based */
    int64_t step;  /* 1-based, over all epochs */
    double loss;   /* mean of the batch, before the update */
    double learning_rate, images_per_second;
    bool clips;           /* the recipe limits the norm of the gradients, so it was measured: */
    double gradient_norm; /* before it was limited */
};

/* Accuracies are in percent. */
struct epoch_record {
    int64_t epoch; /* 0-based */
    double train_loss, train_top1;
    double validation_loss, validation_top1, validation_top5;
    double learning_rate;     /* of its last step */
    double images_per_second; /* of its training steps */
    double waiting;           /* share of its training steps spent on getting images */
};

/* Zero it, then open it. Borrows the path. */
struct metrics {
    FILE *stream;
    const char *path;
};

/* Makes the file; that it exists already is an error. It stays locked against other processes. */
struct status metrics_create(struct metrics *metrics, const char *path);

/* Opens the file to go on with it, making it where it is missing; it stays locked as well. */
struct status metrics_reopen(struct metrics *metrics, const char *path);

/* Cuts a reopened file back to `position` bytes, where the next line goes. */
struct status metrics_cut(struct metrics *metrics, int64_t position);

/* Brings all lines to the disk and tells how many bytes they are. */
struct status metrics_sync(struct metrics *metrics, int64_t *position);

/* Each writes one line, which is in the operating system's hands on return. */
struct status metrics_step(struct metrics *metrics, const struct step_record *record);
struct status metrics_epoch(struct metrics *metrics, const struct epoch_record *record);
struct status metrics_loader(struct metrics *metrics, const struct epoch_record *record);
struct status metrics_resume(struct metrics *metrics, int64_t step);

/* Closes the file. Harmless on a zeroed struct. */
void metrics_close(struct metrics *metrics);

/* Writes `value` with 9 digits, or null where JSON has no number for it. */
void json_number_print(FILE *stream, double value);

#endif
