/* Convolutions by Winograd's minimal filtering (winograd.h).
 *
 * A task has some rows of tiles of an image, or several small images. It packs their input rows,
 * the prologue applied, and transforms each tile of them once; then for each block of output
 * channels it transforms the weights, multiplies at each of the 36 points, a matrix product of
 * tiles and channels in registers, and transforms the sums back, where the epilogue is applied and
 * side sums are added up. Channels are multiplied some at a time, so that a block's weights stay in
 * a near cache while all tiles meet them. */
#include "base/integer.h"
#include "codegen/cpu/schedules.h"
#include "codegen/cpu/winograd.h"

enum {
    TASK_TILES = 32,         /* wanted in a task: enough for its transformed weights */
    MOST_IMAGES = 8,         /* in a task */
    MOST_BYTES = 2400 << 10, /* of several images' transformed inputs and side sums */
    SLICE_CHANNELS = 64,     /* the most that are multiplied at a time */
    SPLIT_CHANNELS = 128,    /* outputs of a task at least, where they are split */
    MOST_SPLITS = 4,
    LEAST_TILES = 6,   /* in registers, where there are so many */
    PAIR_TILES = 14,   /* the most in registers, of two vectors */
    SINGLE_TILES = 16, /* ... of one */
};

/* What is known of a kernel, and values of its task. */
struct filtering {
    struct conv_tile tile; /* its plan has the blocks, images, rows and packed input */
    struct winograd_tiles tiles;
    int32_t slice;                 /* input channels that are multiplied at a time */
    int32_t slices;                /* of a group */
    int32_t length;                /* tiles in registers */
    int64_t rounded;               /* tiles of a task, rounded up to whole lengths */
    loop_value count;              /* of the task's tiles */
    struct winograd_values inputs; /* one for each slice, slice_elements apart */
    int64_t slice_elements;
};

/* A block of outputs with its values. */
struct filtering_block {
    struct conv_block block;
    int width; /* elements of a row of sums or weights */
    struct winograd_values weights, sums;
};

/* ---- planning ---- */

/* Rows of results in a task; 0 if the kernel's sums are cut between tiles. */
static int32_t choose_rows(const struct kernel *kernel)
{
    int32_t all = kernel->out_grid[1], rows = filtering_rows(kernel);
    if (kernel->sum_count)
        rows = integer_least(kernel->sum_rows, all);
    return rows < all && rows % FILTERING_RESULTS ? 0 : rows;
}

static void choose_slice(struct filtering *filtering)
{
    int32_t vectors = filtering->tile.plan.blocks.channels / VECTOR_LANES;
    filtering->slices = integer_divide_up(vectors * VECTOR_LANES, SLICE_CHANNELS);
    while (vectors % filtering->slices)
        filtering->slices++;
    filtering->slice = vectors / filtering->slices * VECTOR_LANES;
}

static void choose_images(struct filtering *filtering)
{
    struct conv_plan *plan = &filtering->tile.plan;
    plan->images = 1;
    int64_t elements =
        winograd_elements(filtering->tiles.of_image, plan->input.elements) + conv_plan_sums(plan);
    if (plan->rows < plan->kernel->out_grid[1])
        return;
    while (plan->images < MOST_IMAGES && plan->images * filtering->tiles.of_image < TASK_TILES &&
           (plan->images + 1) * elements * (int64_t)sizeof(float) <= MOST_BYTES)
        plan->images++;
}

/* Parts of the outputs, for tasks: some whole groups each, or of large ones some blocks. */
static void choose_splits(struct conv_plan *plan)
{
    const struct kernel *kernel = plan->kernel;
    int32_t splits = kernel->groups / filtering_groups(kernel);
    if (kernel->groups == 1)
        splits = integer_least(kernel->out_channels / SPLIT_CHANNELS, MOST_SPLITS);
    plan->blocks.splits = splits < 1 ? 1 : splits;
    if (kernel->groups > 1)
        conv_input_set_part(&plan->input, kernel->in_channels / splits);
}

/* The tiles that are in registers together: as many as leave the fewest beside `tiles` when all are
 * rounded up. */
static void choose_length(struct filtering *filtering, int32_t tiles)
{
    int32_t most = filtering->tile.plan.blocks.pairs ? PAIR_TILES : SINGLE_TILES;
    filtering->rounded = INT64_MAX;
    for (int32_t length = integer_least(tiles, LEAST_TILES); length <= most; length++) {
        int64_t rounded = (int64_t)integer_divide_up(tiles, length) * length;
        if (rounded <= filtering->rounded) {
            filtering->rounded = rounded;
            filtering->length = length;
        }
    }
}

