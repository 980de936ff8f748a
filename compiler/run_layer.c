/* Adding one layer. */
#include "compiler/evaluate.h"
#include "compiler/run.h"

enum { TENSOR_VALUES_LIMIT = 1 << 30 }; /* of one image */

static void report_layer(struct context *context, const struct block *layer, tensor_id input,
                         const struct layer_error *error)
{
    const struct argument *culprit =
        error->culprit >= 0 ? &layer->application.arguments[error->culprit] : NULL;
    const bool given = culprit && culprit->value.kind != VALUE_UNBOUND;
    const struct span span = given ? culprit->span : layer->span;
    struct diagnostic *diagnostic = report(context, error->code, span, "%s", error->text);

    if (!diagnostic)
        return;
    diagnostic_label(context->diagnostics, diagnostic, "%s enters `%s`",
                     tensor_shape_text(&context->graph->tensors.items[input], context->arena),
                     block_name(layer));
    if (given && (layer->span.source != span.source || layer->span.begin > span.begin ||
                  layer->span.end < span.end))
        diagnostic_note(context->diagnostics, diagnostic, layer->span, "the layer is used here");
    report_chain(context, diagnostic);
}

/* Guards what comes after against sizes that nothing can hold. */
tensor_id run_check_size(struct context *context, tensor_id output, struct span span)
{
    const struct tensor *tensor = &context->graph->tensors.items[output];
    double values = tensor->channels;

    for (int axis = 0; axis < GRID_RANK; axis++)
        values *= tensor->grid[axis];
    if (values <= TENSOR_VALUES_LIMIT)
        return output;
    report_chain(context, report(context, DIAGNOSTIC_TOO_LARGE, span,
                                 "a tensor of %.3g values an image is too large", values));
    return TENSOR_NONE;
}

bool run_count_layer(struct context *context, struct span span)
{
    if (context->stopped)
        return false;
    if (++context->layers <= context->layer_limit)
        return true;
    context->stopped = true;
    report_chain(context,
                 report(context, DIAGNOSTIC_TOO_LARGE, span,
                        "this network has more than %lld layers", (long long)context->layer_limit));
    return false;
}

static bool read_values(struct context *context, const struct block *layer,
                        struct layer_value *values)
{
    const struct op_definition *definition = op_definition(layer->op);

    for (int i = 0; i < definition->argument_count; i++) {
        if (!read_layer_argument(context, &definition->arguments[i],
                                 &layer->application.arguments[i], &values[i]))
            return false;
    }
    return true;
}

static const char *layer_path(struct context *context, const struct block *label)
{
    const int64_t number = context->naming->count;

    if (label)
        return name_claim(context, label->label, label->made);
    context->naming->count++;
    return name_join(context, context->naming->prefix,
                     arena_format(context->arena, "%lld", (long long)number));
}

tensor_id run_layer(struct context *context, const struct block *layer, tensor_id input,
                    const struct block *label)
{
    const char *path = layer_path(context, label);
    struct layer_value values[LAYER_ARGUMENTS];
    struct layer_error error;
    tensor_id first, output;

    if (!run_count_layer(context, layer->span) || !run_complete(context, layer) ||
        !read_values(context, layer, values) || input == TENSOR_NONE)
        return TENSOR_NONE;
    first = (tensor_id)context->graph->tensors.count;
    output = graph_add_layer(context->graph, layer->op, values, input, path, layer->span, &error);
    if (output == TENSOR_NONE) {
        report_layer(context, layer, input, &error);
        return TENSOR_NONE;
    }
    name_check_parameters(context, first, layer->span);
    return run_check_size(context, output, layer->span);
}
