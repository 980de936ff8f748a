/* What stands for a block where one is required: blocks themselves, and lists of them, which are
 * their join. The parts of a list are found once, however often it is met: lists of lists may be
 * many. */
#include "compiler/evaluate.h"

static const struct block *poison_block(struct context *context, struct span span)
{
    return block_of_parts(context, BLOCK_POISON, span, NULL, 0);
}

static void report_element(struct context *context, struct span span, size_t number,
                           struct value value)
{
    if (value.kind != VALUE_POISON)
        report_chain(context, report(context, DIAGNOSTIC_NOT_A_BLOCK, span,
                                     "this list stands for a join of blocks, but its element %zu "
                                     "is %s",
                                     number, value_kind_name(value.kind)));
}

/* The blocks of a list; NULL, reported, if some element is none. */
static const struct block *const *list_parts(struct context *context, const struct value_list *list,
                                             struct span span)
{
    const struct table_entry *known = table_find(&context->joins, &list, sizeof list);
    const struct block **parts;

    if (known)
        return context->join_parts.items[known->value];
    if (!context_step(context, span, (int64_t)list->count))
        return NULL;
    parts = ARENA_ARRAY(context->arena, const struct block *, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const struct value item = list->items[i];

        if (item.kind != VALUE_BLOCK && !value_is_join(item)) {
            report_element(context, span, i, item);
            return NULL;
        }
        parts[i] = require_block(context, item, span);
    }
    table_set(&context->joins, &list, sizeof list, context->join_parts.count);
    vector_push(&context->join_parts, context->arena, parts);
    return parts;
}

static const struct block *join_of_list(struct context *context, const struct value_list *list,
                                        struct span span)
{
    const struct block *const *parts = NULL;

    if (++context->evaluate_depth <= EVALUATE_DEPTH_LIMIT) {
        parts = list_parts(context, list, span);
    } else {
        context->stopped = true;
        report_chain(context, report(context, DIAGNOSTIC_TOO_DEEP, span,
                                     "lists are nested deeper than %d here", EVALUATE_DEPTH_LIMIT));
    }
    context->evaluate_depth--;
    if (!parts)
        return poison_block(context, span);
    return block_of_parts(context, BLOCK_JOIN, span, parts, list->count);
}

const struct block *require_block(struct context *context, struct value value, struct span span)
{
    struct diagnostic *diagnostic;

    if (value.kind == VALUE_BLOCK)
        return value.block;
    if (value_is_join(value))
        return join_of_list(context, value.list, span);
    if (value.kind == VALUE_POISON)
        return poison_block(context, span);
    diagnostic = report(context, DIAGNOSTIC_NOT_A_BLOCK, span, "a block is required here, not %s",
                        value_kind_name(value.kind));
    if (value.kind == VALUE_LIST)
        diagnostic_help(context->diagnostics, diagnostic,
                        "a list of blocks stands for their join, but this one has no block");
    report_chain(context, diagnostic);
    return poison_block(context, span);
}
