/* Exchanging a weight's inputs and outputs, a square of as many of both as a vector has lanes at a
 * time: its rows are loaded as vectors into a local, and its columns stored from there. */
#include "codegen/cpu/schedules.h"
#include "codegen/nest.h"

static bool transpose_applies(const struct kernel *kernel)
{
    if (kernel->anchor != KERNEL_TRANSPOSE)
        return false; /* others may have no groups */
    int32_t inputs = kernel->in_channels / kernel->groups;
    int32_t outputs = kernel->out_channels / kernel->groups;
    return inputs % VECTOR_LANES == 0 && (kernel->groups == 1 || outputs % VECTOR_LANES == 0);
}

/* What the squares of a task share. */
struct square {
    const struct kernel *kernel;
    struct loop_program *program;
    loop_value local;        /* [input][output] */
    loop_value group, input; /* the inputs' group, the first of them in it */
    struct weight_column to; /* the result's column of that input */
};

/* Loads the square of outputs from `output` on, as they are in the group, at position w. */
static void load_square(const struct square *square, loop_value w, loop_value output)
{
    struct loop_program *program = square->program;
    const struct kernel *kernel = square->kernel;
    int64_t window = grid_points(kernel->window.kernel);
    if (kernel->flip)
        w = loop_plus(program, loop_times(program, w, -1), window - 1);
    loop_value row = loop_add(program, loop_times(program, w, kernel->in_channels / kernel->groups),
                              square->input);
    loop_value column = loop_add(
        program, loop_times(program, square->group, kernel->out_channels / kernel->groups), output);
    struct weight_column from = nest_weight_column(kernel, program, false, column);
    loop_value first = nest_weight_row(program, &from, row);
    for (int i = 0; i < VECTOR_LANES; i++) {
        loop_value offset = loop_times(program, from.stride, i);
        loop_value vector = loop_load(program, (uint32_t)kernel_weight_parameter(kernel),
                                      loop_add(program, first, offset), VECTOR_LANES);
        loop_store_local(program, square->local, loop_int(program, (int64_t)i * VECTOR_LANES),
                         vector);
    }
}

/* Stores the square's outputs [0, count) as rows of the result. */
static void store_square(const struct square *square, loop_value w, loop_value output,
                         loop_value count)
{
    struct loop_program *program = square->program;
    const struct kernel *kernel = square->kernel;
    loop_value each = loop_for(program, loop_int(program, 0), count, 1);
    loop_value row =
        loop_add(program, loop_times(program, w, kernel->out_channels / kernel->groups), output);
    loop_value index = nest_weight_row(program, &square->to, loop_add(program, row, each));
    for (int i = 0; i < VECTOR_LANES; i++) {
        loop_value at = loop_plus(program, each, (int64_t)i * VECTOR_LANES);
        loop_store(program, (uint32_t)kernel_first_output(kernel), loop_plus(program, index, i),
                   loop_load_local(program, square->local, at, 1));
    }
    loop_end(program);
}

static void transpose_build(const struct kernel *kernel, struct loop_program *program)
{
    int32_t inputs = kernel->in_channels / kernel->groups;
    int32_t outputs = kernel->out_channels / kernel->groups;
    program->images_per_task = 0;
    program->tasks_per_group = kernel->in_channels / VECTOR_LANES;
    loop_value column = loop_times(program, nest_task(program).part, VECTOR_LANES);
    loop_value size = loop_int(program, inputs), zero = loop_int(program, 0);
    struct square square = {
        .kernel = kernel,
        .program = program,
        .local = loop_local(program, LOOP_F32, VECTOR_LANES * VECTOR_LANES),
        .group = loop_binary(program, LOOP_DIVIDE, column, size),
        .input = loop_binary(program, LOOP_REMAINDER, column, size),
        .to = nest_weight_column(kernel, program, true, column),
    };
    loop_value end = loop_int(program, outputs);
    loop_value w =
        loop_for(program, zero, loop_int(program, grid_points(kernel->window.kernel)), 1);
    loop_value output = loop_for(program, zero, end, VECTOR_LANES);
    loop_value left = loop_binary(program, LOOP_SUBTRACT, end, output);
    load_square(&square, w, output);
    store_square(&square, w, output,
                 loop_binary(program, LOOP_MINIMUM, left, loop_int(program, VECTOR_LANES)));
    nest_close(program, 2);
}

const struct schedule transpose_schedule = {
    .name = "transpose",
    .applies = transpose_applies,
    .build = transpose_build,
};
