/* Building the tree.
 *
 * Invariant: a node's item array has a capacity of the next power of two (2 at least), so that it
 * grows exactly when its count is one, and `height` is 1 + the greatest height below it, counting
 * only what nests visibly. */
#include "lang/ast.h"

#include <string.h>

#include "lang/parse.h"

const char *operator_text(enum operator operator)
{
    static const char *const texts[] = {
        [OPERATOR_NONE] = "",
        [OPERATOR_OR] = "or",
        [OPERATOR_AND] = "and",
        [OPERATOR_EQUAL] = "==",
        [OPERATOR_NOT_EQUAL] = "!=",
        [OPERATOR_LESS] = "<",
        [OPERATOR_LESS_EQUAL] = "<=",
        [OPERATOR_GREATER] = ">",
        [OPERATOR_GREATER_EQUAL] = ">=",
        [OPERATOR_RANGE] = "..",
        [OPERATOR_ADD] = "+",
        [OPERATOR_SUBTRACT] = "-",
        [OPERATOR_MULTIPLY] = "*",
        [OPERATOR_DIVIDE] = "/",
        [OPERATOR_REMAINDER] = "%",
        [OPERATOR_POWER] = "^",
    };
    return texts[operator];
}

const char *node_kind_name(enum node_kind kind)
{
    static const char *const names[] = {
#define NODE(kind, name) [NODE_##kind] = name,
#include "lang/ast.def"
#undef NODE
    };
    return names[kind];
}

/* Whether a node counts when nesting is measured; the others lie between two that do. */
static bool nests(enum node_kind kind)
{
    switch (kind) {
    case NODE_FILE:
    case NODE_BODY:
    case NODE_PARAMETER:
    case NODE_ARGUMENT:
    case NODE_ENTRY: return false;
    default: return true;
    }
}

static struct node *node_new(struct parser *parser, enum node_kind kind, struct span span)
{
    struct node *node = ARENA_NEW(parser->sources->arena, struct node);

    node->kind = kind;
    node->span = span;
    node->height = nests(kind);
    return node;
}

static void add_item(struct parser *parser, struct node *node, struct node *item)
{
    size_t count = node->count;

    if (!item)
        return;
    if (count == 0 || (count >= 2 && (count & (count - 1)) == 0)) {
        size_t capacity = count > 0 ? count * 2 : 2;
        struct node **items = ARENA_ARRAY(parser->sources->arena, struct node *, capacity);
        if (count > 0)
            memcpy(items, node->items, count * sizeof *items);
        node->items = items;
    }
    node->items[node->count++] = item;
    uint32_t height = item->height + nests(node->kind);
    node->height = height > node->height ? height : node->height;
}

static void add_items(struct parser *parser, struct node *node, const struct node *list)
{
    for (size_t i = 0; list && i < list->count; i++)
        add_item(parser, node, list->items[i]);
}

/* Returns the node, or a POISON in its place if a recursion could not walk it. */
static struct node *checked(struct parser *parser, struct node *node)
{
    if (node->height <= DEEPEST_NESTING)
        return node;
    if (!parser->is_too_deep)
        diagnostic_error(parser->diagnostics, DIAGNOSTIC_TOO_DEEP, node->span,
                         "this is nested more than %d deep", DEEPEST_NESTING);
    parser->is_too_deep = true;
    return build_poison(parser, node->span);
}

struct node *build_tree(struct parser *parser, enum node_kind kind, struct span span,
                        struct node *first, struct node *second, struct node *third)
{
    struct node *node = node_new(parser, kind, span);

    add_item(parser, node, first);
    add_item(parser, node, second);
    add_item(parser, node, third);
    return checked(parser, node);
}

struct node *build_named(struct parser *parser, enum node_kind kind, struct span span,
                         const char *name, struct span name_span, struct node *list,
                         struct node *last)
{
    struct node *node = node_new(parser, kind, span);

    node->name = name;
    node->name_span = name_span;
    add_items(parser, node, list);
    add_item(parser, node, last);
    return checked(parser, node);
}

