/* Reporting, looking names up, and the built-in names. */
#include "compiler/context.h"

#include <string.h>

#include "base/text.h"
#include "compiler/recipe_word.h"

enum { CHAIN_NOTES = 4 }; /* shown of each end of a long call chain */

const char *context_intern(struct context *context, const char *text)
{
    return intern(&context->sources->names, text, strlen(text));
}

static struct signature layer_signature(struct context *context, enum op_kind kind)
{
    const struct op_definition *definition = op_definition(kind);
    const size_t count = (size_t)definition->argument_count;
    const char **names = ARENA_ARRAY(context->arena, const char *, count + 1);
    bool *required = ARENA_ARRAY(context->arena, bool, count + 1);

    for (size_t i = 0; i < count; i++) {
        names[i] = context_intern(context, definition->arguments[i].name);
        required[i] = definition->arguments[i].required;
    }
    return (struct signature){context_intern(context, op_name(kind)), names, required, count};
}

static void add_builtin(struct context *context, const char *name, struct value value,
                        const struct signature *signature)
{
    struct binding *binding = scope_add(context->builtins, context->arena,
                                        context_intern(context, name), (struct span){0}, value);

    binding->signature = signature;
}

static void add_layers(struct context *context)
{
    for (int kind = 0; kind < OP_KIND_COUNT; kind++) {
        struct signature *signature;
        struct block *block;

        if (!op_definition((enum op_kind)kind)->is_layer)
            continue;
        signature = ARENA_NEW(context->arena, struct signature);
        *signature = layer_signature(context, (enum op_kind)kind);
        block = ARENA_NEW(context->arena, struct block);
        block->kind = BLOCK_LAYER;
        block->op = (enum op_kind)kind;
        block->application = (struct application){
            signature, ARENA_ARRAY(context->arena, struct argument, signature->count + 1)};
        add_builtin(context, signature->name, value_block(block), signature);
    }
}

static void add_functions(struct context *context)
{
    static const char *const names[FUNCTION_COUNT] = {"repeat", "sum", "len"};
    struct block *identity = ARENA_NEW(context->arena, struct block);

    identity->kind = BLOCK_IDENTITY;
    add_builtin(context, "identity", value_block(identity), NULL);
    for (int function = 0; function < FUNCTION_COUNT; function++)
        add_builtin(context, names[function],
                    (struct value){.kind = VALUE_FUNCTION, .function = (enum function)function},
                    NULL);
}

void context_init(struct context *context, struct arena *arena, struct source_set *sources,
                  struct diagnostics *diagnostics)
{
    *context = (struct context){
        .arena = arena,
        .sources = sources,
        .diagnostics = diagnostics,
        .joins = {.arena = arena},
        .reported = {.arena = arena},
        .labels = {.arena = arena},
        .parameters = {.arena = arena},
        .layer_limit = LAYER_LIMIT,
    };
    context->builtins = scope_new(arena, NULL, true);
    context->words = scope_new(arena, NULL, true);
    add_layers(context);
    add_functions(context);
    recipe_words_declare(context);
}

struct diagnostic *report(struct context *context, enum diagnostic_code code, struct span span,
                          const char *format, ...)
{
    const uint32_t key[] = {(uint32_t)code, span.source, span.begin, span.end};
    struct text_builder text = {.arena = context->arena};
    va_list arguments;

    if (span.source != 0 && table_find(&context->reported, key, sizeof key))
        return NULL;
    table_set(&context->reported, key, sizeof key, 1);
    va_start(arguments, format);
    text_add_arguments(&text, format, arguments);
    va_end(arguments);
    return diagnostic_error(context->diagnostics, code, span, "%s", text_result(&text));
}

static bool same_span(struct span a, struct span b)
{
    return a.source == b.source && a.begin == b.begin && a.end == b.end;
}

/* The first frame outward from `frame` that is used at another place. */
static const struct frame *next_place(const struct frame *frame)
{
    const struct frame *next = frame->outer;

    while (next && same_span(next->span, frame->span))
        next = next->outer;
    return next;
}

