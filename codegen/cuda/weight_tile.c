/* Weight gradients as matrix products: a row is a window position and an input channel, a column an
 * output channel, the depth goes through the points of a chunk's images. */
#include "codegen/cuda/block.h"
#include "codegen/cuda/schedules.h"
#include "codegen/cuda/tile.h"

enum {
    FIELDS = 4, /* kept of each row that a thread fetches: channel, window coordinates */
};

struct gradient {
    const struct kernel *kernel;
    struct loop_program *program;
    struct tile tile;
    int32_t inputs, outputs;              /* channels of a group */
    int64_t height;                       /* rows of the whole product */
    struct task_range range;              /* images of the chunk */
    loop_value chunk, depth;              /* the latter: points of the chunk's images */
    loop_value first_row, first_column;   /* of the tile */
    loop_value first_input, first_output; /* channels of the group */
    loop_value rows; /* local: FIELDS of each left vector; channel -1 for none */
};

static bool weight_tile_applies(const struct kernel *kernel)
{
    if (kernel->anchor != KERNEL_WEIGHT_GRADIENT)
        return false;
    const int32_t outputs = kernel->out_channels / kernel->groups;
    return block_lanes(kernel->out_channels) == TILE_COLUMNS &&
           (kernel->groups == 1 || (outputs % TILE_COLUMNS == 0 &&
                                    vector_stride(kernel->out_channels) == kernel->out_channels));
}

/* ---- fetching ---- */

static loop_value field_index(const struct gradient *gradient, int vector, int field)
{
    return loop_int(gradient->program, (int64_t)vector * FIELDS + field);
}

/* Finds the window positions and channels that a thread fetches. */
static void prepare(const void *context, loop_value thread)
{
    const struct gradient *gradient = context;
    struct loop_program *program = gradient->program;
    loop_value inputs = loop_int(program, gradient->inputs);
    loop_value height = loop_int(program, gradient->height);
    for (int v = 0; v < gradient->tile.left.vectors; v++) {
        struct tile_slot slot = tile_slot(&gradient->tile, &gradient->tile.left, thread, v);
        loop_value row = loop_add(program, gradient->first_row, slot.line);
        struct position w = block_point(program, loop_binary(program, LOOP_DIVIDE, row, inputs),
                                        gradient->kernel->window.kernel);
        loop_value channel = loop_add(program, gradient->first_input,
                                      loop_binary(program, LOOP_REMAINDER, row, inputs));
        loop_value exists = loop_binary(program, LOOP_LESS, row, height);
        loop_store_local(
            program, gradient->rows, field_index(gradient, v, 0),
            loop_ternary(program, LOOP_SELECT, exists, channel, loop_int(program, -1)));
        for (int i = 0; i < GRID_RANK; i++)
            loop_store_local(program, gradient->rows, field_index(gradient, v, 1 + i), w.at[i]);
        nest_close(program, slot.bodies);
    }
}

static struct position kept_window(const struct gradient *gradient, int vector)
{
    struct position w = {.index = 0};
    for (int i = 0; i < GRID_RANK; i++)
        w.at[i] = gradient->kernel->window.kernel[i] == 1
                      ? loop_int(gradient->program, 0)
                      : loop_load_local(gradient->program, gradient->rows,
                                        field_index(gradient, vector, 1 + i), 1);
    return w;
}

/* A place in the depth: an image and a point of dy. */
struct depth {
    loop_value all, image;
    struct position point;
};

static struct depth depth_of(const struct gradient *gradient, loop_value step, loop_value within)
{
    struct loop_program *program = gradient->program;
    loop_value points = loop_int(program, grid_points(gradient->kernel->out_grid));
    struct depth depth = {.all = loop_add(program, loop_times(program, step, TILE_DEPTH), within)};
    depth.image = loop_add(program, gradient->range.first,
                           loop_binary(program, LOOP_DIVIDE, depth.all, points));
    depth.point = block_point(program, loop_binary(program, LOOP_REMAINDER, depth.all, points),
                              gradient->kernel->out_grid);
    return depth;
}

static void fetch_input(const struct gradient *gradient, loop_value thread, loop_value step,
                        int vector)
{
    struct loop_program *program = gradient->program;
    const struct kernel *kernel = gradient->kernel;
    const struct tile_operand *left = &gradient->tile.left;
    struct tile_slot slot = tile_slot(&gradient->tile, left, thread, vector);
    struct depth depth = depth_of(gradient, step, slot.depth);
    struct position w = kept_window(gradient, vector), p;
    loop_value channel =
        loop_load_local(program, gradient->rows, field_index(gradient, vector, 0), 1);
    struct condition inside = window_input(program, &kernel->window, kernel->in_grid,
                                           kernel->out_grid, &depth.point, &w, &p);
    condition_and(program, &inside,
                  loop_binary(program, LOOP_LESS_EQUAL, loop_int(program, 0), channel));
    condition_and(program, &inside, loop_binary(program, LOOP_LESS, depth.all, gradient->depth));
    loop_store_local(program, left->stage, slot.stage, nest_zero(program, left->lanes));
    int bodies = slot.bodies + nest_open_if(program, inside);
    struct place place = place_in(kernel, depth.image, p.index, channel, left->lanes);
    loop_store_local(program, left->stage, slot.stage,
                     expression_value(kernel, program, kernel->values[0], &place));
    nest_close(program, bodies);
}

