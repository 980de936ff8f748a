/* Calls: binding arguments to parameters, and the functions on values. */
#include "compiler/evaluate.h"
#include "compiler/recipe_word.h"

enum { ARGUMENT_LIMIT = 1 << 20 }; /* integers that a layer is told */

/* ---- arguments of layers ---- */

static bool bad_argument(struct context *context, const struct layer_argument *argument,
                         const struct argument *given, const char *wanted)
{
    if (given->value.kind != VALUE_POISON)
        report_chain(context,
                     report(context, DIAGNOSTIC_WRONG_TYPE, given->span, "`%s` must be %s, not %s",
                            argument->name, wanted, value_kind_name(given->value.kind)));
    return false;
}

static bool read_number(struct context *context, const struct layer_argument *argument,
                        const struct argument *given, struct value value, double *out)
{
    const bool whole = argument->type != ARGUMENT_NUMBER;

    if (!value_is_numeric(value) || (whole && value.kind != VALUE_INTEGER))
        return bad_argument(context, argument, given,
                            argument->type == ARGUMENT_AXES ? "an integer or a list of integers"
                            : argument->type == ARGUMENT_INTEGER ? "an integer"
                                                                 : "a number");
    *out = value_as_double(value);
    if (*out < argument->minimum) {
        report_chain(context, report(context, DIAGNOSTIC_BAD_SHAPE, given->span,
                                     "`%s` must be at least %g, not %s", argument->name,
                                     argument->minimum, value_text(value, context->arena)));
        return false;
    }
    if (whole && *out > ARGUMENT_LIMIT) {
        report_chain(context, report(context, DIAGNOSTIC_TOO_LARGE, given->span,
                                     "`%s` can't be more than %d", argument->name, ARGUMENT_LIMIT));
        return false;
    }
    return true;
}

static bool read_axes(struct context *context, const struct layer_argument *argument,
                      const struct argument *given, struct layer_value *out)
{
    const struct value_list *list = given->value.list;

    if (list->count == 0 || list->count > GRID_RANK) {
        report_chain(context, report(context, DIAGNOSTIC_BAD_SHAPE, given->span,
                                     "`%s` has %zu axes; a grid has 1 to %d", argument->name,
                                     list->count, GRID_RANK));
        return false;
    }
    out->axis_count = (int)list->count;
    for (size_t axis = 0; axis < list->count; axis++) {
        const struct value item = list->items[axis];

        if (item.kind != VALUE_INTEGER && item.kind != VALUE_POISON) {
            report_chain(context, report(context, DIAGNOSTIC_WRONG_TYPE, given->span,
                                         "`%s` must be a list of integers, but element %zu is %s",
                                         argument->name, axis, value_kind_name(item.kind)));
            return false;
        }
        if (!read_number(context, argument, given, item, &out->values[axis]))
            return false;
    }
    return true;
}

bool read_layer_argument(struct context *context, const struct layer_argument *argument,
                         const struct argument *given, struct layer_value *out)
{
    *out = (struct layer_value){.values = {argument->fallback}};
    if (given->value.kind == VALUE_UNBOUND)
        return true;
    out->given = true;
    if (argument->type == ARGUMENT_BOOLEAN) {
        if (given->value.kind != VALUE_BOOLEAN)
            return bad_argument(context, argument, given, "true or false");
        out->values[0] = given->value.boolean;
        return true;
    }
    if (argument->type == ARGUMENT_AXES && given->value.kind == VALUE_LIST)
        return read_axes(context, argument, given, out);
    return read_number(context, argument, given, given->value, &out->values[0]);
}

/* A layer's arguments are checked as soon as they are bound; a wrong one turns to poison. */
static void check_layer_arguments(struct context *context, enum op_kind kind,
                                  struct argument *arguments)
{
    const struct op_definition *definition = op_definition(kind);
    struct layer_value value;

    for (int i = 0; i < definition->argument_count; i++) {
        if (!read_layer_argument(context, &definition->arguments[i], &arguments[i], &value))
            arguments[i].value = value_poison();
    }
}

/* ---- binding ---- */

