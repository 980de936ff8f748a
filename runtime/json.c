/* A recursive-descent parser, as deep as JSON_DEPTH. See json.h. */
#include "runtime/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "base/vector.h"

enum { NUMBER_LENGTH = 64, HEX_DIGITS = 4 };

struct parser {
    struct arena *arena;
    const char *next, *end;
    int depth;
};

static bool value_parse(struct parser *parser, struct json *out);

static void space_skip(struct parser *parser)
{
    while (parser->next < parser->end && memchr(" \t\r\n", *parser->next, 4) != NULL)
        parser->next++;
}

static bool take(struct parser *parser, char wanted)
{
    bool there = parser->next < parser->end && *parser->next == wanted;
    parser->next += there;
    return there;
}

static bool word_take(struct parser *parser, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(parser->end - parser->next) < length ||
        memcmp(parser->next, word, length) != 0)
        return false;
    parser->next += length;
    return true;
}

/* ---- texts ---- */

/* Returns how many bytes the character at `text` has in UTF-8, or 0 where it is none. */
static int character_size(const unsigned char *text, size_t left)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (text[0] < 0x80)
        return 1;
    int size = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc2 || text[0] > 0xf4 || left < (size_t)size)
        return 0;
    unsigned code = text[0] & (0xffU >> (size + 1));
    for (int i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code >= least[size] && code <= 0x10ffff && !surrogate ? size : 0;
}

static void code_add(struct text_builder *text, unsigned code)
{
    char bytes[4];
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1; code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(size == 1 ? code : first[size] | code);
    text_add_bytes(text, bytes, size);
}

static bool hex_take(struct parser *parser, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < HEX_DIGITS; i++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = parser->next < parser->end && *parser->next != '\0'
                                ? strchr(digits, *parser->next)
                                : NULL;
        if (digit == NULL)
            return false;
        *code = *code << 4 | (unsigned)((digit - digits) % 16);
        parser->next++;
    }
    return true;
}

