/* Pieces of loop nests: tasks, grids, windows, places. See nest.h. */
#include "codegen/nest.h"

struct task_range nest_task(struct loop_program *program)
{
    loop_value task = loop_task(program), group = task;
    struct task_range range = {.part = loop_int(program, 0)};
    if (program->images_per_task == 0) {
        range.part = task;
        range.first = loop_int(program, 0);
        range.end = loop_images(program);
        return range;
    }
    if (program->tasks_per_group > 1) {
        loop_value parts = loop_int(program, program->tasks_per_group);
        group = loop_binary(program, LOOP_DIVIDE, task, parts);
        range.part = loop_binary(program, LOOP_REMAINDER, task, parts);
    }
    range.first = loop_times(program, group, program->images_per_task);
    range.end = loop_binary(program, LOOP_MINIMUM,
                            loop_plus(program, range.first, program->images_per_task),
                            loop_images(program));
    return range;
}

int nest_open_images(struct loop_program *program, const struct task_range *range,
                     loop_value *out_image)
{
    if (program->images_per_task == 1) {
        *out_image = range->first;
        return 0;
    }
    *out_image = loop_for(program, range->first, range->end, 1);
    return 1;
}

struct nest_parts nest_parts(const struct kernel *kernel, struct loop_program *program,
                             int64_t task_bytes)
{
    int64_t points = grid_points(kernel->in_grid);
    int64_t bytes = points * channel_stride(kernel->in_channels) * (int64_t)sizeof(float);
    int64_t count = bytes / task_bytes;
    count = count < 1 ? 1 : count > points ? points : count;
    int64_t part_points = (points + count - 1) / count;
    program->tasks_per_group = (points + part_points - 1) / part_points;
    program->images_per_task = bytes >= task_bytes ? 1 : task_bytes / bytes;
    struct nest_parts parts = {.range = nest_task(program), .end = loop_int(program, points)};
    parts.first = loop_times(program, parts.range.part, part_points);
    if (program->tasks_per_group > 1)
        parts.end = loop_binary(program, LOOP_MINIMUM, loop_plus(program, parts.first, part_points),
                                parts.end);
    return parts;
}

int nest_open(struct loop_program *program, const int32_t extents[GRID_RANK],
              struct position *out_position)
{
    int bodies = 0;
    for (int i = 0; i < GRID_RANK; i++) {
        out_position->at[i] = loop_int(program, 0);
        if (extents[i] == 1)
            continue;
        out_position->at[i] =
            loop_for(program, out_position->at[i], loop_int(program, extents[i]), 1);
        bodies++;
    }
    out_position->index = nest_index(program, extents, out_position->at);
    return bodies;
}

int nest_open_if(struct loop_program *program, struct condition condition)
{
    if (!condition.is_open)
        return 0;
    loop_if(program, condition.value);
    return 1;
}

void nest_close(struct loop_program *program, int bodies)
{
    for (int i = 0; i < bodies; i++)
        loop_end(program);
}

void nest_channels(struct loop_program *program, int32_t count, nest_body *body,
                   const void *closure)
{
    int32_t done = count / VECTOR_LANES * VECTOR_LANES;
    if (done > 0) {
        loop_value end = loop_int(program, done);
        body(closure, loop_for(program, loop_int(program, 0), end, VECTOR_LANES), VECTOR_LANES);
        loop_end(program);
    }
    for (int lanes = VECTOR_LANES / 2; lanes >= 1; lanes /= 2) {
        if (!(count & lanes))
            continue;
        body(closure, loop_int(program, done), lanes);
        done += lanes;
    }
}

void condition_and(struct loop_program *program, struct condition *condition, loop_value value)
{
    condition->value =
        condition->is_open ? loop_binary(program, LOOP_AND, condition->value, value) : value;
    condition->is_open = true;
}

