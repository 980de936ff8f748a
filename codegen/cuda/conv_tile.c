/* Convolutions and data gradients as matrix products: a row is a point of the result, a column one
 * of its channels, the depth goes through window positions and input channels together, which is
 * how weights lie in memory. Nothing is copied beforehand: fetching finds the input's place. */
#include "codegen/cuda/block.h"
#include "codegen/cuda/schedules.h"
#include "codegen/cuda/tile.h"

enum {
    MOST_IMAGES = 128, /* of a task */
    FIELDS = 4,        /* kept of each row that a thread fetches: image, coordinates */
};

struct conv {
    const struct kernel *kernel;
    struct loop_program *program;
    struct tile tile;
    int32_t inputs, outputs;              /* channels of a group on x's and the result's side */
    int64_t depth;                        /* of the whole product */
    struct task_range range;              /* images of the task */
    loop_value first_row, first_column;   /* of the task's images, of the group */
    loop_value first_input, first_output; /* channels of the group */
    loop_value rows;                      /* local: FIELDS of each left vector; image -1 for none */
};

static bool conv_tile_applies(const struct kernel *kernel)
{
    if (!kernel_is_convolution(kernel))
        return false;
    const int32_t outputs = kernel->out_channels / kernel->groups;
    return kernel->sum_count == 0 && block_lanes(kernel->out_channels) == TILE_COLUMNS &&
           (kernel->groups == 1 || (outputs % TILE_COLUMNS == 0 && outputs >= 16));
}

/* ---- fetching ---- */

static loop_value field_index(const struct conv *conv, int vector, int field)
{
    return loop_int(conv->program, (int64_t)vector * FIELDS + field);
}

/* Finds the points whose inputs a thread fetches. */
static void prepare(const void *context, loop_value thread)
{
    const struct conv *conv = context;
    struct loop_program *program = conv->program;
    loop_value points = loop_int(program, grid_points(conv->kernel->out_grid));
    for (int v = 0; v < conv->tile.left.vectors; v++) {
        struct tile_slot slot = tile_slot(&conv->tile, &conv->tile.left, thread, v);
        loop_value row = loop_add(program, conv->first_row, slot.line);
        loop_value image =
            loop_add(program, conv->range.first, loop_binary(program, LOOP_DIVIDE, row, points));
        loop_value exists = loop_binary(program, LOOP_LESS, image, conv->range.end);
        struct position point = block_point(
            program, loop_binary(program, LOOP_REMAINDER, row, points), conv->kernel->out_grid);
        loop_store_local(program, conv->rows, field_index(conv, v, 0),
                         loop_ternary(program, LOOP_SELECT, exists, image, loop_int(program, -1)));
        for (int i = 0; i < GRID_RANK; i++)
            loop_store_local(program, conv->rows, field_index(conv, v, 1 + i), point.at[i]);
        nest_close(program, slot.bodies);
    }
}

/* A place in the depth: window position and channel of the group. */
struct depth {
    loop_value all; /* both together */
    struct position window;
    loop_value input;
};

/* Where a step's depths are all of one window position, that is found once for all threads. */
static struct depth depth_of(const struct conv *conv, loop_value step, loop_value within)
{
    struct loop_program *program = conv->program;
    loop_value base = loop_times(program, step, TILE_DEPTH);
    loop_value inputs = loop_int(program, conv->inputs);
    struct depth depth = {.all = loop_add(program, base, within)};
    const bool is_uniform = conv->inputs % TILE_DEPTH == 0;
    loop_value at = is_uniform ? base : depth.all;
    depth.window = block_point(program, loop_binary(program, LOOP_DIVIDE, at, inputs),
                               conv->kernel->window.kernel);
    depth.input = loop_binary(program, LOOP_REMAINDER, at, inputs);
    if (is_uniform)
        depth.input = loop_add(program, depth.input, within);
    return depth;
}

