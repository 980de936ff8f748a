/* Weight gradients by register tiles: a run of the result's rows (input channels, and taps of the
 * last axis where both are contiguous) times one or two vectors of output channels is summed in
 * registers over a block of rows of the grid, then added to the result in memory.
 *
 * A task is a chunk of images and a part of the output channels. Rows of x and dy are packed where
 * they have a prologue or padding, or where their points fall into few sets of a cache, once a
 * block of rows, and read by all tiles; a block of small grids is several images. The order of the
 * sums depends on the kernel alone.
 *
 * Groups narrower than a vector share one: a tile's rows are the inputs of a group, each spread
 * over the lanes of its group; see conv_tile.c.
 *
 * With one vector of outputs each product would need a load of its own. So tiles then have all taps
 * of the last axis side by side, where its stride is 1: a value of x meets as many values of dy,
 * which has zeros around its rows. */
#include <string.h>

#include "codegen/cpu/conv_tile.h"
#include "codegen/cpu/schedules.h"

enum {
    NEXT_BYTES = 128 << 10,   /* of a block whose next is asked for ahead at most */
    BLOCK_BYTES = 48 << 10,   /* of x and dy together that a block of rows should have at most */
    LARGE_BYTES = 512 << 10,  /* ... where the result does not fit a cache */
    IMAGES_BYTES = 448 << 10, /* ... of several images */
    SPLIT_CHANNELS = 128,     /* of outputs in a split at least */
    SPLIT_WEIGHTS = 1 << 16,  /* a result of fewer elements is not split */
    MOST_SPLITS = 16,
    WEIGHT_BYTES = 256 << 10, /* a result larger than this */
    MOST_BYTES = 768 << 10,   /* of both when packed */
    SIDE_TAPS = 3,            /* the most taps of the last axis side by side in a tile */
    SIDE_ROW = 16,            /* the shortest row for which that pays */
};

/* One weight gradient: what is known when it is scheduled, and values of the task. */
struct gradient {
    const struct kernel *kernel;
    struct loop_program *program;
    struct conv_input x, dy;
    struct conv_blocks blocks;
    int32_t rows;   /* of the grid in a block */
    int32_t images; /* in a block; more than one only of whole grids */
    int32_t run;    /* rows of the result that are contiguous for one tap of the outer axes */
    bool joined;    /* a run holds all taps of the last axis */
    int32_t side;   /* taps of the last axis that a tile has side by side, or 1 */
    loop_value part;
    loop_value result; /* index of the chunk's first element */
    loop_value image, depth, first_row, end_row;
    loop_value slot;         /* of the image in the block */
    loop_value block_images; /* in this block */
};

/* ---- planning ---- */

/* How x lies for `rows` rows of the grid: packed, or the tensor itself. */
static void set_extents(struct gradient *gradient, int32_t rows)
{
    const struct window *window = &gradient->kernel->window;
    const int32_t counts[GRID_RANK] = {1, rows, gradient->kernel->out_grid[LAST]};
    for (int i = 0; i < GRID_RANK; i++) {
        int32_t reach = (window->kernel[i] - 1) * window->dilation[i] + 1;
        gradient->x.in_stride[i] = window->stride[i];
        if (gradient->x.packed) {
            gradient->x.low[i] = -window->padding[i];
            gradient->x.extent[i] = (counts[i] - 1) * window->stride[i] + reach;
        }
        if (gradient->dy.packed)
            gradient->dy.extent[i] = counts[i];
    }
    if (gradient->side > 1) {
        gradient->dy.low[LAST] = 1 - gradient->side;
        gradient->dy.extent[LAST] += 2 * (gradient->side - 1);
    }
    gradient->rows = rows;
}

static bool needs_zeros(const struct kernel *kernel)
{
    const struct window *window = &kernel->window;
    for (int i = 0; i < GRID_RANK; i++) {
        int32_t last = (kernel->out_grid[i] - 1) * window->stride[i] - window->padding[i] +
                       (window->kernel[i] - 1) * window->dilation[i];
        if (window->padding[i] > 0 || last >= kernel->in_grid[i])
            return true;
    }
    return false;
}

