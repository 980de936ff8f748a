/* Layers in words. */
#include "compiler/layer_text.h"

static void add_axes(struct text_builder *text, const int32_t *values, int rank,
                     const char *between)
{
    for (int axis = GRID_RANK - rank; axis < GRID_RANK; axis++)
        text_add(text, "%s%d", axis == GRID_RANK - rank ? "" : between, values[axis]);
}

static void add_window(struct text_builder *text, const struct window *window, int rank)
{
    bool strided = false, even = true;

    text_add(text, " ");
    add_axes(text, window->kernel, rank, "\xC3\x97");
    for (int axis = GRID_RANK - rank; axis < GRID_RANK; axis++) {
        strided |= window->stride[axis] > 1;
        even &= window->stride[axis] == window->stride[GRID_RANK - 1];
    }
    if (!strided)
        return;
    text_add(text, " / ");
    if (even)
        text_add(text, "%d", window->stride[GRID_RANK - 1]);
    else
        add_axes(text, window->stride, rank, "\xC3\x97");
}

static bool has_window(const struct graph *graph, const struct op *op)
{
    return op->attributes.window.kernel[GRID_RANK - 1] > 0 &&
           graph->tensors.items[op->inputs[0]].spatial_rank > 0 &&
           op->kind != OP_GLOBAL_AVERAGE_POOL && op->kind != OP_LINEAR;
}

void layer_add_attributes(struct text_builder *text, const struct graph *graph,
                          const struct op *op)
{
    if (has_window(graph, op))
        add_window(text, &op->attributes.window,
                   graph->tensors.items[op->inputs[0]].spatial_rank);
    if (op->attributes.channels > 0)
        text_add(text, ", %d", op->attributes.channels);
    if (op->attributes.groups > 1)
        text_add(text, ", %d groups", op->attributes.groups);
}

/* Half the window, as convolutions and pools have it where nothing is said. */
static bool has_default_padding(const struct window *window)
{
    bool is_default = true;

    for (int axis = 0; axis < GRID_RANK; axis++)
        is_default &=
            window->padding[axis] == (window->kernel[axis] - 1) / 2 * window->dilation[axis];
    return is_default;
}

static bool is_dilated(const struct window *window)
{
    bool dilated = false;

    for (int axis = 0; axis < GRID_RANK; axis++)
        dilated |= window->dilation[axis] > 1;
    return dilated;
}

void layer_add_details(struct text_builder *text, const struct graph *graph, const struct op *op)
{
    const struct attributes *attributes = &op->attributes;
    const int rank = graph->tensors.items[op->inputs[0]].spatial_rank;

    if (has_window(graph, op) && !has_default_padding(&attributes->window)) {
        text_add(text, ", padding ");
        add_axes(text, attributes->window.padding, rank, "\xC3\x97");
    }
    if (has_window(graph, op) && is_dilated(&attributes->window)) {
        text_add(text, ", dilation ");
        add_axes(text, attributes->window.dilation, rank, "\xC3\x97");
    }
    if (attributes->bias)
        text_add(text, ", bias");
    if (attributes->epsilon > 0)
        text_add(text, ", epsilon %g", attributes->epsilon);
    if (attributes->momentum > 0)
        text_add(text, ", momentum %g", attributes->momentum);
    if (attributes->rate > 0)
        text_add(text, ", rate %g", attributes->rate);
}
