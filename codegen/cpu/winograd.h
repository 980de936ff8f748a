/* Winograd's minimal filtering, F(4x4, 3x3): sixteen results of a window of nine take 36 products
 * instead of 144. S. Winograd, "Arithmetic complexity of computations" (1980); for networks, A.
 * Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), section 4.
 *
 * For a tile d of 6x6 inputs, weights w of 3x3 and the tile y of 4x4 results
 *
 *     y = A^T [(G w G^T) (B^T d B)] A        products element by element, summed over channels
 *
 * and, being bilinear, the gradient of w is G^T [(A dy A^T) (B^T d B)] G, summed over tiles. The
 * matrices follow from six points at which polynomials are evaluated, here 0, -3/4, 3/4, -3/2, 3/2
 * and infinity: with them float32 results have about twice the rounding error of plain sums, where
 * the usual 0, -1, 1, -2, 2 have five times. */
#ifndef CODEGEN_CPU_WINOGRAD_H
#define CODEGEN_CPU_WINOGRAD_H

#include "codegen/cpu/conv_tile.h"
#include "compiler/filtering.h"

/* One of the matrices, applied to both axes of a square of values, row-major. */
enum winograd_matrix {
    WINOGRAD_INPUT,           /* B^T: 6x6 to 6x6 */
    WINOGRAD_WEIGHT,          /* G: 3x3 to 6x6 */
    WINOGRAD_RESULT,          /* A^T: 6x6 to 4x4 */
    WINOGRAD_RESULT_GRADIENT, /* A: 4x4 to 6x6 */
    WINOGRAD_WEIGHT_GRADIENT, /* G^T: 6x6 to 3x3 */
};

/* Emits the transform of vectors; `in` and `out` have the squares' elements. */
void winograd_transform(struct loop_program *program, enum winograd_matrix matrix,
                        const loop_value *in, loop_value *out);

/* Values of all points of many vectors in a local, [point][row][width]: rows of a point follow each
 * other, points are `stride` apart, which keeps them out of each other's cache sets. */
struct winograd_values {
    loop_value local;
    int64_t width, stride;
};

/* Declares a local for `count` such values, one after the other, of `rows` rows of `width`
 * elements. */
struct winograd_values winograd_declare(struct loop_program *program, int64_t count, int64_t rows,
                                        int64_t width);

/* Stores a vector of each point at element `index` of its rows; loads them. */
void winograd_store(struct loop_program *program, const struct winograd_values *values,
                    loop_value index, const loop_value points[FILTERING_POINTS]);
void winograd_load(struct loop_program *program, const struct winograd_values *values,
                   loop_value index, loop_value out_points[FILTERING_POINTS]);

/* Moves `vectors` vectors of each of `rows` rows, from element `at` on, into a local that is in
 * registers; or `back`. */
void winograd_move(struct loop_program *program, const struct winograd_values *values,
                   loop_value at, loop_value registers, int rows, int vectors, bool back);

/* Elements of one of them. */
int64_t winograd_elements(int64_t rows, int64_t width);

/* The tiles that are transformed at a time: those of some rows of an image, or of several images.
 */
struct winograd_tiles {
    struct loop_program *program;
    int32_t columns;      /* tiles in a row */
    int32_t of_image;     /* at most */
    loop_value first_row; /* of the results of an image, a multiple of a tile's from its first */
    loop_value row_end;
};

/* Opens loops over an image's tiles: the first row and column of their results. */
int winograd_open_tiles(const struct winograd_tiles *tiles, loop_value *out_row,
                        loop_value *out_column);

/* The number of a tile, of the image that is number `slot`. */
loop_value winograd_tile_number(const struct winograd_tiles *tiles, loop_value slot, loop_value row,
                                loop_value column);

/* How many tiles there are in `images` images: all of several, or what the rows have of one. */
loop_value winograd_tiles_present(const struct winograd_tiles *tiles, loop_value images);

/* The rows of an input that tiles of `span` points, four apart, lie on: makes it one that is
 * packed, with `padding` points of zeros before the first. */
void winograd_set_input(struct conv_input *input, int32_t tile_rows, int32_t columns, int span,
                        const int32_t padding[GRID_RANK]);

/* Packs the rows of an image and transforms all vectors of its tiles: 6x6 points by WINOGRAD_INPUT
 * or 4x4 by WINOGRAD_RESULT_GRADIENT. `values` has as many channels a row as its width, and as
 * often as that goes into the input's channels there are values. */
void winograd_transform_image(const struct winograd_tiles *tiles, const struct conv_input *input,
                              enum winograd_matrix matrix, loop_value image, loop_value slot,
                              const struct winograd_values *values);

#endif
