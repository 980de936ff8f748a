/* The backward pass over a graph: one visit of each operation, from the loss to the input. */
#include "compiler/gradient.h"

#include "base/vector.h"
#include "compiler/op.h"

void graph_add_loss(struct graph *graph)
{
    const tensor_id logits = graph->outputs.items[0].tensor;
    const struct tensor like = graph->tensors.items[logits];
    const tensor_id labels = graph_add_tensor(graph, (struct tensor){.kind = TENSOR_LABELS});
    const tensor_id outputs[] = {
        graph_add_tensor(graph, (struct tensor){.kind = TENSOR_PER_IMAGE}),
        graph_add_tensor(graph, (struct tensor){.kind = TENSOR_PER_IMAGE}),
        graph_add_tensor(graph, tensor_like(&like, like.channels)),
    };
    const op_id op = graph_add_op(graph, OP_SOFTMAX_LOSS, (tensor_id[]){logits, labels}, 2,
                                  outputs, countof(outputs));

    graph->ops.items[op].path = "loss";
}

/* A tensor needs a gradient if a parameter lies behind it. */
static void mark_needed(struct gradient_pass *pass)
{
    const struct graph *graph = pass->graph;

    for (size_t t = 0; t < pass->tensor_count; t++)
        pass->needed[t] = graph->tensors.items[t].kind == TENSOR_PARAMETER;
    for (size_t o = 0; o < graph->ops.count; o++) {
        const struct op *op = &graph->ops.items[o];
        bool needed = false;

        for (int i = 0; i < op->input_count; i++)
            needed |= pass->needed[op->inputs[i]];
        for (int i = 0; i < op->output_count; i++)
            pass->needed[op->outputs[i]] = needed;
    }
}

void graph_add_gradients(struct graph *graph)
{
    struct gradient_pass pass = {.graph = graph, .tensor_count = graph->tensors.count};
    op_id update;

    pass.needed = ARENA_ARRAY(graph->arena, bool, pass.tensor_count);
    pass.first_term = ARENA_ARRAY(graph->arena, uint32_t, pass.tensor_count);
    mark_needed(&pass);
    for (op_id op = (op_id)graph->ops.count; op-- > 0;) {
        const struct op_definition *definition =
            op_definition((enum op_kind)graph->ops.items[op].kind);

        if (definition->gradient)
            definition->gradient(&pass, op);
    }
    update = graph_add_op(graph, OP_UPDATE, NULL, 0, NULL, 0);
    graph->ops.items[update].path = "update";
    graph->ops.items[update].is_backward = true;
}

tensor_id gradient_of(struct gradient_pass *pass, tensor_id tensor)
{
    VECTOR(tensor_id) terms = {0};

    for (uint32_t term = pass->first_term[tensor]; term != 0;
         term = pass->terms.items[term - 1].next)
        vector_push(&terms, pass->graph->arena, pass->terms.items[term - 1].tensor);
    if (terms.count == 0)
        return TENSOR_NONE;
    if (terms.count == 1)
        return terms.items[0];
    const op_id producer = pass->graph->tensors.items[tensor].producer;
    const struct op *forward = &pass->graph->ops.items[producer];
    const tensor_id sum =
        graph_add_sum(pass->graph, terms.items, terms.count, forward->path, forward->span);

    pass->graph->ops.items[pass->graph->tensors.items[sum].producer].is_backward = true;
    return sum;
}

bool gradient_needed(const struct gradient_pass *pass, tensor_id tensor)
{
    return pass->needed[tensor];
}

void gradient_add(struct gradient_pass *pass, tensor_id tensor, tensor_id gradient)
{
    const struct gradient_term term = {gradient, pass->first_term[tensor]};

    vector_push(&pass->terms, pass->graph->arena, term);
    pass->first_term[tensor] = (uint32_t)pass->terms.count;
}

tensor_id gradient_of_parameter(struct gradient_pass *pass, tensor_id parameter)
{
    struct tensor gradient = pass->graph->tensors.items[parameter];

    gradient.kind = TENSOR_GRADIENT;
    gradient.of = parameter;
    gradient.name = NULL;
    return graph_add_tensor(pass->graph, gradient);
}

op_id gradient_op(struct gradient_pass *pass, enum op_kind kind, op_id of,
                  const tensor_id *inputs, size_t input_count, const tensor_id *outputs,
                  size_t output_count)
{
    const op_id id =
        graph_add_op(pass->graph, kind, inputs, input_count, outputs, output_count);
    struct op *op = &pass->graph->ops.items[id];
    const struct op *forward = &pass->graph->ops.items[of];

    op->attributes = forward->attributes;
    op->path = forward->path;
    op->span = forward->span;
    op->is_backward = true;
    return id;
}

void gradient_of_input(struct gradient_pass *pass, op_id of, enum op_kind kind, tensor_id kept)
{
    const struct op op = pass->graph->ops.items[of];
    const tensor_id dy = gradient_of(pass, op.outputs[0]);

    if (dy == TENSOR_NONE || !gradient_needed(pass, op.inputs[0]))
        return;
    const struct tensor like = pass->graph->tensors.items[op.inputs[0]];
    const tensor_id dx = graph_add_tensor(pass->graph, tensor_like(&like, like.channels));

    gradient_op(pass, kind, of, (tensor_id[]){dy, kept}, kept == TENSOR_NONE ? 1 : 2, &dx, 1);
    gradient_add(pass, op.inputs[0], dx);
}
