/* Convolutions and data gradients by register tiles: `pixels` of a row of the output times one or
 * two vectors of output channels are summed in registers, while loops run over the window and the
 * input channels; each step loads the weights' vectors and broadcasts one input value a pixel.
 *
 * Input rows are packed (conv_pack.c) where there is a prologue or padding, or where points fall
 * into few sets of a cache. A data gradient of stride s is s^rank convolutions of stride 1, one for
 * each residue of the result's coordinates, with the taps that divide. Groups narrower than a
 * vector share one: each input is spread over the lanes of its group, or where groups have more or
 * fewer outputs than inputs, their weights are spread to a block with zeros off its diagonal. Loops
 * that a tile is made of stay loops in the code.
 *
 * Small grids: a task has several images, which each block's weights meet one after the other.
 * What a tile's end and the next task read is asked for ahead (conv_prefetch.c); side sums are
 * conv_sums.c's. */
#include "codegen/cpu/conv_tile.h"
#include "codegen/cpu/schedules.h"

enum {
    STEP_TAPS = 3, /* the most taps of the last axis that one step has */
};

/* ---- one tile ---- */

static const int32_t *input_grid(const struct conv_tile *tile)
{
    return tile->input->packed ? tile->input->extent : tile->kernel->in_grid;
}

/* The element of the input that output `at` of an axis reads with tap 0, in points of that axis.
 * Packed rows start at the task's first output. */
static loop_value input_coordinate(const struct conv_tile *tile, const struct conv_spot *spot,
                                   int i)
{
    struct loop_program *program = tile->program;
    const struct tile_axis *axis = spot->axes[i];
    loop_value at = spot->at[i];
    if (tile->input->packed && i == 0)
        at = loop_int(program, 0);
    if (tile->input->packed && i == 1)
        at = loop_binary(program, LOOP_SUBTRACT, at, tile->part_row);
    at = loop_times(program, at, axis->in_stride);
    return loop_plus(program, at, axis->in_first - (tile->input->packed ? tile->input->low[i] : 0));
}

/* The index of the input element of pixel 0, tap 0 and the block's first channel. */
static loop_value input_origin(const struct conv_tile *tile, const struct conv_spot *spot)
{
    struct loop_program *program = tile->program;
    loop_value at[GRID_RANK], point;
    for (int i = 0; i < GRID_RANK; i++)
        at[i] = input_coordinate(tile, spot, i);
    point = nest_index(program, input_grid(tile), at);
    loop_value image = tile->input->packed ? tile->slot : tile->image;
    point = loop_add(program, loop_times(program, image, grid_points(input_grid(tile))), point);
    return loop_add(program, loop_times(program, point, tile->input->stride), spot->block.channel);
}

/* How many taps of the last axis one step holds. Neighbouring pixels share input values where the
 * stride is 1: then a step has a few taps, and each value that is loaded serves them all. */
static int step_taps(const struct tile_axis *axis)
{
    return axis->in_stride == 1 && axis->taps > 1 && axis->taps <= STEP_TAPS ? axis->taps : 1;
}

/* The steps of a tile's sum: loops over the taps of outer axes, then over taps of the last axis
 * and channels, as one loop where both are contiguous. */
struct steps {
    int bodies;
    loop_value x;      /* index of the input element of pixel 0 */
    loop_value weight; /* row of the weight, counted in channels */
};

/* Rows of the weight that a tap has: a loop over them, or where groups are narrow all in a step. */
static int32_t tap_rows(const struct conv_tile *tile)
{
    const struct conv_blocks *blocks = &tile->plan.blocks;
    return blocks->spread ? blocks->spread : blocks->channels;
}

static bool is_contiguous(const struct conv_tile *tile, const struct tile_axis *axis)
{
    return !tile->plan.blocks.spread && axis->in_step == 1 && axis->tap_step == 1 &&
           tile->input->stride == tile->plan.blocks.channels && axis->taps > step_taps(axis);
}

/* The channels of a tap that a step takes one of. */
static int32_t channel_steps(const struct conv_tile *tile, const struct conv_spot *spot)
{
    return tile->plan.blocks.channels *
           (is_contiguous(tile, spot->axes[LAST]) ? spot->axes[LAST]->taps : 1);
}

/* In how many parts a tile asks for its results while it sums, or 1. */
static int result_parts(const struct conv_tile *tile, const struct conv_spot *spot, int pixels)
{
    if (grid_points(tile->kernel->window.kernel) > 1 || tile->plan.blocks.spread)
        return 1;
    return conv_prefetch_parts(tile, spot, pixels, channel_steps(tile, spot));
}