/* Elements of what a block of `vectors` vectors declares. */
static int64_t block_elements(const struct filtering *filtering, int vectors)
{
    enum { RESULTS = FILTERING_RESULTS * FILTERING_RESULTS };
    int64_t width = (int64_t)vectors * VECTOR_LANES;
    return winograd_elements(filtering->slice, width) +
           winograd_elements(filtering->rounded, width) +
           width * (filtering->length + RESULTS + filtering->tile.kernel->sum_count);
}

/* Elements of all locals: blocks of both widths have their own. */
static int64_t local_elements(const struct filtering *filtering)
{
    const struct conv_plan *plan = &filtering->tile.plan;
    return conv_input_elements(&plan->input) + conv_plan_sums(plan) +
           plan->input.elements / filtering->slice * filtering->slice_elements +
           (plan->blocks.pairs ? block_elements(filtering, 2) : 0) +
           (plan->blocks.singles ? block_elements(filtering, 1) : 0);
}

static bool make_plan(const struct kernel *kernel, struct filtering *filtering)
{
    *filtering = (struct filtering){.tile = {.kernel = kernel, .plan = {.kernel = kernel}}};
    struct conv_plan *plan = &filtering->tile.plan;
    if (!filtering_suits(kernel) || kernel->anchor != KERNEL_CONVOLUTION ||
        !conv_blocks_cut(kernel, &plan->blocks))
        return false;
    filtering->tiles.columns = filtering_tiles(kernel, LAST);
    plan->rows = choose_rows(kernel);
    if (plan->rows == 0)
        return false;
    int32_t tile_rows = integer_divide_up(plan->rows, FILTERING_RESULTS);
    filtering->tiles.of_image = tile_rows * filtering->tiles.columns;
    plan->input = conv_input_of(kernel, 0, false);
    choose_splits(plan);
    choose_images(filtering);
    choose_slice(filtering);
    winograd_set_input(&plan->input, tile_rows, filtering->tiles.columns, FILTERING_SPAN,
                       kernel->window.padding);
    const int32_t tiles = plan->images * filtering->tiles.of_image;
    choose_length(filtering, tiles);
    filtering->slice_elements = winograd_elements(filtering->rounded, filtering->slice);
    return local_elements(filtering) * (int64_t)sizeof(float) <= LOOP_LOCAL_BYTES;
}

/* ---- inputs ---- */

/* Packs and transforms each of the task's images. */
static void build_inputs(struct filtering *filtering)
{
    struct conv_tile *tile = &filtering->tile;
    struct loop_program *program = tile->program;
    struct conv_input *input = &tile->plan.input;
    loop_value zero = loop_int(program, 0), slot = zero;
    input->program = program;
    input->first_channel = loop_times(program, tile->part_split, input->elements);
    input->local = loop_local(program, LOOP_F32, conv_input_elements(input));
    filtering->inputs = winograd_declare(program, input->elements / filtering->slice,
                                         filtering->rounded, filtering->slice);
    if (tile->plan.images > 1)
        slot = loop_for(program, zero, tile->images, 1);
    winograd_transform_image(&filtering->tiles, input, WINOGRAD_INPUT,
                             loop_add(program, tile->image, slot), slot, &filtering->inputs);
    nest_close(program, tile->plan.images > 1);
}

/* ---- products ---- */

/* Transforms the block's weights from input `first` of its group on. */
static void build_weights(const struct filtering *filtering, const struct filtering_block *block,
                          loop_value first)
{
    struct loop_program *program = filtering->tile.program;
    const struct kernel *kernel = filtering->tile.kernel;
    loop_value weights[FILTERING_TAPS * FILTERING_TAPS], points[FILTERING_POINTS];
    loop_value channel =
        loop_for(program, loop_int(program, 0), loop_int(program, filtering->slice), 1);
    loop_value row = loop_add(program, first, channel);
    for (int v = 0; v < block->block.vectors; v++) {
        for (int w = 0; w < FILTERING_TAPS * FILTERING_TAPS; w++) {
            loop_value number =
                loop_plus(program, row, (int64_t)w * filtering->tile.plan.blocks.channels);
            loop_value at = loop_plus(
                program, nest_weight_row(program, &block->block.weight, number), v * VECTOR_LANES);
            weights[w] =
                loop_load(program, (uint32_t)kernel_weight_parameter(kernel), at, VECTOR_LANES);
        }
        winograd_transform(program, WINOGRAD_WEIGHT, weights, points);
        loop_value to =
            loop_plus(program, loop_times(program, channel, block->width), v * VECTOR_LANES);
        winograd_store(program, &block->weights, to, points);
    }
    loop_end(program);
}

