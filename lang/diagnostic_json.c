/* Diagnostics for programs: one JSON array, in the order in which they are printed.
 *
 * A place is a file with where it begins and ends (lines and columns from 1, the column behind the
 * last character); null where there is none. */
#include "lang/diagnostic.h"

static void add_position(struct text_builder *text, const struct source *source, uint32_t offset)
{
    const struct position position = source_position(source, offset);

    text_add(text, "{\"line\":%u,\"column\":%u}", position.line, position.column);
}

/* The members of a place. */
static void add_place(struct text_builder *text, const struct diagnostics *diagnostics,
                      struct span span)
{
    const struct source *source = diagnostics->sources->sources.items[span.source];

    if (span.source == 0) {
        text_add(text, "\"file\":null,\"begin\":null,\"end\":null");
        return;
    }
    text_add(text, "\"file\":");
    text_add_json(text, source->path);
    text_add(text, ",\"begin\":");
    add_position(text, source, span.begin);
    text_add(text, ",\"end\":");
    add_position(text, source, span.end);
}

static void add_notes(struct text_builder *text, const struct diagnostics *diagnostics,
                      const struct diagnostic *diagnostic)
{
    for (size_t i = 0; i < diagnostic->notes.count; i++) {
        const struct note *note = &diagnostic->notes.items[i];
        text_add(text, "%s{\"kind\":\"%s\",\"message\":", i > 0 ? "," : "",
                 note->is_help ? "help" : "note");
        text_add_json(text, note->text);
        text_add(text, ",");
        add_place(text, diagnostics, note->span);
        text_add(text, "}");
    }
}

static void add_diagnostic(struct text_builder *text, const struct diagnostics *diagnostics,
                           const struct diagnostic *diagnostic)
{
    text_add(text, "{\"code\":\"%s\",\"severity\":\"%s\",\"message\":", diagnostic->code,
             diagnostic->severity == SEVERITY_ERROR ? "error" : "warning");
    text_add_json(text, diagnostic->text);
    text_add(text, ",\"label\":");
    if (diagnostic->label)
        text_add_json(text, diagnostic->label);
    else
        text_add(text, "null");
    text_add(text, ",");
    add_place(text, diagnostics, diagnostic->span);
    text_add(text, ",\"notes\":[");
    add_notes(text, diagnostics, diagnostic);
    text_add(text, "]}");
}

void diagnostics_print_json(const struct diagnostics *diagnostics, FILE *stream)
{
    const struct diagnostic *const *sorted = diagnostics_sort(diagnostics);
    struct text_builder text = {.arena = diagnostics->arena};

    text_add(&text, "[");
    for (size_t i = 0; i < diagnostics->items.count; i++) {
        text_add(&text, i > 0 ? ",\n" : "");
        add_diagnostic(&text, diagnostics, sorted[i]);
    }
    text_add(&text, "]\n");
    fwrite(text_result(&text), 1, text.length, stream);
}
