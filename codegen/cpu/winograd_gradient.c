/* Weight gradients by Winograd's minimal filtering (winograd.h).
 *
 * A task has a chunk of images and a part of the weight: some input and output channels, or where
 * groups are narrow some whole groups. It takes tiles of a few rows, or of several small images, at
 * a time, packs and transforms its channels of x and dy, and adds at each of the 36 points the
 * product of channels by channels, a tile of them in registers, to sums that it keeps transformed;
 * those are transformed back once, at its end. */
#include "base/integer.h"
#include "codegen/cpu/schedules.h"
#include "codegen/cpu/winograd.h"

enum {
    REGISTER_ELEMENTS = 4 * 32 * VECTOR_LANES, /* of tiles: two widths, a whole one and the rest */
    PART_CHANNELS = 64,                        /* the most that a task has on either side */
    VALUES_BYTES = 592 << 10,                  /* of transformed values at a time */
};

/* One side of the products, x or dy. */
struct side {
    struct conv_input input;
    int32_t of_group; /* channels of a group */
    int32_t channels; /* ... that a task has */
    int32_t parts;    /* of a group's channels, for tasks */
    loop_value first; /* of the task's channels in their group */
    struct winograd_values values;
};

struct gradient {
    const struct kernel *kernel;
    struct loop_program *program;
    struct side x, dy;
    struct winograd_tiles tiles;
    int32_t groups; /* of a task */
    int32_t rows;   /* of the grid at a time */
    int32_t images; /* at a time; more than one only of whole grids */
    loop_value first_group;
    loop_value result;           /* index of the chunk's first element */
    loop_value image;            /* the first that is transformed */
    loop_value several;          /* how many are */
    loop_value count;            /* of their tiles */
    struct winograd_values sums; /* [group][input channel][output channel] */
};

/* ---- planning ---- */

/* Cuts a group's channels into parts of whole vectors. */
static void cut_side(struct side *side, int32_t channels)
{
    int32_t vectors = channels / VECTOR_LANES;
    side->of_group = channels;
    side->parts = integer_divide_up(channels, PART_CHANNELS);
    while (vectors % side->parts)
        side->parts++;
    side->channels = vectors / side->parts * VECTOR_LANES;
}

/* As many whole groups as have the channels of a task. */
static void choose_groups(struct gradient *gradient)
{
    int32_t wider =
        gradient->x.of_group > gradient->dy.of_group ? gradient->x.of_group : gradient->dy.of_group;
    gradient->groups = integer_least(PART_CHANNELS / wider, gradient->kernel->groups);
    if (gradient->groups < 1)
        gradient->groups = 1;
    while (gradient->kernel->groups % gradient->groups)
        gradient->groups--;
}

/* Tiles that are transformed at a time. */
static void choose_tiles(struct gradient *gradient)
{
    const struct kernel *kernel = gradient->kernel;
    int32_t all = filtering_tiles(kernel, 1);
    int64_t tile = gradient->groups * (gradient->x.channels + gradient->dy.channels) *
                   FILTERING_POINTS * (int64_t)sizeof(float);
    int64_t wanted = VALUES_BYTES / tile;
    gradient->tiles.columns = filtering_tiles(kernel, LAST);
    int32_t rows = integer_least((int32_t)(wanted / gradient->tiles.columns), all);
    rows = integer_divide_up(all, integer_divide_up(all, rows < 1 ? 1 : rows));
    gradient->tiles.of_image = rows * gradient->tiles.columns;
    gradient->rows = rows * FILTERING_RESULTS;
    gradient->images = 1;
    while (rows == all && gradient->images < kernel->chunk_images &&
           (gradient->images + 1) * gradient->tiles.of_image <= wanted)
        gradient->images++;
}

/* What is packed of one side, for tiles of `span` points. */
static void set_side(const struct gradient *gradient, struct side *side, int span,
                     const int32_t padding[GRID_RANK])
{
    const bool on_out_side = side == &gradient->dy;
    side->input = conv_input_of(gradient->kernel, on_out_side, on_out_side);
    conv_input_set_part(&side->input, gradient->groups * side->channels);
    winograd_set_input(&side->input, gradient->rows / FILTERING_RESULTS, gradient->tiles.columns,
                       span, padding);
}