/* The bytes of x and dy that a block of rows reads. */
static int64_t block_bytes(const struct gradient *gradient, int32_t rows)
{
    const struct kernel *kernel = gradient->kernel;
    int64_t x_rows = (int64_t)(rows - 1) * kernel->window.stride[1] + kernel->window.kernel[1];
    int64_t x = x_rows * kernel->window.kernel[0] * kernel->in_grid[LAST] * gradient->x.stride;
    int64_t dy = (int64_t)rows * kernel->out_grid[LAST] * gradient->dy.stride;
    return (x + dy) * (int64_t)sizeof(float);
}

static void choose_rows(struct gradient *gradient)
{
    int32_t all = gradient->kernel->out_grid[1], rows = all;
    int64_t result = kernel_weight_elements(gradient->kernel, false) * (int64_t)sizeof(float);
    int64_t limit = result > WEIGHT_BYTES ? LARGE_BYTES : BLOCK_BYTES;
    while (rows > 1 && block_bytes(gradient, rows) > limit)
        rows--;
    int32_t parts = (all + rows - 1) / rows;
    set_extents(gradient, (all + parts - 1) / parts);
}

/* What a run of the result's rows is: the channels for each of some taps side by side, or those of
 * all taps in a row, or of one tap. */
static void choose_run(struct gradient *gradient)
{
    const struct window *window = &gradient->kernel->window;
    int32_t taps = window->kernel[LAST];
    bool dense = window->dilation[LAST] == 1 && taps > 1;
    bool side = dense && window->stride[LAST] == 1 && gradient->blocks.pairs == 0 &&
                taps <= SIDE_TAPS && gradient->kernel->out_grid[LAST] >= SIDE_ROW;
    gradient->side = side ? taps : 1;
    int32_t spread = gradient->blocks.spread;
    gradient->joined = dense && !side && !spread && gradient->x.stride == gradient->blocks.channels;
    gradient->run = spread ? spread : gradient->blocks.channels * (gradient->joined ? taps : 1);
    if (side)
        conv_input_set_packed(&gradient->dy);
}

/* Large results are split by output channels: each task then reads only its own part of dy, and
 * fewer chunks keep all processors busy. */
static void choose_splits(struct gradient *gradient)
{
    const struct kernel *kernel = gradient->kernel;
    struct conv_blocks *blocks = &gradient->blocks;
    if (kernel->groups > 1 || kernel_weight_elements(kernel, false) < SPLIT_WEIGHTS ||
        blocks->singles > 0)
        return;
    int32_t splits = kernel->out_channels / SPLIT_CHANNELS;
    splits = splits > MOST_SPLITS ? MOST_SPLITS : splits;
    while (splits > 1 && blocks->pairs % splits)
        splits--;
    if (splits > 1) {
        blocks->splits = splits;
        conv_input_set_part(&gradient->dy, blocks->pairs / splits * 2 * VECTOR_LANES);
    }
}

static int64_t packed_bytes(const struct gradient *gradient)
{
    int64_t elements = (gradient->x.packed ? conv_input_elements(&gradient->x) : 0) +
                       (gradient->dy.packed ? conv_input_elements(&gradient->dy) : 0);
    return elements * (int64_t)sizeof(float);
}

/* Images of a block: so many that a small grid makes long sums. */
static void choose_images(struct gradient *gradient)
{
    const struct kernel *kernel = gradient->kernel;
    int64_t bytes = block_bytes(gradient, gradient->rows);
    gradient->images = 1;
    if (gradient->rows < kernel->out_grid[1] || kernel->out_grid[0] > 1)
        return;
    while (gradient->images < kernel->chunk_images &&
           (gradient->images + 1) * bytes <= IMAGES_BYTES)
        gradient->images++;
}

static bool gradient_plan(const struct kernel *kernel, struct gradient *gradient)
{
    *gradient = (struct gradient){.kernel = kernel};
    if (kernel->anchor != KERNEL_WEIGHT_GRADIENT || !conv_blocks_cut(kernel, &gradient->blocks))
        return false;
    gradient->x = conv_input_of(kernel, 0, false);
    gradient->dy = conv_input_of(kernel, 1, true);
    if (needs_zeros(kernel) || conv_input_is_aliasing(&gradient->x))
        conv_input_set_packed(&gradient->x);
    if (conv_input_is_aliasing(&gradient->dy))
        conv_input_set_packed(&gradient->dy);
    choose_splits(gradient);
    choose_run(gradient);
    choose_rows(gradient);
    choose_images(gradient);
    return gradient->images * packed_bytes(gradient) <= MOST_BYTES;
}

