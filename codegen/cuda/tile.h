/* Matrix products by tiles in shared memory: a task's threads compute rows x columns sums of
 * products over a depth, in steps. In each step they fetch a part of both operands into their own
 * memory, put it where all see it, and multiply while the next part is on its way.
 *
 * An operand is what a schedule says it is: it fetches elements by line (row or column of the tile)
 * and depth. */
#ifndef CODEGEN_CUDA_TILE_H
#define CODEGEN_CUDA_TILE_H

#include <stdbool.h>

#include "codegen/loop.h"

enum {
    TILE_DEPTH = 16,  /* of a step */
    TILE_COLUMNS = 4, /* that a thread has sums of, side by side */
};

/* One operand: `lines` x TILE_DEPTH elements a step, in vectors of `lanes`. */
struct tile_operand {
    int lines;
    int lanes;
    bool along_depth;  /* a vector's elements have one line and neighbouring depths; or else the
                          other way round */
    int vectors;       /* that a thread fetches */
    loop_value stage;  /* local: those, one after the other */
    loop_value shared; /* [TILE_DEPTH][lines and some] */
};

struct tile {
    struct loop_program *program;
    int rows, columns;
    int thread_rows; /* that a thread has sums of */
    int threads;
    struct tile_operand left, right; /* left: a line is a row; right: a column */
    loop_value sums;                 /* local: [thread_rows][TILE_COLUMNS] */
};

/* Where an element that a thread fetches lies in the tile: the first of a vector. */
struct tile_slot {
    loop_value line, depth; /* the latter in [0, TILE_DEPTH) */
    loop_value stage;       /* index in the operand's stage */
    int bodies;             /* opened: not all threads may have this vector */
};

/* What a schedule does in the threads. Each is called once, to append loops. */
struct tile_source {
    const void *context;
    /* Before all steps: what depends on the thread alone. */
    void (*prepare)(const void *context, loop_value thread);
    /* Fills the stages of both operands with their elements of a step; zeros outside. */
    void (*fetch)(const void *context, loop_value thread, loop_value step);
};

/* Chooses a tile for a product of so many rows and columns. */
struct tile tile_choose(int64_t rows, int64_t columns);

/* Declares the tile's memory and sets the program's threads; lanes and along_depth of the operands
 * must be set. */
void tile_begin(struct tile *tile, struct loop_program *program);

/* Appends all steps; stands outside threads. Then `sums` are complete. */
void tile_run(const struct tile *tile, const struct tile_source *source, loop_value steps);

/* The place of a thread's vector number `vector` of an operand. Close its bodies. */
struct tile_slot tile_slot(const struct tile *tile, const struct tile_operand *operand,
                           loop_value thread, int vector);

/* The first row and column of the thread's sums. */
loop_value tile_row(const struct tile *tile, loop_value thread);
loop_value tile_column(const struct tile *tile, loop_value thread);

/* The sums of the thread's row number `row`: TILE_COLUMNS lanes. */
loop_value tile_sums(const struct tile *tile, loop_value row);

#endif
