/* The statements of blocks and networks, each on the tensor that the one before left. */
#include <string.h>

#include "compiler/evaluate.h"
#include "compiler/run.h"

enum { INPUT_SIDE_LIMIT = 1 << 16, INPUT_CHANNELS_LIMIT = 1 << 20 };

static tensor_id run_statements(struct context *context, struct scope *scope,
                                const struct node *body, tensor_id input);

void run_let(struct context *context, struct scope *scope, const struct environment *environment,
             const struct node *node)
{
    scope_add(scope, context->arena, node->name, node->name_span,
              evaluate(context, environment, node->items[0]));
}

void run_require(struct context *context, const struct environment *environment,
                 const struct node *node)
{
    const struct node *text = node->items[node->count - 1];
    struct diagnostic *diagnostic;
    bool poison;

    if (node->count < 2 || evaluate_condition(context, environment, node->items[0], &poison) ||
        poison)
        return;
    if (!context->frame) {
        report(context, DIAGNOSTIC_REQUIRED, node->items[0]->span, "%s", text->name);
        return;
    }
    diagnostic = report(context, DIAGNOSTIC_REQUIRED, context->frame->span, "`%s`: %s",
                        context->frame->name, text->name);
    diagnostic_note(context->diagnostics, diagnostic, node->items[0]->span, "required here");
    report_chain(context, diagnostic);
}

/* ---- input ---- */

static int input_rank(struct context *context, const struct node *node)
{
    static const char *const kinds[] = {"image", "video"};
    struct diagnostic *diagnostic;

    if (strcmp(node->name, "image") == 0)
        return 2;
    if (strcmp(node->name, "video") == 0)
        return 3;
    diagnostic = report(context, DIAGNOSTIC_UNKNOWN_NAME, node->name_span,
                        "unknown kind of input `%s`", node->name);
    diagnostic_suggest(context->diagnostics, diagnostic, node->name, kinds, countof(kinds));
    diagnostic_help(context->diagnostics, diagnostic,
                    "there are `image(channels, height, width)` and "
                    "`video(channels, frames, height, width)`");
    return 0;
}

static bool read_extent(struct context *context, const struct environment *environment,
                        const struct node *argument, int32_t limit, int32_t *out)
{
    const struct value value = evaluate(context, environment, argument->items[0]);

    if (value.kind == VALUE_INTEGER && value.integer >= 1 && value.integer <= limit) {
        *out = (int32_t)value.integer;
        return true;
    }
    if (value.kind == VALUE_INTEGER)
        report(context, DIAGNOSTIC_BAD_SHAPE, argument->items[0]->span,
               "an extent of the input must lie between 1 and %d, not %lld", limit,
               (long long)value.integer);
    else if (value.kind != VALUE_POISON)
        report(context, DIAGNOSTIC_WRONG_TYPE, argument->items[0]->span,
               "an extent of the input must be an integer, not %s", value_kind_name(value.kind));
    return false;
}

static tensor_id run_input(struct context *context, const struct scope *scope,
                           const struct node *node)
{
    const struct environment environment = {.scope = scope, .input = TENSOR_NONE};
    const int rank = input_rank(context, node);
    int32_t channels = 0, grid[GRID_RANK] = {0};
    bool valid = rank > 0;
    tensor_id tensor;

    context->has_input = true;
    if (valid && node->count != (size_t)rank + 1) {
        report(context,
               node->count < (size_t)rank + 1 ? DIAGNOSTIC_MISSING_ARGUMENT
                                              : DIAGNOSTIC_TOO_MANY_ARGUMENTS,
               node->span, "`%s` takes %d numbers: channels, then %s", node->name, rank + 1,
               rank == 2 ? "height and width" : "frames, height and width");
        return TENSOR_NONE;
    }
    for (size_t i = 0; i < node->count; i++) {
        int32_t *extent = i == 0 || !valid ? &channels : &grid[i - 1];

        if (node->items[i]->name)
            report(context, DIAGNOSTIC_UNKNOWN_ARGUMENT, node->items[i]->name_span,
                   "the extents of the input have no names");
        valid = read_extent(context, &environment, node->items[i],
                            i == 0 ? INPUT_CHANNELS_LIMIT : INPUT_SIDE_LIMIT, extent) &&
                valid;
    }
    if (!valid)
        return TENSOR_NONE;
    tensor = graph_add_input(context->graph, channels, grid, rank);
    context->graph->ops.items[context->graph->tensors.items[tensor].producer].span = node->span;
    return tensor;
}