/* Opens the loop over channels, in parts between which results are asked for. */
static loop_value open_channels(const struct conv_tile *tile, const struct conv_spot *spot,
                                int pixels, struct steps *steps)
{
    struct loop_program *program = tile->program;
    int32_t count = channel_steps(tile, spot);
    int parts = result_parts(tile, spot, pixels);
    loop_value first = loop_int(program, 0);
    if (parts > 1) {
        loop_value part = loop_for(program, first, loop_int(program, parts), 1);
        conv_prefetch_results(tile, spot, pixels, parts, part);
        first = loop_times(program, part, count / parts);
        steps->bodies++;
    }
    steps->bodies++;
    return loop_for(program, first, loop_plus(program, first, count / parts), 1);
}

static struct steps open_steps(const struct conv_tile *tile, const struct conv_spot *spot,
                               int pixels)
{
    struct loop_program *program = tile->program;
    const int32_t *grid = input_grid(tile);
    int64_t point_step = tile->input->stride;
    const int64_t strides[GRID_RANK] = {grid[1] * grid[2] * point_step, grid[2] * point_step,
                                        point_step};
    struct steps steps = {.x = input_origin(tile, spot)};
    loop_value zero = loop_int(program, 0), window = zero;
    bool contiguous = is_contiguous(tile, spot->axes[LAST]);
    for (int i = 0; i < GRID_RANK; i++) {
        const struct tile_axis *axis = spot->axes[i];
        loop_value tap = zero;
        if (axis->taps > (i == LAST ? step_taps(axis) : 1) && !(i == LAST && contiguous)) {
            tap = loop_for(program, zero, loop_int(program, axis->taps), 1);
            steps.bodies++;
        }
        steps.x = loop_add(program, steps.x, loop_times(program, tap, axis->in_step * strides[i]));
        tap = loop_plus(program, loop_times(program, tap, axis->tap_step), axis->tap_first);
        window =
            loop_add(program, loop_times(program, window, tile->kernel->window.kernel[i]), tap);
    }
    steps.weight = loop_times(program, window, tap_rows(tile));
    if (tile->plan.blocks.spread)
        return steps;
    loop_value channel = open_channels(tile, spot, pixels, &steps);
    steps.x = loop_add(program, steps.x, channel);
    steps.weight = loop_add(program, steps.weight, channel);
    return steps;
}

static loop_value load_weight(const struct conv_tile *tile, const struct conv_spot *spot,
                              loop_value row, int vector)
{
    struct loop_program *program = tile->program;
    if (tile->plan.blocks.diagonal)
        return loop_load_local(program, tile->weights, loop_times(program, row, VECTOR_LANES),
                               VECTOR_LANES);
    loop_value index = loop_plus(program, nest_weight_row(program, &spot->block.weight, row),
                                 (int64_t)vector * VECTOR_LANES);
    return loop_load(program, (uint32_t)kernel_weight_parameter(tile->kernel), index, VECTOR_LANES);
}

/* One value of x in all lanes, or where groups are narrow, input `channel` of each group in the
 * lanes of its outputs. */
static loop_value load_input(const struct conv_tile *tile, loop_value index, int channel)
{
    int spread = tile->plan.blocks.spread;
    if (spread)
        return loop_spread(tile->program, conv_input_load(tile->input, index, VECTOR_LANES), spread,
                           channel);
    return loop_broadcast(tile->program, conv_input_load(tile->input, index, 1), VECTOR_LANES);
}

/* Adds one step's products with row `channel` of its taps to the sums [pixel][vector]: each input
 * value that its pixels and taps read is loaded once. */
static void add_channel(const struct conv_tile *tile, const struct conv_spot *spot,
                        const struct steps *steps, loop_value sums, int pixels, int channel)
{
    struct loop_program *program = tile->program;
    const struct tile_axis *axis = spot->axes[LAST];
    int taps = step_taps(axis), reach = (taps - 1) * axis->in_step;
    int first = reach < 0 ? reach : 0, last = pixels - 1 + (reach > 0 ? reach : 0);
    loop_value weights[STEP_TAPS][2];
    for (int m = 0; m < taps; m++)
        for (int v = 0; v < spot->block.vectors; v++) {
            int64_t rows = (int64_t)m * axis->tap_step * tap_rows(tile) + channel;
            weights[m][v] = load_weight(tile, spot, loop_plus(program, steps->weight, rows), v);
        }
    for (int p = first; p <= last; p++) {
        int64_t offset = p * axis->in_stride * tile->input->stride;
        loop_value x = load_input(tile, loop_plus(program, steps->x, offset), channel);
        for (int m = 0; m < taps; m++) {
            int pixel = p - m * axis->in_step;
            if (pixel >= 0 && pixel < pixels)
                nest_add_products(program, sums, pixel * spot->block.vectors, x, weights[m],
                                  spot->block.vectors);
        }
    }
}

