/* The next batch on its way to a GPU, while that computes with the one before.
 *
 * The host fills one of two pinned slots. Submitting a slot starts its copy to the device's next
 * batch on the copying stream, and the host goes on with the other slot. A step that takes the
 * batch waits for that copy on the device, and moves the batch to where the kernels read it. */
#ifndef RUNTIME_CUDA_FEED_H
#define RUNTIME_CUDA_FEED_H

#include "runtime/cuda/memory.h"

enum { FEED_SLOTS = 2 };

struct feed_slot {
    char *input, *labels;     /* one pinned allocation */
    struct CUevent_st *empty; /* its copy is done */
};

/* Zero it, then open it. */
struct feed {
    const struct gpu *gpu;
    const struct cuda_memory *memory;
    struct feed_slot slots[FEED_SLOTS];
    struct CUevent_st *arrived, *taken; /* the next batch is there; it has been moved away */
    int64_t image_bytes, label_bytes;
    int filling;     /* the slot that the host fills */
    int64_t waiting; /* images submitted and not yet taken; 0: none */
};

/* Makes the slots and shows the first as the executor's input and labels. Release it also after a
 * failure. */
struct status feed_open(struct feed *feed, const struct cuda_memory *memory,
                        struct executor *executor);

void feed_release(struct feed *feed);

/* Starts the copy of the first `images` images of the slot, and shows the other one. */
struct status feed_submit(struct feed *feed, struct executor *executor, int64_t images);

/* Before a step: the batch that was submitted last becomes the input, in the order of the computing
 * stream. Without a new one the input stays. */
struct status feed_take(struct feed *feed);

#endif