/* The parameter that an argument of a call goes to, or -1, reported. */
static int place_of(struct context *context, const struct application *application,
                    const struct argument *arguments, const struct node *node)
{
    const struct signature *signature = application->signature;
    int place;

    if (node->name) {
        place = signature_find(signature, node->name);
        if (place < 0)
            report_unknown_argument(context, signature, node->name, node->name_span);
        return place;
    }
    for (place = 0; place < (int)signature->count; place++) {
        if (arguments[place].value.kind == VALUE_UNBOUND)
            return place;
    }
    report_too_many_arguments(context, signature, node->span);
    return -1;
}

/* A misspelt argument was meant for one of those that are missing: none of them is reported. */
static void silence_missing(const struct signature *signature, struct argument *arguments)
{
    for (size_t i = 0; i < signature->count; i++) {
        if (signature->required[i] && arguments[i].value.kind == VALUE_UNBOUND)
            arguments[i].value = value_poison();
    }
}

static struct argument *bind(struct context *context, const struct environment *environment,
                             const struct application *application, const struct node *call)
{
    const size_t count = application->signature->count;
    struct argument *arguments = ARENA_ARRAY(context->arena, struct argument, count + 1);
    bool *bound_here = ARENA_ARRAY(context->arena, bool, count + 1);
    bool misspelt = false;

    for (size_t i = 0; i < count; i++)
        arguments[i] = application->arguments[i];
    for (size_t i = 1; i < call->count; i++) {
        const struct node *node = call->items[i];
        const struct value value = evaluate(context, environment, node->items[0]);
        const int place = place_of(context, application, arguments, node);

        misspelt = misspelt || (place < 0 && node->name);
        if (place < 0)
            continue;
        if (bound_here[place])
            report_chain(context,
                         report(context, DIAGNOSTIC_DUPLICATE_NAME, node->span,
                                "`%s` is given twice", application->signature->parameters[place]));
        bound_here[place] = true;
        arguments[place] = (struct argument){value, node->items[0]->span};
    }
    if (misspelt)
        silence_missing(application->signature, arguments);
    return arguments;
}

static struct value call_block(struct context *context, const struct environment *environment,
                               const struct node *node, const struct block *callee)
{
    struct block *block = arena_copy(context->arena, callee, sizeof *callee);
    struct argument *arguments;

    block->span = node->span;
    block->made = node->span;
    if (!callee->application.signature) {
        if (node->count > 1 && callee->kind != BLOCK_POISON)
            report_chain(context,
                         report(context, DIAGNOSTIC_TOO_MANY_ARGUMENTS, node->items[1]->span,
                                callee->kind == BLOCK_IDENTITY || callee->kind == BLOCK_LABEL
                                    ? "`%s` takes no arguments"
                                    : "%s takes no arguments",
                                block_name(callee)));
        return value_block(block);
    }
    arguments = bind(context, environment, &callee->application, node);
    if (callee->kind == BLOCK_LAYER)
        check_layer_arguments(context, callee->op, arguments);
    block->application.arguments = arguments;
    return value_block(block);
}

static struct value call_recipe(struct context *context, const struct environment *environment,
                                const struct node *node, const struct recipe_value *callee)
{
    struct recipe_value *recipe = arena_copy(context->arena, callee, sizeof *callee);

    recipe->application.arguments = bind(context, environment, &callee->application, node);
    recipe->span = node->span;
    return (struct value){.kind = VALUE_RECIPE, .recipe = recipe};
}

static struct value call_word(struct context *context, const struct environment *environment,
                              const struct node *node, const struct word *callee)
{
    struct word_chain *chain = ARENA_NEW(context->arena, struct word_chain);
    struct word *word = arena_copy(context->arena, callee, sizeof *callee);
    struct environment inner = *environment;
    struct argument *arguments;

    inner.names_network = recipe_word_names_network(callee->definition);
    arguments = bind(context, &inner, &callee->application, node);
    recipe_word_check(context, callee->definition, arguments);
    word->application.arguments = arguments;
    word->span = node->span;
    *chain = (struct word_chain){word, 1};
    return (struct value){.kind = VALUE_WORDS, .words = chain};
}

/* ---- functions ---- */

static struct value call_repeat(struct context *context, struct value count,
                                const struct block *part, const struct node *node)
{
    const struct block **parts = ARENA_ARRAY(context->arena, const struct block *, 1);
    struct block *block;

    if (count.kind != VALUE_INTEGER || count.integer < 0) {
        if (count.kind != VALUE_POISON)
            report_chain(context,
                         report(context, DIAGNOSTIC_WRONG_TYPE, node->items[1]->span,
                                "`repeat` needs how often, an integer that is not negative"));
        return value_poison();
    }
    parts[0] = part;
    block = ARENA_NEW(context->arena, struct block);
    *block = *block_of_parts(context, BLOCK_REPEAT, node->span, parts, 1);
    block->count = count.integer;
    return value_block(block);
}

