/* Stages: each position gets its own block, in a scope of names numbered by position. */
#include "compiler/evaluate.h"
#include "compiler/run.h"

/* What a stage's body declares. */
struct arms {
    const struct node *start, *middle, *end;
};

static struct arms find_arms(struct context *context, const struct node *body)
{
    const char *start = context_intern(context, "start");
    const char *middle = context_intern(context, "middle");
    const char *end = context_intern(context, "end");
    struct arms arms = {0};

    for (size_t i = 0; i < body->count; i++) {
        const struct node *node = body->items[i];

        if (node->kind != NODE_SETTING)
            continue;
        if (node->name == start)
            arms.start = node;
        else if (node->name == middle)
            arms.middle = node;
        else if (node->name == end)
            arms.end = node;
    }
    if (!arms.end)
        arms.end = arms.middle;
    return arms;
}

/* How many blocks the stage has, or 0 after a mistake. */
static int64_t stage_count(struct context *context, const struct block *stage,
                           const struct scope *scope, const struct arms *arms)
{
    const struct binding *count = scope_find_here(scope, context_intern(context, "count"));
    const struct value value = count ? count->value : value_poison();
    const bool has_end = arms->end != arms->middle;
    struct diagnostic *diagnostic = NULL;

    if (value.kind == VALUE_POISON)
        return 0;
    if (value.kind != VALUE_INTEGER)
        diagnostic = report(context, DIAGNOSTIC_WRONG_TYPE, stage->span,
                            "the `count` of a stage must be an integer, not %s",
                            value_kind_name(value.kind));
    else if (value.integer < 1)
        diagnostic = report(context, DIAGNOSTIC_STAGE_EMPTY, stage->span,
                            "stage `%s` would have %lld blocks", block_name(stage),
                            (long long)value.integer);
    else if (value.integer == 1 && has_end) {
        diagnostic = report(context, DIAGNOSTIC_STAGE_EMPTY, stage->span,
                            "stage `%s` has `start` and `end`, so it needs at least 2 blocks",
                            block_name(stage));
        diagnostic_note(context->diagnostics, diagnostic, arms->end->name_span,
                        "the last block is declared here");
    } else
        return value.integer;
    report_chain(context, diagnostic);
    return 0;
}

static tensor_id run_position(struct context *context, const struct block *stage,
                              const struct scope *parameters, const struct node *arm, int64_t index,
                              tensor_id input)
{
    const struct node *declaration = stage->declaration->node;
    const struct node *body = declaration->items[declaration->count - 1];
    struct scope *scope = scope_new(context->arena, parameters, false);
    const struct environment environment = {.scope = scope, .input = input, .has_input = true};

    scope_add(scope, context->arena, context_intern(context, "index"), (struct span){0},
              value_integer(index));
    for (size_t i = 0; i < body->count; i++) {
        if (body->items[i]->kind == NODE_LET)
            run_let(context, scope, &environment, body->items[i]);
        else if (body->items[i]->kind == NODE_REQUIRE)
            run_require(context, &environment, body->items[i]);
    }
    if (!arm)
        return TENSOR_NONE;
    return run_block(context, evaluate_block(context, &environment, arm->items[0]), input);
}

static tensor_id run_positions(struct context *context, const struct block *stage,
                               const struct scope *scope, struct frame *frame, tensor_id input)
{
    const struct node *declaration = stage->declaration->node;
    const struct arms arms = find_arms(context, declaration->items[declaration->count - 1]);
    const int64_t count = stage_count(context, stage, scope, &arms);
    struct naming *outer = context->naming;
    tensor_id tensor = count > 0 ? input : TENSOR_NONE;

    for (int64_t i = 0; i < count; i++) {
        const struct node *arm = i == 0 ? arms.start : i == count - 1 ? arms.end : arms.middle;
        struct naming naming = {"", 0};

        if (!context_step(context, stage->span, STEPS_PER_POSITION))
            return TENSOR_NONE;
        naming.prefix = name_claim_position(context, i, stage->span);
        frame->index = i;
        context->naming = &naming;
        tensor = run_position(context, stage, scope, arm, i, tensor);
        context->naming = outer;
    }
    return tensor;
}

tensor_id run_stage(struct context *context, const struct block *stage, tensor_id input)
{
    struct frame frame;
    struct scope *scope;
    tensor_id tensor = TENSOR_NONE;

    if (run_enter(context, &frame, "stage", stage)) {
        scope = run_parameters(context, stage, input);
        tensor = run_positions(context, stage, scope, &frame, input);
        run_leave(context);
    }
    return tensor;
}

tensor_id run_repeat(struct context *context, const struct block *repeat, tensor_id input)
{
    struct naming *outer = context->naming;
    tensor_id tensor = input;

    for (int64_t i = 0; i < repeat->count; i++) {
        struct naming naming = {"", 0};

        if (!context_step(context, repeat->span, STEPS_PER_POSITION))
            return TENSOR_NONE;
        naming.prefix = name_claim_position(context, i, repeat->span);
        context->naming = &naming;
        tensor = run_block(context, repeat->parts[0], tensor);
        context->naming = outer;
    }
    return tensor;
}