loop_value nest_index(struct loop_program *program, const int32_t extents[GRID_RANK],
                      const loop_value at[GRID_RANK])
{
    loop_value index = at[0];
    for (int i = 1; i < GRID_RANK; i++)
        index = loop_add(program, loop_times(program, index, extents[i]), at[i]);
    return index;
}

struct condition window_input(struct loop_program *program, const struct window *window,
                              const int32_t grid[GRID_RANK], const int32_t windows[GRID_RANK],
                              const struct position *q, const struct position *w,
                              struct position *out_point)
{
    struct condition condition = {0};
    for (int i = 0; i < GRID_RANK; i++) {
        loop_value at = loop_add(program, loop_times(program, q->at[i], window->stride[i]),
                                 loop_times(program, w->at[i], window->dilation[i]));
        at = loop_plus(program, at, -window->padding[i]);
        out_point->at[i] = at;
        int32_t last = (windows[i] - 1) * window->stride[i] - window->padding[i] +
                       (window->kernel[i] - 1) * window->dilation[i];
        if (window->padding[i] > 0)
            condition_and(program, &condition,
                          loop_binary(program, LOOP_LESS_EQUAL, loop_int(program, 0), at));
        if (last >= grid[i])
            condition_and(program, &condition,
                          loop_binary(program, LOOP_LESS, at, loop_int(program, grid[i])));
    }
    out_point->index = nest_index(program, grid, out_point->at);
    return condition;
}

/* The window coordinate of t = p + padding - w dilation on one axis, and when there is one. */
static loop_value window_axis(struct loop_program *program, loop_value t, int32_t stride,
                              int32_t windows, struct condition *condition)
{
    loop_value zero = loop_int(program, 0), at = t;
    condition_and(program, condition, loop_binary(program, LOOP_LESS_EQUAL, zero, t));
    if (stride > 1) {
        loop_value step = loop_int(program, stride);
        loop_value rest = loop_binary(program, LOOP_REMAINDER, t, step);
        condition_and(program, condition, loop_binary(program, LOOP_EQUAL, rest, zero));
        at = loop_binary(program, LOOP_DIVIDE, t, step);
    }
    condition_and(program, condition,
                  loop_binary(program, LOOP_LESS, at, loop_int(program, windows)));
    return at;
}

struct condition window_output(struct loop_program *program, const struct window *window,
                               const int32_t windows[GRID_RANK], const struct position *p,
                               const struct position *w, struct position *out_window)
{
    struct condition condition = {0};
    for (int i = 0; i < GRID_RANK; i++) {
        if (window->kernel[i] == 1 && window->stride[i] == 1 && window->padding[i] == 0) {
            out_window->at[i] = p->at[i];
            continue;
        }
        loop_value t = loop_add(program, loop_plus(program, p->at[i], window->padding[i]),
                                loop_times(program, w->at[i], -window->dilation[i]));
        out_window->at[i] = window_axis(program, t, window->stride[i], windows[i], &condition);
    }
    out_window->index = nest_index(program, windows, out_window->at);
    return condition;
}

struct condition window_source(struct loop_program *program, const struct kernel *kernel,
                               const struct position *q, const struct position *w,
                               struct position *out_point)
{
    const struct window *window = &kernel->window;
    return kernel->anchor == KERNEL_DATA_GRADIENT
               ? window_output(program, window, kernel->in_grid, q, w, out_point)
               : window_input(program, window, kernel->in_grid, kernel->out_grid, q, w, out_point);
}

struct weight_column nest_weight_column(const struct kernel *kernel, struct loop_program *program,
                                        bool transposed, loop_value column)
{
    int64_t columns = vector_stride(transposed ? kernel->in_channels : kernel->out_channels);
    int64_t rows = kernel_weight_elements(kernel, transposed) / columns;
    int64_t width = kernel->weight_block;
    if (width == 0 || columns <= width)
        return (struct weight_column){column, loop_int(program, columns)};
    loop_value block = loop_binary(program, LOOP_DIVIDE, column, loop_int(program, width));
    loop_value begin = loop_times(program, block, width), stride = loop_int(program, width);
    loop_value within = loop_binary(program, LOOP_SUBTRACT, column, begin);
    if (columns % width)
        stride = loop_binary(program, LOOP_MINIMUM, stride,
                             loop_plus(program, loop_times(program, begin, -1), columns));
    return (struct weight_column){loop_add(program, loop_times(program, begin, rows), within),
                                  stride};
}

