/* Literals, names, conditions, lists, maps and indices. */
#include "compiler/evaluate.h"

#include "base/text.h"
#include "compiler/recipe_word.h"

static struct value wrong_type(struct context *context, struct span span, struct value value,
                               const char *wanted)
{
    if (value.kind != VALUE_POISON)
        report_chain(context,
                     report(context, DIAGNOSTIC_WRONG_TYPE, span, "%s is required here, not %s",
                            wanted, value_kind_name(value.kind)));
    return value_poison();
}

bool evaluate_condition(struct context *context, const struct environment *environment,
                        const struct node *node, bool *out_poison)
{
    const struct value value = evaluate(context, environment, node);

    *out_poison = value.kind != VALUE_BOOLEAN;
    if (*out_poison)
        wrong_type(context, node->span, value, "a condition");
    return value.kind == VALUE_BOOLEAN && value.boolean;
}

static struct value evaluate_if(struct context *context, const struct environment *environment,
                                const struct node *node)
{
    bool poison;
    const bool condition = evaluate_condition(context, environment, node->items[0], &poison);

    if (poison)
        return value_poison();
    return evaluate(context, environment, node->items[condition ? 1 : 2]);
}

/* ---- names ---- */

void evaluate_pending(struct context *context, struct binding *binding, struct span span)
{
    const struct environment environment = {.scope = binding->home, .input = TENSOR_NONE};

    if (!binding->pending)
        return;
    if (binding->busy) {
        struct diagnostic *diagnostic =
            report(context, DIAGNOSTIC_RECURSION, span, "`%s` is declared by means of itself",
                   binding->name);

        diagnostic_note(context->diagnostics, diagnostic, binding->span, "declared here");
        report_chain(context, diagnostic);
        return;
    }
    binding->busy = true;
    binding->value = evaluate(context, &environment, binding->pending);
    binding->pending = NULL;
    binding->busy = false;
}

/* A use of a block stands where its name is written, wherever the block was made. */
static struct value use_at(struct context *context, struct value value, struct span span)
{
    if (value.kind == VALUE_BLOCK) {
        struct block *block = arena_copy(context->arena, value.block, sizeof *block);

        block->span = span;
        if (block->made.source == 0)
            block->made = span;
        value.block = block;
    } else if (value.kind == VALUE_RECIPE) {
        struct recipe_value *recipe = arena_copy(context->arena, value.recipe, sizeof *recipe);

        recipe->span = span;
        value.recipe = recipe;
    } else if (value.kind == VALUE_WORDS && value.words->count == 1) {
        struct word_chain *chain = ARENA_NEW(context->arena, struct word_chain);
        struct word *word = arena_copy(context->arena, value.words->items, sizeof *word);

        word->span = span;
        *chain = (struct word_chain){word, 1};
        value.words = chain;
    }
    return value;
}

/* In settings that speak of the network's own names, layers and blocks hide none of them. */
static bool is_hidden_there(const struct binding *binding)
{
    return !binding || (!binding->pending && (binding->value.kind == VALUE_BLOCK ||
                                              binding->value.kind == VALUE_FUNCTION));
}

static struct value evaluate_name(struct context *context, const struct environment *environment,
                                  const struct node *node)
{
    struct binding *binding =
        context_find(context, environment->scope, environment->in_recipe, node->name);

    if (environment->names_network && is_hidden_there(binding))
        return recipe_word_of_network(context, node->name, node->span);
    if (!binding) {
        report_unknown(context, environment->scope, environment->in_recipe, node->name, node->span);
        return value_poison();
    }
    evaluate_pending(context, binding, node->span);
    return binding->pending ? value_poison() : use_at(context, binding->value, node->span);
}

