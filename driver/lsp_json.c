/* Reading requests; writing positions and places. */
#include <string.h>

#include "driver/lsp.h"

/* ---- members ---- */

struct json_object *lsp_member(struct json_object *object, const char *name)
{
    struct json_object *member = NULL;

    if (!json_object_is_type(object, json_type_object))
        return NULL;
    json_object_object_get_ex(object, name, &member);
    return member;
}

const char *lsp_text_member(struct json_object *object, const char *name)
{
    struct json_object *member = lsp_member(object, name);

    return json_object_is_type(member, json_type_string) ? json_object_get_string(member) : NULL;
}

bool lsp_integer_member(struct json_object *object, const char *name, int64_t *out)
{
    struct json_object *member = lsp_member(object, name);

    if (!json_object_is_type(member, json_type_int))
        return false;
    *out = json_object_get_int64(member);
    return true;
}

/* ---- positions ---- */

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* How many UTF-16 units the character that begins with `byte` has. */
static int units(char byte)
{
    return (unsigned char)byte >= 0xf0 ? 2 : 1;
}

void lsp_add_position(struct text_builder *out, const struct source *source, uint32_t offset)
{
    const uint32_t line = source_position(source, offset).line - 1;
    int64_t character = 0;

    for (uint32_t i = source->lines[line]; i < offset && i < source->size; i++)
        character += continues(source->text[i]) ? 0 : units(source->text[i]);
    text_add(out, "{\"line\":%u,\"character\":%lld}", line, (long long)character);
}

uint32_t lsp_offset(const struct source *source, int64_t line, int64_t character)
{
    size_t length;
    uint32_t offset;

    if (line < 0)
        return 0;
    if ((uint64_t)line >= source->line_count)
        return (uint32_t)source->size;
    offset = source->lines[line];
    source_line(source, offset, &length);
    const uint32_t end = offset + (uint32_t)length;
    while (offset < end && character >= units(source->text[offset])) {
        character -= units(source->text[offset]);
        do
            offset++;
        while (offset < end && continues(source->text[offset]));
    }
    return offset;
}

void lsp_add_range(struct text_builder *out, const struct source *source, uint32_t begin,
                   uint32_t end)
{
    text_add(out, "{\"start\":");
    lsp_add_position(out, source, begin);
    text_add(out, ",\"end\":");
    lsp_add_position(out, source, end);
    text_add(out, "}");
}

void lsp_add_location(struct text_builder *out, const struct lsp_server *server,
                      const struct source *source, uint32_t begin, uint32_t end)
{
    text_add(out, "{\"uri\":");
    lsp_add_uri(out, server, source->path);
    text_add(out, ",\"range\":");
    lsp_add_range(out, source, begin, end);
    text_add(out, "}");
}

/* ---- URIs ---- */

static int hexadecimal(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = digit ? strchr(digits, digit) : NULL;

    return found ? (int)((found - digits) % 16) : -1;
}

const char *lsp_path_of_uri(struct arena *arena, const char *uri)
{
    static const char scheme[] = "file://";
    struct text_builder path = {.arena = arena};

    if (strncmp(uri, scheme, sizeof scheme - 1) != 0)
        return arena_copy_text(arena, uri, strlen(uri));
    uri += sizeof scheme - 1;
    uri += strcspn(uri, "/"); /* the host: this one */
    for (; *uri; uri++) {
        const int high = *uri == '%' ? hexadecimal(uri[1]) : -1;
        const int low = high >= 0 ? hexadecimal(uri[2]) : -1;
        const char byte = low >= 0 ? (char)(high * 16 + low) : *uri;

        if (low >= 0)
            uri += 2;
        if (byte)
            text_add_bytes(&path, &byte, 1);
    }
    return text_result(&path);
}

void lsp_add_uri(struct text_builder *out, const struct lsp_server *server, const char *path)
{
    static const char plain[] =
        "/-._~:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const struct lsp_document *document = lsp_find_path(server, path);

    if (document) {
        text_add_json(out, document->uri);
        return;
    }
    text_add(out, "\"file://");
    for (; *path; path++) {
        if (strchr(plain, *path))
            text_add_bytes(out, path, 1);
        else
            text_add(out, "%%%02X", (unsigned char)*path);
    }
    text_add(out, "\"");
}
