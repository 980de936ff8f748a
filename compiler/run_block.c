/* Chains, labels, and blocks that files declare; which kind of block runs how. */
#include "compiler/evaluate.h"
#include "compiler/run.h"

/* ---- depth ---- */

static bool report_recursion(struct context *context, struct span span, const char *text)
{
    context->stopped = true;
    report_chain(context, report(context, DIAGNOSTIC_RECURSION, span, "%s", text));
    return false;
}

bool run_deeper(struct context *context, struct span span)
{
    if (++context->run_depth <= RUN_DEPTH_LIMIT)
        return true;
    return report_recursion(context, span, "blocks are nested too deep here");
}

bool run_enter(struct context *context, struct frame *frame, const char *kind,
               const struct block *block)
{
    const int depth = context->frame ? context->frame->depth : 0;
    struct use_site *site;

    if (depth >= INSTANCE_LIMIT)
        return report_recursion(
            context, block->span,
            arena_format(context->arena, "more than %d blocks inside each other", INSTANCE_LIMIT));
    *frame = (struct frame){context->frame, kind, block_name(block), block->span, -1, depth + 1};
    context->frame = frame;
    site = ARENA_NEW(context->arena, struct use_site);
    *site = (struct use_site){context->graph->site, block->span};
    context->graph->site = site;
    return true;
}

void run_leave(struct context *context)
{
    context->frame = context->frame->outer;
    context->graph->site = context->graph->site->outer;
}

/* ---- kinds of blocks ---- */

static tensor_id run_declared(struct context *context, const struct block *block, tensor_id input)
{
    const struct node *declaration = block->declaration->node;
    const struct node *body = declaration->items[declaration->count - 1];
    struct environment environment = {.input = input, .has_input = true};
    struct frame frame;
    struct scope *scope;
    tensor_id output;

    if (!run_enter(context, &frame, "block", block))
        return TENSOR_NONE;
    scope = run_parameters(context, block, input);
    environment.scope = scope;
    if (body->kind == NODE_BODY)
        output = run_body(context, scope, body, input);
    else
        output = run_block(context, evaluate_block(context, &environment, body), input);
    run_leave(context);
    return output;
}

static tensor_id run_chain(struct context *context, const struct block *chain, tensor_id input)
{
    tensor_id tensor = input;

    for (size_t i = 0; i < chain->part_count; i++)
        tensor = run_block(context, chain->parts[i], tensor);
    return tensor;
}

static tensor_id run_label(struct context *context, const struct block *label, tensor_id input)
{
    const struct block *part = label->parts[0];
    struct naming *outer = context->naming;
    struct naming naming = {0};
    tensor_id output;

    if (part->kind == BLOCK_LAYER)
        return run_layer(context, part, input, label);
    naming.prefix = name_claim(context, label->label, label->made);
    context->naming = &naming;
    output = run_block(context, part, input);
    context->naming = outer;
    return output;
}

/* ---- all together ---- */

static tensor_id run_kind(struct context *context, const struct block *block, tensor_id input)
{
    switch (block->kind) {
    case BLOCK_IDENTITY:
        return input;
    case BLOCK_LAYER:
        return run_layer(context, block, input, NULL);
    case BLOCK_DECLARED:
        return run_declared(context, block, input);
    case BLOCK_STAGE:
        return run_stage(context, block, input);
    case BLOCK_CHAIN:
        return run_chain(context, block, input);
    case BLOCK_SUM:
    case BLOCK_PRODUCT:
    case BLOCK_JOIN:
        return run_terms(context, block, input);
    case BLOCK_LABEL:
        return run_label(context, block, input);
    case BLOCK_REPEAT:
        return run_repeat(context, block, input);
    default:
        return TENSOR_NONE;
    }
}

tensor_id run_block(struct context *context, const struct block *block, tensor_id input)
{
    tensor_id output = TENSOR_NONE;

    if (!context_step(context, block->span, 1))
        return output;
    if (run_deeper(context, block->span))
        output = run_kind(context, block, input);
    context->run_depth--;
    return output;
}
