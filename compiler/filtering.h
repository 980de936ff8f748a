/* Which convolutions a processor computes by Winograd's minimal filtering, 4x4 results of a 3x3
 * window at a time, and in what pieces: side sums are cut as the work is. How it is done:
 * codegen/cpu/winograd.h. */
#ifndef COMPILER_FILTERING_H
#define COMPILER_FILTERING_H

#include "compiler/kernel.h"

enum {
    FILTERING_TAPS = 3,
    FILTERING_RESULTS = 4,                              /* of a tile, on each axis */
    FILTERING_SPAN = 6,                                 /* inputs of a tile, on each axis */
    FILTERING_POINTS = FILTERING_SPAN * FILTERING_SPAN, /* products a tile and channel */
};

/* Whether a kernel is a convolution or weight gradient of 3x3 windows one apart, with groups of
 * whole vectors of channels, on a grid that tiles fill well enough and whose rows are not too long
 * to be kept transformed. */
bool filtering_suits(const struct kernel *kernel);

/* Tiles on axis `i` of the grid of results. */
int32_t filtering_tiles(const struct kernel *kernel, int i);

/* Groups that a piece of a convolution's work has, a divisor of all. */
int32_t filtering_groups(const struct kernel *kernel);

/* Rows of results that a piece of a convolution's work has at most: those of whole tiles, or all.
 * They are enough for the weights, which each piece transforms anew. */
int32_t filtering_rows(const struct kernel *kernel);

#endif
