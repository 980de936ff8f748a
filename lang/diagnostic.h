/* What a user did wrong, where, and what would mend it.
 *
 * Diagnostics are collected, not printed at once: a run reports many, each once, sorted by place.
 * An error makes later stages stop (diagnostic_failed), never the stage that found it. */
#ifndef LANG_DIAGNOSTIC_H
#define LANG_DIAGNOSTIC_H

#include <stdbool.h>
#include <stdio.h>

#include "lang/source.h"

enum severity {
    SEVERITY_ERROR,
    SEVERITY_WARNING,
};

/* A further place that explains a diagnostic, or a remark without a place (source 0). */
struct note {
    struct span span;
    const char *text;
    bool is_help; /* printed as "help:", says what to write instead */
};

struct diagnostic {
    enum severity severity;
    const char *code;  /* such as "E0012"; stable, one per kind of mistake (lang/diagnostic.def) */
    struct span span;  /* what is underlined */
    const char *text;  /* one sentence without a full stop */
    const char *label; /* short words beside the underline; may be NULL */
    VECTOR(struct note) notes;
};

struct diagnostics {
    struct arena *arena;
    struct source_set *sources;
    VECTOR(struct diagnostic *) items;
    struct table seen; /* (code, span, text): each mistake is reported once */
    size_t error_count;
};

/* The codes: DIAGNOSTIC(name, "E0001", "what it means, as `rnet explain` will say"). */
enum diagnostic_code {
#define DIAGNOSTIC(name, code, meaning) DIAGNOSTIC_##name,
#include "lang/diagnostic.def"
#undef DIAGNOSTIC
    DIAGNOSTIC_CODE_COUNT
};

void diagnostics_init(struct diagnostics *diagnostics, struct arena *arena,
                      struct source_set *sources);

/* Adds an error at `span`. Returns it so that notes can be added, or NULL if the same was already
 * reported (the note functions accept NULL). */
struct diagnostic *diagnostic_error(struct diagnostics *diagnostics, enum diagnostic_code code,
                                    struct span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

struct diagnostic *diagnostic_warning(struct diagnostics *diagnostics, enum diagnostic_code code,
                                      struct span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The words beside the underline. */
void diagnostic_label(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
                      const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A further place, underlined under the main one. */
void diagnostic_note(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
                     struct span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* What to write instead. */
void diagnostic_help(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
                     const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds "did you mean `x`?" if one of `names` is close to `name`. */
void diagnostic_suggest(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
                        const char *name, const char *const *names, size_t name_count);

bool diagnostics_failed(const struct diagnostics *diagnostics);

/* Prints all, sorted by place, each with its source line underlined, then a line that counts
 * them. Color when `color`. */
void diagnostics_print(const struct diagnostics *diagnostics, FILE *stream, bool color);

/* Prints all as one JSON array, in the same order: code, severity, message, label, file, begin and
 * end as {line, column}, and notes with kind ("note" or "help"), message and place. What has no
 * place or label has null. */
void diagnostics_print_json(const struct diagnostics *diagnostics, FILE *stream);

/* All that were kept, sorted by place; as many as `items`. */
const struct diagnostic *const *diagnostics_sort(const struct diagnostics *diagnostics);

#endif
