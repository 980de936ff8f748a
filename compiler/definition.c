/* Each option's value becomes a source of its own, so that diagnostics can underline it. */
#include "compiler/definition.h"

#include <string.h>

#include "compiler/check_names.h"
#include "compiler/evaluate.h"

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

        check_names_of_expression(context, list->file, expression);
        vector_push(&list->items, context->arena, value);
    }
}

bool definitions_take(struct context *context, struct definition_list *list, const char *name,
                      struct argument *out)
{
    const struct environment environment = {
        .scope = list->file->scope, .input = TENSOR_NONE, .in_recipe = true};
    bool found = false;

    for (size_t i = 0; i < list->items.count; i++) {
        struct definition_value *value = &list->items.items[i];

        if (value->name != name)
            continue;
        value->taken = true;
        found = true;
        *out = (struct argument){evaluate(context, &environment, value->expression), value->span};
    }
    return found;
}

void definitions_report(struct context *context, const struct definition_list *list,
                        const struct name_list *known)
{
    for (size_t i = 0; i < list->items.count; i++) {
        const struct definition_value *value = &list->items.items[i];
        struct diagnostic *diagnostic;

        if (value->taken)
            continue;
        diagnostic = report(context, DIAGNOSTIC_BAD_OPTION, (struct span){0},
                            "-D %s: neither the network nor its recipe has a parameter `%s`",
                            value->name, value->name);
        diagnostic_suggest(context->diagnostics, diagnostic, value->name, known->names.items,
                           known->names.count);
    }
}
