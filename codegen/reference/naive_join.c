/* Naive joins of channels, and channels as rows: what only moves elements. */
#include "codegen/nest.h"
#include "codegen/reference/naive.h"

static void store(const struct kernel *kernel, struct loop_program *program, loop_value index,
                  loop_value value)
{
    loop_store(program, (uint32_t)kernel_first_output(kernel), index, value);
}

void naive_join(const struct kernel *kernel, struct loop_program *program)
{
    program->images_per_task = 1;
    program->tasks_per_group = 1;
    struct task_range range = nest_task(program);
    struct position p;
    int bodies = nest_open(program, kernel->in_grid, &p);
    int32_t before = 0;
    for (int j = 0; j < kernel->value_count; j++) {
        const struct channel_part *part = &kernel->parts[j];
        loop_value channel =
            loop_for(program, loop_int(program, 0), loop_int(program, part->count), 1);
        struct place place =
            place_out(kernel, range.first, p.index, loop_plus(program, channel, part->first), 1);
        loop_value index =
            activation_index(program, range.first, place.points, p.index, kernel->out_channels,
                             loop_plus(program, channel, before));
        place.channels = part->channels;
        store(kernel, program, index, expression_value(kernel, program, kernel->values[j], &place));
        nest_close(program, 1);
        before += part->count;
    }
    nest_close(program, bodies);
}

/* A task is one column j of an image's rows. */
void naive_rows(const struct kernel *kernel, struct loop_program *program)
{
    const int32_t *grid = kernel->flip ? kernel->out_grid : kernel->in_grid;
    int32_t channels = kernel->flip ? kernel->out_channels : kernel->in_channels;
    int64_t columns = grid_points(kernel->flip ? kernel->in_grid : kernel->out_grid);
    int64_t points = grid_points(grid), per_column = channels / columns;
    program->images_per_task = 1;
    program->tasks_per_group = columns;
    struct task_range range = nest_task(program);
    loop_value a = loop_for(program, loop_int(program, 0), loop_int(program, per_column), 1);
    loop_value channel = loop_add(program, loop_times(program, range.part, per_column), a);
    struct position p;
    int bodies = nest_open(program, grid, &p);
    loop_value row = loop_add(program, loop_times(program, a, points), p.index);
    struct place place = place_in(kernel, range.first, p.index, channel, 1);
    loop_value index =
        activation_index(program, range.first, columns, range.part, kernel->out_channels, row);
    if (kernel->flip) {
        place = place_in(kernel, range.first, range.part, row, 1);
        index = activation_index(program, range.first, points, p.index, channels, channel);
    }
    store(kernel, program, index, expression_value(kernel, program, kernel->values[0], &place));
    nest_close(program, bodies + 1);
}