/* The products of one channel: sums[tile][vector] += input weights[vector]. */
static void add_channel(const struct filtering *filtering, const struct filtering_block *block,
                        loop_value sums, loop_value input, loop_value weight)
{
    struct loop_program *program = filtering->tile.program;
    loop_value weights[2];
    int vectors = block->block.vectors;
    for (int v = 0; v < vectors; v++)
        weights[v] = loop_load_local(program, block->weights.local,
                                     loop_plus(program, weight, v * VECTOR_LANES), VECTOR_LANES);
    for (int j = 0; j < filtering->length; j++) {
        loop_value at = loop_plus(program, input, (int64_t)j * filtering->slice);
        loop_value x = loop_broadcast(
            program, loop_load_local(program, filtering->inputs.local, at, 1), VECTOR_LANES);
        nest_add_products(program, sums, j * vectors, x, weights, vectors);
    }
}

/* Asks for a share of what the results meet in memory, while products are summed. */
static void prefetch_results(const struct filtering *filtering, const struct filtering_block *block,
                             loop_value slice, loop_value point, loop_value number)
{
    struct loop_program *program = filtering->tile.program;
    const struct conv_plan *plan = &filtering->tile.plan;
    int64_t steps = filtering->rounded / filtering->length;
    int64_t points = (int64_t)plan->images * plan->rows * plan->kernel->out_grid[LAST];
    int64_t all = filtering->slices * FILTERING_POINTS * steps, share = (points + all - 1) / all;
    loop_value step =
        loop_binary(program, LOOP_DIVIDE, number, loop_int(program, filtering->length));
    loop_value before = loop_add(program, loop_times(program, slice, FILTERING_POINTS), point);
    step = loop_add(program, loop_times(program, before, steps), step);
    conv_prefetch_points(&filtering->tile, &block->block, loop_times(program, step, share),
                         (int)share);
}

/* Multiplies a slice of channels, whose inputs begin at element `inputs`, at each point. */
static void build_products(const struct filtering *filtering, const struct filtering_block *block,
                           loop_value slice, loop_value inputs)
{
    struct loop_program *program = filtering->tile.program;
    int64_t vectors = (int64_t)filtering->length * block->block.vectors;
    loop_value zero = loop_int(program, 0);
    loop_value point = loop_for(program, zero, loop_int(program, FILTERING_POINTS), 1);
    loop_value number = loop_for(program, zero, filtering->count, filtering->length);
    loop_value sums = loop_local(program, LOOP_F32, vectors * VECTOR_LANES);
    loop_value at = loop_add(program, loop_times(program, point, block->sums.stride),
                             loop_times(program, number, block->width));
    loop_value input = loop_add(program, loop_times(program, point, filtering->inputs.stride),
                                loop_times(program, number, filtering->slice));
    input = loop_add(program, input, inputs);
    prefetch_results(filtering, block, slice, point, number);
    if (filtering->slices > 1)
        winograd_move(program, &block->sums, at, sums, filtering->length, block->block.vectors,
                      false);
    for (int64_t i = 0; filtering->slices == 1 && i < vectors; i++)
        loop_store_local(program, sums, loop_int(program, i * VECTOR_LANES),
                         nest_zero(program, VECTOR_LANES));
    loop_value channel = loop_for(program, zero, loop_int(program, filtering->slice), 1);
    loop_value weight = loop_add(program, loop_times(program, point, block->weights.stride),
                                 loop_times(program, channel, block->width));
    add_channel(filtering, block, sums, loop_add(program, input, channel), weight);
    loop_end(program);
    winograd_move(program, &block->sums, at, sums, filtering->length, block->block.vectors, true);
    nest_close(program, 2);
}

/* ---- results ---- */

/* How many of a tile's results from `first` on are before `end`. */
static loop_value results_left(struct loop_program *program, loop_value first, loop_value end,
                               int32_t extent)
{
    loop_value all = loop_int(program, FILTERING_RESULTS);
    if (extent % FILTERING_RESULTS == 0)
        return all;
    return loop_binary(program, LOOP_MINIMUM, all, loop_binary(program, LOOP_SUBTRACT, end, first));
}

