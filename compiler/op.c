/* The table of definitions, and appending layers by it. */
#include "compiler/op.h"

#include <string.h>

#define OP(kind, name, family) extern const struct op_definition family##_definition;
#include "compiler/op.def"
#undef OP

const struct op_definition *op_definition(enum op_kind kind)
{
    static const struct op_definition *const definitions[] = {
#define OP(op_kind, name, family) &family##_definition,
#include "compiler/op.def"
#undef OP
    };

    return definitions[kind];
}

bool op_find_layer(const char *name, enum op_kind *out_kind)
{
    for (int kind = 0; kind < OP_KIND_COUNT; kind++) {
        if (op_definition((enum op_kind)kind)->is_layer &&
            strcmp(op_name((enum op_kind)kind), name) == 0) {
            *out_kind = (enum op_kind)kind;
            return true;
        }
    }
    return false;
}

tensor_id graph_add_layer(struct graph *graph, enum op_kind kind, const struct layer_value *values,
                          tensor_id input, const char *path, struct span span,
                          struct layer_error *out_error)
{
    const struct op_definition *definition = op_definition(kind);
    const struct tensor before = graph->tensors.items[input];
    struct layer_call call = {
        .graph = graph, .values = values, .input = &before, .culprit = -1};
    tensor_id inputs[8] = {input};
    tensor_id outputs[4];
    size_t input_count = 1, output_count = 1;
    op_id op;

    definition->shape(&call);
    if (call.error) {
        *out_error = (struct layer_error){call.error, call.code, call.culprit};
        return TENSOR_NONE;
    }
    if (definition->parameters)
        input_count += (size_t)definition->parameters(graph, &call, path, inputs + 1);
    outputs[0] = graph_add_tensor(graph, call.output);
    for (int vector = 0; vector < definition->vector_outputs; vector++)
        outputs[output_count++] = graph_add_tensor(
            graph, (struct tensor){.kind = TENSOR_VECTOR, .channels = call.output.channels});
    for (int kept = 0; kept < definition->kept_outputs; kept++)
        outputs[output_count++] = graph_add_tensor(graph, definition->kept_shape(&call));
    op = graph_add_op(graph, kind, inputs, input_count, outputs, output_count);
    graph->ops.items[op].attributes = call.attributes;
    graph->ops.items[op].path = path;
    graph->ops.items[op].span = span;
    return outputs[0];
}

tensor_id graph_add_sum(struct graph *graph, const tensor_id *terms, size_t count,
                        const char *path, struct span span)
{
    const struct tensor like = graph->tensors.items[terms[0]];
    const tensor_id sum = graph_add_tensor(graph, tensor_like(&like, like.channels));
    const op_id op = graph_add_op(graph, OP_ADD, terms, count, &sum, 1);

    graph->ops.items[op].path = path;
    graph->ops.items[op].span = span;
    return sum;
}

bool op_has_code(enum op_kind kind)
{
    return kind == OP_INPUT || op_definition(kind)->lower != NULL;
}
