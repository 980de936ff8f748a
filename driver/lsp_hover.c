/* textDocument/hover: what a name is declared as, and what an expression costs in its network. */
#include <string.h>

#include "compiler/recipe_word.h"
#include "driver/lsp_cost.h"
#include "driver/lsp_outline.h"

enum { DEEPEST_TREE = 1024 };

struct hover {
    struct lsp_request *request;
    struct lsp_place place;
    const struct lsp_outline *outline;
    size_t token;              /* the word, or LSP_NONE */
    struct span expression;    /* whose cost is told; source 0: none */
    const struct lsp_name *name; /* what the word means, or NULL */
    struct text_builder text;  /* Markdown */
};

/* ---- the expression ---- */

static bool holds(struct span span, uint32_t offset)
{
    return span.begin <= offset && offset <= span.end;
}

/* Nodes from the root to the smallest that holds the place. */
struct way {
    const struct node *nodes[DEEPEST_TREE];
    size_t count;
};

/* A name before a sign at the same offset: the one that begins there wins. */
static const struct node *child_at(const struct node *node, uint32_t offset)
{
    for (size_t i = node->count; i > 0; i--) {
        if (holds(node->items[i - 1]->span, offset))
            return node->items[i - 1];
    }
    return NULL;
}

static void find_way(struct way *way, const struct node *node, uint32_t offset)
{
    for (way->count = 0; node && way->count < DEEPEST_TREE; node = child_at(node, offset))
        way->nodes[way->count++] = node;
}

static bool is_label_of(const struct node *label, const struct node *term)
{
    return label->kind == NODE_LABEL && label->items[0] == term;
}

/* The call of a name, with its label: what is written for one use of a block. */
static struct span use_around(const struct way *way)
{
    size_t last = way->count - 1;

    if (last > 0 && way->nodes[last - 1]->kind == NODE_CALL &&
        way->nodes[last - 1]->items[0] == way->nodes[last])
        last--;
    while (last > 0 && is_label_of(way->nodes[last - 1], way->nodes[last]))
        last--;
    return way->nodes[last]->span;
}

static struct span expression_at(const struct lsp_place *place, uint32_t offset, bool is_word)
{
    struct way way;
    const struct node *node;

    find_way(&way, place->analysis->tree, offset);
    if (way.count == 0)
        return (struct span){0};
    node = way.nodes[way.count - 1];
    switch (node->kind) {
    case NODE_NAME:
        return use_around(&way);
    case NODE_LET:
    case NODE_BLOCK:
    case NODE_STAGE:
    case NODE_NETWORK:
        return holds(node->name_span, offset) ? node->span : (struct span){0};
    case NODE_LABEL:
    case NODE_CHAIN:
    case NODE_OPERATOR:
    case NODE_LIST:
    case NODE_PARENTHESES:
    case NODE_CALL:
    case NODE_INPUT:
        return is_word && node->kind != NODE_LABEL && node->kind != NODE_INPUT
                   ? (struct span){0}
                   : node->span;
    default:
        return (struct span){0};
    }
}

/* ---- declarations ---- */

static void add_code(struct hover *hover, const char *text, size_t length)
{
    text_add(&hover->text, "```rnet\n");
    text_add_bytes(&hover->text, text, length);
    text_add(&hover->text, "\n```\n");
}

static void add_declaration(struct hover *hover, const struct lsp_name *name)
{
    const char *comment;

    add_code(hover, name->source->text + name->head_begin, name->head_end - name->head_begin);
    if (name->kind == LSP_PARAMETER || name->kind == LSP_VARIABLE)
        return;
    comment = lsp_comment_above(hover->request->arena, name);
    if (*comment)
        text_add(&hover->text, "%s\n", comment);
}

/* The value that a network's parameter has: its default. */
static void add_value(struct hover *hover, const struct lsp_name *name)
{
    const struct lsp_analysis *analysis = hover->place.analysis;
    const size_t length = name->end - name->begin;

    if (hover->outline->region != LSP_IN_NETWORK || name->kind != LSP_PARAMETER)
        return;
    for (size_t i = 0; i < analysis->networks.count; i++) {
        const struct elaboration *network = &analysis->networks.items[i];

        if (!lsp_token_is(hover->outline, hover->outline->region_name, network->graph->network))
            continue;
        for (size_t p = 0; p < network->parameter_count; p++) {
            const struct network_parameter *parameter = &network->parameters[p];

            if (strlen(parameter->name) == length &&
                memcmp(parameter->name, name->source->text + name->begin, length) == 0)
                text_add(&hover->text, "here: `%s`\n", parameter->value);
        }
    }
}

