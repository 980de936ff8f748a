/* Text that grows in an arena, names that are interned, and how far two names are apart.
 *
 * Invariant of a builder: `data` is NULL or ends in a NUL at data[length]. */
#include "base/text.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum {
    FIRST_CAPACITY = 64,
    LONGEST_COMPARED = 63, /* longer names are not worth a suggestion */
};

/* Makes room for `more` characters and the final NUL. */
static void reserve(struct text_builder *builder, size_t more)
{
    size_t capacity = builder->capacity > 0 ? builder->capacity : FIRST_CAPACITY;

    while (capacity - builder->length <= more)
        capacity *= 2;
    if (capacity == builder->capacity)
        return;
    char *data = arena_alloc(builder->arena, capacity);
    if (builder->length > 0)
        memcpy(data, builder->data, builder->length);
    builder->data = data;
    builder->capacity = capacity;
}

void text_add_arguments(struct text_builder *builder, const char *format, va_list arguments)
{
    va_list again;

    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length > 0) {
        reserve(builder, (size_t)length);
        vsnprintf(builder->data + builder->length, (size_t)length + 1, format, again);
        builder->length += (size_t)length;
    }
    va_end(again);
}

void text_add(struct text_builder *builder, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_add_arguments(builder, format, arguments);
    va_end(arguments);
}

void text_add_bytes(struct text_builder *builder, const char *bytes, size_t length)
{
    reserve(builder, length);
    if (length > 0)
        memcpy(builder->data + builder->length, bytes, length);
    builder->length += length;
    builder->data[builder->length] = '\0';
}

void text_add_json(struct text_builder *builder, const char *text)
{
    text_add_bytes(builder, "\"", 1);
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;
        switch (c) {
        case '"': text_add_bytes(builder, "\\\"", 2); break;
        case '\\': text_add_bytes(builder, "\\\\", 2); break;
        case '\n': text_add_bytes(builder, "\\n", 2); break;
        case '\t': text_add_bytes(builder, "\\t", 2); break;
        default:
            if (c < 0x20 || c == 0x7f)
                text_add(builder, "\\u%04x", c);
            else
                text_add_bytes(builder, at, 1);
        }
    }
    text_add_bytes(builder, "\"", 1);
}

void text_add_json_number(struct text_builder *builder, double number)
{
    text_add(builder, isfinite(number) ? "%.9g" : "null", number);
}

const char *text_result(const struct text_builder *builder)
{
    return builder->data ? builder->data : "";
}

const char *intern(struct interner *interner, const char *text, size_t length)
{
    interner->table.arena = interner->arena;
    struct table_entry *entry = table_find(&interner->table, text, length);
    if (!entry) {
        char *copy = arena_copy_text(interner->arena, text, length);
        entry = table_set(&interner->table, text, length, (uint64_t)(uintptr_t)copy);
    }
    return (const char *)(uintptr_t)entry->value;
}

const char *text_in_bytes(uint64_t bytes, char out[TEXT_IN_BYTES])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    snprintf(out, TEXT_IN_BYTES, "%.*f %s", unit == 0 ? 0 : 1, value, units[unit]);
    return out;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t text_distance(const char *a, const char *b, size_t limit)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    size_t gap = a_length > b_length ? a_length - b_length : b_length - a_length;
    size_t rows[3][LONGEST_COMPARED + 1]; /* rows i - 2, i - 1 and i of the edit matrix, in turn */

    if (gap > limit || a_length > LONGEST_COMPARED || b_length > LONGEST_COMPARED)
        return strcmp(a, b) == 0 ? 0 : limit + 1;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        size_t best = row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t substitute = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(substitute, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], two_above[j - 2] + 1);
            best = least(best, row[j]);
        }
        if (best > limit)
            return limit + 1;
    }
    return least(rows[a_length % 3][b_length], limit + 1);
}
