/* Random numbers that depend on what they are for, never on when they are drawn.
 *
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3") is a function from
 * (seed, stream, index) to 128 bits. A stream is named by its purpose and a number, such as
 * (RANDOM_SHUFFLE, epoch); thus neither the order of draws nor the number of threads matters. */
#ifndef RUNTIME_RANDOM_H
#define RUNTIME_RANDOM_H

#include <stdint.h>

/* What a stream is for; part of every saved result's definition, so only append. */
enum random_purpose {
    RANDOM_PARAMETER = 1, /* number: index of the parameter */
    RANDOM_SHUFFLE,       /* number: epoch */
    RANDOM_AUGMENT,       /* number: epoch; index: image and draw */
    RANDOM_SHAPES,        /* number: image */
    RANDOM_BENCH,
    RANDOM_DROP, /* number: training step; index: random layer */
};

struct random_block {
    uint32_t words[4];
};

/* A position in a stream; the draws below move it on. Copy it to replay. */
struct random_source {
    uint64_t seed, stream, index;
};

/* The 128 bits at `index` of `stream`. */
struct random_block random_block(uint64_t seed, uint64_t stream, uint64_t index);

/* The identity of a stream. */
uint64_t random_stream(enum random_purpose purpose, uint64_t number);

/* A double in [0, 1) with 53 random bits. */
double random_uniform(struct random_source *source);

/* A double in [low, high). */
double random_between(struct random_source *source, double low, double high);

/* An integer in [0, limit), without bias that could matter (limit < 2^40); limit >= 1. */
int64_t random_below(struct random_source *source, int64_t limit);

/* Four independent standard normal numbers (Box-Muller) from one block. */
void random_normals(uint64_t seed, uint64_t stream, uint64_t index, float normals[4]);

/* A uniformly random order of `count` items in `order` (Fisher-Yates over 0 ... count - 1). */
void random_order(struct random_source *source, int64_t *order, int64_t count);

#endif