struct node *build_list(struct parser *parser, struct node *first)
{
    return build_append(parser, NULL, first);
}

struct node *build_append(struct parser *parser, struct node *list, struct node *item)
{
    if (!list)
        list = node_new(parser, NODE_BODY, item->span);
    list->span.end = item->span.end;
    add_item(parser, list, item);
    return list;
}

struct node *build_group(struct parser *parser, enum node_kind kind, struct span span,
                         struct node *list)
{
    struct node *node = node_new(parser, kind, span);

    if (list) {
        node->items = list->items;
        node->count = list->count;
        node->height += list->height;
    }
    return checked(parser, node);
}

static bool is_n_ary(enum operator operator)
{
    return operator == OPERATOR_ADD || operator == OPERATOR_MULTIPLY || operator == OPERATOR_AND ||
           operator == OPERATOR_OR;
}

/* Adds `right` to what `left` already is, instead of nesting. */
static struct node *extend(struct parser *parser, struct node *left, struct span span,
                           struct node *right)
{
    add_item(parser, left, right);
    left->span = span;
    return checked(parser, left);
}

struct node *build_operator(struct parser *parser, struct span span, enum operator operator,
                            struct node *left, struct node *right)
{
    if (left->kind == NODE_OPERATOR && left->operator == operator && is_n_ary(operator))
        return extend(parser, left, span, right);
    struct node *node = build_tree(parser, NODE_OPERATOR, span, left, right, NULL);
    if (node->kind == NODE_OPERATOR)
        node->operator = operator;
    return node;
}

struct node *build_chain(struct parser *parser, struct span span, struct node *left,
                         struct node *right)
{
    if (left->kind == NODE_CHAIN)
        return extend(parser, left, span, right);
    return build_tree(parser, NODE_CHAIN, span, left, right, NULL);
}

struct node *build_for(struct parser *parser, struct span span, const char *index,
                       const char *value, struct span value_span, struct node *sequence,
                       struct node *body)
{
    struct node *list = build_list(parser, sequence);
    struct node *node = build_named(parser, NODE_FOR, span, value, value_span, list, body);

    if (node->kind == NODE_FOR)
        node->name2 = index;
    return node;
}

struct node *build_label(struct parser *parser, struct span span, const char *name,
                         struct span name_span, struct node *term, struct node *index)
{
    struct node *list = build_list(parser, term);

    name_span.end = name_span.begin + (uint32_t)strlen(name);
    return build_named(parser, NODE_LABEL, span, name, name_span, list, index);
}

struct node *build_call(struct parser *parser, struct span span, struct node *callee,
                        struct node *arguments)
{
    struct node *node = node_new(parser, NODE_CALL, span);

    add_item(parser, node, callee);
    add_items(parser, node, arguments);
    return checked(parser, node);
}

struct node *build_missing_let(struct parser *parser, struct span span, const char *name,
                               struct span name_span, struct node *value)
{
    struct diagnostic *diagnostic =
        diagnostic_error(parser->diagnostics, DIAGNOSTIC_MISSING_LET, name_span,
                         "`%s = ...` alone is not a statement here", name);

    diagnostic_help(parser->diagnostics, diagnostic, "to name a value, use `let %s`",
                    source_excerpt(parser, span));
    return build_named(parser, NODE_LET, span, name, name_span, NULL, value);
}

struct node *build_integer(struct parser *parser, struct span span, int64_t integer)
{
    struct node *node = node_new(parser, NODE_INTEGER, span);

    node->integer = integer;
    return node;
}

struct node *build_boolean(struct parser *parser, struct span span, bool value)
{
    struct node *node = node_new(parser, NODE_BOOLEAN, span);

    node->integer = value;
    return node;
}

struct node *build_number(struct parser *parser, struct span span, double number)
{
    struct node *node = node_new(parser, NODE_NUMBER, span);

    node->number = number;
    return node;
}

struct node *build_poison(struct parser *parser, struct span span)
{
    return node_new(parser, NODE_POISON, span);
}
