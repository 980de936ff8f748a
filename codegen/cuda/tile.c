/* Tiles of matrix products. See tile.h. */
#include "codegen/cuda/tile.h"

#include "codegen/nest.h"

enum {
    SHARED_GAP = 4, /* elements between depths, against bank conflicts */
    VECTOR = 4,     /* rows loaded at once from shared memory */
};

/* ---- shape ---- */

struct tile tile_choose(int64_t rows, int64_t columns)
{
    struct tile tile = {.thread_rows = 4};
    tile.columns = columns > 32 ? 64 : columns > 16 ? 32 : 16;
    tile.rows = rows > 64 ? 128 : 64;
    if (tile.rows == 128 && tile.columns == 64)
        tile.thread_rows = 8;
    tile.threads = tile.rows / tile.thread_rows * (tile.columns / TILE_COLUMNS);
    tile.left.lines = tile.rows;
    tile.right.lines = tile.columns;
    return tile;
}

static int operand_vectors(const struct tile_operand *operand)
{
    return operand->lines * TILE_DEPTH / operand->lanes;
}

static int shared_stride(const struct tile_operand *operand)
{
    return operand->lines + SHARED_GAP;
}

static void begin_operand(const struct tile *tile, struct tile_operand *operand)
{
    operand->vectors = (operand_vectors(operand) + tile->threads - 1) / tile->threads;
    operand->stage =
        loop_local(tile->program, LOOP_F32, (int64_t)operand->vectors * operand->lanes);
    operand->shared =
        loop_shared(tile->program, LOOP_F32, (int64_t)TILE_DEPTH * shared_stride(operand));
}

void tile_begin(struct tile *tile, struct loop_program *program)
{
    tile->program = program;
    program->threads = tile->threads;
    begin_operand(tile, &tile->left);
    begin_operand(tile, &tile->right);
    tile->sums = loop_local(program, LOOP_F32, (int64_t)tile->thread_rows * TILE_COLUMNS);
}

/* ---- places ---- */

struct tile_slot tile_slot(const struct tile *tile, const struct tile_operand *operand,
                           loop_value thread, int vector)
{
    struct loop_program *program = tile->program;
    const int all = operand_vectors(operand), first = vector * tile->threads;
    const int across = (operand->along_depth ? TILE_DEPTH : operand->lines) / operand->lanes;
    loop_value number = loop_plus(program, thread, first), width = loop_int(program, across);
    struct tile_slot slot = {.stage = loop_int(program, (int64_t)vector * operand->lanes)};
    if (first + tile->threads > all) {
        loop_if(program, loop_binary(program, LOOP_LESS, number, loop_int(program, all)));
        slot.bodies = 1;
    }
    loop_value outer = loop_binary(program, LOOP_DIVIDE, number, width);
    loop_value inner =
        loop_times(program, loop_binary(program, LOOP_REMAINDER, number, width), operand->lanes);
    slot.line = operand->along_depth ? outer : inner;
    slot.depth = operand->along_depth ? inner : outer;
    return slot;
}

static loop_value thread_columns(const struct tile *tile)
{
    return loop_int(tile->program, tile->columns / TILE_COLUMNS);
}

loop_value tile_row(const struct tile *tile, loop_value thread)
{
    loop_value line = loop_binary(tile->program, LOOP_DIVIDE, thread, thread_columns(tile));
    return loop_times(tile->program, line, tile->thread_rows);
}

loop_value tile_column(const struct tile *tile, loop_value thread)
{
    loop_value column = loop_binary(tile->program, LOOP_REMAINDER, thread, thread_columns(tile));
    return loop_times(tile->program, column, TILE_COLUMNS);
}

loop_value tile_sums(const struct tile *tile, loop_value row)
{
    return loop_load_local(tile->program, tile->sums, loop_times(tile->program, row, TILE_COLUMNS),
                           TILE_COLUMNS);
}

/* ---- steps ---- */

static void clear_sums(const struct tile *tile)
{
    struct loop_program *program = tile->program;
    loop_value row = loop_for_unrolled(program, tile->thread_rows, 1);
    loop_store_local(program, tile->sums, loop_times(program, row, TILE_COLUMNS),
                     nest_zero(program, TILE_COLUMNS));
    loop_end(program);
}

/* Puts what a thread has fetched where all see it. */
static void store_operand(const struct tile *tile, const struct tile_operand *operand,
                          loop_value thread)
{
    struct loop_program *program = tile->program;
    const int stride = shared_stride(operand);
    for (int v = 0; v < operand->vectors; v++) {
        struct tile_slot slot = tile_slot(tile, operand, thread, v);
        loop_value index = loop_add(program, loop_times(program, slot.depth, stride), slot.line);
        if (!operand->along_depth)
            loop_store_local(program, operand->shared, index,
                             loop_load_local(program, operand->stage, slot.stage, operand->lanes));
        for (int k = 0; operand->along_depth && k < operand->lanes; k++)
            loop_store_local(
                program, operand->shared, loop_plus(program, index, (int64_t)k * stride),
                loop_load_local(program, operand->stage, loop_plus(program, slot.stage, k), 1));
        nest_close(program, slot.bodies);
    }
}

/* Adds the products of a step. */
static void multiply(const struct tile *tile, loop_value thread)
{
    struct loop_program *program = tile->program;
    loop_value rows = loop_local(program, LOOP_F32, tile->thread_rows);
    loop_value first_row = tile_row(tile, thread), column = tile_column(tile, thread);
    loop_value depth = loop_for_unrolled(program, TILE_DEPTH, 1);
    loop_value left =
        loop_add(program, loop_times(program, depth, shared_stride(&tile->left)), first_row);
    for (int r = 0; r < tile->thread_rows; r += VECTOR)
        loop_store_local(
            program, rows, loop_int(program, r),
            loop_load_local(program, tile->left.shared, loop_plus(program, left, r), VECTOR));
    loop_value right = loop_load_local(
        program, tile->right.shared,
        loop_add(program, loop_times(program, depth, shared_stride(&tile->right)), column),
        TILE_COLUMNS);
    loop_value row = loop_for_unrolled(program, tile->thread_rows, 1);
    loop_value factor = loop_load_local(program, rows, row, 1);
    loop_value sum = loop_ternary(program, LOOP_FMA, loop_broadcast(program, factor, TILE_COLUMNS),
                                  right, tile_sums(tile, row));
    loop_store_local(program, tile->sums, loop_times(program, row, TILE_COLUMNS), sum);
    nest_close(program, 2);
}

void tile_run(const struct tile *tile, const struct tile_source *source, loop_value steps)
{
    struct loop_program *program = tile->program;
    loop_value zero = loop_int(program, 0), thread = loop_threads(program);
    clear_sums(tile);
    source->prepare(source->context, thread);
    source->fetch(source->context, thread, zero);
    loop_end(program);
    loop_value step = loop_for(program, zero, steps, 1);
    thread = loop_threads(program);
    store_operand(tile, &tile->left, thread);
    store_operand(tile, &tile->right, thread);
    loop_end(program);
    thread = loop_threads(program);
    loop_value next = loop_plus(program, step, 1);
    loop_if(program, loop_binary(program, LOOP_LESS, next, steps));
    source->fetch(source->context, thread, next);
    loop_end(program);
    multiply(tile, thread);
    nest_close(program, 2);
}