static struct value evaluate_input_field(struct context *context,
                                         const struct environment *environment,
                                         const struct node *node)
{
    const struct tensor *tensor;
    struct value *axes;

    if (!environment->has_input) {
        report_chain(context,
                     report(context, DIAGNOSTIC_NO_INPUT, node->span,
                            "no tensor enters here, so `input.%s` means nothing", node->name));
        return value_poison();
    }
    if (environment->input == TENSOR_NONE)
        return value_poison();
    tensor = &context->graph->tensors.items[environment->input];
    if (node->name == context_intern(context, "channels"))
        return value_integer(tensor->channels);
    if (node->name != context_intern(context, "size")) {
        struct diagnostic *diagnostic =
            report(context, DIAGNOSTIC_UNKNOWN_NAME, node->span, "`input` has no `%s`", node->name);

        diagnostic_help(context->diagnostics, diagnostic,
                        "there are `input.channels` and `input.size`");
        return value_poison();
    }
    axes = ARENA_ARRAY(context->arena, struct value, GRID_RANK);
    for (int axis = 0; axis < tensor->spatial_rank; axis++)
        axes[axis] = value_integer(tensor->grid[GRID_RANK - tensor->spatial_rank + axis]);
    return value_list(context->arena, axes, tensor->spatial_rank);
}

/* ---- lists and maps ---- */

static struct value evaluate_list(struct context *context, const struct environment *environment,
                                  const struct node *node)
{
    struct value *items = ARENA_ARRAY(context->arena, struct value, node->count + 1);

    for (size_t i = 0; i < node->count; i++) {
        items[i] = evaluate(context, environment, node->items[i]);
        if (items[i].kind == VALUE_POISON)
            return value_poison();
    }
    return value_list(context->arena, items, node->count);
}

static struct value evaluate_map(struct context *context, const struct environment *environment,
                                 const struct node *node)
{
    struct value_map *map = ARENA_NEW(context->arena, struct value_map);
    int64_t *keys = ARENA_ARRAY(context->arena, int64_t, node->count + 1);
    struct value *values = ARENA_ARRAY(context->arena, struct value, node->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < node->count; i++) {
        const struct node *entry = node->items[i];

        if (entry->kind != NODE_ENTRY || entry->count < 2)
            continue;
        keys[count] = entry->items[0]->integer;
        values[count] = evaluate(context, environment, entry->items[1]);
        count++;
    }
    *map = (struct value_map){keys, values, count};
    return (struct value){.kind = VALUE_MAP, .map = map};
}

static struct value at_key(struct context *context, const struct value_map *map, struct value key,
                           struct span span)
{
    struct text_builder keys = {.arena = context->arena};
    struct diagnostic *diagnostic;

    if (key.kind != VALUE_INTEGER)
        return wrong_type(context, span, key, "an integer");
    for (size_t i = 0; i < map->count; i++) {
        if (map->keys[i] == key.integer)
            return map->values[i];
        if (i < 20)
            text_add(&keys, "%s%lld", i ? ", " : "", (long long)map->keys[i]);
    }
    diagnostic = report(context, DIAGNOSTIC_BAD_INDEX, span, "the map has no key %lld",
                        (long long)key.integer);
    diagnostic_help(context->diagnostics, diagnostic, "its keys are %s", text_result(&keys));
    report_chain(context, diagnostic);
    return value_poison();
}

static struct value at_position(struct context *context, const struct value_list *list,
                                struct value index, struct span span)
{
    if (index.kind != VALUE_INTEGER)
        return wrong_type(context, span, index, "an integer or a range");
    if (index.integer >= 0 && index.integer < (int64_t)list->count)
        return list->items[index.integer];
    report_chain(context, report(context, DIAGNOSTIC_BAD_INDEX, span,
                                 "there is no element %lld in a list of %zu",
                                 (long long)index.integer, list->count));
    return value_poison();
}

static struct value at_positions(struct context *context, const struct value_list *list,
                                 const struct value_list *positions, struct span span)
{
    struct value *items;

    if (!context_step(context, span, (int64_t)positions->count))
        return value_poison();
    items = ARENA_ARRAY(context->arena, struct value, positions->count + 1);
    for (size_t i = 0; i < positions->count; i++) {
        items[i] = at_position(context, list, positions->items[i], span);
        if (items[i].kind == VALUE_POISON)
            return value_poison();
    }
    return value_list(context->arena, items, positions->count);
}

static struct value evaluate_index(struct context *context, const struct environment *environment,
                                   const struct node *node)
{
    const struct value value = evaluate(context, environment, node->items[0]);
    const struct value index = evaluate(context, environment, node->items[1]);
    const struct span span = node->items[1]->span;
    struct value result;

    if (value.kind == VALUE_POISON || index.kind == VALUE_POISON)
        return value_poison();
    if (value.kind == VALUE_MAP)
        result = at_key(context, value.map, index, span);
    else if (value.kind != VALUE_LIST)
        result = wrong_type(context, node->items[0]->span, value, "a list or a map");
    else if (index.kind == VALUE_LIST)
        result = at_positions(context, value.list, index.list, span);
    else
        result = at_position(context, value.list, index, span);
    return use_at(context, result, node->span);
}

