/* Binding parameters when a block meets its input. */
#include "base/text.h"
#include "compiler/evaluate.h"
#include "compiler/run.h"

bool run_complete(struct context *context, const struct block *block)
{
    const struct application *application = &block->application;
    struct text_builder missing = {.arena = context->arena};
    struct diagnostic *diagnostic;

    for (size_t i = 0; i < application->signature->count; i++) {
        if (application->signature->required[i] &&
            application->arguments[i].value.kind == VALUE_UNBOUND)
            text_add(&missing, "%s`%s`", missing.length ? ", " : "",
                     application->signature->parameters[i]);
    }
    if (missing.length == 0)
        return true;
    diagnostic = report(context, DIAGNOSTIC_MISSING_ARGUMENT, block->span, "`%s` still lacks %s",
                        application->signature->name, text_result(&missing));
    diagnostic_label(context->diagnostics, diagnostic, "used here");
    if (block->made.source != 0 &&
        (block->made.source != block->span.source || block->made.begin != block->span.begin))
        diagnostic_note(context->diagnostics, diagnostic, block->made, "it was made here");
    report_chain(context, diagnostic);
    return false;
}

struct value run_default(struct context *context, const struct scope *scope,
                         const struct node *parameter, const struct environment *environment)
{
    struct environment inner = *environment;

    if (parameter->count == 0)
        return value_poison();
    inner.scope = scope;
    return evaluate(context, &inner, parameter->items[0]);
}

struct scope *run_parameters(struct context *context, const struct block *block, tensor_id input)
{
    const struct declaration *declaration = block->declaration;
    const struct environment environment = {.input = input, .has_input = true};
    struct scope *scope = scope_new(context->arena, declaration->scope, false);

    run_complete(context, block);
    for (size_t i = 0; i < declaration->signature.count; i++) {
        const struct node *parameter = declaration->node->items[i];
        struct value value = block->application.arguments[i].value;

        if (value.kind == VALUE_UNBOUND)
            value = run_default(context, scope, parameter, &environment);
        scope_add(scope, context->arena, parameter->name, parameter->name_span, value);
    }
    return scope;
}
