/* Sources are read whole, checked to be text once, and indexed by line when they are added.
 *
 * Invariant: lines[0] is 0 and lines[i] is the byte behind the i-th newline, so that the line of an
 * offset is found by bisection. */
#include "lang/source.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

enum { LARGEST_SOURCE = 16 << 20 };

void source_set_init(struct source_set *set, struct arena *arena)
{
    *set = (struct source_set){.arena = arena, .names = {.arena = arena}};
    source_add(set, "<command line>", "", 0);
}

/* The length of the UTF-8 sequence at `text`, or 0 if it is not one (RFC 3629). */
static size_t sequence_length(const unsigned char *text, size_t size)
{
    unsigned char first = text[0];
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
        (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f))
        return 0;
    return length;
}

size_t source_text_end(const char *text, size_t size)
{
    size_t at = 0;

    while (at < size && text[at] != '\0') {
        size_t length = sequence_length((const unsigned char *)text + at, size - at);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

static void index_lines(struct arena *arena, struct source *source)
{
    size_t count = 1;

    for (size_t i = 0; i < source->size; i++)
        count += source->text[i] == '\n';
    source->lines = ARENA_ARRAY(arena, uint32_t, count);
    source->line_count = 1;
    for (size_t i = 0; i < source->size; i++)
        if (source->text[i] == '\n')
            source->lines[source->line_count++] = (uint32_t)i + 1;
}

/* Adds a source whose text already lives in the arena. */
static uint32_t adopt(struct source_set *set, const char *path, const char *text, size_t size)
{
    struct source *source = ARENA_NEW(set->arena, struct source);

    source->path = arena_copy_text(set->arena, path, strlen(path));
    source->text = text;
    source->size = size;
    index_lines(set->arena, source);
    vector_push(&set->sources, set->arena, source);
    return (uint32_t)set->sources.count - 1;
}

uint32_t source_add(struct source_set *set, const char *path, const char *text, size_t size)
{
    return adopt(set, path, arena_copy_text(set->arena, text, size), size);
}

/* Gives the text of a file, in the arena. */
static struct status read_text(struct source_set *set, const char *path, char **out_text,
                               size_t *out_size)
{
    for (size_t i = 0; i < set->unsaved.count; i++) {
        const struct unsaved_file *file = &set->unsaved.items[i];

        if (strcmp(file->path, path) != 0)
            continue;
        *out_text = arena_copy_text(set->arena, file->text, file->size);
        *out_size = file->size;
        return status_ok();
    }
    return file_read(set->arena, path, LARGEST_SOURCE, out_text, out_size);
}

struct status source_open(struct source_set *set, const char *path, uint32_t *out_source)
{
    char *text;
    size_t size;

    RETURN_IF_ERROR(read_text(set, path, &text, &size));
    size_t end = source_text_end(text, size);
    if (end < size) {
        size_t line = 1;
        for (size_t i = 0; i < end; i++)
            line += text[i] == '\n';
        return status_error(STATUS_INVALID, "`%s` is not a text file: line %zu holds %s", path,
                            line, text[end] == '\0' ? "a NUL byte" : "bytes that are not UTF-8");
    }
    *out_source = adopt(set, path, text, size);
    return status_ok();
}

static bool is_file(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && !S_ISDIR(about.st_mode);
}

const char *source_find(struct source_set *set, const char *name, uint32_t from)
{
    const char *user = set->sources.items[from]->path;
    const char *slash = strrchr(user, '/');
    int folder = slash ? (int)(slash - user + 1) : 0;
    const char *path = arena_format(set->arena, "%.*s%s.rnet", folder, user, name);

    if (is_file(path))
        return path;
    for (size_t i = 0; i < set->include_paths.count; i++) {
        path = arena_format(set->arena, "%s/%s.rnet", set->include_paths.items[i], name);
        if (is_file(path))
            return path;
    }
    return NULL;
}

/* The index of the line that holds `offset`. */
static size_t line_of(const struct source *source, uint32_t offset)
{
    size_t low = 0, high = source->line_count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (source->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

struct position source_position(const struct source *source, uint32_t offset)
{
    size_t line = line_of(source, offset);
    struct position position = {.line = (uint32_t)line + 1, .column = 1};

    for (uint32_t i = source->lines[line]; i < offset && i < source->size; i++)
        position.column += ((unsigned char)source->text[i] & 0xc0) != 0x80;
    return position;
}

const char *source_line(const struct source *source, uint32_t offset, size_t *out_length)
{
    size_t line = line_of(source, offset);
    size_t begin = source->lines[line];
    size_t end = line + 1 < source->line_count ? source->lines[line + 1] - 1 : source->size;

    if (end > begin && source->text[end - 1] == '\r')
        end--;
    *out_length = end - begin;
    return source->text + begin;
}
