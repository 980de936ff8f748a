/* Maximum and average pooling, over windows or the whole grid. */
#include <string.h>

#include "compiler/gradient.h"
#include "compiler/lower.h"
#include "compiler/op_window.h"

enum { POOL_KERNEL, POOL_STRIDE, POOL_PADDING };

/* A window that lies in the padding alone would have no maximum, and no average worth having. */
static void pool_shape(struct layer_call *call)
{
    static const struct window_arguments places = {POOL_KERNEL, POOL_STRIDE, POOL_PADDING, -1,
                                                   true};
    const struct window *window = &call->attributes.window;

    if (!window_read(call, &places))
        return;
    call->attributes.listed = call->values[POOL_KERNEL].axis_count > 0;
    for (int axis = 0; axis < GRID_RANK; axis++) {
        if (2 * window->padding[axis] > window->kernel[axis]) {
            layer_fail(call, DIAGNOSTIC_BAD_SHAPE, POOL_PADDING,
                       "a padding of %d is more than half the window of %d", window->padding[axis],
                       window->kernel[axis]);
            return;
        }
    }
}

static void global_pool_shape(struct layer_call *call)
{
    call->attributes.window = window_over(call->input->grid);
    call->output = *call->input;
    for (int axis = 0; axis < GRID_RANK; axis++)
        call->output.grid[axis] = 1;
}

/* The gradient ops take dy and x (maximum) or dy alone (average). */
static void max_pool_gradient(struct gradient_pass *pass, op_id id)
{
    gradient_of_input(pass, id, OP_MAX_POOL_GRADIENT, pass->graph->ops.items[id].inputs[0]);
}

static void average_pool_gradient(struct gradient_pass *pass, op_id id)
{
    gradient_of_input(pass, id, OP_AVERAGE_POOL_GRADIENT, TENSOR_NONE);
}

static void lower_pool(struct lowering *lowering, const struct op *op, enum kernel_anchor anchor)
{
    struct call_builder call = call_begin(lowering, anchor);

    call_in(&call, &lowering->graph->tensors.items[op->inputs[0]]);
    call_out(&call, &lowering->graph->tensors.items[op->outputs[0]]);
    call.kernel.window = op->attributes.window;
    call_operand(&call, call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT));
    call_output(&call, lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

static void max_pool_lower(struct lowering *lowering, const struct op *op)
{
    lower_pool(lowering, op, KERNEL_MAX_POOL);
}

static void average_pool_lower(struct lowering *lowering, const struct op *op)
{
    lower_pool(lowering, op, KERNEL_AVERAGE_POOL);
}

static void max_pool_gradient_lower(struct lowering *lowering, const struct op *op)
{
    struct call_builder call = call_begin(lowering, KERNEL_MAX_POOL_GRADIENT);

    call_in(&call, &lowering->graph->tensors.items[op->inputs[1]]);
    call_out(&call, &lowering->graph->tensors.items[op->inputs[0]]);
    call.kernel.window = op->attributes.window;
    call_operand(&call, call_load(&call, lower_buffer(lowering, op->inputs[1]), ACCESS_POINT));
    call_operand(&call, call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT));
    call_output(&call, lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

/* dx = dy / points at every point: the window was the whole grid. */
static void lower_spread(struct lowering *lowering, const struct op *op)
{
    struct call_builder call = call_begin(lowering, KERNEL_POINTWISE);
    const struct tensor *dx = &lowering->graph->tensors.items[op->outputs[0]];
    uint16_t dy;

    call_in(&call, dx);
    dy = call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_IMAGE_CHANNEL);
    call_store(&call,
               kernel_multiply(&call.kernel, dy,
                               kernel_constant(&call.kernel, 1.0 / (double)grid_points(dx->grid))),
               lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

static void average_pool_gradient_lower(struct lowering *lowering, const struct op *op)
{
    const struct tensor *dx = &lowering->graph->tensors.items[op->outputs[0]];
    const struct window over = window_over(dx->grid);
    struct call_builder call;

    if (memcmp(&over, &op->attributes.window, sizeof over) == 0) {
        lower_spread(lowering, op);
        return;
    }
    call = call_begin(lowering, KERNEL_AVERAGE_POOL_GRADIENT);
    call_in(&call, dx);
    call_out(&call, &lowering->graph->tensors.items[op->inputs[0]]);
    call.kernel.window = op->attributes.window;
    call_operand(&call, call_load(&call, lower_buffer(lowering, op->inputs[0]), ACCESS_POINT));
    call_output(&call, lower_buffer(lowering, op->outputs[0]));
    call_end(&call, op->path);
}

#define POOL_ARGUMENTS                                                                             \
    {                                                                                              \
        {"kernel", ARGUMENT_AXES, true, 1, 0}, {"stride", ARGUMENT_AXES, false, 1, 0},             \
        {                                                                                          \
            "padding", ARGUMENT_AXES, false, 0, 0                                                  \
        }                                                                                          \
    }

const struct op_definition max_pool_definition = {
    .is_layer = true,
    .arguments = POOL_ARGUMENTS,
    .argument_count = 3,
    .shape = pool_shape,
    .gradient = max_pool_gradient,
    .lower = max_pool_lower,
};

const struct op_definition average_pool_definition = {
    .is_layer = true,
    .arguments = POOL_ARGUMENTS,
    .argument_count = 3,
    .shape = pool_shape,
    .gradient = average_pool_gradient,
    .lower = average_pool_lower,
};

const struct op_definition global_average_pool_definition = {
    .is_layer = true,
    .shape = global_pool_shape,
    .gradient = average_pool_gradient,
    .lower = average_pool_lower,
};

const struct op_definition max_pool_gradient_definition = {.lower = max_pool_gradient_lower};
const struct op_definition average_pool_gradient_definition = {.lower =
                                                                   average_pool_gradient_lower};