static void add_step(const struct conv_tile *tile, const struct conv_spot *spot,
                     const struct steps *steps, loop_value sums, int pixels)
{
    int channels = tile->plan.blocks.spread ? tile->plan.blocks.spread : 1;
    for (int channel = 0; channel < channels; channel++)
        add_channel(tile, spot, steps, sums, pixels, channel);
}

struct place conv_tile_place(const struct conv_tile *tile, const struct conv_spot *spot, int j)
{
    struct loop_program *program = tile->program;
    const struct kernel *kernel = tile->kernel;
    loop_value at[GRID_RANK], image = tile->image, pixel = loop_plus(program, spot->at[LAST], j);
    for (int i = 0; i < GRID_RANK; i++) {
        loop_value output = i == LAST ? pixel : spot->at[i];
        at[i] = loop_plus(program, loop_times(program, output, spot->axes[i]->out_step),
                          spot->axes[i]->out_first);
    }
    loop_value point = nest_index(program, kernel->out_grid, at);
    if (tile->plan.image_row) {
        image = loop_add(program, image, pixel);
        point = loop_int(program, 0);
    }
    return place_out(kernel, image, point, spot->block.output, VECTOR_LANES);
}

loop_value conv_tile_index(const struct conv_tile *tile, const struct place *place, int v)
{
    loop_value channel = loop_plus(tile->program, place->channel, (int64_t)v * VECTOR_LANES);
    return activation_index(tile->program, place->image, place->points, place->point,
                            tile->kernel->out_channels, channel);
}

/* Stores the results of pixel `j`, the epilogue applied; side_sums is [vector][sum]. */
static void store_pixel(const struct conv_tile *tile, const struct conv_spot *spot, loop_value sums,
                        int j, loop_value side_sums[2][KERNEL_SUMS])
{
    struct loop_program *program = tile->program;
    const struct kernel *kernel = tile->kernel;
    const struct place first = conv_tile_place(tile, spot, j);
    for (int v = 0; v < spot->block.vectors; v++) {
        struct place place = first;
        place.channel = loop_plus(program, first.channel, (int64_t)v * VECTOR_LANES);
        int64_t slot = ((int64_t)j * spot->block.vectors + v) * VECTOR_LANES;
        place.result = loop_load_local(program, sums, loop_int(program, slot), VECTOR_LANES);
        loop_value value = place.result;
        conv_sums_add(tile, &place, j == 0, side_sums[v]);
        if (kernel->epilogue)
            value = expression_value(kernel, program, (uint16_t)(kernel->epilogue - 1), &place);
        loop_store_aligned(program, (uint32_t)kernel_first_output(kernel),
                           conv_tile_index(tile, &first, v), value, kernel->streams);
    }
}

static void build_tile(const struct conv_tile *tile, const struct conv_spot *spot, int pixels)
{
    struct loop_program *program = tile->program;
    loop_value sums =
        loop_local(program, LOOP_F32, (int64_t)pixels * spot->block.vectors * VECTOR_LANES);
    for (int i = 0; i < pixels * spot->block.vectors; i++)
        loop_store_local(program, sums, loop_int(program, (int64_t)i * VECTOR_LANES),
                         nest_zero(program, VECTOR_LANES));
    bool by_steps = conv_prefetch_by_steps(tile, pixels);
    if (result_parts(tile, spot, pixels) == 1)
        conv_prefetch_results(tile, spot, pixels, 1, loop_int(program, 0));
    if (!by_steps)
        conv_prefetch_next(tile, spot, pixels, loop_int(program, 0));
    bool has_taps = true;
    for (int i = 0; i < GRID_RANK; i++)
        has_taps = has_taps && spot->axes[i]->taps > 0;
    if (has_taps) {
        struct steps steps = open_steps(tile, spot, pixels);
        if (by_steps)
            conv_prefetch_next(tile, spot, pixels, steps.weight);
        add_step(tile, spot, &steps, sums, pixels);
        nest_close(program, steps.bodies);
    }
    loop_value side_sums[2][KERNEL_SUMS];
    for (int j = 0; j < pixels; j++)
        store_pixel(tile, spot, sums, j, side_sums);
    for (int v = 0; v < spot->block.vectors; v++)
        conv_sums_keep(tile, spot, v, side_sums[v]);
}

