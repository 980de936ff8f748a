/* Transposing weights. See filter_copy.h.
 *
 * Each task stores one number, and neighbours store to neighbouring places. What is stored and
 * what is loaded are the same array with its axes in another order, so a task takes its number
 * apart by the extents of the one and puts it together by those of the other. */
#include "codegen/cuda/filter_copy.h"

#include <stdio.h>
#include <stdlib.h>

#include "codegen/nest.h"

/* The extents of a convolution's weight, by the forward pass. */
struct extents {
    int64_t positions; /* of the window */
    int64_t groups;
    int64_t inputs, outputs; /* of a group: channels of x and of y */
    int64_t stride;          /* of the last axis as kernels have it */
};

static struct extents extents_of(const struct kernel *kernel)
{
    const bool exchanged = kernel->anchor == KERNEL_DATA_GRADIENT;
    const int64_t x = exchanged ? kernel->out_channels : kernel->in_channels;
    const int64_t y = exchanged ? kernel->in_channels : kernel->out_channels;
    return (struct extents){
        .positions = grid_points(kernel->window.kernel),
        .groups = kernel->groups,
        .inputs = x / kernel->groups,
        .outputs = y / kernel->groups,
        .stride = vector_stride(kernel->out_channels),
    };
}

/* Takes the last axis off an index: *index becomes what is left, the result the place on it. */
static loop_value take_axis(struct loop_program *program, loop_value *index, int64_t extent)
{
    const loop_value whole = loop_int(program, extent), number = *index;
    *index = loop_binary(program, LOOP_DIVIDE, number, whole);
    return loop_binary(program, LOOP_REMAINDER, number, whole);
}

/* An index with one more axis. */
static loop_value add_axis(struct loop_program *program, loop_value index, int64_t extent,
                           loop_value place)
{
    return loop_add(program, loop_times(program, index, extent), place);
}

static void store_loaded(struct loop_program *program, loop_value from, loop_value to)
{
    loop_store(program, 1, to, loop_load(program, 0, from, 1));
}

/* [group and output][position][input] from [position][input][group and output]. */
static void build_forward(struct loop_program *program, const struct extents *e)
{
    const loop_value task = loop_task(program);
    loop_value left = task;
    const loop_value input = take_axis(program, &left, e->inputs);
    const loop_value position = take_axis(program, &left, e->positions);
    const loop_value row = add_axis(program, position, e->inputs, input);
    program->tasks_per_group = e->groups * e->outputs * e->positions * e->inputs;
    store_loaded(program, add_axis(program, row, e->stride, left), task);
}

/* [group and output][position][input] from [position][output][group and input]. */
static void build_data_gradient(struct loop_program *program, const struct extents *e)
{
    const loop_value task = loop_task(program);
    loop_value left = task;
    const loop_value input = take_axis(program, &left, e->inputs);
    const loop_value position = take_axis(program, &left, e->positions);
    const loop_value output = take_axis(program, &left, e->outputs);
    const loop_value row = add_axis(program, position, e->outputs, output);
    const loop_value column = add_axis(program, left, e->inputs, input);
    program->tasks_per_group = e->groups * e->outputs * e->positions * e->inputs;
    store_loaded(program, add_axis(program, row, e->stride, column), task);
}

/* [chunk][position][input][group and output, padded] from [group and output][position][input]. */
static void build_weight_gradient(struct loop_program *program, const struct extents *e)
{
    const loop_value task = loop_task(program);
    loop_value chunk = task, taken;
    const loop_value zero = loop_float(program, LOOP_F32_TYPE(1), 0);
    const loop_value column = take_axis(program, &chunk, e->stride);
    const loop_value input = take_axis(program, &chunk, e->inputs);
    const loop_value position = take_axis(program, &chunk, e->positions);
    const loop_value row = add_axis(program, column, e->positions, position);
    program->tasks_per_group = e->positions * e->inputs * e->stride;
    taken = loop_binary(
        program, LOOP_AND, loop_binary(program, LOOP_EQUAL, chunk, loop_int(program, 0)),
        loop_binary(program, LOOP_LESS, column, loop_int(program, e->groups * e->outputs)));
    loop_if(program, taken);
    store_loaded(program, add_axis(program, row, e->inputs, input), task);
    loop_else(program);
    loop_store(program, 1, task, zero);
    loop_end(program);
}

struct loop_program *filter_copy(struct arena *arena, const struct kernel *kernel)
{
    const bool from_filter = kernel->anchor == KERNEL_WEIGHT_GRADIENT;
    const struct extents extents = extents_of(kernel);
    const char *name = arena_format(arena, "%s_filter", kernel_name(kernel, arena));
    struct loop_program *program = loop_program_new(arena, name, "filter_copy");
    const enum loop_storage filter =
        kernel->storage[0] == KERNEL_BF16 ? LOOP_STORAGE_BF16 : LOOP_STORAGE_F32;
    loop_parameter(program, from_filter ? "filter" : "weight",
                   from_filter ? filter : LOOP_STORAGE_F32, false);
    loop_parameter(program, from_filter ? "output" : "filter",
                   from_filter ? LOOP_STORAGE_F32 : filter, true);
    program->images_per_task = from_filter ? kernel->chunk_images : 0;
    if (from_filter)
        build_weight_gradient(program, &extents);
    else if (kernel->anchor == KERNEL_DATA_GRADIENT)
        build_data_gradient(program, &extents);
    else
        build_forward(program, &extents);
    const char *wrong = loop_check(program);
    if (wrong) {
        fprintf(stderr, "internal error: %s: %s\n", name, wrong);
        abort();
    }
    return program;
}
