/* Where transformed values lie, and how tiles are packed and transformed. */
#include "codegen/cpu/winograd.h"

/* ---- values ---- */

static int64_t point_stride(int64_t rows, int64_t width)
{
    return rows * width + VECTOR_LANES;
}

int64_t winograd_elements(int64_t rows, int64_t width)
{
    return FILTERING_POINTS * point_stride(rows, width);
}

struct winograd_values winograd_declare(struct loop_program *program, int64_t count, int64_t rows,
                                        int64_t width)
{
    return (struct winograd_values){
        .local = loop_local(program, LOOP_F32, count * winograd_elements(rows, width)),
        .width = width,
        .stride = point_stride(rows, width),
    };
}

void winograd_store(struct loop_program *program, const struct winograd_values *values,
                    loop_value index, const loop_value points[FILTERING_POINTS])
{
    for (int p = 0; p < FILTERING_POINTS; p++)
        loop_store_local(program, values->local, loop_plus(program, index, p * values->stride),
                         points[p]);
}

void winograd_load(struct loop_program *program, const struct winograd_values *values,
                   loop_value index, loop_value out_points[FILTERING_POINTS])
{
    for (int p = 0; p < FILTERING_POINTS; p++)
        out_points[p] = loop_load_local(
            program, values->local, loop_plus(program, index, p * values->stride), VECTOR_LANES);
}

void winograd_move(struct loop_program *program, const struct winograd_values *values,
                   loop_value at, loop_value registers, int rows, int vectors, bool back)
{
    for (int i = 0; i < rows * vectors; i++) {
        int64_t element = i / vectors * values->width + i % vectors * VECTOR_LANES;
        loop_value slot = loop_int(program, (int64_t)i * VECTOR_LANES);
        loop_value there = loop_plus(program, at, element);
        loop_value value = back ? loop_load_local(program, registers, slot, VECTOR_LANES)
                                : loop_load_local(program, values->local, there, VECTOR_LANES);
        if (back)
            loop_store_local(program, values->local, there, value);
        else
            loop_store_local(program, registers, slot, value);
    }
}

/* ---- tiles ---- */

int winograd_open_tiles(const struct winograd_tiles *tiles, loop_value *out_row,
                        loop_value *out_column)
{
    struct loop_program *program = tiles->program;
    loop_value width = loop_int(program, tiles->columns * FILTERING_RESULTS);
    *out_row = loop_for(program, tiles->first_row, tiles->row_end, FILTERING_RESULTS);
    *out_column = loop_for(program, loop_int(program, 0), width, FILTERING_RESULTS);
    return 2;
}

loop_value winograd_tile_number(const struct winograd_tiles *tiles, loop_value slot, loop_value row,
                                loop_value column)
{
    struct loop_program *program = tiles->program;
    loop_value results = loop_int(program, FILTERING_RESULTS);
    loop_value from_first = loop_binary(program, LOOP_SUBTRACT, row, tiles->first_row);
    loop_value tile_row = loop_binary(program, LOOP_DIVIDE, from_first, results);
    loop_value number = loop_times(program, slot, tiles->of_image);
    number = loop_add(program, number, loop_times(program, tile_row, tiles->columns));
    return loop_add(program, number, loop_binary(program, LOOP_DIVIDE, column, results));
}

loop_value winograd_tiles_present(const struct winograd_tiles *tiles, loop_value images)
{
    struct loop_program *program = tiles->program;
    loop_value rows = loop_binary(program, LOOP_SUBTRACT, tiles->row_end, tiles->first_row);
    loop_value results = loop_int(program, FILTERING_RESULTS);
    rows =
        loop_binary(program, LOOP_DIVIDE, loop_plus(program, rows, FILTERING_RESULTS - 1), results);
    return loop_binary(program, LOOP_MULTIPLY, images, loop_times(program, rows, tiles->columns));
}

void winograd_set_input(struct conv_input *input, int32_t tile_rows, int32_t columns, int span,
                        const int32_t padding[GRID_RANK])
{
    const int32_t counts[GRID_RANK] = {0, tile_rows, columns};
    conv_input_set_packed(input);
    input->extent[0] = 1;
    for (int i = 1; i < GRID_RANK; i++) {
        input->low[i] = -padding[i];
        input->extent[i] = (counts[i] - 1) * FILTERING_RESULTS + span;
    }
}

/* Transforms a vector of channels of the tile of packed rows that begins at element `from`. */
static void transform_tile(const struct conv_input *input, enum winograd_matrix matrix,
                           loop_value from, const struct winograd_values *values, loop_value to)
{
    struct loop_program *program = input->program;
    const int span = matrix == WINOGRAD_INPUT ? FILTERING_SPAN : FILTERING_RESULTS;
    loop_value loaded[FILTERING_POINTS], points[FILTERING_POINTS];
    for (int i = 0; i < span * span; i++) {
        int64_t point = i / span * input->extent[LAST] + i % span;
        loaded[i] =
            conv_input_load(input, loop_plus(program, from, point * input->stride), VECTOR_LANES);
    }
    winograd_transform(program, matrix, loaded, points);
    winograd_store(program, values, to, points);
}

void winograd_transform_image(const struct winograd_tiles *tiles, const struct conv_input *input,
                              enum winograd_matrix matrix, loop_value image, loop_value slot,
                              const struct winograd_values *values)
{
    struct loop_program *program = tiles->program;
    loop_value zero = loop_int(program, 0), row, column;
    const loop_value first[GRID_RANK] = {zero, tiles->first_row, zero};
    conv_input_pack(input, image, first, zero);
    int bodies = winograd_open_tiles(tiles, &row, &column);
    loop_value to =
        loop_times(program, winograd_tile_number(tiles, slot, row, column), values->width);
    row = loop_binary(program, LOOP_SUBTRACT, row, tiles->first_row);
    loop_value from = loop_add(program, loop_times(program, row, input->extent[LAST]), column);
    from = loop_times(program, from, input->stride);
    if (input->elements > values->width) {
        loop_value part =
            loop_for(program, zero, loop_int(program, input->elements / values->width), 1);
        from = loop_add(program, from, loop_times(program, part, values->width));
        to = loop_add(program, to, loop_times(program, part, FILTERING_POINTS * values->stride));
        bodies++;
    }
    loop_value channel = loop_for(program, zero, loop_int(program, values->width), VECTOR_LANES);
    transform_tile(input, matrix, loop_add(program, from, channel), values,
                   loop_add(program, to, channel));
    nest_close(program, bodies + 1);
}
