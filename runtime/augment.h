/* Random and fixed transforms of an image's grid: which source pixel each output pixel shows.
 *
 * A transform that resizes comes first; pad, crops and flips compose into one view of what it makes
 * of the source image, so a batch is filled in a single pass. Pixels outside of that are black: 0
 * before the normalization. */
#ifndef RUNTIME_AUGMENT_H
#define RUNTIME_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "runtime/image.h"
#include "runtime/program.h"
#include "runtime/random.h"

/* A window on the source's grid, or on that of a part of it, resized; it may reach beyond it. */
struct view {
    int64_t top, left, height, width;
    bool flipped;                        /* the window's columns are shown from right to left */
    bool resized;                        /* the three below count */
    struct box part;                     /* of the source, that is resized */
    int64_t grid_height, grid_width;     /* to so much */
};

/* Transforms, applied one after the other. Borrowed from the program. */
struct augmentation {
    const struct rnet_transform *transforms;
    uint32_t count;
};

/* Whether the transforms resize, which takes bytes in three colours. */
bool augmentation_resizes(struct augmentation augmentation);

/* Checks that all transforms are known and turn a source of height x width into the wanted size,
 * whatever the random choices. A height of 0 stands for sources of any size. */
struct status augmentation_check(struct augmentation augmentation, int64_t height, int64_t width,
                                 int64_t wanted_height, int64_t wanted_width);

/* Draws one view; needs an augmentation that was checked. */
struct view augmentation_draw(struct augmentation augmentation, int64_t height, int64_t width,
                              struct random_source *random);

/* The whole source, resized to the wanted size without regard to its shape. */
struct view view_stretched(int64_t height, int64_t width, int64_t wanted_height,
                           int64_t wanted_width);

#endif
