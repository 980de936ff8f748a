/* Names of parameters: scopes opened by labels, stages and `repeat`, numbers elsewhere. */
#include <string.h>

#include "compiler/run.h"

/* Remembers `path` in `table` as claimed at `span`; returns the place that claimed it before, or
 * NULL. */
static const struct span *claim(struct context *context, struct table *table, const char *path,
                                struct span span)
{
    const struct table_entry *taken = table_find(table, path, strlen(path));

    if (taken)
        return &context->places.items[taken->value];
    table_set(table, path, strlen(path), context->places.count);
    vector_push(&context->places, context->arena, span);
    return NULL;
}

static bool same_place(struct span a, struct span b)
{
    return a.source == b.source && a.begin == b.begin && a.end == b.end;
}

const char *name_join(struct context *context, const char *prefix, const char *name)
{
    if (!*prefix)
        return name;
    return arena_format(context->arena, "%s.%s", prefix, name);
}

/* A path that no label can have, so that what follows stays silent. */
static const char *free_path(struct context *context, const char *path)
{
    return arena_format(context->arena, "%s'%zu", path, context->labels.count);
}

static bool is_too_long(struct context *context, const char *path, struct span span)
{
    if (strlen(path) <= NAME_LENGTH_LIMIT)
        return false;
    context->stopped = true;
    report_chain(context, report(context, DIAGNOSTIC_TOO_LARGE, span,
                                 "the name of a parameter would be longer than %d characters",
                                 NAME_LENGTH_LIMIT));
    return true;
}

const char *name_claim(struct context *context, const char *label, struct span span)
{
    const char *path = name_join(context, context->naming->prefix, label);
    const struct span *first;
    struct diagnostic *diagnostic;

    context->naming->count++;
    if (is_too_long(context, path, span))
        return path;
    first = claim(context, &context->labels, path, span);
    if (!first)
        return path;
    diagnostic = report(context, DIAGNOSTIC_DUPLICATE_LABEL, span,
                        "the label `%s` is used twice in one scope", label);
    if (!same_place(*first, span))
        diagnostic_note(context->diagnostics, diagnostic, *first, "first used here");
    diagnostic_help(context->diagnostics, diagnostic, "both would be named `%s`", path);
    report_chain(context, diagnostic);
    return free_path(context, path);
}

const char *name_claim_position(struct context *context, int64_t index, struct span span)
{
    const char *number = arena_format(context->arena, "%lld", (long long)index);
    const char *path = name_join(context, context->naming->prefix, number);
    const struct span *first;
    struct diagnostic *diagnostic;

    if (is_too_long(context, path, span))
        return path;
    first = claim(context, &context->labels, path, span);
    if (!first)
        return path;
    diagnostic = report(context, DIAGNOSTIC_DUPLICATE_LABEL, span,
                        "the blocks here would be numbered like others in the same scope");
    if (!same_place(*first, span))
        diagnostic_note(context->diagnostics, diagnostic, *first, "these are numbered from 0 too");
    diagnostic_help(context->diagnostics, diagnostic, "label it, as in `layer1: ...`");
    report_chain(context, diagnostic);
    return free_path(context, path);
}

void name_check_parameters(struct context *context, tensor_id first, struct span span)
{
    const struct graph *graph = context->graph;

    for (tensor_id id = first; id < graph->tensors.count; id++) {
        const char *name = graph->tensors.items[id].name;
        const struct span *other = name ? claim(context, &context->parameters, name, span) : NULL;
        struct diagnostic *diagnostic;

        if (!other)
            continue;
        diagnostic = report(context, DIAGNOSTIC_DUPLICATE_LABEL, span,
                            "two layers would have a parameter `%s`", name);
        diagnostic_note(context->diagnostics, diagnostic, *other, "the other one");
        diagnostic_help(context->diagnostics, diagnostic, "label one of them");
        report_chain(context, diagnostic);
        return;
    }
}