/* ---- one tile ---- */

/* Where a tile is: its taps of the outer axes, block and first row of the run. */
struct spot {
    struct conv_block block;
    struct position tap;
    loop_value row; /* in the run */
    int length;     /* rows of the run in this tile */
};

/* The element of a tensor's point that coordinates on its grid address. Packed rows start with the
 * block's. */
static loop_value point_element(const struct gradient *gradient, const struct conv_input *input,
                                const loop_value at[GRID_RANK], loop_value channel)
{
    struct loop_program *program = gradient->program;
    loop_value point = nest_index(program, input->extent, at);
    loop_value image = input->packed ? gradient->slot : gradient->image;
    point = loop_add(program, loop_times(program, image, grid_points(input->extent)), point);
    return loop_add(program, loop_times(program, point, input->stride), channel);
}

static loop_value dy_element(const struct gradient *gradient, const struct spot *spot,
                             loop_value row)
{
    struct loop_program *program = gradient->program;
    loop_value zero = loop_int(program, 0);
    loop_value at[GRID_RANK] = {gradient->depth, row, zero};
    if (gradient->dy.packed) {
        at[0] = zero;
        at[1] = loop_binary(program, LOOP_SUBTRACT, row, gradient->first_row);
    }
    loop_value channel = spot->block.output;
    if (gradient->dy.is_part)
        channel = loop_binary(program, LOOP_SUBTRACT, channel, gradient->dy.first_channel);
    return point_element(gradient, &gradient->dy, at, channel);
}

static loop_value x_element(const struct gradient *gradient, const struct spot *spot,
                            loop_value row)
{
    struct loop_program *program = gradient->program;
    const struct window *window = &gradient->kernel->window;
    loop_value at[GRID_RANK] = {gradient->depth, row, loop_int(program, 0)};
    if (gradient->x.packed) {
        at[0] = at[LAST];
        at[1] = loop_binary(program, LOOP_SUBTRACT, row, gradient->first_row);
    }
    for (int i = 0; i < GRID_RANK; i++)
        at[i] = loop_add(program, loop_times(program, at[i], window->stride[i]),
                         loop_times(program, spot->tap.at[i], window->dilation[i]));
    return loop_add(program, point_element(gradient, &gradient->x, at, spot->block.channel),
                    spot->row);
}

/* Row `row` of a tile: one value of x in all lanes, or where groups are narrow, this input of each
 * group in the lanes of its outputs. */
static loop_value load_factor(const struct gradient *gradient, loop_value x, int row)
{
    struct loop_program *program = gradient->program;
    int spread = gradient->blocks.spread;
    if (spread)
        return loop_spread(program, conv_input_load(&gradient->x, x, VECTOR_LANES), spread, row);
    loop_value one = conv_input_load(&gradient->x, loop_plus(program, x, row), 1);
    return loop_broadcast(program, one, VECTOR_LANES);
}

/* Adds the products of one pixel of x to the sums [row][tap][vector]; tap m meets the pixel of dy m
 * before that of tap 0. */
static void add_pixel(const struct gradient *gradient, const struct spot *spot, loop_value sums,
                      loop_value x, loop_value dy)
{
    struct loop_program *program = gradient->program;
    loop_value columns[SIDE_TAPS][2];
    int vectors = spot->block.vectors;
    for (int m = 0; m < gradient->side; m++)
        for (int v = 0; v < vectors; v++) {
            int64_t offset = (int64_t)v * VECTOR_LANES - m * gradient->dy.stride;
            columns[m][v] =
                conv_input_load(&gradient->dy, loop_plus(program, dy, offset), VECTOR_LANES);
        }
    for (int j = 0; j < spot->length; j++) {
        loop_value factor = load_factor(gradient, x, j);
        for (int m = 0; m < gradient->side; m++)
            nest_add_products(program, sums, (j * gradient->side + m) * vectors, factor, columns[m],
                              vectors);
    }
}

