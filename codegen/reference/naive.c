/* The naive schedule's table, and values at each point, vectors and transposed weights. */
#include "codegen/reference/naive.h"

#include "codegen/nest.h"

/* The gradient of a max pool is added up where it is stored, which must not round. */
static bool naive_applies(const struct kernel *kernel)
{
    return kernel->anchor != KERNEL_MAX_POOL_GRADIENT ||
           kernel->storage[kernel_first_output(kernel)] == KERNEL_F32;
}

static void naive_build(const struct kernel *kernel, struct loop_program *program)
{
    static void (*const builders[KERNEL_ANCHOR_COUNT])(const struct kernel *,
                                                       struct loop_program *) = {
        [KERNEL_POINTWISE] = naive_pointwise,
        [KERNEL_CHANNEL_SUM] = naive_channel_sum,
        [KERNEL_VECTOR] = naive_vector,
        [KERNEL_CONVOLUTION] = naive_convolution,
        [KERNEL_DATA_GRADIENT] = naive_convolution,
        [KERNEL_WEIGHT_GRADIENT] = naive_weight_gradient,
        [KERNEL_TRANSPOSE] = naive_transpose,
        [KERNEL_MAX_POOL] = naive_max_pool,
        [KERNEL_MAX_POOL_GRADIENT] = naive_max_pool_gradient,
        [KERNEL_AVERAGE_POOL] = naive_average_pool,
        [KERNEL_AVERAGE_POOL_GRADIENT] = naive_average_pool_gradient,
        [KERNEL_SOFTMAX_LOSS] = naive_softmax_loss,
        [KERNEL_GROUP_SUM] = naive_group_sum,
        [KERNEL_POINT_SUM] = naive_point_sum,
        [KERNEL_JOIN] = naive_join,
        [KERNEL_ROWS] = naive_rows,
    };
    builders[kernel->anchor](kernel, program);
}

const struct schedule naive_schedule = {
    .name = "naive",
    .applies = naive_applies,
    .build = naive_build,
};

/* All values are computed before any is stored: outputs may be the memory of inputs. */
static void store_values(const struct kernel *kernel, struct loop_program *program,
                         const struct place *place, loop_value index)
{
    loop_value values[KERNEL_VALUES];
    uint32_t first = (uint32_t)kernel_first_output(kernel);
    for (uint32_t j = 0; j < kernel->value_count; j++) {
        values[j] = expression_value(kernel, program, kernel->values[j], place);
        if (place->scalar != LOOP_F32)
            values[j] = loop_convert(program, values[j], LOOP_F32);
    }
    for (uint32_t j = 0; j < kernel->value_count; j++)
        loop_store(program, first + j, index, values[j]);
}

void naive_pointwise(const struct kernel *kernel, struct loop_program *program)
{
    program->images_per_task = 1;
    program->tasks_per_group = 1;
    struct task_range range = nest_task(program);
    struct position p;
    int bodies = nest_open(program, kernel->in_grid, &p);
    loop_value channels = loop_int(program, kernel->in_channels);
    loop_value channel = loop_for(program, loop_int(program, 0), channels, 1);
    struct place place = place_in(kernel, range.first, p.index, channel, 1);
    loop_value index =
        activation_index(program, range.first, place.points, p.index, kernel->in_channels, channel);
    store_values(kernel, program, &place, index);
    nest_close(program, bodies + 1);
}

void naive_vector(const struct kernel *kernel, struct loop_program *program)
{
    program->images_per_task = 0;
    program->tasks_per_group = (kernel->in_channels + VECTOR_LANES - 1) / VECTOR_LANES;
    struct task_range range = nest_task(program);
    loop_value begin = loop_times(program, range.part, VECTOR_LANES);
    loop_value end = loop_binary(program, LOOP_MINIMUM, loop_plus(program, begin, VECTOR_LANES),
                                 loop_int(program, kernel->in_channels));
    loop_value channel = loop_for(program, begin, end, 1);
    loop_value zero = loop_int(program, 0);
    struct place place = place_in(kernel, zero, zero, channel, 1);
    place.scalar = LOOP_F64;
    store_values(kernel, program, &place, channel);
    nest_close(program, 1);
}

/* The element of `weight` that is result element (w, output of group, input); see kernel.h. */
static loop_value transposed_element(const struct kernel *kernel, struct loop_program *program,
                                     loop_value w, loop_value output, loop_value input)
{
    int64_t window = grid_points(kernel->window.kernel);
    int32_t inputs = kernel->in_channels / kernel->groups;
    int32_t outputs = kernel->out_channels / kernel->groups;
    loop_value size = loop_int(program, inputs);
    loop_value group = loop_binary(program, LOOP_DIVIDE, input, size);
    loop_value within = loop_binary(program, LOOP_REMAINDER, input, size);
    if (kernel->flip)
        w = loop_plus(program, loop_times(program, w, -1), window - 1);
    loop_value row = loop_add(program, loop_times(program, w, inputs), within);
    loop_value column = loop_add(program, loop_times(program, group, outputs), output);
    struct weight_column from = nest_weight_column(kernel, program, false, column);
    return loop_load(program, (uint32_t)kernel_weight_parameter(kernel),
                     nest_weight_row(program, &from, row), 1);
}

void naive_transpose_element(const struct kernel *kernel, struct loop_program *program,
                             loop_value w, loop_value output, loop_value input, loop_value index)
{
    uint32_t out = (uint32_t)kernel_first_output(kernel);
    bool padded = vector_stride(kernel->in_channels) != kernel->in_channels;
    if (padded)
        loop_if(program,
                loop_binary(program, LOOP_LESS, input, loop_int(program, kernel->in_channels)));
    loop_store(program, out, index, transposed_element(kernel, program, w, output, input));
    if (padded) {
        loop_else(program);
        loop_store(program, out, index, nest_zero(program, 1));
        loop_end(program);
    }
}

void naive_transpose(const struct kernel *kernel, struct loop_program *program)
{
    int64_t window = grid_points(kernel->window.kernel);
    int32_t outputs = kernel->out_channels / kernel->groups;
    int64_t stride = kernel_weight_elements(kernel, true) / (window * outputs);
    program->images_per_task = 0;
    program->tasks_per_group = stride / VECTOR_LANES;
    struct task_range range = nest_task(program);
    loop_value zero = loop_int(program, 0);
    loop_value begin = loop_times(program, range.part, VECTOR_LANES);
    loop_value w = loop_for(program, zero, loop_int(program, window), 1);
    loop_value output = loop_for(program, zero, loop_int(program, outputs), 1);
    loop_value input = loop_for(program, begin, loop_plus(program, begin, VECTOR_LANES), 1);
    loop_value row = loop_add(program, loop_times(program, w, outputs), output);
    struct weight_column column = nest_weight_column(kernel, program, true, input);
    loop_value index = nest_weight_row(program, &column, row);
    naive_transpose_element(kernel, program, w, output, input, index);
    nest_close(program, 3);
}
