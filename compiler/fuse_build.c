/* Putting calls together: loads of what was left for a call become the expressions of it. */
#include "compiler/fuse_internal.h"

#include <string.h>

static int output_of(const struct call_builder *call, buffer_id buffer)
{
    int output = 0;

    while (call->outputs[output] != buffer)
        output++;
    return output;
}

/* The value that a convolution stores. */
static uint16_t stored_value(struct kernel *kernel)
{
    if (kernel->epilogue)
        return (uint16_t)(kernel->epilogue - 1);
    return kernel_expression(kernel, (struct expression){.op = EXPRESSION_RESULT});
}

/* Whether `to` is a convolution that stores, or would have stored, the buffer. */
static bool is_own_result(const struct fusion *fusion, const struct call_builder *to,
                          buffer_id buffer)
{
    const struct call_builder *source = fusion->deferred[buffer].call;

    if (!kernel_is_convolution(&to->kernel))
        return false;
    return (to->output_count > 0 && to->outputs[0] == buffer) ||
           (source && kernel_is_convolution(&source->kernel));
}

/* Deferred calls hold no loads of deferred results themselves, so this goes one level deep. */
static uint16_t copy_load(const struct fusion *fusion, struct call_builder *to, buffer_id buffer,
                          const struct expression *load)
{
    const struct call_builder *source = fusion->deferred[buffer].call;

    if (is_own_result(fusion, to, buffer))
        return stored_value(&to->kernel);
    if (source)
        return fuse_copy_value(fusion, to, &source->kernel, source->inputs,
                               source->kernel.values[output_of(source, buffer)]);
    if (load->access == ACCESS_SCALAR)
        return call_scalar(to, (enum rnet_scalar)load->index);
    return call_load(to, buffer, (enum access)load->access);
}

uint16_t fuse_copy_value(const struct fusion *fusion, struct call_builder *to,
                         const struct kernel *from, const buffer_id *buffers, uint16_t root)
{
    uint16_t copies[KERNEL_EXPRESSIONS] = {0};
    bool parts[KERNEL_EXPRESSIONS];

    kernel_needed(from, root, parts);
    for (int i = 0; i <= root; i++) {
        struct expression expression = from->expressions[i];
        const int operands = expression_operands((enum expression_op)expression.op);

        if (!parts[i])
            continue;
        if (expression.op == EXPRESSION_LOAD) {
            copies[i] = copy_load(fusion, to, buffers[expression.parameter], &expression);
            continue;
        }
        if (expression.op == EXPRESSION_RANDOM) {
            copies[i] =
                call_random(to, buffers[expression.parameter], (enum access)expression.access);
            continue;
        }
        if (operands > 0)
            expression.a = copies[expression.a];
        if (operands > 1)
            expression.b = copies[expression.b];
        copies[i] = kernel_expression(&to->kernel, expression);
    }
    return copies[root];
}

/* Adds the results of the calls that were joined into this one. */
static void store_joined(const struct fusion *fusion, struct call_builder *to, call_id reader,
                         const struct call *call)
{
    const int inputs = kernel_first_output(fusion_kernel(fusion, reader));

    for (int p = 0; p < inputs; p++) {
        const struct deferred *deferred = &fusion->deferred[call->arguments[p]];

        if (!deferred->call || deferred->into != reader ||
            deferred->call->outputs[0] != call->arguments[p])
            continue;
        for (int output = 0; output < deferred->call->output_count; output++) {
            const buffer_id buffer = deferred->call->outputs[output];
            const struct expression load = {.op = EXPRESSION_LOAD, .access = ACCESS_POINT};

            call_store(to, copy_load(fusion, to, buffer, &load), buffer);
        }
    }
}

/* Shapes and window; no expressions and no parameters. */
static struct call_builder begin_like(struct fusion *fusion, const struct kernel *from)
{
    struct call_builder to = call_begin(&fusion->lowering, (enum kernel_anchor)from->anchor);

    memcpy(to.kernel.in_grid, from->in_grid, sizeof from->in_grid);
    memcpy(to.kernel.out_grid, from->out_grid, sizeof from->out_grid);
    to.kernel.window = from->window;
    to.kernel.in_channels = from->in_channels;
    to.kernel.out_channels = from->out_channels;
    to.kernel.groups = from->groups;
    to.kernel.weight_block = from->weight_block;
    to.kernel.chunk_images = from->chunk_images;
    return to;
}

static struct call_builder rebuild_pointwise(struct fusion *fusion, call_id id)
{
    const struct call *call = &fusion->before[id];
    const struct kernel *from = fusion_kernel(fusion, id);
    struct call_builder to = begin_like(fusion, from);

    for (int value = 0; value < from->value_count; value++)
        call_store(&to, fuse_copy_value(fusion, &to, from, call->arguments, from->values[value]),
                   call->arguments[kernel_first_output(from) + value]);
    store_joined(fusion, &to, id, call);
    return to;
}

/* An anchor with operands: a convolution, a gradient of one, a pool. */
static struct call_builder rebuild_anchor(struct fusion *fusion, call_id id)
{
    const struct call *call = &fusion->before[id];
    const struct kernel *from = fusion_kernel(fusion, id);
    struct call_builder to = begin_like(fusion, from);

    for (int value = 0; value < from->value_count; value++)
        call_operand(&to, fuse_copy_value(fusion, &to, from, call->arguments, from->values[value]));
    if (from->epilogue)
        to.kernel.epilogue = (uint16_t)(fuse_copy_value(fusion, &to, from, call->arguments,
                                                        (uint16_t)(from->epilogue - 1)) +
                                        1);
    if (kernel_is_convolution(from))
        to.weight = call->arguments[kernel_weight_parameter(from)];
    for (int p = kernel_first_output(from); p < from->parameter_count; p++)
        call_output(&to, call->arguments[p]);
    return to;
}

/* The convolution that was left to be extended by this pointwise call, or NULL. */
static const struct call_builder *convolution_for(const struct fusion *fusion, call_id id)
{
    const struct call *call = &fusion->before[id];

    for (int p = 0; fusion->is_taken[id] && p < call->argument_count; p++) {
        const struct deferred *deferred = &fusion->deferred[call->arguments[p]];

        if (deferred->call && deferred->into == id &&
            kernel_is_convolution(&deferred->call->kernel))
            return deferred->call;
    }
    return NULL;
}

/* The convolution with the pointwise call as its epilogue. */
static struct call_builder rebuild_epilogue(struct fusion *fusion, call_id id,
                                            const struct call_builder *convolution)
{
    const struct call *call = &fusion->before[id];
    const struct kernel *from = fusion_kernel(fusion, id);
    struct call_builder to = *convolution;
    uint16_t value;

    to.output_count = 0;
    value = fuse_copy_value(fusion, &to, from, call->arguments, from->values[0]);
    to.kernel.epilogue =
        to.kernel.expressions[value].op == EXPRESSION_RESULT ? 0 : (uint16_t)(value + 1);
    call_output(&to, call->arguments[kernel_first_output(from)]);
    return to;
}

struct call_builder fuse_rebuild(struct fusion *fusion, call_id id)
{
    const struct kernel *from = fusion_kernel(fusion, id);
    const struct call_builder *convolution = convolution_for(fusion, id);
    struct call_builder to;

    if (convolution)
        to = rebuild_epilogue(fusion, id, convolution);
    else if (is_pointwise(from) || from->anchor == KERNEL_CHANNEL_SUM)
        to = rebuild_pointwise(fusion, id);
    else
        to = rebuild_anchor(fusion, id);
    to.images = fusion->before[id].images;
    return to;
}