/* Whether the pixels of a block's rows follow each other in x and in dy: they make one row. */
static bool rows_are_one(const struct gradient *gradient)
{
    const struct kernel *kernel = gradient->kernel;
    return grid_points(kernel->window.kernel) == 1 && kernel->window.stride[1] == 1 &&
           kernel->window.stride[LAST] == 1 && kernel->window.padding[1] == 0 &&
           kernel->window.padding[LAST] == 0;
}

/* Whether the next block's rows follow this one's in memory, on x's side as on dy's, and both find
 * room in a cache. */
static bool wants_next(const struct gradient *gradient)
{
    const struct kernel *kernel = gradient->kernel;
    return kernel->groups == 1 && kernel->in_channels % VECTOR_LANES == 0 &&
           memcmp(kernel->in_grid, kernel->out_grid, sizeof kernel->in_grid) == 0 &&
           gradient->images * block_bytes(gradient, gradient->rows) <= NEXT_BYTES;
}

/* Asks for what the next block loads for value `number` at a pixel of row `row`: a line from
 * `channel` on, and one more for each further vector. */
static void prefetch_value(const struct gradient *gradient, int number, loop_value row,
                           loop_value pixel, loop_value channel, int vectors)
{
    bool wanted[KERNEL_PARAMETERS] = {false};
    struct loop_program *program = gradient->program;
    const struct kernel *kernel = gradient->kernel;
    int64_t stride = channel_stride(number ? kernel->out_channels : kernel->in_channels);
    int64_t block = (int64_t)gradient->images * gradient->rows * kernel->out_grid[LAST];
    loop_value at[GRID_RANK] = {gradient->depth, row, pixel};
    loop_value index = nest_index(program, kernel->out_grid, at);
    index = loop_add(program, loop_times(program, gradient->image, grid_points(kernel->out_grid)),
                     index);
    index = loop_times(program, loop_plus(program, index, block), stride);
    index = loop_add(program, index, channel);
    expression_points(kernel, kernel->values[number], wanted);
    for (uint32_t p = 0; p < kernel->parameter_count; p++)
        for (int v = 0; wanted[p] && v < vectors; v++)
            loop_prefetch(program, p, loop_plus(program, index, (int64_t)v * VECTOR_LANES), true);
}

static void add_row_of(const struct gradient *gradient, const struct spot *spot, loop_value row,
                       loop_value pixels, loop_value sums)
{
    struct loop_program *program = gradient->program;
    int64_t x_step = gradient->kernel->window.stride[LAST] * gradient->x.stride;
    loop_value x = x_element(gradient, spot, row), dy = dy_element(gradient, spot, row);
    dy = loop_plus(program, dy, (gradient->side - 1) * gradient->dy.stride);
    loop_value pixel = loop_for(program, loop_int(program, 0), pixels, 1);
    if (wants_next(gradient)) {
        prefetch_value(gradient, 0, row, pixel, spot->row, 1);
        prefetch_value(gradient, 1, row, pixel, spot->block.output, spot->block.vectors);
    }
    add_pixel(gradient, spot, sums, loop_add(program, x, loop_times(program, pixel, x_step)),
              loop_add(program, dy, loop_times(program, pixel, gradient->dy.stride)));
    loop_end(program);
}

/* Adds the rows of one image of the block. */
static void add_image(const struct gradient *gradient, const struct spot *spot, loop_value sums)
{
    struct loop_program *program = gradient->program;
    int32_t width = gradient->kernel->out_grid[LAST];
    if (rows_are_one(gradient)) {
        loop_value rows =
            loop_binary(program, LOOP_SUBTRACT, gradient->end_row, gradient->first_row);
        add_row_of(gradient, spot, gradient->first_row, loop_times(program, rows, width), sums);
        return;
    }
    loop_value row = loop_for(program, gradient->first_row, gradient->end_row, 1);
    add_row_of(gradient, spot, row, loop_int(program, width + gradient->side - 1), sums);
    loop_end(program);
}