/* ---- rows, blocks and classes ---- */

static void build_image_row(const struct conv_tile *tile, struct conv_spot *spot)
{
    struct loop_program *program = tile->program;
    loop_value full = loop_int(program, ROW_IMAGES), one = loop_int(program, 1);
    loop_if(program, loop_binary(program, LOOP_EQUAL, tile->row_length, full));
    spot->at[LAST] = loop_int(program, 0);
    build_tile(tile, spot, ROW_IMAGES);
    loop_else(program);
    spot->at[LAST] =
        loop_for(program, loop_binary(program, LOOP_SUBTRACT, one, one), tile->row_length, 1);
    build_tile(tile, spot, 1);
    loop_end(program);
    loop_end(program);
}

static void build_row(const struct conv_tile *tile, struct conv_spot *spot)
{
    struct loop_program *program = tile->program;
    int32_t length = spot->axes[LAST]->outputs;
    if (tile->plan.image_row) {
        build_image_row(tile, spot);
        return;
    }
    int pixels = conv_tile_length(length, spot->block.vectors, step_taps(spot->axes[LAST]));
    int32_t whole = length - length % pixels;
    spot->at[LAST] = loop_for(program, loop_int(program, 0), loop_int(program, whole), pixels);
    build_tile(tile, spot, pixels);
    loop_end(program);
    spot->at[LAST] = loop_int(program, whole);
    if (whole < length)
        build_tile(tile, spot, length - whole);
}

/* Spreads the weights of narrow groups: element [w][c][k] of the block is nonzero where c and k
 * are of the same group. What is off the diagonal was cleared when the task began. */
static void spread_weights(const struct conv_tile *tile, const struct conv_spot *spot)
{
    struct loop_program *program = tile->program;
    const struct kernel *kernel = tile->kernel;
    int32_t inputs = kernel->in_channels / kernel->groups;
    int32_t outputs = kernel->out_channels / kernel->groups;
    loop_value zero = loop_int(program, 0);
    loop_value w =
        loop_for(program, zero, loop_int(program, grid_points(kernel->window.kernel)), 1);
    loop_value c = loop_for(program, zero, loop_int(program, inputs), 1);
    loop_value row = loop_add(program, loop_times(program, w, inputs), c);
    loop_value from = nest_weight_row(program, &spot->block.weight, row);
    loop_value to = loop_add(program, loop_times(program, w, tile->plan.blocks.channels), c);
    for (int g = 0; g < VECTOR_LANES / outputs; g++) {
        loop_value weights = loop_load(program, (uint32_t)kernel_weight_parameter(kernel),
                                       loop_plus(program, from, g * outputs), outputs);
        loop_value at = loop_times(program, loop_plus(program, to, g * inputs), VECTOR_LANES);
        loop_store_local(program, tile->weights, loop_plus(program, at, g * outputs), weights);
    }
    nest_close(program, 2);
}

/* The rows of one image of the task. */
static void build_rows(const struct conv_tile *tile, struct conv_spot *spot)
{
    struct loop_program *program = tile->program;
    loop_value last = loop_int(program, spot->axes[1]->outputs);
    loop_value row_end = loop_binary(program, LOOP_MINIMUM,
                                     loop_plus(program, tile->part_row, tile->plan.rows), last);
    spot->at[1] = loop_for(program, tile->part_row, row_end, 1);
    build_row(tile, spot);
    loop_end(program);
}

static void build_each_image(const struct conv_tile *tile, struct conv_spot *spot)
{
    struct loop_program *program = tile->program;
    struct conv_tile each = *tile;
    if (tile->plan.images == 1) {
        build_rows(tile, spot);
        return;
    }
    each.input = &each.plan.input;
    each.slot = loop_for(program, loop_int(program, 0), tile->images, 1);
    each.image = loop_add(program, tile->image, each.slot);
    build_rows(&each, spot);
    loop_end(program);
}

/* All rows of the task for all its blocks of `vectors` vectors, of one class. */
static void build_blocks(const struct conv_tile *tile, struct conv_spot *spot, int vectors)
{
    struct loop_program *program = tile->program;
    int bodies =
        conv_blocks_open(&tile->plan.blocks, program, tile->part_split, vectors, &spot->block);
    if (bodies == 0)
        return;
    if (tile->plan.blocks.diagonal)
        spread_weights(tile, spot);
    build_each_image(tile, spot);
    nest_close(program, bodies);
}