static struct value call_sum(struct context *context, const struct value_list *list,
                             const struct node *node)
{
    double total = 0;
    int64_t whole = 0;
    bool is_whole = true, overflowed = false;

    if (!context_step(context, node->span, (int64_t)list->count))
        return value_poison();
    for (size_t i = 0; i < list->count; i++) {
        const struct value item = list->items[i];

        if (!value_is_numeric(item)) {
            report_chain(context,
                         report(context, DIAGNOSTIC_WRONG_TYPE, node->items[1]->span,
                                "`sum` needs numbers, not %s", value_kind_name(item.kind)));
            return value_poison();
        }
        total += value_as_double(item);
        is_whole = is_whole && item.kind == VALUE_INTEGER;
        if (is_whole)
            overflowed = overflowed || __builtin_add_overflow(whole, item.integer, &whole);
    }
    if (!is_whole)
        return value_number(total);
    if (!overflowed)
        return value_integer(whole);
    report_chain(context, report(context, DIAGNOSTIC_OVERFLOW, node->span,
                                 "this leaves the range of integers"));
    return value_poison();
}

static struct value call_on_list(struct context *context, enum function function,
                                 struct value value, const struct node *node)
{
    if (value.kind == VALUE_LIST && function == FUNCTION_SUM)
        return call_sum(context, value.list, node);
    if (value.kind == VALUE_LIST)
        return value_integer((int64_t)value.list->count);
    if (value.kind == VALUE_MAP && function == FUNCTION_LEN)
        return value_integer((int64_t)value.map->count);
    if (value.kind != VALUE_POISON)
        report_chain(context,
                     report(context, DIAGNOSTIC_WRONG_TYPE, node->items[1]->span,
                            "a list is required here, not %s", value_kind_name(value.kind)));
    return value_poison();
}

static struct value call_function(struct context *context, const struct environment *environment,
                                  const struct node *node, enum function function)
{
    const size_t wanted = function == FUNCTION_REPEAT ? 2 : 1;
    struct value values[2];

    if (node->count - 1 != wanted) {
        report_chain(context, report(context,
                                     node->count - 1 < wanted ? DIAGNOSTIC_MISSING_ARGUMENT
                                                              : DIAGNOSTIC_TOO_MANY_ARGUMENTS,
                                     node->span, "%s",
                                     function == FUNCTION_REPEAT
                                         ? "`repeat` needs how often and what: `repeat(3, block)`"
                                         : "`sum` and `len` need one list"));
        return value_poison();
    }
    for (size_t i = 0; i < wanted; i++) {
        const struct node *argument = node->items[i + 1];

        if (argument->name)
            report_chain(context, report(context, DIAGNOSTIC_UNKNOWN_ARGUMENT, argument->name_span,
                                         "this function has no parameter `%s`", argument->name));
        values[i] = evaluate(context, environment, argument->items[0]);
    }
    if (function != FUNCTION_REPEAT)
        return call_on_list(context, function, values[0], node);
    return call_repeat(context, values[0], require_block(context, values[1], node->items[2]->span),
                       node);
}

struct value evaluate_call(struct context *context, const struct environment *environment,
                           const struct node *node)
{
    const struct value callee = evaluate(context, environment, node->items[0]);

    if (callee.kind == VALUE_BLOCK)
        return call_block(context, environment, node, callee.block);
    if (callee.kind == VALUE_FUNCTION)
        return call_function(context, environment, node, callee.function);
    if (callee.kind == VALUE_RECIPE)
        return call_recipe(context, environment, node, callee.recipe);
    if (callee.kind == VALUE_WORDS && callee.words->count == 1)
        return call_word(context, environment, node, &callee.words->items[0]);
    for (size_t i = 1; i < node->count; i++)
        evaluate(context, environment, node->items[i]->items[0]);
    if (callee.kind != VALUE_POISON)
        report_chain(context, report(context, DIAGNOSTIC_WRONG_TYPE, node->items[0]->span,
                                     "%s can't be called", value_kind_name(callee.kind)));
    return value_poison();
}