loop_value nest_weight_row(struct loop_program *program, const struct weight_column *column,
                           loop_value row)
{
    loop_value rows = loop_binary(program, LOOP_MULTIPLY, row, column->stride);
    return loop_add(program, column->first, rows);
}

loop_value nest_zero(struct loop_program *program, int lanes)
{
    return loop_float(program, LOOP_F32_TYPE(lanes), 0.0);
}

loop_value nest_load_one(struct loop_program *program, loop_value local, int lanes)
{
    return loop_load_local(program, local, loop_int(program, 0), lanes);
}

void nest_store_one(struct loop_program *program, loop_value local, loop_value value)
{
    loop_store_local(program, local, loop_int(program, 0), value);
}

void nest_add_product(struct loop_program *program, loop_value local, loop_value a, loop_value b,
                      int lanes)
{
    loop_value before = nest_load_one(program, local, lanes);
    nest_store_one(program, local, loop_ternary(program, LOOP_FMA, a, b, before));
}

void nest_add_products(struct loop_program *program, loop_value local, int slot, loop_value factor,
                       const loop_value *columns, int vectors)
{
    for (int v = 0; v < vectors; v++) {
        loop_value at = loop_int(program, (int64_t)(slot + v) * VECTOR_LANES);
        loop_value sum = loop_load_local(program, local, at, VECTOR_LANES);
        loop_store_local(program, local, at,
                         loop_ternary(program, LOOP_FMA, factor, columns[v], sum));
    }
}

struct place place_in(const struct kernel *kernel, loop_value image, loop_value point,
                      loop_value channel, int lanes)
{
    return (struct place){.image = image,
                          .point = point,
                          .channel = channel,
                          .points = grid_points(kernel->in_grid),
                          .channels = kernel->in_channels,
                          .lanes = lanes,
                          .scalar = LOOP_F32};
}

struct place place_out(const struct kernel *kernel, loop_value image, loop_value point,
                       loop_value channel, int lanes)
{
    struct place place = place_in(kernel, image, point, channel, lanes);
    place.points = grid_points(kernel->out_grid);
    place.channels = kernel->out_channels;
    return place;
}

loop_value activation_index(struct loop_program *program, loop_value image, int64_t points,
                            loop_value point, int64_t channels, loop_value channel)
{
    loop_value row = loop_add(program, loop_times(program, image, points), point);
    return loop_add(program, loop_times(program, row, channel_stride(channels)), channel);
}

loop_value epilogue_value(const struct kernel *kernel, struct loop_program *program,
                          struct place place, loop_value sums)
{
    if (kernel->epilogue == 0)
        return sums;
    place.result = sums;
    return expression_value(kernel, program, (uint16_t)(kernel->epilogue - 1), &place);
}

bool expression_is_plain_load(const struct kernel *kernel, uint16_t root, uint32_t *out_parameter)
{
    const struct expression *expression = &kernel->expressions[root];
    *out_parameter = expression->parameter;
    return expression->op == EXPRESSION_LOAD && expression->access == ACCESS_POINT;
}

bool expression_has_access(const struct kernel *kernel, uint16_t root, unsigned mask)
{
    bool needed[KERNEL_EXPRESSIONS];
    kernel_needed(kernel, root, needed);
    for (int i = 0; i <= root; i++) {
        const struct expression *expression = &kernel->expressions[i];
        if (needed[i] && expression_reads((enum expression_op)expression->op) &&
            (mask >> expression->access & 1))
            return true;
    }
    return false;
}