static int64_t local_elements(const struct gradient *gradient)
{
    int64_t tiles = (int64_t)gradient->images * gradient->tiles.of_image;
    return conv_input_elements(&gradient->x.input) + conv_input_elements(&gradient->dy.input) +
           winograd_elements(tiles, gradient->x.input.elements) +
           winograd_elements(tiles, gradient->dy.input.elements) +
           gradient->groups * winograd_elements(gradient->x.channels, gradient->dy.channels) +
           REGISTER_ELEMENTS;
}

static bool make_plan(const struct kernel *kernel, struct gradient *gradient)
{
    const int32_t none[GRID_RANK] = {0};
    *gradient = (struct gradient){.kernel = kernel};
    if (!filtering_suits(kernel) || kernel->anchor != KERNEL_WEIGHT_GRADIENT)
        return false;
    cut_side(&gradient->x, kernel->in_channels / kernel->groups);
    cut_side(&gradient->dy, kernel->out_channels / kernel->groups);
    choose_groups(gradient);
    choose_tiles(gradient);
    set_side(gradient, &gradient->x, FILTERING_SPAN, kernel->window.padding);
    set_side(gradient, &gradient->dy, FILTERING_RESULTS, none);
    return local_elements(gradient) * (int64_t)sizeof(float) <= LOOP_LOCAL_BYTES;
}

/* ---- products ---- */

/* A tile of products in registers: `length` input channels by `vectors` of output channels. */
struct tile {
    int length, vectors;
    loop_value sums;  /* element of gradient.sums */
    loop_value x, dy; /* elements of the values of the first tile */
};

/* Adds the products of one tile of the grid. */
static void add_products(const struct gradient *gradient, const struct tile *tile, loop_value sums,
                         loop_value number)
{
    struct loop_program *program = gradient->program;
    const struct winograd_values *x = &gradient->x.values, *dy = &gradient->dy.values;
    loop_value from = loop_add(program, tile->x, loop_times(program, number, x->width));
    loop_value to = loop_add(program, tile->dy, loop_times(program, number, dy->width));
    loop_value columns[2];
    for (int v = 0; v < tile->vectors; v++)
        columns[v] = loop_load_local(program, dy->local, loop_plus(program, to, v * VECTOR_LANES),
                                     VECTOR_LANES);
    for (int j = 0; j < tile->length; j++) {
        loop_value factor = loop_broadcast(
            program, loop_load_local(program, x->local, loop_plus(program, from, j), 1),
            VECTOR_LANES);
        nest_add_products(program, sums, j * tile->vectors, factor, columns, tile->vectors);
    }
}

static void build_tile(const struct gradient *gradient, const struct tile *tile)
{
    struct loop_program *program = gradient->program;
    loop_value sums =
        loop_local(program, LOOP_F32, (int64_t)tile->length * tile->vectors * VECTOR_LANES);
    winograd_move(program, &gradient->sums, tile->sums, sums, tile->length, tile->vectors, false);
    loop_value number = loop_for(program, loop_int(program, 0), gradient->count, 1);
    add_products(gradient, tile, sums, number);
    loop_end(program);
    winograd_move(program, &gradient->sums, tile->sums, sums, tile->length, tile->vectors, true);
}

/* All input channels for `vectors` vectors of outputs. */
static void build_channels(const struct gradient *gradient, struct tile tile, int vectors)
{
    struct loop_program *program = gradient->program;
    const struct tile first = tile;
    int32_t channels = gradient->x.channels;
    int length = conv_tile_length(channels, vectors, 1);
    int32_t whole = channels - channels % length;
    tile.vectors = vectors;
    tile.length = length;
    loop_value row = loop_for(program, loop_int(program, 0), loop_int(program, whole), length);
    tile.sums = loop_add(program, first.sums, loop_times(program, row, gradient->sums.width));
    tile.x = loop_add(program, first.x, row);
    build_tile(gradient, &tile);
    loop_end(program);
    tile.length = channels - whole;
    tile.sums = loop_plus(program, first.sums, whole * gradient->sums.width);
    tile.x = loop_plus(program, first.x, whole);
    if (tile.length > 0)
        build_tile(gradient, &tile);
}

