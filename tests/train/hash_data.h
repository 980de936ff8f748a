/* Test data that needs no files: every number is a function of a seed, a tensor's name and an
 * element's index. record.py computes the same numbers, bit for bit.
 *
 *   start    FNV-1a (64 bits) of the name, from the usual offset basis plus the seed
 *   word     output number `index` of splitmix64 from that start, which is the finalizer applied
 *            to start + (index + 1) * 0x9e3779b97f4a7c15
 *   uniform  the upper 24 bits of the word, in [0, 1); u below
 *   sign     of random vector 64 b + j: bit j of the word of "NAME#b"; 1 means -1
 *
 * Values are computed in double precision and rounded once to float32. */
#ifndef TESTS_TRAIN_HASH_DATA_H
#define TESTS_TRAIN_HASH_DATA_H

#include <stdint.h>

enum {
    HASH_SIDE = 32, /* of the images, which have three channels */
    HASH_PLANE = HASH_SIDE * HASH_SIDE,
    HASH_IMAGE = 3 * HASH_PLANE,
    HASH_BATCHES_TRACKED = 7, /* what num_batches_tracked begins with */
};

uint64_t hash_start(uint64_t seed, const char *name);

uint64_t hash_word(uint64_t start, uint64_t index);

/* In [0, 1), with 24 bits. */
double hash_uniform(uint64_t start, uint64_t index);

/* Fills the parameter or statistic `name`, of a shape as PyTorch gives it, rank 1 ... 5.
 *   convolution      (2u - 1) sqrt(6 / inputs of an output), half of that unless named conv3
 *   linear           1.5 (2u - 1) sqrt(6 / inputs); inputs i and i + 2 have opposite weights
 *   running_var      1/16 + u/8, and a quarter of that unless named bn0 or bn3
 *   running_mean     (u - 1/2) / 2, and so is the bias of fc
 *   scale            1/8 + 3u/32
 *   shift            3/4 + u/4, negative for odd channels */
void hash_parameter(float *values, uint64_t seed, const char *name, const int64_t *shape,
                    int rank);

/* Fills images [count][3][32][32] of `name`, "train_x" or "val_x": noise in [-1, 1) at three
 * scales, "NAME/1" for each pixel, "NAME/8" for eight neighbours and "NAME/1024" for a plane,
 * each times an amplitude. */
void hash_images(float *values, uint64_t seed, const char *name, int64_t count);

/* Fills labels 0 ... 9 (the upper 31 bits of the word modulo 10). */
void hash_labels(int64_t *labels, uint64_t seed, const char *name, int64_t count);

#endif
