/* Reading JSON: a text becomes a tree in an arena.
 *
 * Texts come from anywhere: they must be JSON (RFC 8259) to the letter, in UTF-8, nested at most
 * JSON_DEPTH deep, and no object may name a member twice. */
#ifndef RUNTIME_JSON_H
#define RUNTIME_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum { JSON_DEPTH = 8 };

enum json_kind {
    JSON_NULL,
    JSON_BOOLEAN, /* number: 0 or 1 */
    JSON_NUMBER,
    JSON_TEXT,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json {
    enum json_kind kind;
    double number;
    bool is_integer;    /* the number has neither a point nor an exponent, and fits: */
    int64_t integer;
    const char *text;   /* without NUL characters inside */
    struct json *items; /* of an array or object */
    const char **names; /* of an object's items, in the order of the text */
    size_t count;       /* of items */
};

/* Parses the `length` characters at `text`. NULL: they are no such JSON. */
const struct json *json_parse(struct arena *arena, const char *text, size_t length);

/* A member of an object; NULL where there is none, or `object` is NULL or no object. */
const struct json *json_member(const struct json *object, const char *name);

/* The number, or 0 for NULL and what is no number. */
double json_number(const struct json *value);

bool json_is(const struct json *value, enum json_kind kind);

#endif