/* All channels of each of the task's groups, at each point. */
static void build_products(const struct gradient *gradient)
{
    struct loop_program *program = gradient->program;
    const struct side *x = &gradient->x, *dy = &gradient->dy;
    loop_value zero = loop_int(program, 0);
    enum { PAIR = 2 * VECTOR_LANES };
    int32_t pairs = dy->channels / PAIR;
    loop_value group = loop_for(program, zero, loop_int(program, gradient->groups), 1);
    loop_value point = loop_for(program, zero, loop_int(program, FILTERING_POINTS), 1);
    const struct tile first = {
        .sums =
            loop_add(program, loop_times(program, group, FILTERING_POINTS * gradient->sums.stride),
                     loop_times(program, point, gradient->sums.stride)),
        .x = loop_add(program, loop_times(program, group, x->channels),
                      loop_times(program, point, x->values.stride)),
        .dy = loop_add(program, loop_times(program, group, dy->channels),
                       loop_times(program, point, dy->values.stride)),
    };
    struct tile tile = first;
    if (pairs > 0) {
        loop_value column = loop_for(program, zero, loop_int(program, pairs * PAIR), PAIR);
        tile.sums = loop_add(program, first.sums, column);
        tile.dy = loop_add(program, first.dy, column);
        build_channels(gradient, tile, 2);
        loop_end(program);
    }
    tile.sums = loop_plus(program, first.sums, pairs * PAIR);
    tile.dy = loop_plus(program, first.dy, pairs * PAIR);
    if (dy->channels % PAIR)
        build_channels(gradient, tile, 1);
    nest_close(program, 2);
}

/* ---- the result ---- */

/* Transforms the sums back into the chunk's weights. */
static void build_result(const struct gradient *gradient)
{
    struct loop_program *program = gradient->program;
    const struct kernel *kernel = gradient->kernel;
    const struct side *x = &gradient->x, *dy = &gradient->dy;
    loop_value zero = loop_int(program, 0), points[FILTERING_POINTS];
    loop_value weights[FILTERING_TAPS * FILTERING_TAPS];
    loop_value group = loop_for(program, zero, loop_int(program, gradient->groups), 1);
    loop_value column = loop_for(program, zero, loop_int(program, dy->channels), VECTOR_LANES);
    loop_value output =
        loop_times(program, loop_add(program, gradient->first_group, group), dy->of_group);
    output = loop_add(program, loop_add(program, output, dy->first), column);
    struct weight_column weight = nest_weight_column(kernel, program, false, output);
    loop_value row = loop_for(program, zero, loop_int(program, x->channels), 1);
    loop_value from = loop_times(program, group, FILTERING_POINTS * gradient->sums.stride);
    from = loop_add(program, from, loop_times(program, row, gradient->sums.width));
    winograd_load(program, &gradient->sums, loop_add(program, from, column), points);
    winograd_transform(program, WINOGRAD_WEIGHT_GRADIENT, points, weights);
    for (int w = 0; w < FILTERING_TAPS * FILTERING_TAPS; w++) {
        loop_value number =
            loop_plus(program, loop_add(program, x->first, row), (int64_t)w * x->of_group);
        loop_value index =
            loop_add(program, gradient->result, nest_weight_row(program, &weight, number));
        loop_store(program, (uint32_t)kernel_first_output(kernel), index, weights[w]);
    }
    nest_close(program, 3);
}

/* ---- the task ---- */