/* Transforms the sums of a tile into `results`, [result][vector]. */
static void transform_sums(const struct filtering *filtering, const struct filtering_block *block,
                           loop_value number, loop_value results)
{
    struct loop_program *program = filtering->tile.program;
    enum { RESULTS = FILTERING_RESULTS * FILTERING_RESULTS };
    loop_value points[FILTERING_POINTS], values[RESULTS];
    for (int v = 0; v < block->block.vectors; v++) {
        loop_value from =
            loop_plus(program, loop_times(program, number, block->width), v * VECTOR_LANES);
        winograd_load(program, &block->sums, from, points);
        winograd_transform(program, WINOGRAD_RESULT, points, values);
        for (int i = 0; i < RESULTS; i++)
            loop_store_local(program, results,
                             loop_int(program, (int64_t)i * block->width + v * VECTOR_LANES),
                             values[i]);
    }
}

/* Stores a vector of results, the epilogue applied, and adds to the sums that `totals` holds. */
static void store_result(const struct filtering *filtering, struct place *place, loop_value result,
                         loop_value totals)
{
    const struct conv_tile *tile = &filtering->tile;
    struct loop_program *program = tile->program;
    const struct kernel *kernel = tile->kernel;
    loop_value sums[KERNEL_SUMS];
    for (int i = 0; i < kernel->sum_count; i++)
        sums[i] =
            loop_load_local(program, totals, loop_int(program, i * VECTOR_LANES), VECTOR_LANES);
    place->result = result;
    conv_sums_add(tile, place, false, sums);
    for (int i = 0; i < kernel->sum_count; i++)
        loop_store_local(program, totals, loop_int(program, i * VECTOR_LANES), sums[i]);
    loop_value index = activation_index(program, place->image, place->points, place->point,
                                        kernel->out_channels, place->channel);
    loop_store_aligned(program, (uint32_t)kernel_first_output(kernel), index,
                       epilogue_value(kernel, program, *place, result), kernel->streams);
}

/* Stores the results of the tile whose first is at `row` and `column`. */
static void store_tile(const struct filtering *filtering, const struct filtering_block *block,
                       loop_value row, loop_value column, loop_value results)
{
    const struct conv_tile *tile = &filtering->tile;
    struct loop_program *program = tile->program;
    const int32_t *grid = tile->kernel->out_grid;
    const struct conv_spot spot = {.block = block->block};
    loop_value zero = loop_int(program, 0), totals[2], sums[KERNEL_SUMS];
    int sum_count = tile->kernel->sum_count;
    for (int v = 0; v < block->block.vectors && sum_count; v++) {
        totals[v] = loop_local(program, LOOP_F32, (int64_t)sum_count * VECTOR_LANES);
        for (int i = 0; i < sum_count; i++)
            loop_store_local(program, totals[v], loop_int(program, i * VECTOR_LANES),
                             nest_zero(program, VECTOR_LANES));
    }
    loop_value rows = results_left(program, row, filtering->tiles.row_end, grid[1]);
    loop_value columns = results_left(program, column, loop_int(program, grid[LAST]), grid[LAST]);
    loop_value i = loop_for(program, zero, rows, 1), j = loop_for(program, zero, columns, 1);
    const loop_value at[GRID_RANK] = {zero, loop_add(program, row, i),
                                      loop_add(program, column, j)};
    loop_value point = nest_index(program, grid, at);
    loop_value element = loop_add(program, loop_times(program, i, FILTERING_RESULTS), j);
    for (int v = 0; v < block->block.vectors; v++) {
        loop_value channel = loop_plus(program, block->block.output, v * VECTOR_LANES);
        struct place place = place_out(tile->kernel, tile->image, point, channel, VECTOR_LANES);
        loop_value from =
            loop_plus(program, loop_times(program, element, block->width), v * VECTOR_LANES);
        store_result(filtering, &place, loop_load_local(program, results, from, VECTOR_LANES),
                     totals[v]);
    }
    nest_close(program, 2);
    for (int v = 0; v < block->block.vectors && sum_count; v++) {
        for (int k = 0; k < sum_count; k++)
            sums[k] = loop_load_local(program, totals[v], loop_int(program, k * VECTOR_LANES),
                                      VECTOR_LANES);
        conv_sums_keep(tile, &spot, v, sums);
    }
}

