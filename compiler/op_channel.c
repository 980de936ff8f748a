/* Parameters of one value a channel and their gradients. See op_channel.h. */
#include "compiler/op_channel.h"

#include <assert.h>
#include <string.h>

enum { MOST = 8 }; /* inputs and outputs of a gradient's op */

tensor_id channel_parameter(struct graph *graph, const struct layer_call *call, const char *path,
                            const char *name, struct tensor like)
{
    if (like.kind != TENSOR_COUNTER) {
        like.rank = 1;
        like.shape[0] = call->input->channels;
    }
    like.channels = call->input->channels;
    like.name = arena_format(graph->arena, "%s%s%s", path, *path ? "." : "", name);
    return graph_add_tensor(graph, like);
}

void channel_gradient(struct gradient_pass *pass, op_id id, enum op_kind kind, int parameters,
                      const tensor_id *kept, int kept_count)
{
    const struct op op = pass->graph->ops.items[id];
    const tensor_id dy = gradient_of(pass, op.outputs[0]), x = op.inputs[0];
    tensor_id inputs[MOST] = {dy, x}, outputs[MOST];
    size_t count = 0;

    if (dy == TENSOR_NONE)
        return;
    assert(kept_count + 2 <= MOST && parameters + 1 <= MOST);
    memcpy(inputs + 2, kept, (size_t)kept_count * sizeof *kept);
    for (int i = 1; i <= parameters; i++)
        outputs[count++] = gradient_of_parameter(pass, op.inputs[i]);
    if (gradient_needed(pass, x)) {
        const struct tensor like = pass->graph->tensors.items[x];

        outputs[count++] = graph_add_tensor(pass->graph, tensor_like(&like, like.channels));
        gradient_add(pass, x, outputs[count - 1]);
    }
    gradient_op(pass, kind, id, inputs, 2 + (size_t)kept_count, outputs, count);
}

uint16_t inverse_deviation(struct kernel *kernel, uint16_t variance, double epsilon)
{
    const uint16_t sum = kernel_add(kernel, variance, kernel_constant(kernel, epsilon));

    return kernel_divide(kernel, kernel_constant(kernel, 1),
                         kernel_unary(kernel, EXPRESSION_SQRT, sum));
}