static void fetch_dy(const struct gradient *gradient, loop_value thread, loop_value step,
                     int vector)
{
    struct loop_program *program = gradient->program;
    const struct kernel *kernel = gradient->kernel;
    const struct tile_operand *right = &gradient->tile.right;
    struct tile_slot slot = tile_slot(&gradient->tile, right, thread, vector);
    struct depth depth = depth_of(gradient, step, slot.depth);
    loop_value column = loop_add(program, gradient->first_column, slot.line);
    struct condition inside = {0};
    condition_and(program, &inside, loop_binary(program, LOOP_LESS, depth.all, gradient->depth));
    if (gradient->outputs % gradient->tile.columns != 0)
        condition_and(
            program, &inside,
            loop_binary(program, LOOP_LESS, column, loop_int(program, gradient->outputs)));
    loop_store_local(program, right->stage, slot.stage, nest_zero(program, right->lanes));
    int bodies = slot.bodies + nest_open_if(program, inside);
    struct place place = place_out(kernel, depth.image, depth.point.index,
                                   loop_add(program, gradient->first_output, column), right->lanes);
    loop_store_local(program, right->stage, slot.stage,
                     expression_value(kernel, program, kernel->values[1], &place));
    nest_close(program, bodies);
}

static void fetch(const void *context, loop_value thread, loop_value step)
{
    const struct gradient *gradient = context;
    for (int v = 0; v < gradient->tile.left.vectors; v++)
        fetch_input(gradient, thread, step, v);
    for (int v = 0; v < gradient->tile.right.vectors; v++)
        fetch_dy(gradient, thread, step, v);
}

/* ---- storing ---- */

/* Columns of a group; those that pad the only one are stored too, as the zeros they are. */
static int64_t column_limit(const struct gradient *gradient)
{
    return gradient->kernel->groups == 1 ? vector_stride(gradient->kernel->out_channels)
                                         : gradient->outputs;
}

static void store_results(const struct gradient *gradient)
{
    struct loop_program *program = gradient->program;
    const struct kernel *kernel = gradient->kernel;
    loop_value thread = loop_threads(program);
    loop_value column =
        loop_add(program, gradient->first_column, tile_column(&gradient->tile, thread));
    loop_value first_row =
        loop_add(program, gradient->first_row, tile_row(&gradient->tile, thread));
    loop_if(program,
            loop_binary(program, LOOP_LESS, column, loop_int(program, column_limit(gradient))));
    loop_value number = loop_for_unrolled(program, gradient->tile.thread_rows, 1);
    loop_value row = loop_add(program, first_row, number);
    loop_if(program, loop_binary(program, LOOP_LESS, row, loop_int(program, gradient->height)));
    loop_value before =
        loop_add(program, loop_times(program, gradient->chunk, gradient->height), row);
    loop_value index =
        loop_add(program, loop_times(program, before, vector_stride(kernel->out_channels)),
                 loop_add(program, gradient->first_output, column));
    loop_store(program, (uint32_t)kernel_first_output(kernel), index,
               tile_sums(&gradient->tile, number));
    nest_close(program, 4);
}

/* ---- tasks ---- */

static void set_tasks(struct gradient *gradient)
{
    struct loop_program *program = gradient->program;
    const struct kernel *kernel = gradient->kernel;
    const struct tile *tile = &gradient->tile;
    const int64_t row_tiles = (gradient->height + tile->rows - 1) / tile->rows;
    const int64_t column_tiles = (column_limit(gradient) + tile->columns - 1) / tile->columns;
    program->images_per_task = kernel->chunk_images;
    program->tasks_per_group = row_tiles * column_tiles * kernel->groups;
    gradient->range = nest_task(program);
    gradient->chunk = loop_binary(program, LOOP_DIVIDE, loop_task(program),
                                  loop_int(program, program->tasks_per_group));
    gradient->depth = loop_times(
        program, loop_binary(program, LOOP_SUBTRACT, gradient->range.end, gradient->range.first),
        grid_points(kernel->out_grid));
    loop_value part = gradient->range.part, across = loop_int(program, column_tiles);
    loop_value rest = loop_binary(program, LOOP_DIVIDE, part, across);
    loop_value height = loop_int(program, row_tiles);
    loop_value group = loop_binary(program, LOOP_DIVIDE, rest, height);
    gradient->first_column =
        loop_times(program, loop_binary(program, LOOP_REMAINDER, part, across), tile->columns);
    gradient->first_row =
        loop_times(program, loop_binary(program, LOOP_REMAINDER, rest, height), tile->rows);
    gradient->first_input = loop_times(program, group, gradient->inputs);
    gradient->first_output = loop_times(program, group, gradient->outputs);
}

static void weight_tile_build(const struct kernel *kernel, struct loop_program *program)
{
    struct gradient gradient = {.kernel = kernel,
                                .program = program,
                                .inputs = kernel->in_channels / kernel->groups,
                                .outputs = kernel->out_channels / kernel->groups};
    gradient.height = grid_points(kernel->window.kernel) * gradient.inputs;
    gradient.tile = tile_choose(gradient.height, column_limit(&gradient));
    gradient.tile.left.lanes = gradient.inputs % BLOCK_LANES == 0 ? BLOCK_LANES : 1;
    gradient.tile.right.lanes = gradient.outputs % BLOCK_LANES == 0 ? BLOCK_LANES : 1;
    set_tasks(&gradient);
    tile_begin(&gradient.tile, program);
    gradient.rows = loop_local(program, LOOP_INT, (int64_t)gradient.tile.left.vectors * FIELDS);
    const struct tile_source source = {.context = &gradient, .prepare = prepare, .fetch = fetch};
    loop_value steps =
        loop_binary(program, LOOP_DIVIDE, loop_plus(program, gradient.depth, TILE_DEPTH - 1),
                    loop_int(program, TILE_DEPTH));
    tile_run(&gradient.tile, &source, steps);
    store_results(&gradient);
}

const struct schedule cuda_weight_tile_schedule = {
    .name = "cuda_weight_tile",
    .applies = weight_tile_applies,
    .build = weight_tile_build,
};