/* One class of outputs: residues r of the three coordinates. */
static void build_class(const struct conv_tile *tile, const int r[GRID_RANK])
{
    struct loop_program *program = tile->program;
    struct conv_spot spot = {.at = {tile->part_depth}};
    for (int i = 0; i < GRID_RANK; i++)
        spot.axes[i] = &tile->plan.axes[i][r[i]];
    struct condition exists = {0};
    if (spot.axes[0]->outputs < tile->plan.outputs[0])
        condition_and(program, &exists,
                      loop_binary(program, LOOP_LESS, tile->part_depth,
                                  loop_int(program, spot.axes[0]->outputs)));
    int bodies = nest_open_if(program, exists);
    build_blocks(tile, &spot, 2);
    build_blocks(tile, &spot, 1);
    nest_close(program, bodies);
}

/* Splits the task's part into depth, block of rows and split of channels. */
static void set_parts(struct conv_tile *tile)
{
    struct loop_program *program = tile->program;
    int32_t row_parts = (tile->plan.outputs[1] + tile->plan.rows - 1) / tile->plan.rows;
    program->images_per_task = tile->plan.image_row ? ROW_IMAGES : tile->plan.images;
    program->tasks_per_group =
        (int64_t)tile->plan.outputs[0] * row_parts * tile->plan.blocks.splits;
    struct task_range range = nest_task(program);
    loop_value rest = range.part, splits = loop_int(program, tile->plan.blocks.splits);
    loop_value parts = loop_int(program, row_parts);
    tile->image = range.first;
    tile->slot = loop_int(program, 0);
    tile->images = loop_binary(program, LOOP_SUBTRACT, range.end, range.first);
    tile->part_split = loop_binary(program, LOOP_REMAINDER, rest, splits);
    rest = loop_binary(program, LOOP_DIVIDE, rest, splits);
    loop_value row_part = loop_binary(program, LOOP_REMAINDER, rest, parts);
    tile->part_row = loop_times(program, row_part, tile->plan.rows);
    tile->part_depth = loop_binary(program, LOOP_DIVIDE, rest, parts);
    if (tile->plan.image_row)
        tile->row_length = tile->images;
}

static void pack(struct conv_tile *tile)
{
    struct conv_input *input = &tile->plan.input;
    input->local =
        loop_local(tile->program, LOOP_F32, tile->plan.images * conv_input_elements(input));
    if (tile->plan.image_row) {
        conv_input_pack_images(input, tile->image, tile->row_length);
        return;
    }
    const loop_value first[GRID_RANK] = {tile->part_depth, tile->part_row,
                                         loop_int(tile->program, 0)};
    if (tile->plan.images == 1) {
        conv_input_pack(input, tile->image, first, tile->slot);
        return;
    }
    loop_value slot = loop_for(tile->program, tile->slot, tile->images, 1);
    conv_input_pack(input, loop_add(tile->program, tile->image, slot), first,
                    loop_times(tile->program, slot, conv_input_elements(input)));
    loop_end(tile->program);
}

static void declare_weights(struct conv_tile *tile)
{
    int64_t elements = conv_plan_weights(&tile->plan);
    tile->weights = loop_local(tile->program, LOOP_F32, elements);
    local_clear(tile->program, tile->weights, loop_int(tile->program, 0), elements);
}

static bool conv_tile_applies(const struct kernel *kernel)
{
    struct conv_plan plan;
    return conv_plan_make(kernel, &plan);
}

static void conv_tile_build(const struct kernel *kernel, struct loop_program *program)
{
    struct conv_tile tile = {.kernel = kernel, .program = program};
    conv_plan_make(kernel, &tile.plan);
    tile.plan.input.program = program;
    tile.input = &tile.plan.input;
    set_parts(&tile);
    if (tile.input->packed)
        pack(&tile);
    if (tile.plan.blocks.diagonal)
        declare_weights(&tile);
    if (kernel->sum_count)
        conv_sums_declare(&tile);
    const int *classes = tile.plan.classes;
    int r[GRID_RANK];
    for (r[0] = 0; r[0] < classes[0]; r[0]++)
        for (r[1] = 0; r[1] < classes[1]; r[1]++)
            for (r[2] = 0; r[2] < classes[2]; r[2]++)
                build_class(&tile, r);
    if (kernel->sum_count)
        conv_sums_store(&tile);
}

const struct schedule conv_tile_schedule = {
    .name = "conv_tile",
    .applies = conv_tile_applies,
    .build = conv_tile_build,
};