static void add_images(const struct gradient *gradient, const struct spot *spot, loop_value sums)
{
    struct loop_program *program = gradient->program;
    struct gradient each = *gradient;
    if (gradient->images == 1) {
        add_image(gradient, spot, sums);
        return;
    }
    each.slot = loop_for(program, loop_int(program, 0), gradient->block_images, 1);
    each.image = loop_add(program, gradient->image, each.slot);
    add_image(&each, spot, sums);
    loop_end(program);
}

static void add_to_result(const struct gradient *gradient, loop_value index, loop_value value)
{
    struct loop_program *program = gradient->program;
    uint32_t out = (uint32_t)kernel_first_output(gradient->kernel);
    loop_value before = loop_load(program, out, index, loop_type_of(program, value).lanes);
    loop_store(program, out, index, loop_binary(program, LOOP_ADD, before, value));
}

/* The index of row `row` of a tap, at a column of the result. */
static loop_value result_row(const struct gradient *gradient, const struct weight_column *column,
                             loop_value tap, loop_value row)
{
    struct loop_program *program = gradient->program;
    int32_t channels = gradient->kernel->in_channels / gradient->kernel->groups;
    loop_value number = loop_add(program, loop_times(program, tap, channels), row);
    return loop_add(program, gradient->result, nest_weight_row(program, column, number));
}

/* Adds a row of a tile whose block is of narrow groups: of the vector, only the outputs of the
 * row's own group count. `slot` is where it is in the sums. */
static void add_diagonal_row(const struct gradient *gradient, const struct spot *spot,
                             loop_value tap, loop_value channel, loop_value sums, int slot)
{
    struct loop_program *program = gradient->program;
    const struct kernel *kernel = gradient->kernel;
    int32_t outputs = kernel->out_channels / kernel->groups;
    loop_value inputs = loop_int(program, kernel->in_channels / kernel->groups);
    if (gradient->joined) {
        loop_value channels = loop_int(program, gradient->blocks.channels);
        tap = loop_add(program, tap, loop_binary(program, LOOP_DIVIDE, channel, channels));
        channel = loop_binary(program, LOOP_REMAINDER, channel, channels);
    }
    loop_value group = loop_binary(program, LOOP_DIVIDE, channel, inputs);
    loop_value row = loop_binary(program, LOOP_REMAINDER, channel, inputs);
    loop_value lane = loop_times(program, group, outputs);
    loop_value value = loop_load_local(
        program, sums, loop_plus(program, lane, (int64_t)slot * VECTOR_LANES), outputs);
    loop_value first = result_row(gradient, &spot->block.weight, tap, row);
    add_to_result(gradient, loop_add(program, first, lane), value);
}

static void add_row(const struct gradient *gradient, const struct spot *spot, loop_value tap,
                    loop_value row, loop_value sums, int slot)
{
    struct loop_program *program = gradient->program;
    loop_value first = result_row(gradient, &spot->block.weight, tap, row);
    for (int v = 0; v < spot->block.vectors; v++) {
        loop_value at = loop_int(program, (int64_t)(slot + v) * VECTOR_LANES);
        add_to_result(gradient, loop_plus(program, first, (int64_t)v * VECTOR_LANES),
                      loop_load_local(program, sums, at, VECTOR_LANES));
    }
}

/* Copies sums to a local that may be read at a variable index: one that is stays in memory. */
static loop_value spill(const struct gradient *gradient, loop_value sums, int vectors)
{
    struct loop_program *program = gradient->program;
    loop_value copy = loop_local(program, LOOP_F32, (int64_t)vectors * VECTOR_LANES);
    for (int i = 0; i < vectors; i++) {
        loop_value at = loop_int(program, (int64_t)i * VECTOR_LANES);
        loop_store_local(program, copy, at, loop_load_local(program, sums, at, VECTOR_LANES));
    }
    return copy;
}