/* That a depth is one; where the last step goes beyond. */
static void check_depth(const struct conv *conv, loop_value depth, struct condition *condition)
{
    if (conv->depth % TILE_DEPTH != 0)
        condition_and(
            conv->program, condition,
            loop_binary(conv->program, LOOP_LESS, depth, loop_int(conv->program, conv->depth)));
}

static struct position kept_point(const struct conv *conv, int vector)
{
    struct position point = {.index = 0};
    for (int i = 0; i < GRID_RANK; i++)
        point.at[i] =
            conv->kernel->out_grid[i] == 1
                ? loop_int(conv->program, 0)
                : loop_load_local(conv->program, conv->rows, field_index(conv, vector, 1 + i), 1);
    return point;
}

static void fetch_input(const struct conv *conv, loop_value thread, loop_value step, int vector)
{
    struct loop_program *program = conv->program;
    const struct kernel *kernel = conv->kernel;
    const struct tile_operand *left = &conv->tile.left;
    struct tile_slot slot = tile_slot(&conv->tile, left, thread, vector);
    struct depth depth = depth_of(conv, step, slot.depth);
    struct position q = kept_point(conv, vector), p;
    loop_value image = loop_load_local(program, conv->rows, field_index(conv, vector, 0), 1);
    struct condition inside = window_source(program, kernel, &q, &depth.window, &p);
    condition_and(program, &inside,
                  loop_binary(program, LOOP_LESS_EQUAL, loop_int(program, 0), image));
    check_depth(conv, depth.all, &inside);
    loop_store_local(program, left->stage, slot.stage, nest_zero(program, left->lanes));
    int bodies = slot.bodies + nest_open_if(program, inside);
    struct place place = place_in(kernel, image, p.index,
                                  loop_add(program, conv->first_input, depth.input), left->lanes);
    loop_store_local(program, left->stage, slot.stage,
                     expression_value(kernel, program, kernel->values[0], &place));
    nest_close(program, bodies);
}

/* Columns of a group, padding included where it is the only one. */
static int64_t column_limit(const struct conv *conv)
{
    return conv->kernel->groups == 1 ? channel_stride(conv->kernel->out_channels) : conv->outputs;
}

static void fetch_weight(const struct conv *conv, loop_value thread, loop_value step, int vector)
{
    struct loop_program *program = conv->program;
    const struct tile_operand *right = &conv->tile.right;
    struct tile_slot slot = tile_slot(&conv->tile, right, thread, vector);
    loop_value depth = loop_add(program, loop_times(program, step, TILE_DEPTH), slot.depth);
    loop_value column = loop_add(program, conv->first_column, slot.line);
    struct condition inside = {0};
    if (column_limit(conv) % conv->tile.columns != 0)
        condition_and(
            program, &inside,
            loop_binary(program, LOOP_LESS, column, loop_int(program, column_limit(conv))));
    check_depth(conv, depth, &inside);
    loop_store_local(program, right->stage, slot.stage, nest_zero(program, right->lanes));
    int bodies = slot.bodies + nest_open_if(program, inside);
    loop_value index =
        loop_add(program, loop_times(program, depth, vector_stride(conv->kernel->out_channels)),
                 loop_add(program, conv->first_output, column));
    loop_store_local(
        program, right->stage, slot.stage,
        loop_load(program, (uint32_t)kernel_weight_parameter(conv->kernel), index, right->lanes));
    nest_close(program, bodies);
}

static void fetch(const void *context, loop_value thread, loop_value step)
{
    const struct conv *conv = context;
    for (int v = 0; v < conv->tile.left.vectors; v++)
        fetch_input(conv, thread, step, v);
    for (int v = 0; v < conv->tile.right.vectors; v++)
        fetch_weight(conv, thread, step, v);
}

/* ---- storing ---- */

