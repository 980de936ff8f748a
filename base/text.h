/* Building and interning text. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/table.h"

/* A growing string; `data` is always NUL-terminated once something was added. Zero it, then set
 * the arena. */
struct text_builder {
    struct arena *arena;
    char *data;
    size_t length, capacity;
};

void text_add(struct text_builder *builder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_add_arguments(struct text_builder *builder, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void text_add_bytes(struct text_builder *builder, const char *bytes, size_t length);

/* Adds `text` as a JSON string with its quotes. */
void text_add_json(struct text_builder *builder, const char *text);

/* Adds a number with 9 digits, enough for any float; what is not finite is null in JSON. */
void text_add_json_number(struct text_builder *builder, double number);

/* Returns the text so far; never NULL. Borrowed from the arena. */
const char *text_result(const struct text_builder *builder);

/* Interned strings: equal contents give the same pointer, so names compare with ==. */
struct interner {
    struct arena *arena;
    struct table table;
};

const char *intern(struct interner *interner, const char *text, size_t length);

enum { TEXT_IN_BYTES = 32 };

/* A number of bytes for people: "12.3 MiB". Returns `out`. */
const char *text_in_bytes(uint64_t bytes, char out[TEXT_IN_BYTES]);

/* The number of single-character edits between two names (Damerau-Levenshtein), for spelling
 * suggestions; returns `limit` + 1 as soon as it must exceed `limit`. */
size_t text_distance(const char *a, const char *b, size_t limit);

#endif