/* Transforms the tiles of the images, or of the rows of one, and adds their products. */
static void build_tiles(const struct gradient *gradient)
{
    struct loop_program *program = gradient->program;
    loop_value zero = loop_int(program, 0), slot = zero;
    if (gradient->images > 1)
        slot = loop_for(program, zero, gradient->several, 1);
    loop_value image = loop_add(program, gradient->image, slot);
    winograd_transform_image(&gradient->tiles, &gradient->x.input, WINOGRAD_INPUT, image, slot,
                             &gradient->x.values);
    winograd_transform_image(&gradient->tiles, &gradient->dy.input, WINOGRAD_RESULT_GRADIENT, image,
                             slot, &gradient->dy.values);
    nest_close(program, gradient->images > 1);
    build_products(gradient);
}

static void build_images(struct gradient *gradient, const struct task_range *range)
{
    struct loop_program *program = gradient->program;
    int32_t rows = gradient->kernel->out_grid[1];
    loop_value images = loop_int(program, gradient->images);
    gradient->image = loop_for(program, range->first, range->end, gradient->images);
    gradient->several =
        loop_binary(program, LOOP_MINIMUM, images,
                    loop_binary(program, LOOP_SUBTRACT, range->end, gradient->image));
    gradient->tiles.first_row =
        loop_for(program, loop_int(program, 0), loop_int(program, rows), gradient->rows);
    gradient->tiles.row_end = loop_binary(
        program, LOOP_MINIMUM, loop_plus(program, gradient->tiles.first_row, gradient->rows),
        loop_int(program, rows));
    gradient->count = winograd_tiles_present(&gradient->tiles, gradient->several);
    build_tiles(gradient);
    nest_close(program, 2);
}

/* Declares what is packed and transformed of one side; the task's part of it is `part`. */
static void declare_side(struct gradient *gradient, struct side *side, loop_value part)
{
    struct loop_program *program = gradient->program;
    side->first = loop_times(program, part, side->channels);
    side->input.first_channel =
        loop_add(program, loop_times(program, gradient->first_group, side->of_group), side->first);
    side->input.program = program;
    side->input.local = loop_local(program, LOOP_F32, conv_input_elements(&side->input));
    side->values = winograd_declare(
        program, 1, (int64_t)gradient->images * gradient->tiles.of_image, side->input.elements);
}

static bool winograd_gradient_applies(const struct kernel *kernel)
{
    struct gradient gradient;
    return make_plan(kernel, &gradient);
}

static void winograd_gradient_build(const struct kernel *kernel, struct loop_program *program)
{
    struct gradient gradient;
    make_plan(kernel, &gradient);
    gradient.program = gradient.tiles.program = program;
    int32_t parts = gradient.x.parts * gradient.dy.parts;
    program->images_per_task = kernel->chunk_images;
    program->tasks_per_group = (int64_t)kernel->groups / gradient.groups * parts;
    struct task_range range = nest_task(program);
    loop_value tasks = loop_int(program, program->tasks_per_group), all = loop_int(program, parts);
    loop_value chunk = loop_binary(program, LOOP_DIVIDE, loop_task(program), tasks);
    loop_value part = loop_binary(program, LOOP_REMAINDER, range.part, all);
    loop_value outputs = loop_int(program, gradient.dy.parts);
    gradient.result = loop_times(program, chunk, kernel_weight_elements(kernel, false));
    gradient.first_group =
        loop_times(program, loop_binary(program, LOOP_DIVIDE, range.part, all), gradient.groups);
    declare_side(&gradient, &gradient.x, loop_binary(program, LOOP_DIVIDE, part, outputs));
    declare_side(&gradient, &gradient.dy, loop_binary(program, LOOP_REMAINDER, part, outputs));
    gradient.sums =
        winograd_declare(program, gradient.groups, gradient.x.channels, gradient.dy.channels);
    local_clear(program, gradient.sums.local, loop_int(program, 0),
                gradient.groups * FILTERING_POINTS * gradient.sums.stride);
    build_images(&gradient, &range);
    build_result(&gradient);
}

const struct schedule winograd_gradient_schedule = {
    .name = "winograd_gradient",
    .applies = winograd_gradient_applies,
    .build = winograd_gradient_build,
};
