/* Naive convolutions and their gradients. */
#include "codegen/nest.h"
#include "codegen/reference/naive.h"

/* Sums and channel ranges of one group, and the weight's layout. */
struct group {
    int32_t inputs, outputs; /* channels of a group on x's and the result's side */
    loop_value first_input;  /* first channel on x's side of the group of an output */
};

static struct group group_of(const struct kernel *kernel, struct loop_program *program,
                             loop_value output)
{
    struct group group = {
        .inputs = kernel->in_channels / kernel->groups,
        .outputs = kernel->out_channels / kernel->groups,
    };
    loop_value number = loop_int(program, 0);
    if (kernel->groups > 1)
        number = loop_binary(program, LOOP_DIVIDE, output, loop_int(program, group.outputs));
    group.first_input = loop_times(program, number, group.inputs);
    return group;
}

static loop_value weight_index(const struct kernel *kernel, struct loop_program *program,
                               loop_value w, loop_value input, loop_value output)
{
    struct weight_column column = nest_weight_column(kernel, program, false, output);
    int32_t inputs = kernel->in_channels / kernel->groups;
    return nest_weight_row(program, &column,
                           loop_add(program, loop_times(program, w, inputs), input));
}

/* Adds x[point, c] weight[w, c, output] over the group's channels c to `sum`. */
static void add_products(const struct kernel *kernel, struct loop_program *program,
                         loop_value image, loop_value point, loop_value w, loop_value output,
                         loop_value sum)
{
    struct group group = group_of(kernel, program, output);
    loop_value input = loop_for(program, loop_int(program, 0), loop_int(program, group.inputs), 1);
    loop_value channel = loop_add(program, group.first_input, input);
    struct place place = place_in(kernel, image, point, channel, 1);
    loop_value x = expression_value(kernel, program, kernel->values[0], &place);
    loop_value weight = loop_load(program, (uint32_t)kernel_weight_parameter(kernel),
                                  weight_index(kernel, program, w, input, output), 1);
    nest_add_product(program, sum, x, weight, 1);
    nest_close(program, 1);
}

/* The index of channel 0 in a side sum of the part that row `row` of depth `depth` is in. */
static loop_value part_index(const struct kernel *kernel, struct loop_program *program,
                             loop_value image, loop_value depth, loop_value row)
{
    int64_t row_parts = kernel_sum_parts(kernel) / kernel->out_grid[0];
    loop_value part = loop_add(program, loop_times(program, image, kernel->out_grid[0]), depth);
    loop_value rows = loop_binary(program, LOOP_DIVIDE, row, loop_int(program, kernel->sum_rows));
    part = loop_add(program, loop_times(program, part, row_parts), rows);
    return loop_times(program, part, channel_stride(kernel->out_channels));
}

/* Side sums grow in memory; here they begin. */
static void clear_sums(const struct kernel *kernel, struct loop_program *program, loop_value image)
{
    if (kernel->sum_count == 0)
        return;
    uint32_t first = (uint32_t)kernel_first_output(kernel) + 1;
    int64_t count = kernel_sum_parts(kernel) * channel_stride(kernel->out_channels);
    loop_value i = loop_for(program, loop_int(program, 0), loop_int(program, count), 1);
    loop_value index = loop_add(program, loop_times(program, image, count), i);
    for (uint32_t j = 0; j < kernel->sum_count; j++)
        loop_store(program, first + j, index, nest_zero(program, 1));
    loop_end(program);
}

static void add_sums(const struct kernel *kernel, struct loop_program *program, struct place place,
                     const struct position *q, loop_value result)
{
    if (kernel->sum_count == 0)
        return;
    uint32_t first = (uint32_t)kernel_first_output(kernel) + 1;
    loop_value part = part_index(kernel, program, place.image, q->at[0], q->at[1]);
    loop_value index = loop_add(program, part, place.channel);
    place.result = result;
    for (uint32_t j = 0; j < kernel->sum_count; j++) {
        loop_value value = expression_value(kernel, program, kernel->sums[j], &place);
        loop_value before = loop_load(program, first + j, index, 1);
        loop_store(program, first + j, index, loop_binary(program, LOOP_ADD, before, value));
    }
}

