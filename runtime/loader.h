/* Fills the program's input with batches of a data set: order, augmentation, normalization.
 *
 * The order of an epoch and the view of each image depend on the seed, the epoch and the image
 * alone. Images in memory are filled by the executor's threads; pictures that must be decoded or
 * resized are made ahead of the step by threads of the loader's own (prefetch.h). */
#ifndef RUNTIME_LOADER_H
#define RUNTIME_LOADER_H

#include <stdbool.h>

#include "runtime/augment.h"
#include "runtime/data.h"
#include "runtime/execute.h"
#include "runtime/picture.h"
#include "runtime/prefetch.h"

enum { LOADER_LEVELS = 256 /* values of a byte */ };

/* Zero it, then open it. Borrows the data set and the executor; must not move while it is open. */
struct loader {
    const struct data_set *data;
    struct executor *executor;
    enum data_part_kind part;
    struct augmentation augmentation;
    bool shuffle;
    int64_t batch;
    uint64_t seed, epoch;
    int64_t *order;                              /* of the images in this epoch */
    float levels[DATA_COLOURS][LOADER_LEVELS];   /* normalized value of each byte */
    struct picture_recipe pictures;              /* for the loader's own threads */
    struct prefetch *prefetch;                   /* NULL: the images are in memory as they are */
    double waited;                               /* seconds in loader_fill, over its life */
};

struct loader_options {
    enum data_part_kind part;
    struct augmentation augmentation;
    bool shuffle;
    uint64_t seed;
    int64_t batch; /* the most images at once; 0: the program's */
};

/* Checks that the images come out as the network takes them; the order is that of epoch 0. The
 * arena must outlive the loader. Close it also after a failure. */
struct status loader_open(struct loader *loader, struct arena *arena, const struct data_set *data,
                          struct executor *executor, const struct loader_options *options);

/* Sets the order and the augmentation of an epoch. */
void loader_start_epoch(struct loader *loader, int64_t epoch);

/* Fills the input and the labels with the images from place `first` of the epoch's order on and
 * submits them as the executor's next batch; `*images` is how many, at most a batch and 0 at the
 * end. The device may still be computing with the batch before. */
struct status loader_fill(struct loader *loader, int64_t first, int64_t *images);

/* Ends the loader's threads. Harmless on a zeroed struct. */
void loader_close(struct loader *loader);

#endif
