/* What a training measures, and metrics.jsonl: one JSON object a line, written as it happens. */
#ifndef RUNTIME_METRICS_H
#define RUNTIME_METRICS_H

#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

struct step_record {
    int64_t epoch; /* 0-based */
    int64_t step;  /* 1-based, over all epochs */
    double loss;   /* mean of the batch, before the update */
    double learning_rate, images_per_second;
};

/* Accuracies are in percent. */
struct epoch_record {
    int64_t epoch; /* 0-based */
    double train_loss, train_top1;
    double validation_loss, validation_top1, validation_top5;
    double learning_rate;     /* of its last step */
    double images_per_second; /* of its training steps */
};

/* Zero it, then create it. Borrows the path. */
struct metrics {
    FILE *stream;
    const char *path;
};

/* Makes the file; that it exists already is an error. */
struct status metrics_create(struct metrics *metrics, const char *path);

/* Each writes one line, which is in the operating system's hands on return. */
struct status metrics_step(struct metrics *metrics, const struct step_record *record);
struct status metrics_epoch(struct metrics *metrics, const struct epoch_record *record);

/* Closes the file. Harmless on a zeroed struct. */
void metrics_close(struct metrics *metrics);

/* Writes `value` with 9 digits, or null where JSON has no number for it. */
void json_number_print(FILE *stream, double value);

#endif