/* ---- labels ---- */

const char *evaluate_label(struct context *context, const struct environment *environment,
                           const struct node *node)
{
    struct value value;

    if (node->count < 2)
        return node->name;
    value = evaluate(context, environment, node->items[1]);
    if (value.kind == VALUE_INTEGER && value.integer >= 0)
        return arena_format(context->arena, "%s%lld", node->name, (long long)value.integer);
    if (value.kind != VALUE_POISON)
        report_chain(context, report(context, DIAGNOSTIC_WRONG_TYPE, node->items[1]->span,
                                     "a label is numbered by an integer from 0 on, not by %s",
                                     value.kind == VALUE_INTEGER ? value_text(value, context->arena)
                                                                 : value_kind_name(value.kind)));
    return NULL;
}

static struct value evaluate_labelled(struct context *context,
                                      const struct environment *environment,
                                      const struct node *node)
{
    const char *label = evaluate_label(context, environment, node);
    const struct block **parts = ARENA_ARRAY(context->arena, const struct block *, 1);
    struct block *block;

    parts[0] = evaluate_block(context, environment, node->items[0]);
    if (!label)
        return value_poison();
    block = ARENA_NEW(context->arena, struct block);
    *block = (struct block){
        .kind = BLOCK_LABEL,
        .span = node->span,
        .made = node->name_span,
        .parts = parts,
        .part_count = 1,
        .label = label,
    };
    return value_block(block);
}

/* ---- blocks ---- */

const struct block *block_of_parts(struct context *context, enum block_kind kind, struct span span,
                                   const struct block *const *parts, size_t count)
{
    struct block *block = ARENA_NEW(context->arena, struct block);

    *block = (struct block){
        .kind = kind, .span = span, .made = span, .parts = parts, .part_count = count};
    return block;
}

const struct block *evaluate_block(struct context *context, const struct environment *environment,
                                   const struct node *node)
{
    return require_block(context, evaluate(context, environment, node), node->span);
}

/* ---- all together ---- */

static struct value evaluate_kind(struct context *context, const struct environment *environment,
                                  const struct node *node)
{
    switch (node->kind) {
    case NODE_INTEGER:
        return value_integer(node->integer);
    case NODE_NUMBER:
        return value_number(node->number);
    case NODE_BOOLEAN:
        return value_boolean(node->integer != 0);
    case NODE_NAME:
        return evaluate_name(context, environment, node);
    case NODE_INPUT_FIELD:
        return evaluate_input_field(context, environment, node);
    case NODE_PARENTHESES:
        return evaluate(context, environment, node->items[0]);
    case NODE_IF:
        return evaluate_if(context, environment, node);
    case NODE_OPERATOR:
        return evaluate_operator(context, environment, node);
    case NODE_CHAIN:
        return evaluate_chain(context, environment, node);
    case NODE_NEGATE:
    case NODE_NOT:
        return evaluate_negate(context, environment, node);
    case NODE_LABEL:
        return evaluate_labelled(context, environment, node);
    case NODE_CALL:
        return evaluate_call(context, environment, node);
    case NODE_INDEX:
        return evaluate_index(context, environment, node);
    case NODE_LIST:
        return evaluate_list(context, environment, node);
    case NODE_MAP:
        return evaluate_map(context, environment, node);
    default:
        return value_poison();
    }
}

struct value evaluate(struct context *context, const struct environment *environment,
                      const struct node *node)
{
    struct value value = value_poison();

    if (!context_step(context, node->span, 1))
        return value;
    if (++context->evaluate_depth > EVALUATE_DEPTH_LIMIT) {
        context->stopped = true;
        report_chain(context,
                     report(context, DIAGNOSTIC_TOO_DEEP, node->span,
                            "this is nested deeper than %d expressions", EVALUATE_DEPTH_LIMIT));
    } else {
        value = evaluate_kind(context, environment, node);
    }
    context->evaluate_depth--;
    return value;
}