static void add_builtin(struct hover *hover, const struct binding *binding)
{
    const char *head = lsp_builtin_head(hover->request->arena, binding);

    add_code(hover, head, strlen(head));
    if (binding->value.kind == VALUE_WORDS)
        text_add(&hover->text, "%s\n",
                 word_role_name(binding->value.words->items[0].definition->role));
}

/* `stride` in `conv(3, 64, stride = 2)`: the parameter as the callee declares it. */
static bool add_argument(struct hover *hover)
{
    struct lsp_request *request = hover->request;
    const struct lsp_outline *outline = hover->outline;
    const struct lsp_name *parameter =
        lsp_argument(request->arena, hover->place.analysis, outline, hover->token);
    const struct binding *builtin;
    int index;

    if (parameter)
        add_declaration(hover, parameter);
    if (parameter || !lsp_is_argument_name(outline, hover->token))
        return parameter != NULL;
    builtin = lsp_builtin(hover->place.analysis, outline, outline->callee);
    if (!builtin || !builtin->signature || builtin->value.kind != VALUE_BLOCK)
        return false;
    for (index = 0; index < (int)builtin->signature->count; index++) {
        const char *text = lsp_layer_parameter(request->arena, builtin->value.block->op, index);

        if (lsp_token_is(outline, hover->token, builtin->signature->parameters[index]))
            add_code(hover, text, strlen(text));
    }
    return true;
}

static void add_word(struct hover *hover)
{
    const struct lsp_outline *outline = hover->outline;
    const struct binding *builtin;

    if (add_argument(hover) || lsp_token_is(outline, hover->token + 1, ":"))
        return;
    hover->name = lsp_look_up(hover->request->arena, hover->place.analysis, outline, hover->token,
                              lsp_names_network(outline, hover->token));
    if (hover->name) {
        add_declaration(hover, hover->name);
        add_value(hover, hover->name);
        return;
    }
    builtin = lsp_builtin(hover->place.analysis, outline, hover->token);
    if (builtin)
        add_builtin(hover, builtin);
}

/* ---- cost ---- */

/* The cost of the expression; of a `let` where it is made, if nothing was used at the place. */
static void add_costs(struct hover *hover)
{
    const struct lsp_name *name = hover->name;
    const struct lsp_analysis *analysis = hover->place.analysis;

    if (hover->expression.source == 0 ||
        lsp_add_costs(&hover->text, analysis, hover->expression))
        return;
    if (name && name->kind == LSP_LET && name->source == hover->place.source)
        lsp_add_costs(&hover->text, analysis, expression_at(&hover->place, name->begin, true));
}

static void add_result(struct hover *hover)
{
    struct text_builder *out = &hover->request->result;
    const struct lsp_token *word;
    uint32_t begin = hover->expression.begin, end = hover->expression.end;

    if (hover->text.length == 0)
        return;
    if (hover->token != LSP_NONE) {
        word = &hover->outline->tokens.items[hover->token];
        begin = word->begin;
        end = word->end;
    }
    text_add(out, "{\"contents\":{\"kind\":\"markdown\",\"value\":");
    text_add_json(out, hover->text.data);
    text_add(out, "},\"range\":");
    lsp_add_range(out, hover->place.source, begin, end);
    text_add(out, "}");
}

void lsp_hover(struct lsp_request *request)
{
    struct hover hover = {.request = request, .text = {.arena = request->arena}};
    uint32_t begin;

    if (!lsp_read_place(request, &hover.place))
        return;
    hover.outline = lsp_outline_new(request->arena, hover.place.source, hover.place.offset);
    if (hover.outline->is_in_comment)
        return;
    hover.token = lsp_word_at(hover.outline, hover.place.offset);
    if (hover.token != LSP_NONE) {
        begin = hover.outline->tokens.items[hover.token].begin;
        hover.outline = lsp_outline_new(request->arena, hover.place.source, begin);
        hover.place.offset = begin;
    }
    hover.expression = expression_at(&hover.place, hover.place.offset, hover.token != LSP_NONE);
    if (hover.token != LSP_NONE)
        add_word(&hover);
    add_costs(&hover);
    add_result(&hover);
}
