/* Source files, spans into them, and where included files are looked for. */
#ifndef LANG_SOURCE_H
#define LANG_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"
#include "base/vector.h"

/* Half-open range of bytes [begin, end) in one source; source 0 is "nowhere" (command line,
 * generated). */
struct span {
    uint32_t source; /* index into source_set.sources */
    uint32_t begin, end;
};

struct source {
    const char *path; /* as shown to the user */
    const char *text; /* NUL-terminated; holds no NUL byte inside */
    size_t size;
    uint32_t *lines;  /* offset of the first byte of each line */
    size_t line_count;
};

/* What a file holds in an editor and not yet on disk. */
struct unsaved_file {
    const char *path;
    const char *text;
    size_t size;
};

/* All sources of one compilation, the names in them, and the folders searched by `use`. */
struct source_set {
    struct arena *arena;
    struct interner names;
    VECTOR(struct source *) sources;    /* [0] is an empty source named "<command line>" */
    VECTOR(const char *) include_paths; /* in order of search */
    VECTOR(struct unsaved_file) unsaved; /* read instead of the files at their paths */
};

struct position {
    uint32_t line, column; /* from 1; the column counts characters (UTF-8), a tab is one */
};

void source_set_init(struct source_set *set, struct arena *arena);

/* Reads a file. STATUS_INVALID for NUL bytes, invalid UTF-8 or more than 16 MiB. */
struct status source_open(struct source_set *set, const char *path, uint32_t *out_source);

/* Adds text that is no file: an option's value, a test's input. `text` is copied. */
uint32_t source_add(struct source_set *set, const char *path, const char *text, size_t size);

/* Finds `name`.rnet: beside the file of `from`, then in the include paths. NULL if nowhere. */
const char *source_find(struct source_set *set, const char *name, uint32_t from);

/* How many of the bytes are text (UTF-8 without NUL) up to the first that is not; `size` if all. */
size_t source_text_end(const char *text, size_t size);

struct position source_position(const struct source *source, uint32_t offset);

/* The whole line that holds `offset`, without its line end. */
const char *source_line(const struct source *source, uint32_t offset, size_t *out_length);

#endif
