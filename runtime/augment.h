/* Random and fixed transforms of an image's grid: which source pixel each output pixel shows.
 *
 * pad, crops and flips compose into one view of the source image, so a batch is filled in a single
 * pass. Pixels outside of the source are black: 0 before the normalization. */
#ifndef RUNTIME_AUGMENT_H
#define RUNTIME_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "runtime/program.h"
#include "runtime/random.h"

/* A window on the source's grid; it may reach beyond it. */
struct view {
    int64_t top, left, height, width;
    bool flipped; /* the window's columns are shown from right to left */
};

/* Transforms, applied one after the other. Borrowed from the program. */
struct augmentation {
    const struct rnet_transform *transforms;
    uint32_t count;
};

/* Checks that all transforms are known and turn a source of height x width into the wanted size,
 * whatever the random choices. */
struct status augmentation_check(struct augmentation augmentation, int64_t height, int64_t width,
                                 int64_t wanted_height, int64_t wanted_width);

/* Draws one view; needs an augmentation that was checked. */
struct view augmentation_draw(struct augmentation augmentation, int64_t height, int64_t width,
                              struct random_source *random);

#endif
