/* Pieces of schedules for tasks of many threads: which elements a thread has, and sums of what all
 * threads hold. */
#ifndef CODEGEN_CUDA_BLOCK_H
#define CODEGEN_CUDA_BLOCK_H

#include <stdbool.h>

#include "codegen/nest.h"

enum {
    BLOCK_THREADS = 256,     /* of most tasks */
    BLOCK_LANES = 4,         /* channels that a thread loads at once: 16 bytes */
    BLOCK_ROUNDED_LANES = 8, /* ... of bfloat16 */
};

/* Lanes of a vector of channels where `channels` are stored: 4, or 1 where few lie close together.
 */
int block_lanes(int64_t channels);

/* Lanes of what a kernel reads and stores once: of `elements` that lie together, as many as make 16
 * bytes, or 4, or 1. */
int block_stream_lanes(const struct kernel *kernel, int64_t elements);

/* ---- one vector of elements a thread ---- */

/* Where the thread is: vector `number` of image `image`. */
struct block_unit {
    loop_value image;
    loop_value number; /* of the vector, in [0, vectors an image) */
    int bodies;        /* opened; close them with nest_close */
};

/* Sets the program's tasks and threads so that each of `vectors` vectors an image has a thread:
 * several images a task, or several tasks an image; opens the threads, and a body where the thread
 * has a vector. */
struct block_unit block_open_units(struct loop_program *program, int64_t vectors);

/* A vector of channels at a point, from the unit's number: points times `stride` / `lanes` vectors.
 */
struct block_element {
    struct position point; /* in `grid` */
    loop_value channel;    /* the vector's first */
};

struct block_element block_element(struct loop_program *program, loop_value number,
                                   const int32_t grid[GRID_RANK], int64_t stride, int lanes);

/* The coordinates of a point from its index. */
struct position block_point(struct loop_program *program, loop_value index,
                            const int32_t grid[GRID_RANK]);

/* Stores a kernel's values at a place: all are computed before any is stored, for outputs may be
 * the memory of inputs. */
void block_store_values(const struct kernel *kernel, struct loop_program *program,
                        const struct place *place, loop_value index);

/* Stores what a convolution's or data gradient's epilogue makes of its sums of products at a place.
 */
void block_store_result(const struct kernel *kernel, struct loop_program *program,
                        const struct place *place, loop_value sums);

/* ---- reductions ---- */

/* Combines lines of a shared array: line 0 becomes op over all `lines`, each of `length` elements,
 * `lanes` of them a thread; pairs are combined in an order that depends on `lines` alone. Stands
 * outside threads; needs lines / 2 * length / lanes threads, rounded up. */
void block_reduce(struct loop_program *program, enum loop_op op, loop_value shared, int lines,
                  int length, int lanes);

#endif