static void build_results(const struct filtering *filtering, const struct filtering_block *block)
{
    struct loop_program *program = filtering->tile.program;
    struct filtering each = *filtering;
    bool several = filtering->tile.plan.images > 1;
    loop_value row, column;
    loop_value results = loop_local(program, LOOP_F32,
                                    (int64_t)FILTERING_RESULTS * FILTERING_RESULTS * block->width);
    if (several) {
        each.tile.slot = loop_for(program, loop_int(program, 0), filtering->tile.images, 1);
        each.tile.image = loop_add(program, filtering->tile.image, each.tile.slot);
    }
    int bodies = winograd_open_tiles(&filtering->tiles, &row, &column);
    transform_sums(&each, block, winograd_tile_number(&each.tiles, each.tile.slot, row, column),
                   results);
    store_tile(&each, block, row, column, results);
    nest_close(program, bodies + several);
}

/* ---- the task ---- */

/* All blocks of `vectors` vectors. */
static void build_blocks(const struct filtering *filtering, int vectors)
{
    struct loop_program *program = filtering->tile.program;
    const struct conv_plan *plan = &filtering->tile.plan;
    struct filtering_block block = {.width = vectors * VECTOR_LANES};
    int bodies =
        conv_blocks_open(&plan->blocks, program, filtering->tile.part_split, vectors, &block.block);
    if (bodies == 0)
        return;
    block.weights = winograd_declare(program, 1, filtering->slice, block.width);
    block.sums = winograd_declare(program, 1, filtering->rounded, block.width);
    loop_value zero = loop_int(program, 0), slice = zero;
    if (filtering->slices > 1) {
        local_clear(program, block.sums.local, zero,
                    winograd_elements(filtering->rounded, block.width));
        slice = loop_for(program, zero, loop_int(program, filtering->slices), 1);
    }
    loop_value channel = block.block.channel;
    if (plan->input.is_part)
        channel = loop_binary(program, LOOP_SUBTRACT, channel, plan->input.first_channel);
    loop_value number =
        loop_binary(program, LOOP_DIVIDE, channel, loop_int(program, filtering->slice));
    number = loop_add(program, number, slice);
    build_weights(filtering, &block, loop_times(program, slice, filtering->slice));
    build_products(filtering, &block, slice,
                   loop_times(program, number, filtering->slice_elements));
    nest_close(program, filtering->slices > 1);
    build_results(filtering, &block);
    nest_close(program, bodies);
}

/* Splits the task's part into rows and a split of the outputs. */
static void set_parts(struct filtering *filtering)
{
    struct conv_tile *tile = &filtering->tile;
    struct loop_program *program = tile->program;
    const struct conv_plan *plan = &tile->plan;
    int32_t rows = tile->kernel->out_grid[1];
    program->images_per_task = plan->images;
    program->tasks_per_group = (int64_t)integer_divide_up(rows, plan->rows) * plan->blocks.splits;
    struct task_range range = nest_task(program);
    loop_value splits = loop_int(program, plan->blocks.splits);
    tile->image = range.first;
    tile->slot = loop_int(program, 0);
    tile->images = loop_binary(program, LOOP_SUBTRACT, range.end, range.first);
    tile->part_split = loop_binary(program, LOOP_REMAINDER, range.part, splits);
    tile->part_row =
        loop_times(program, loop_binary(program, LOOP_DIVIDE, range.part, splits), plan->rows);
    filtering->tiles.program = program;
    filtering->tiles.first_row = tile->part_row;
    filtering->tiles.row_end =
        loop_binary(program, LOOP_MINIMUM, loop_plus(program, tile->part_row, plan->rows),
                    loop_int(program, rows));
    filtering->count = winograd_tiles_present(&filtering->tiles, tile->images);
}

static bool winograd_applies(const struct kernel *kernel)
{
    struct filtering filtering;
    return make_plan(kernel, &filtering);
}

static void winograd_build(const struct kernel *kernel, struct loop_program *program)
{
    struct filtering filtering;
    make_plan(kernel, &filtering);
    filtering.tile.program = program;
    set_parts(&filtering);
    build_inputs(&filtering);
    if (kernel->sum_count)
        conv_sums_declare(&filtering.tile);
    build_blocks(&filtering, 2);
    build_blocks(&filtering, 1);
    if (kernel->sum_count)
        conv_sums_store(&filtering.tile);
}

const struct schedule winograd_schedule = {
    .name = "winograd",
    .applies = winograd_applies,
    .build = winograd_build,
};