/* ---- the other statements ---- */

/* Reports a layer that stands before the network's `input`, once. */
static bool check_input(struct context *context, const struct node *node)
{
    if (context->has_input)
        return true;
    report(context, DIAGNOSTIC_NO_INPUT, node->span,
           "this stands before the network's `input`, so no tensor enters it");
    context->has_input = true;
    return false;
}

static void run_output(struct context *context, const struct environment *environment,
                       const struct node *node, tensor_id input)
{
    const struct block *block = evaluate_block(context, environment, node->items[0]);
    const struct output_part output = {node->name, run_block(context, block, input), block->span};

    vector_push(&context->outputs, context->arena, output);
}

static tensor_id run_iterations(struct context *context, const struct scope *outer,
                                const struct node *node, const struct value_list *list,
                                tensor_id input)
{
    tensor_id tensor = input;

    for (size_t i = 0; i < list->count && context_step(context, node->span, STEPS_PER_POSITION);
         i++) {
        struct scope *scope = scope_new(context->arena, outer, false);

        if (node->name2)
            scope_add(scope, context->arena, node->name2, node->name_span,
                      value_integer((int64_t)i));
        scope_add(scope, context->arena, node->name, node->name_span, list->items[i]);
        tensor = run_statements(context, scope, node->items[1], tensor);
    }
    return tensor;
}

static tensor_id run_for(struct context *context, const struct environment *environment,
                         const struct node *node, tensor_id input)
{
    const struct value sequence = evaluate(context, environment, node->items[0]);
    tensor_id tensor = TENSOR_NONE;

    if (sequence.kind != VALUE_LIST) {
        if (sequence.kind != VALUE_POISON)
            report_chain(context,
                         report(context, DIAGNOSTIC_WRONG_TYPE, node->items[0]->span,
                                "`for` goes over a list, not %s", value_kind_name(sequence.kind)));
        return tensor;
    }
    if (run_deeper(context, node->span))
        tensor = run_iterations(context, environment->scope, node, sequence.list, input);
    context->run_depth--;
    return tensor;
}

static tensor_id run_statement(struct context *context, struct scope *scope,
                               const struct node *node, tensor_id input)
{
    const struct environment environment = {
        .scope = scope, .input = input, .has_input = context->has_input};

    switch (node->kind) {
    case NODE_LET:
        run_let(context, scope, &environment, node);
        return input;
    case NODE_REQUIRE:
        run_require(context, &environment, node);
        return input;
    case NODE_INPUT:
        return run_input(context, scope, node);
    case NODE_OUTPUT:
        if (!check_input(context, node))
            return TENSOR_NONE;
        run_output(context, &environment, node, input);
        return input;
    case NODE_FOR:
        return run_for(context, &environment, node, input);
    case NODE_DO:
        if (!check_input(context, node))
            return TENSOR_NONE;
        return run_block(context, evaluate_block(context, &environment, node->items[0]), input);
    default:
        return TENSOR_NONE;
    }
}

static tensor_id run_statements(struct context *context, struct scope *scope,
                                const struct node *body, tensor_id input)
{
    tensor_id tensor = input;

    for (size_t i = 0; i < body->count; i++) {
        if (!context_step(context, body->items[i]->span, STEPS_PER_STATEMENT))
            return TENSOR_NONE;
        tensor = run_statement(context, scope, body->items[i], tensor);
    }
    return tensor;
}

tensor_id run_body(struct context *context, const struct scope *scope, const struct node *body,
                   tensor_id input)
{
    return run_statements(context, scope_new(context->arena, scope, false), body, input);
}
