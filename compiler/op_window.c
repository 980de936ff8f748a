/* Reading windows from arguments and moving them over grids. */
#include "compiler/op_window.h"

#include <stdarg.h>

#include "base/text.h"

enum { AXIS_LIMIT = 1 << 20 }; /* far beyond any image; keeps products in 64 bits */

void layer_fail(struct layer_call *call, enum diagnostic_code code, int culprit,
                const char *format, ...)
{
    struct text_builder text = {.arena = call->graph->arena};
    va_list arguments;

    va_start(arguments, format);
    text_add_arguments(&text, format, arguments);
    va_end(arguments);
    call->error = text_result(&text);
    call->code = code;
    call->culprit = culprit;
}

/* Reads one argument for every axis of the grid; axes that the tensor lacks keep `out`. */
static bool read_axes(struct layer_call *call, int argument, int32_t out[GRID_RANK])
{
    const int rank = call->input->spatial_rank;
    const struct layer_value *value;

    if (argument < 0 || !call->values[argument].given)
        return true;
    value = &call->values[argument];
    if (value->axis_count != 0 && value->axis_count != rank) {
        layer_fail(call, DIAGNOSTIC_BAD_SHAPE, argument,
                   "a list of %d for a tensor with %d spatial axes", value->axis_count, rank);
        return false;
    }
    for (int axis = 0; axis < rank; axis++) {
        const double number = value->values[value->axis_count ? axis : 0];

        if (number > AXIS_LIMIT) {
            layer_fail(call, DIAGNOSTIC_TOO_LARGE, argument, "%.0f is too large", number);
            return false;
        }
        out[GRID_RANK - rank + axis] = (int32_t)number;
    }
    return true;
}

static bool move_over_grid(struct layer_call *call, const struct window_arguments *places)
{
    const struct window *window = &call->attributes.window;

    for (int axis = 0; axis < GRID_RANK; axis++) {
        const int64_t extent = (int64_t)window->dilation[axis] * (window->kernel[axis] - 1) + 1;
        const int64_t room =
            (int64_t)call->input->grid[axis] + 2 * (int64_t)window->padding[axis] - extent;

        if (room < 0) {
            layer_fail(call, DIAGNOSTIC_GRID_LOST, places->kernel,
                       "a window of %lld does not fit a grid of %d with padding %d",
                       (long long)extent, call->input->grid[axis], window->padding[axis]);
            return false;
        }
        call->output.grid[axis] = (int32_t)(room / window->stride[axis] + 1);
    }
    return true;
}

bool window_read(struct layer_call *call, const struct window_arguments *places)
{
    struct window *window = &call->attributes.window;
    const int rank = call->input->spatial_rank;

    *window = window_point();
    if (rank == 0) {
        layer_fail(call, DIAGNOSTIC_BAD_SHAPE, -1, "this layer needs a tensor with a grid, not %s",
                   tensor_shape_text(call->input, call->graph->arena));
        return false;
    }
    if (!read_axes(call, places->kernel, window->kernel))
        return false;
    for (int axis = GRID_RANK - rank; axis < GRID_RANK && places->stride_is_kernel; axis++)
        window->stride[axis] = window->kernel[axis];
    if (!read_axes(call, places->stride, window->stride) ||
        !read_axes(call, places->dilation, window->dilation))
        return false;
    for (int axis = 0; axis < GRID_RANK; axis++)
        window->padding[axis] = (window->kernel[axis] - 1) / 2 * window->dilation[axis];
    if (!read_axes(call, places->padding, window->padding))
        return false;
    call->output = tensor_like(call->input, call->input->channels);
    return move_over_grid(call, places);
}

struct window window_over(const int32_t grid[GRID_RANK])
{
    struct window window = window_point();

    for (int axis = 0; axis < GRID_RANK; axis++)
        window.kernel[axis] = grid[axis];
    return window;
}

struct window window_point(void)
{
    return (struct window){
        .kernel = {1, 1, 1}, .stride = {1, 1, 1}, .padding = {0, 0, 0}, .dilation = {1, 1, 1}};
}

int64_t window_size(const struct window *window)
{
    return (int64_t)window->kernel[0] * window->kernel[1] * window->kernel[2];
}
