/* Packing input rows into a local array: the prologue is applied once an element, and zeros stand
 * where the window reaches outside the grid, so that tiles need no bounds. */
#include "codegen/cpu/conv_tile.h"

enum {
    ALIASING = 256, /* points this many elements apart fall into few sets of a cache */
    CHANNEL_ACCESSES = 1 << ACCESS_CHANNEL | 1 << ACCESS_FIRST | 1 << ACCESS_IMAGE_CHANNEL,
};

struct conv_input conv_input_of(const struct kernel *kernel, int value, bool out_side)
{
    struct conv_input input = {
        .kernel = kernel,
        .root = kernel->values[value],
        .grid = out_side ? kernel->out_grid : kernel->in_grid,
        .channels = out_side ? kernel->out_channels : kernel->in_channels,
        .in_stride = {1, 1, 1},
    };
    input.stride = input.elements = channel_stride(input.channels);
    if (!expression_is_plain_load(kernel, input.root, &input.parameter))
        conv_input_set_packed(&input);
    for (int i = 0; i < GRID_RANK; i++)
        input.extent[i] = input.grid[i];
    return input;
}

void conv_input_set_packed(struct conv_input *input)
{
    input->packed = true;
    input->stride = input->elements;
    if (input->elements % ALIASING == 0)
        input->stride += VECTOR_LANES;
}

bool conv_input_is_aliasing(const struct conv_input *input)
{
    return input->stride % ALIASING == 0;
}

void conv_input_set_part(struct conv_input *input, int64_t elements)
{
    input->is_part = true;
    input->elements = elements;
    conv_input_set_packed(input);
}

int64_t conv_input_elements(const struct conv_input *input)
{
    return grid_points(input->extent) * input->stride;
}

loop_value conv_input_load(const struct conv_input *input, loop_value index, int lanes)
{
    if (input->packed)
        return loop_load_local(input->program, input->local, index, lanes);
    return loop_load(input->program, input->parameter, index, lanes);
}

void local_clear(struct loop_program *program, loop_value local, loop_value begin, int64_t count)
{
    int64_t whole = count / VECTOR_LANES * VECTOR_LANES;
    loop_value zero = loop_int(program, 0);
    if (whole > 0) {
        loop_value i = loop_for(program, zero, loop_int(program, whole), VECTOR_LANES);
        loop_store_local(program, local, loop_add(program, begin, i),
                         nest_zero(program, VECTOR_LANES));
        loop_end(program);
    }
    if (whole < count) {
        loop_value i = loop_for(program, loop_int(program, whole), loop_int(program, count), 1);
        loop_store_local(program, local, loop_add(program, begin, i), nest_zero(program, 1));
        loop_end(program);
    }
}

/* Packs elements [begin, end) of the row that starts at `point`, `lanes` at a time; `target` is
 * where element 0 goes. */
static void pack_elements(const struct conv_input *input, loop_value image, loop_value point,
                          loop_value target, int64_t begin, int64_t end, int lanes)
{
    struct loop_program *program = input->program;
    if (begin == end)
        return;
    loop_value i = loop_for(program, loop_int(program, begin), loop_int(program, end), lanes);
    struct place place = {.image = image,
                          .point = point,
                          .channel =
                              input->is_part ? loop_add(program, input->first_channel, i) : i,
                          .points = grid_points(input->grid),
                          .channels = input->channels,
                          .lanes = lanes,
                          .scalar = LOOP_F32};
    loop_value value = expression_value(input->kernel, program, input->root, &place);
    loop_store_local(program, input->local, loop_add(program, target, i), value);
    loop_end(program);
}

/* Packs `points` points from `point` on. */
static void pack_points(const struct conv_input *input, loop_value image, loop_value point,
                        loop_value target, int32_t points)
{
    struct loop_program *program = input->program;
    int64_t count = points * input->stride;
    bool wide = input->elements % VECTOR_LANES == 0;
    if (!wide && !input->is_part &&
        !expression_has_access(input->kernel, input->root, CHANNEL_ACCESSES)) {
        int64_t whole = count / VECTOR_LANES * VECTOR_LANES;
        pack_elements(input, image, point, target, 0, whole, VECTOR_LANES);
        pack_elements(input, image, point, target, whole, count, 1);
        return;
    }
    loop_value i = loop_for(program, loop_int(program, 0), loop_int(program, points), 1);
    loop_value at = loop_add(program, target, loop_times(program, i, input->stride));
    pack_elements(input, image, loop_add(program, point, i), at, 0, input->elements,
                  wide ? VECTOR_LANES : 1);
    loop_end(program);
}

/* Packs one row of the last axis, whose other coordinates are `at`. */
static void pack_row(const struct conv_input *input, loop_value image,
                     const loop_value at[GRID_RANK], loop_value target)
{
    struct loop_program *program = input->program;
    const int32_t *grid = input->grid;
    int32_t low = input->low[LAST], left = low < 0 ? -low : 0;
    int32_t begin = low < 0 ? 0 : low, end = low + input->extent[LAST];
    end = end > grid[LAST] ? grid[LAST] : end;
    int32_t right = input->extent[LAST] - left - (end - begin);
    const loop_value first[GRID_RANK] = {at[0], at[1], loop_int(program, begin)};
    local_clear(program, input->local, target, left * input->stride);
    loop_value inner = loop_plus(program, target, left * input->stride);
    pack_points(input, image, nest_index(program, grid, first), inner, end - begin);
    local_clear(program, input->local, loop_plus(program, inner, (end - begin) * input->stride),
                right * input->stride);
}

/* Adds the condition that a coordinate is inside the grid. */
static void add_bounds(const struct conv_input *input, int axis, loop_value at,
                       struct condition *inside)
{
    struct loop_program *program = input->program;
    loop_value extent = loop_int(program, input->grid[axis]);
    if (input->extent[axis] == 1 && input->low[axis] == 0 && input->in_stride[axis] == 1)
        return;
    condition_and(program, inside, loop_binary(program, LOOP_LESS_EQUAL, loop_int(program, 0), at));
    condition_and(program, inside, loop_binary(program, LOOP_LESS, at, extent));
}

void conv_input_pack(const struct conv_input *input, loop_value image,
                     const loop_value first[GRID_RANK], loop_value base)
{
    struct loop_program *program = input->program;
    const int32_t rows[GRID_RANK] = {input->extent[0], input->extent[1], 1};
    const int64_t row_elements = input->extent[LAST] * input->stride;
    struct position row;
    struct condition inside = {0};
    loop_value at[GRID_RANK];
    int bodies = nest_open(program, rows, &row);
    for (int i = 0; i < LAST; i++) {
        at[i] = loop_add(program, loop_times(program, first[i], input->in_stride[i]), row.at[i]);
        at[i] = loop_plus(program, at[i], input->low[i]);
        add_bounds(input, i, at[i], &inside);
    }
    loop_value target = loop_add(program, base, loop_times(program, row.index, row_elements));
    int conditional = nest_open_if(program, inside);
    pack_row(input, image, at, target);
    if (conditional) {
        loop_else(program);
        local_clear(program, input->local, target, row_elements);
    }
    nest_close(program, conditional + bodies);
}

void conv_input_pack_images(const struct conv_input *input, loop_value first, loop_value count)
{
    struct loop_program *program = input->program;
    loop_value i = loop_for(program, loop_int(program, 0), count, 1);
    loop_value target = loop_times(program, i, input->stride);
    pack_points(input, loop_add(program, first, i), loop_int(program, 0), target, 1);
    loop_end(program);
}
