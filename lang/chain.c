/* The rule that a bare `>>` never stands beside another operator.
 *
 * Blocks keep shapes, so either reading of `a >> b + c` could compile to the wrong network. The
 * grammar gives `>>` a place in the precedence all the same, because that makes both readings
 * available here: the diagnostic prints them with the user's own text. */
#include "lang/parse.h"

enum { LONGEST_READING = 300 };

/* A chain and an operator side by side, seen from the one that the grammar put outside. */
struct mix {
    struct parser *parser;
    const struct node *outer;
    enum node_kind inner; /* CHAIN in an OPERATOR, OPERATOR in a CHAIN */
};

static const char *symbol(const struct node *node)
{
    return node->kind == NODE_CHAIN ? ">>" : operator_text(node->operator);
}

/* Adds one term; of a very long construct only the beginning is printed. */
static void add_joined(struct text_builder *text, const char *part, const char *separator)
{
    if (text->length > LONGEST_READING)
        return;
    if (text->length > 0)
        text_add(text, " %s ", separator);
    text_add(text, "%s", text->length > LONGEST_READING ? "..." : part);
}

/* The reading of the grammar: each inner construct in parentheses. */
static const char *inner_first(const struct mix *mix)
{
    struct text_builder text = {.arena = mix->parser->sources->arena};

    for (size_t i = 0; i < mix->outer->count; i++) {
        const struct node *item = mix->outer->items[i];
        const char *excerpt = source_excerpt(mix->parser, item->span);
        if (item->kind == mix->inner)
            excerpt = arena_format(mix->parser->sources->arena, "(%s)", excerpt);
        add_joined(&text, excerpt, symbol(mix->outer));
    }
    return text_result(&text);
}

/* Terms that the outer operator joins when it binds tighter. */
struct group {
    struct text_builder text;
    size_t count;
};

static void group_add(const struct mix *mix, struct group *group, const struct node *term)
{
    add_joined(&group->text, source_excerpt(mix->parser, term->span), symbol(mix->outer));
    group->count++;
}

static void group_close(struct group *group, struct text_builder *text, const char *separator)
{
    const char *part = text_result(&group->text);

    if (group->count > 1)
        part = arena_format(text->arena, "(%s)", part);
    add_joined(text, part, separator);
    *group = (struct group){.text = {.arena = text->arena}};
}

/* The other reading: the inner constructs fall apart, their ends go to the outer operator. */
static const char *outer_first(const struct mix *mix)
{
    struct arena *arena = mix->parser->sources->arena;
    struct text_builder text = {.arena = arena};
    struct group group = {.text = {.arena = arena}};
    const char *separator = ">>";

    for (size_t i = 0; i < mix->outer->count; i++) {
        const struct node *item = mix->outer->items[i];
        if (item->kind != mix->inner) {
            group_add(mix, &group, item);
            continue;
        }
        separator = symbol(item);
        for (size_t j = 0; j < item->count; j++) {
            group_add(mix, &group, item->items[j]);
            if (j + 1 < item->count)
                group_close(&group, &text, separator);
        }
    }
    group_close(&group, &text, separator);
    return text_result(&text);
}

static struct diagnostic *report(struct parser *parser, const struct node *node,
                                 const char *operator)
{
    struct diagnostic *diagnostic =
        diagnostic_error(parser->diagnostics, DIAGNOSTIC_MIXED_CHAIN, node->span,
                         "`>>` and `%s` side by side need parentheses", operator);
    diagnostic_label(parser->diagnostics, diagnostic, "which comes first?");
    return diagnostic;
}

static void report_mix(struct parser *parser, const struct node *outer, const struct node *inner)
{
    struct mix mix = {.parser = parser, .outer = outer, .inner = inner->kind};
    const struct node *operator = outer->kind == NODE_CHAIN ? inner : outer;

    diagnostic_help(parser->diagnostics, report(parser, outer, operator_text(operator->operator)),
                    "write `%s` or `%s`", inner_first(&mix), outer_first(&mix));
}

/* `not a >> b`: the sign stands outside the chain. */
static void report_not(struct parser *parser, const struct node *node)
{
    const struct node *chain = node->items[0], *first = chain->items[0];
    struct span rest = chain->span;

    rest.begin = first->span.end;
    diagnostic_help(parser->diagnostics, report(parser, node, "not"),
                    "write `not (%s)` or `(not %s) %s`", source_excerpt(parser, chain->span),
                    source_excerpt(parser, first->span), source_excerpt(parser, rest));
}

/* `-a >> b`: the sign stands inside the chain. */
static void report_negate(struct parser *parser, const struct node *chain,
                          const struct node *negate)
{
    struct mix mix = {.parser = parser, .outer = chain, .inner = NODE_NEGATE};
    struct span rest = chain->span;
    struct diagnostic *diagnostic = report(parser, chain, "-");

    rest.begin = negate->items[0]->span.begin;
    if (negate == chain->items[0])
        diagnostic_help(parser->diagnostics, diagnostic, "write `%s` or `-(%s)`",
                        inner_first(&mix), source_excerpt(parser, rest));
    else
        diagnostic_help(parser->diagnostics, diagnostic, "write `%s`", inner_first(&mix));
}

/* Reports the first item that mixes with `node`, if one does. */
static void check_node(struct parser *parser, const struct node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct node *item = node->items[i];
        if ((node->kind == NODE_OPERATOR && item->kind == NODE_CHAIN) ||
            (node->kind == NODE_CHAIN && item->kind == NODE_OPERATOR)) {
            report_mix(parser, node, item);
            return;
        }
        if (node->kind == NODE_CHAIN && item->kind == NODE_NEGATE) {
            report_negate(parser, node, item);
            return;
        }
    }
    if (node->kind == NODE_NOT && node->items[0]->kind == NODE_CHAIN)
        report_not(parser, node);
}

void check_chains(struct parser *parser, const struct node *node)
{
    check_node(parser, node);
    for (size_t i = 0; i < node->count; i++)
        check_chains(parser, node->items[i]);
}