void naive_convolution(const struct kernel *kernel, struct loop_program *program)
{
    program->images_per_task = 1;
    program->tasks_per_group = 1;
    loop_value image = nest_task(program).first;
    loop_value sum = loop_local(program, LOOP_F32, 1);
    struct position q, w, p;
    clear_sums(kernel, program, image);
    int bodies = nest_open(program, kernel->out_grid, &q);
    loop_value channels = loop_int(program, kernel->out_channels);
    loop_value output = loop_for(program, loop_int(program, 0), channels, 1);
    nest_store_one(program, sum, nest_zero(program, 1));
    int inner = nest_open(program, kernel->window.kernel, &w);
    inner += nest_open_if(program, window_source(program, kernel, &q, &w, &p));
    add_products(kernel, program, image, p.index, w.index, output, sum);
    nest_close(program, inner);
    struct place place = place_out(kernel, image, q.index, output, 1);
    loop_value product = nest_load_one(program, sum, 1);
    loop_value result = epilogue_value(kernel, program, place, product);
    add_sums(kernel, program, place, &q, product);
    loop_value index =
        activation_index(program, image, place.points, q.index, kernel->out_channels, output);
    loop_store(program, (uint32_t)kernel_first_output(kernel), index, result);
    nest_close(program, bodies + 1);
}

void naive_weight_products(const struct kernel *kernel, struct loop_program *program,
                           const struct task_range *range, const struct position *w,
                           loop_value input, loop_value output, loop_value sum)
{
    loop_value image;
    struct position q, p;
    int bodies = nest_open_images(program, range, &image);
    bodies += nest_open(program, kernel->out_grid, &q);
    struct condition inside =
        window_input(program, &kernel->window, kernel->in_grid, kernel->out_grid, &q, w, &p);
    bodies += nest_open_if(program, inside);
    struct place x_place = place_in(kernel, image, p.index, input, 1);
    struct place dy_place = place_out(kernel, image, q.index, output, 1);
    loop_value x = expression_value(kernel, program, kernel->values[0], &x_place);
    loop_value dy = expression_value(kernel, program, kernel->values[1], &dy_place);
    nest_add_product(program, sum, x, dy, 1);
    nest_close(program, bodies);
}

/* Zeros in the columns of row (w, input) that pad the outputs. */
static void clear_padding(const struct kernel *kernel, struct loop_program *program,
                          loop_value first, loop_value w, loop_value input)
{
    int64_t stride = vector_stride(kernel->out_channels);
    if (stride == kernel->out_channels)
        return;
    loop_value output =
        loop_for(program, loop_int(program, kernel->out_channels), loop_int(program, stride), 1);
    loop_value index = weight_index(kernel, program, w, input, output);
    loop_store(program, (uint32_t)kernel_first_output(kernel), loop_add(program, first, index),
               nest_zero(program, 1));
    nest_close(program, 1);
}

void naive_weight_gradient(const struct kernel *kernel, struct loop_program *program)
{
    program->images_per_task = kernel->chunk_images;
    program->tasks_per_group = 1;
    struct task_range range = nest_task(program);
    loop_value sum = loop_local(program, LOOP_F32, 1), zero = loop_int(program, 0);
    loop_value first =
        loop_times(program, loop_task(program), kernel_weight_elements(kernel, false));
    struct position w;
    int bodies = nest_open(program, kernel->window.kernel, &w);
    int32_t inputs = kernel->in_channels / kernel->groups;
    loop_value input = loop_for(program, zero, loop_int(program, inputs), 1);
    loop_value output = loop_for(program, zero, loop_int(program, kernel->out_channels), 1);
    struct group group = group_of(kernel, program, output);
    loop_value channel = loop_add(program, group.first_input, input);
    nest_store_one(program, sum, nest_zero(program, 1));
    naive_weight_products(kernel, program, &range, &w, channel, output, sum);
    loop_value result = nest_load_one(program, sum, 1);
    loop_value index = weight_index(kernel, program, w.index, input, output);
    loop_store(program, (uint32_t)kernel_first_output(kernel), loop_add(program, first, index),
               result);
    nest_close(program, 1);
    clear_padding(kernel, program, first, w.index, input);
    nest_close(program, bodies + 1);
}
