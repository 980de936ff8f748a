/* What the recorded results look like, and the two halves of a comparison with them.
 *
 * check_parity.sh builds a network, has its data and weights written by data_write and weights_make, runs it and
 * has parity_compare judge what came out. record.py says what is recorded, and how. */
#ifndef TESTS_TRAIN_PARITY_H
#define TESTS_TRAIN_PARITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum {
    PARITY_BATCH = 16,
    PARITY_TRAIN_IMAGES = 8 * PARITY_BATCH,
    PARITY_OTHER_IMAGES = PARITY_BATCH + 2,
    PARITY_CLASSES = 10,
    PARITY_STEPS = 10,
    PARITY_PRODUCTS = 256, /* random vectors for the weights; half as many for statistics */
};

struct parity_case {
    const char *name;
    uint64_t seed;
    bool is_video; /* images are [3][4][16][16] instead of [3][32][32] */
    double logits[PARITY_OTHER_IMAGES * PARITY_CLASSES]; /* of "val_x", in evaluation mode */
    double losses[PARITY_STEPS];
    int batches;                         /* of all steps */
    double gradient_norms[PARITY_STEPS]; /* before they are limited; 0: the recipe does not clip */
    /* Of the update by all steps: its norm and its products with random vectors. */
    double weights_norm, weights[PARITY_PRODUCTS];
    double means_norm, means[PARITY_PRODUCTS / 2];
    double variances_norm, variances[PARITY_PRODUCTS / 2];
};

/* One element of a generated tensor. */
struct parity_sample {
    uint64_t seed;
    const char *name;
    int64_t shape[4];
    int rank; /* 4 for images too */
    int64_t index;
    float value;
};

/* Returns the recorded case, or NULL. */
const struct parity_case *parity_find(const char *name);

/* Whether hash_data.c computes the recorded samples; says which it does not. */
bool parity_check_samples(void);

/* Writes train_x.npy ... val_y.npy into `directory`. */
struct status data_write(const struct parity_case *expected, const char *directory);

/* Writes weights.safetensors into `directory`; the tensors' names and shapes are those of the
 * weights at `listing`. */
struct status weights_make(const struct parity_case *expected, const char *listing,
                           const char *directory);

/* Compares logits.npy, run/metrics.jsonl and run/last.safetensors in `directory`, prints a line
 * for each quantity, and returns whether all are close enough. */
bool parity_compare(const struct parity_case *expected, const char *directory);

#endif