/* What stands behind "\u": one number of four digits, or a pair of surrogates. */
static bool unicode_take(struct parser *parser, struct text_builder *text)
{
    unsigned code, low;
    if (!hex_take(parser, &code) || code == 0 || (code >= 0xdc00 && code <= 0xdfff))
        return false;
    if (code >= 0xd800 && code <= 0xdbff) {
        if (!word_take(parser, "\\u") || !hex_take(parser, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    code_add(text, code);
    return true;
}

static bool escape_take(struct parser *parser, struct text_builder *text)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (parser->next == parser->end || *parser->next == '\0')
        return false;
    char kind = *parser->next++;
    if (kind == 'u')
        return unicode_take(parser, text);
    const char *place = strchr(escapes, kind);
    if (place != NULL)
        text_add_bytes(text, meanings + (place - escapes), 1);
    return place != NULL;
}

static bool text_parse(struct parser *parser, const char **out)
{
    struct text_builder text = {.arena = parser->arena};
    if (!take(parser, '"'))
        return false;
    while (parser->next < parser->end && *parser->next != '"') {
        if (take(parser, '\\')) {
            if (!escape_take(parser, &text))
                return false;
            continue;
        }
        const unsigned char *at = (const unsigned char *)parser->next;
        int size = character_size(at, (size_t)(parser->end - parser->next));
        if (size == 0 || *at < 0x20)
            return false;
        text_add_bytes(&text, parser->next, (size_t)size);
        parser->next += size;
    }
    *out = text_result(&text);
    return take(parser, '"');
}

/* ---- numbers ---- */

static size_t digits_take(struct parser *parser)
{
    const char *first = parser->next;
    while (parser->next < parser->end && *parser->next >= '0' && *parser->next <= '9')
        parser->next++;
    return (size_t)(parser->next - first);
}

static bool number_parse(struct parser *parser, struct json *out)
{
    const char *first = parser->next;
    char copy[NUMBER_LENGTH];
    take(parser, '-');
    const char *digits = parser->next;
    size_t count = digits_take(parser);
    if (count == 0 || (count > 1 && digits[0] == '0'))
        return false;
    bool whole = true;
    if (take(parser, '.')) {
        whole = false;
        if (digits_take(parser) == 0)
            return false;
    }
    if (take(parser, 'e') || take(parser, 'E')) {
        whole = false;
        if (!take(parser, '+'))
            take(parser, '-');
        if (digits_take(parser) == 0)
            return false;
    }
    size_t length = (size_t)(parser->next - first);
    if (length >= sizeof copy)
        return false;
    memcpy(copy, first, length);
    copy[length] = '\0';
    out->kind = JSON_NUMBER;
    out->number = strtod(copy, NULL);
    errno = 0;
    out->integer = whole ? strtoll(copy, NULL, 10) : 0;
    out->is_integer = whole && errno == 0;
    return true;
}

/* ---- what holds others ---- */

struct content {
    VECTOR(struct json) items;
    VECTOR(const char *) names;
    struct table known;
};

static bool name_parse(struct parser *parser, struct content *content)
{
    const char *name;
    if (!text_parse(parser, &name) || table_find(&content->known, name, strlen(name)) != NULL)
        return false;
    table_set(&content->known, name, strlen(name), 1);
    vector_push(&content->names, parser->arena, name);
    space_skip(parser);
    return take(parser, ':');
}

static bool content_parse(struct parser *parser, bool named, char closing,
                          struct content *content)
{
    space_skip(parser);
    if (take(parser, closing))
        return true;
    do {
        struct json item;
        space_skip(parser);
        if ((named && !name_parse(parser, content)) || !value_parse(parser, &item))
            return false;
        vector_push(&content->items, parser->arena, item);
        space_skip(parser);
    } while (take(parser, ','));
    return take(parser, closing);
}

static bool holder_parse(struct parser *parser, struct json *out)
{
    struct content content = {.known.arena = parser->arena};
    bool named = *parser->next == '{';
    parser->next++;
    if (++parser->depth > JSON_DEPTH || !content_parse(parser, named, named ? '}' : ']', &content))
        return false;
    parser->depth--;
    out->kind = named ? JSON_OBJECT : JSON_ARRAY;
    out->items = content.items.items;
    out->names = content.names.items;
    out->count = content.items.count;
    return true;
}

static bool value_parse(struct parser *parser, struct json *out)
{
    *out = (struct json){0};
    space_skip(parser);
    if (parser->next == parser->end)
        return false;
    char first = *parser->next;
    if (first == '{' || first == '[')
        return holder_parse(parser, out);
    if (first == '"') {
        out->kind = JSON_TEXT;
        return text_parse(parser, &out->text);
    }
    if (word_take(parser, "null"))
        return true;
    if (first == 't' || first == 'f') {
        out->kind = JSON_BOOLEAN;
        out->number = first == 't';
        return word_take(parser, first == 't' ? "true" : "false");
    }
    return number_parse(parser, out);
}

const struct json *json_parse(struct arena *arena, const char *text, size_t length)
{
    struct parser parser = {arena, text, text + length, 0};
    struct json *value = ARENA_NEW(arena, struct json);
    if (!value_parse(&parser, value))
        return NULL;
    space_skip(&parser);
    return parser.next == parser.end ? value : NULL;
}

const struct json *json_member(const struct json *object, const char *name)
{
    if (!json_is(object, JSON_OBJECT))
        return NULL;
    for (size_t i = 0; i < object->count; i++)
        if (strcmp(object->names[i], name) == 0)
            return &object->items[i];
    return NULL;
}

double json_number(const struct json *value)
{
    return json_is(value, JSON_NUMBER) ? value->number : 0;
}

bool json_is(const struct json *value, enum json_kind kind)
{
    return value != NULL && value->kind == kind;
}
