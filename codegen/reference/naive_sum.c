/* Naive sums: of each channel over a chunk of images, and within an image over groups of channels
 * and the grid, or at each grid point. */
#include "codegen/nest.h"
#include "codegen/reference/naive.h"

/* `sums` is a local of one sum a value. */
static void clear_sums(const struct kernel *kernel, struct loop_program *program, loop_value sums)
{
    for (int j = 0; j < kernel->value_count; j++)
        loop_store_local(program, sums, loop_int(program, j), nest_zero(program, 1));
}

static void add_values(const struct kernel *kernel, struct loop_program *program, loop_value sums,
                       const struct place *place)
{
    for (int j = 0; j < kernel->value_count; j++) {
        loop_value at = loop_int(program, j);
        loop_value value = expression_value(kernel, program, kernel->values[j], place);
        loop_value sum = loop_load_local(program, sums, at, 1);
        loop_store_local(program, sums, at, loop_binary(program, LOOP_ADD, sum, value));
    }
}

static void store_sums(const struct kernel *kernel, struct loop_program *program, loop_value sums,
                       loop_value index)
{
    uint32_t first = (uint32_t)kernel_first_output(kernel);
    for (uint32_t j = 0; j < kernel->value_count; j++)
        loop_store(program, first + j, index,
                   loop_load_local(program, sums, loop_int(program, j), 1));
}

void naive_channel_sum(const struct kernel *kernel, struct loop_program *program)
{
    program->images_per_task = kernel->chunk_images;
    program->tasks_per_group = 1;
    struct task_range range = nest_task(program);
    loop_value zero = loop_int(program, 0);
    loop_value sums = loop_local(program, LOOP_F32, KERNEL_VALUES);
    loop_value channels = loop_int(program, kernel->in_channels);
    loop_value channel = loop_for(program, zero, channels, 1);
    clear_sums(kernel, program, sums);
    loop_value image;
    struct position p;
    int bodies = nest_open_images(program, &range, &image);
    bodies += nest_open(program, kernel->in_grid, &p);
    struct place place = place_in(kernel, image, p.index, channel, 1);
    add_values(kernel, program, sums, &place);
    nest_close(program, bodies);
    loop_value chunk = loop_task(program);
    store_sums(kernel, program, sums,
               activation_index(program, chunk, 1, zero, kernel->in_channels, channel));
    nest_close(program, 1);
}

void naive_group_sum(const struct kernel *kernel, struct loop_program *program)
{
    program->images_per_task = 1;
    program->tasks_per_group = kernel->groups;
    struct task_range range = nest_task(program);
    int32_t size = kernel->in_channels / kernel->groups;
    loop_value zero = loop_int(program, 0);
    loop_value sums = loop_local(program, LOOP_F32, KERNEL_VALUES);
    loop_value begin = loop_times(program, range.part, size);
    loop_value end = loop_plus(program, begin, size);
    clear_sums(kernel, program, sums);
    struct position p;
    int bodies = nest_open(program, kernel->in_grid, &p);
    struct place place =
        place_in(kernel, range.first, p.index, loop_for(program, begin, end, 1), 1);
    add_values(kernel, program, sums, &place);
    nest_close(program, bodies + 1);
    loop_value channel = loop_for(program, begin, end, 1);
    store_sums(kernel, program, sums,
               activation_index(program, range.first, 1, zero, kernel->in_channels, channel));
    nest_close(program, 1);
}

void naive_point_sum(const struct kernel *kernel, struct loop_program *program)
{
    program->images_per_task = 1;
    program->tasks_per_group = 1;
    struct task_range range = nest_task(program);
    loop_value sums = loop_local(program, LOOP_F32, KERNEL_VALUES);
    struct position p;
    int bodies = nest_open(program, kernel->in_grid, &p);
    clear_sums(kernel, program, sums);
    loop_value channels = loop_int(program, kernel->in_channels);
    loop_value channel = loop_for(program, loop_int(program, 0), channels, 1);
    struct place place = place_in(kernel, range.first, p.index, channel, 1);
    add_values(kernel, program, sums, &place);
    nest_close(program, 1);
    store_sums(kernel, program, sums,
               loop_add(program, loop_times(program, range.first, place.points), p.index));
    nest_close(program, bodies);
}