static void store_results(const struct conv *conv)
{
    struct loop_program *program = conv->program;
    loop_value points = loop_int(program, grid_points(conv->kernel->out_grid));
    loop_value thread = loop_threads(program);
    loop_value column = loop_add(program, conv->first_column, tile_column(&conv->tile, thread));
    loop_value first_row = loop_add(program, conv->first_row, tile_row(&conv->tile, thread));
    loop_if(program,
            loop_binary(program, LOOP_LESS, column, loop_int(program, column_limit(conv))));
    loop_value number = loop_for_unrolled(program, conv->tile.thread_rows, 1);
    loop_value row = loop_add(program, first_row, number);
    loop_value image =
        loop_add(program, conv->range.first, loop_binary(program, LOOP_DIVIDE, row, points));
    loop_if(program, loop_binary(program, LOOP_LESS, image, conv->range.end));
    loop_value sums = tile_sums(&conv->tile, number);
    loop_value channel = loop_add(program, conv->first_output, column);
    loop_value point = loop_binary(program, LOOP_REMAINDER, row, points);
    struct place place = place_out(conv->kernel, image, point, channel, TILE_COLUMNS);
    block_store_result(conv->kernel, program, &place, sums);
    nest_close(program, 4);
}

/* ---- tasks ---- */

static int64_t ceiling(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* The fewest images whose points fill their tiles of rows well. */
static int64_t choose_images(int64_t points, int rows)
{
    int64_t best = 1;
    double best_waste = 1e9;
    for (int64_t images = 1; images <= MOST_IMAGES && best_waste > 1.05; images++) {
        const int64_t used = images * points;
        const double waste = (double)(ceiling(used, rows) * rows) / (double)used;
        if (waste < best_waste) {
            best = images;
            best_waste = waste;
        }
    }
    return best;
}

static void set_tasks(struct conv *conv)
{
    struct loop_program *program = conv->program;
    const int64_t points = grid_points(conv->kernel->out_grid);
    const int64_t column_tiles = ceiling(column_limit(conv), conv->tile.columns);
    const int64_t across = column_tiles * conv->kernel->groups;
    program->images_per_task = choose_images(points, conv->tile.rows);
    program->tasks_per_group = ceiling(program->images_per_task * points, conv->tile.rows) * across;
    conv->range = nest_task(program);
    loop_value width = loop_int(program, across), tiles = loop_int(program, column_tiles);
    loop_value part = conv->range.part;
    loop_value column_part = loop_binary(program, LOOP_REMAINDER, part, width);
    loop_value group = loop_binary(program, LOOP_DIVIDE, column_part, tiles);
    loop_value tile = loop_binary(program, LOOP_REMAINDER, column_part, tiles);
    conv->first_row =
        loop_times(program, loop_binary(program, LOOP_DIVIDE, part, width), conv->tile.rows);
    conv->first_column = loop_times(program, tile, conv->tile.columns);
    conv->first_input = loop_times(program, group, conv->inputs);
    conv->first_output = loop_times(program, group, conv->outputs);
}

static void conv_tile_build(const struct kernel *kernel, struct loop_program *program)
{
    struct conv conv = {.kernel = kernel,
                        .program = program,
                        .inputs = kernel->in_channels / kernel->groups,
                        .outputs = kernel->out_channels / kernel->groups};
    conv.depth = grid_points(kernel->window.kernel) * conv.inputs;
    conv.tile = tile_choose(INT32_MAX, column_limit(&conv));
    conv.tile.left.along_depth = true;
    conv.tile.left.lanes = conv.inputs % BLOCK_LANES == 0 ? BLOCK_LANES : 1;
    conv.tile.right.lanes = BLOCK_LANES;
    set_tasks(&conv);
    tile_begin(&conv.tile, program);
    conv.rows = loop_local(program, LOOP_INT, (int64_t)conv.tile.left.vectors * FIELDS);
    const struct tile_source source = {.context = &conv, .prepare = prepare, .fetch = fetch};
    tile_run(&conv.tile, &source, loop_int(program, ceiling(conv.depth, TILE_DEPTH)));
    store_results(&conv);
}

const struct schedule cuda_conv_tile_schedule = {
    .name = "cuda_conv_tile",
    .applies = conv_tile_applies,
    .build = conv_tile_build,
};