static void add_sums(const struct gradient *gradient, const struct spot *spot, loop_value sums)
{
    struct loop_program *program = gradient->program;
    int count = spot->length * gradient->side, vectors = spot->block.vectors;
    if (gradient->blocks.diagonal)
        sums = spill(gradient, sums, count);
    for (int i = 0; i < count; i++) {
        loop_value row = loop_plus(program, spot->row, i / gradient->side);
        loop_value tap = loop_plus(program, spot->tap.index, i % gradient->side);
        if (gradient->blocks.diagonal)
            add_diagonal_row(gradient, spot, tap, row, sums, i);
        else
            add_row(gradient, spot, tap, row, sums, i * vectors);
    }
}

static void build_tile(const struct gradient *gradient, const struct spot *spot)
{
    struct loop_program *program = gradient->program;
    int vectors = spot->length * gradient->side * spot->block.vectors;
    loop_value sums = loop_local(program, LOOP_F32, (int64_t)vectors * VECTOR_LANES);
    for (int i = 0; i < vectors; i++)
        loop_store_local(program, sums, loop_int(program, (int64_t)i * VECTOR_LANES),
                         nest_zero(program, VECTOR_LANES));
    add_images(gradient, spot, sums);
    add_sums(gradient, spot, sums);
}

/* ---- runs, blocks and chunks ---- */

/* All tiles of the blocks of `vectors` vectors, over the rows that were packed. */
static void build_blocks(const struct gradient *gradient, int vectors)
{
    struct loop_program *program = gradient->program;
    const int32_t *kernel = gradient->kernel->window.kernel;
    struct spot spot;
    int bodies = conv_blocks_open(&gradient->blocks, program, gradient->part, vectors, &spot.block);
    if (bodies == 0)
        return;
    bool whole_row = gradient->joined || gradient->side > 1;
    const int32_t taps[GRID_RANK] = {kernel[0], kernel[1], whole_row ? 1 : kernel[LAST]};
    bodies += nest_open(program, taps, &spot.tap);
    spot.tap.index = nest_index(program, kernel, spot.tap.at);
    int length = gradient->blocks.spread
                     ? gradient->run
                     : conv_tile_length(gradient->run, vectors * gradient->side, 1);
    int32_t whole = gradient->run - gradient->run % length;
    spot.length = length;
    spot.row = loop_for(program, loop_int(program, 0), loop_int(program, whole), length);
    build_tile(gradient, &spot);
    loop_end(program);
    spot.length = gradient->run - whole;
    spot.row = loop_int(program, whole);
    if (spot.length > 0)
        build_tile(gradient, &spot);
    nest_close(program, bodies);
}

/* Stores zeros into columns [first, end) of a block, in every row of the result. */
static void clear_columns(const struct gradient *gradient, const struct conv_block *block,
                          loop_value first, loop_value end, int lanes)
{
    struct loop_program *program = gradient->program;
    const struct kernel *kernel = gradient->kernel;
    loop_value zero = loop_int(program, 0);
    int64_t rows = kernel_weight_elements(kernel, false) / vector_stride(kernel->out_channels);
    loop_value row = loop_for(program, zero, loop_int(program, rows), 1);
    loop_value column = loop_for(program, first, end, lanes);
    loop_value index = loop_add(program, result_row(gradient, &block->weight, zero, row), column);
    loop_store(program, (uint32_t)kernel_first_output(kernel), index, nest_zero(program, lanes));
    nest_close(program, 2);
}

/* Clears the task's part of the result, or at the end the padding it has written to. */
static void clear_blocks(const struct gradient *gradient, int vectors, bool padding)
{
    struct loop_program *program = gradient->program;
    struct conv_block block;
    int bodies = conv_blocks_open(&gradient->blocks, program, gradient->part, vectors, &block);
    if (bodies == 0)
        return;
    loop_value width = loop_int(program, (int64_t)vectors * VECTOR_LANES);
    loop_value channels = loop_int(program, gradient->kernel->out_channels);
    loop_value used = loop_binary(program, LOOP_SUBTRACT, channels, block.output);
    if (padding) {
        loop_if(program, loop_binary(program, LOOP_LESS, used, width));
        clear_columns(gradient, &block, used, width, 1);
        bodies++;
    } else {
        clear_columns(gradient, &block, loop_int(program, 0), width, VECTOR_LANES);
    }
    nest_close(program, bodies);
}

