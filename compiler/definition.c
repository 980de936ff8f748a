/* Each option's value becomes a source of its own, so that diagnostics can underline it. */
#include "compiler/definition.h"

#include <string.h>

#include "base/text.h"
#include "compiler/check_names.h"
#include "compiler/evaluate.h"
#include "compiler/recipe_elaborate.h"

void definitions_parse(struct context *context, struct definition_list *list,
                       const struct elaborate_options *options)
{
    for (size_t i = 0; i < options->definition_count; i++) {
        const struct definition *definition = &options->definitions[i];
        const char *title = arena_format(context->arena, "-D %s", definition->name);
        const uint32_t source =
            source_add(context->sources, title, definition->value, strlen(definition->value));
        const struct node *expression =
            parse_expression(context->sources, context->diagnostics, source);
        const struct definition_value value = {context_intern(context, definition->name),
                                               expression, expression->span, false};

        check_names_of_expression(context, list->file, expression,
                                  recipe_setting_names_network(definition->name));
        vector_push(&list->items, context->arena, value);
    }
}

bool definitions_take(struct context *context, struct definition_list *list, const char *name,
                      struct argument *out)
{
    const struct environment environment = {
        .scope = list->file->scope,
        .input = TENSOR_NONE,
        .in_recipe = true,
        .names_network = recipe_setting_names_network(name),
    };
    struct definition_value *last = NULL;

    for (size_t i = 0; i < list->items.count; i++) {
        if (list->items.items[i].name == name)
            last = &list->items.items[i];
    }
    if (!last || last->taken)
        return false;
    last->taken = true;
    *out = (struct argument){evaluate(context, &environment, last->expression), last->span};
    return true;
}

/* Of two options with one name only the last counts. */
static bool is_replaced(const struct definition_list *list, size_t number)
{
    for (size_t i = number + 1; i < list->items.count; i++) {
        if (list->items.items[i].name == list->items.items[number].name)
            return true;
    }
    return false;
}

/* Names in a sentence: "`depth`, `classes`". */
static const char *sentence_of(struct context *context, const char *const *names, size_t count)
{
    struct text_builder text = {.arena = context->arena};

    for (size_t i = 0; i < count; i++)
        text_add(&text, "%s`%s`", i > 0 ? ", " : "", names[i]);
    return text_result(&text);
}

static void help_known(struct context *context, struct diagnostic *diagnostic,
                       const struct known_names *known)
{
    const char *const *names = known->list.names.items;
    const size_t own = known->network_count, all = known->list.names.count;

    if (own > 0)
        diagnostic_help(context->diagnostics, diagnostic, "the network's parameters are %s",
                        sentence_of(context, names, own));
    diagnostic_help(context->diagnostics, diagnostic, "its recipe's are %s",
                    sentence_of(context, names + own, all - own));
}

void definitions_report(struct context *context, const struct definition_list *list,
                        const struct known_names *known)
{
    bool listed = false;

    for (size_t i = 0; i < list->items.count; i++) {
        const struct definition_value *value = &list->items.items[i];
        struct diagnostic *diagnostic;

        if (value->taken || is_replaced(list, i))
            continue;
        diagnostic = report(context, DIAGNOSTIC_BAD_OPTION, (struct span){0},
                            "-D %s: neither the network nor its recipe has a parameter `%s`",
                            value->name, value->name);
        diagnostic_suggest(context->diagnostics, diagnostic, value->name, known->list.names.items,
                           known->list.names.count);
        if (!listed)
            help_known(context, diagnostic, known);
        listed = true;
    }
}
