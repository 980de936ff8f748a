/* Collecting diagnostics: each mistake once, and no more than a reader can use.
 *
 * Printing lies in diagnostic_print.c. Invariant: error_count counts every error, also those
 * beyond the number that are kept. */
#include "lang/diagnostic.h"

#include <stdarg.h>
#include <string.h>

enum { MOST_KEPT = 100 };

static const char *const codes[] = {
#define DIAGNOSTIC(name, code, meaning) [DIAGNOSTIC_##name] = code,
#include "lang/diagnostic.def"
#undef DIAGNOSTIC
};

void diagnostics_init(struct diagnostics *diagnostics, struct arena *arena,
                      struct source_set *sources)
{
    *diagnostics = (struct diagnostics){
        .arena = arena,
        .sources = sources,
        .seen = {.arena = arena},
    };
}

static const char *format_text(struct arena *arena, const char *format, va_list arguments)
{
    struct text_builder text = {.arena = arena};

    text_add_arguments(&text, format, arguments);
    return text_result(&text);
}

/* Whether the same was said before; remembers it if not. */
static bool is_repeated(struct diagnostics *diagnostics, const struct diagnostic *diagnostic)
{
    struct text_builder key = {.arena = diagnostics->arena};
    const struct span *span = &diagnostic->span;

    text_add(&key, "%s %u %u %u %s", diagnostic->code, span->source, span->begin, span->end,
             diagnostic->text);
    if (table_find(&diagnostics->seen, key.data, key.length))
        return true;
    table_set(&diagnostics->seen, key.data, key.length, 1);
    return false;
}

static struct diagnostic *collect(struct diagnostics *diagnostics, enum severity severity,
                                  enum diagnostic_code code, struct span span, const char *text)
{
    struct diagnostic made = {
        .severity = severity,
        .code = codes[code],
        .span = span,
        .text = text,
    };

    if (is_repeated(diagnostics, &made))
        return NULL;
    diagnostics->error_count += severity == SEVERITY_ERROR;
    if (diagnostics->items.count >= MOST_KEPT)
        return NULL;
    struct diagnostic *kept = arena_copy(diagnostics->arena, &made, sizeof made);
    vector_push(&diagnostics->items, diagnostics->arena, kept);
    return kept;
}

struct diagnostic *diagnostic_error(struct diagnostics *diagnostics, enum diagnostic_code code,
                                    struct span span, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *text = format_text(diagnostics->arena, format, arguments);
    va_end(arguments);
    return collect(diagnostics, SEVERITY_ERROR, code, span, text);
}

struct diagnostic *diagnostic_warning(struct diagnostics *diagnostics, enum diagnostic_code code,
                                      struct span span, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *text = format_text(diagnostics->arena, format, arguments);
    va_end(arguments);
    return collect(diagnostics, SEVERITY_WARNING, code, span, text);
}

void diagnostic_label(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
                      const char *format, ...)
{
    va_list arguments;

    if (!diagnostic)
        return;
    va_start(arguments, format);
    diagnostic->label = format_text(diagnostics->arena, format, arguments);
    va_end(arguments);
}

void diagnostic_note(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
                     struct span span, const char *format, ...)
{
    va_list arguments;

    if (!diagnostic)
        return;
    va_start(arguments, format);
    struct note note = {.span = span, .text = format_text(diagnostics->arena, format, arguments)};
    va_end(arguments);
    vector_push(&diagnostic->notes, diagnostics->arena, note);
}

void diagnostic_help(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
                     const char *format, ...)
{
    va_list arguments;

    if (!diagnostic)
        return;
    va_start(arguments, format);
    struct note note = {
        .text = format_text(diagnostics->arena, format, arguments),
        .is_help = true,
    };
    va_end(arguments);
    vector_push(&diagnostic->notes, diagnostics->arena, note);
}

void diagnostic_suggest(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
                        const char *name, const char *const *names, size_t name_count)
{
    size_t length = strlen(name), limit = length < 4 ? 1 : length < 6 ? 2 : length / 3;
    const char *nearest = NULL;

    if (!diagnostic)
        return;
    for (size_t i = 0; i < name_count; i++) {
        size_t distance = text_distance(name, names[i], limit);
        if (distance > limit || distance >= length)
            continue;
        nearest = names[i];
        if (distance == 0)
            break;
        limit = distance - 1;
    }
    if (nearest)
        diagnostic_help(diagnostics, diagnostic, "did you mean `%s`?", nearest);
}

bool diagnostics_failed(const struct diagnostics *diagnostics)
{
    return diagnostics->error_count > 0;
}