/* Declares the packed rows of x or dy. */
static void declare(struct gradient *gradient, struct conv_input *input)
{
    input->program = gradient->program;
    if (input->packed)
        input->local =
            loop_local(gradient->program, LOOP_F32, gradient->images * conv_input_elements(input));
}

/* Packs one image's rows of x and dy at its place in the block. */
static void pack_image(const struct gradient *gradient, loop_value image, loop_value slot)
{
    struct loop_program *program = gradient->program;
    const loop_value first[GRID_RANK] = {gradient->depth, gradient->first_row,
                                         loop_int(program, 0)};
    const struct conv_input *inputs[] = {&gradient->x, &gradient->dy};
    for (int i = 0; i < 2; i++)
        if (inputs[i]->packed)
            conv_input_pack(inputs[i], image, first,
                            loop_times(program, slot, conv_input_elements(inputs[i])));
}

/* Blocks of several images, each of all its rows. */
static void build_image_blocks(struct gradient *gradient, const struct task_range *range)
{
    struct loop_program *program = gradient->program;
    loop_value zero = loop_int(program, 0), images = loop_int(program, gradient->images);
    gradient->depth = gradient->first_row = zero;
    gradient->end_row = loop_int(program, gradient->kernel->out_grid[1]);
    gradient->image = loop_for(program, range->first, range->end, gradient->images);
    gradient->block_images =
        loop_binary(program, LOOP_MINIMUM, images,
                    loop_binary(program, LOOP_SUBTRACT, range->end, gradient->image));
    loop_value slot = loop_for(program, zero, gradient->block_images, 1);
    pack_image(gradient, loop_add(program, gradient->image, slot), slot);
    loop_end(program);
    build_blocks(gradient, 2);
    build_blocks(gradient, 1);
    loop_end(program);
}

/* Blocks of rows of one image. */
static void build_images(struct gradient *gradient, const struct task_range *range)
{
    struct loop_program *program = gradient->program;
    const int32_t *grid = gradient->kernel->out_grid;
    loop_value zero = loop_int(program, 0);
    gradient->slot = zero;
    if (gradient->images > 1) {
        build_image_blocks(gradient, range);
        return;
    }
    int bodies = nest_open_images(program, range, &gradient->image);
    gradient->depth = loop_for(program, zero, loop_int(program, grid[0]), 1);
    gradient->first_row = loop_for(program, zero, loop_int(program, grid[1]), gradient->rows);
    gradient->end_row =
        loop_binary(program, LOOP_MINIMUM, loop_plus(program, gradient->first_row, gradient->rows),
                    loop_int(program, grid[1]));
    pack_image(gradient, gradient->image, zero);
    build_blocks(gradient, 2);
    build_blocks(gradient, 1);
    nest_close(program, bodies + 2);
}

static bool weight_gradient_applies(const struct kernel *kernel)
{
    struct gradient gradient;
    return gradient_plan(kernel, &gradient);
}

static void weight_gradient_build(const struct kernel *kernel, struct loop_program *program)
{
    struct gradient gradient;
    gradient_plan(kernel, &gradient);
    gradient.program = program;
    program->images_per_task = kernel->chunk_images;
    program->tasks_per_group = gradient.blocks.splits;
    struct task_range range = nest_task(program);
    loop_value chunk = loop_binary(program, LOOP_DIVIDE, loop_task(program),
                                   loop_int(program, gradient.blocks.splits));
    gradient.part = range.part;
    gradient.result = loop_times(program, chunk, kernel_weight_elements(kernel, false));
    if (gradient.dy.is_part)
        gradient.dy.first_channel = loop_times(program, gradient.part, gradient.dy.elements);
    declare(&gradient, &gradient.x);
    declare(&gradient, &gradient.dy);
    clear_blocks(&gradient, 2, false);
    clear_blocks(&gradient, 1, false);
    build_images(&gradient, &range);
    if (vector_stride(kernel->out_channels) != kernel->out_channels) {
        clear_blocks(&gradient, 2, true);
        clear_blocks(&gradient, 1, true);
    }
}

const struct schedule weight_gradient_schedule = {
    .name = "weight_gradient",
    .applies = weight_gradient_applies,
    .build = weight_gradient_build,
};