static void note_frame(struct context *context, struct diagnostic *diagnostic,
                       const struct frame *frame, const char *remark)
{
    if (frame->index >= 0)
        diagnostic_note(context->diagnostics, diagnostic, frame->span,
                        "in block %lld of %s `%s` used here%s", (long long)frame->index,
                        frame->kind, frame->name, remark);
    else
        diagnostic_note(context->diagnostics, diagnostic, frame->span, "in %s `%s` used here%s",
                        frame->kind, frame->name, remark);
}

void report_chain(struct context *context, struct diagnostic *diagnostic)
{
    const struct frame *first = context->frame;
    int total = 0, number = 0;

    if (!diagnostic || !first)
        return;
    if (same_span(first->span, diagnostic->span))
        first = next_place(first);
    for (const struct frame *frame = first; frame; frame = next_place(frame))
        total++;
    for (const struct frame *frame = first; frame; frame = next_place(frame), number++) {
        const bool cut = number == CHAIN_NOTES && total > 2 * CHAIN_NOTES;

        if (number < CHAIN_NOTES || number >= total - CHAIN_NOTES)
            note_frame(context, diagnostic, frame, "");
        else if (cut)
            note_frame(context, diagnostic, frame,
                       arena_format(context->arena, ", and %d more around it",
                                    total - 2 * CHAIN_NOTES - 1));
    }
}

struct binding *context_find(const struct context *context, const struct scope *scope,
                             bool in_recipe, const char *name)
{
    struct binding *binding = scope_find(scope, name);

    if (!binding && in_recipe)
        binding = scope_find(context->words, name);
    return binding ? binding : scope_find(context->builtins, name);
}

void report_unknown(struct context *context, const struct scope *scope, bool in_recipe,
                    const char *name, struct span span)
{
    struct name_list list = {.arena = context->arena};
    struct diagnostic *diagnostic =
        report(context, DIAGNOSTIC_UNKNOWN_NAME, span, "unknown name `%s`", name);

    if (!diagnostic)
        return;
    scope_list_names(scope, &list);
    scope_list_names(in_recipe ? context->words : context->builtins, &list);
    diagnostic_label(context->diagnostics, diagnostic, "declared nowhere");
    if (!in_recipe && scope_find(context->words, name))
        diagnostic_help(context->diagnostics, diagnostic, "only recipes know `%s`", name);
    else
        diagnostic_suggest(context->diagnostics, diagnostic, name, list.names.items,
                           list.names.count);
    report_chain(context, diagnostic);
}

bool context_step(struct context *context, struct span span, int64_t count)
{
    if (context->stopped)
        return false;
    context->steps += count;
    if (context->steps <= context->layer_limit * STEPS_PER_LAYER)
        return true;
    context->stopped = true;
    report_chain(context, report(context, DIAGNOSTIC_TOO_LARGE, span,
                                 "this takes more work than a network of %lld layers may",
                                 (long long)context->layer_limit));
    return false;
}

void report_unknown_argument(struct context *context, const struct signature *signature,
                             const char *name, struct span span)
{
    struct diagnostic *diagnostic = report(context, DIAGNOSTIC_UNKNOWN_ARGUMENT, span,
                                           "`%s` has no parameter `%s`", signature->name, name);

    diagnostic_suggest(context->diagnostics, diagnostic, name, signature->parameters,
                       signature->count);
    report_chain(context, diagnostic);
}

void report_too_many_arguments(struct context *context, const struct signature *signature,
                               struct span span)
{
    struct diagnostic *diagnostic;

    if (signature->count == 0)
        diagnostic = report(context, DIAGNOSTIC_TOO_MANY_ARGUMENTS, span, "`%s` takes no arguments",
                            signature->name);
    else
        diagnostic = report(context, DIAGNOSTIC_TOO_MANY_ARGUMENTS, span,
                            "too many arguments: `%s` has %zu parameter%s", signature->name,
                            signature->count, signature->count == 1 ? "" : "s");
    diagnostic_label(context->diagnostics, diagnostic, "no parameter is left for this");
    report_chain(context, diagnostic);
}
