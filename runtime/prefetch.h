/* Threads that make pictures ahead of the training step.
 *
 * They fill a ring of batches with places of a sequence, in any order within the ring; the caller
 * takes whole batches in the order of the sequence. What lies at a place depends on the place
 * alone, so the number of threads changes only when it is ready. */
#ifndef RUNTIME_PREFETCH_H
#define RUNTIME_PREFETCH_H

#include <stdint.h>

#include "base/status.h"

struct prefetch;

/* Makes what belongs at `place` of the sequence, `bytes` long, at `out`. Called by any thread. */
typedef struct status prefetch_function(const void *context, int64_t place, uint8_t *out);

struct prefetch_options {
    prefetch_function *make;
    const void *context;
    int64_t batch; /* places of one batch, each of `bytes` */
    int64_t bytes;
    int64_t threads;
};

/* Starts the threads, which wait for the first prefetch_take. */
struct status prefetch_start(const struct prefetch_options *options, struct prefetch **prefetch);

/* Waits for the batch at place `first` of a sequence of `count` and returns it in `*batch`: as many
 * places as are left, at most options.batch. The threads go on with the batches behind it. It is
 * the caller's until the next call; taking batches in order is what is fast. A place that could not
 * be made fails the batch that it belongs to. */
struct status prefetch_take(struct prefetch *prefetch, int64_t first, int64_t count,
                            const uint8_t **batch);

/* Makes the threads rest and forget the sequence; its meaning may then change. */
void prefetch_rest(struct prefetch *prefetch);

/* Ends the threads. NULL is nothing. */
void prefetch_release(struct prefetch *prefetch);

#endif
