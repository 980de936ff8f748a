/* Whole files: read at once, written atomically. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/status.h"

/* Reads all of `path` (at most `limit` bytes; larger is STATUS_INVALID). `*out_bytes` lives in the
 * arena and is followed by a NUL that `*out_size` does not count. */
struct status file_read(struct arena *arena, const char *path, size_t limit, char **out_bytes,
                        size_t *out_size);

/* A file being written beside its final name. */
struct file_writer {
    FILE *stream;
    char path[4096];
    char temporary[4096 + 32];
};

/* Opens a temporary file in the directory of `path`. */
struct status file_writer_open(struct file_writer *writer, const char *path);

/* Flushes, syncs, closes and renames to the final name; on any failure the temporary is removed
 * and what stood at `path` is untouched. */
struct status file_writer_commit(struct file_writer *writer);

/* Drops the temporary. Harmless after a commit or on a zeroed writer. */
void file_writer_discard(struct file_writer *writer);

/* Writes `size` bytes to `path`, atomically. */
struct status file_write(const char *path, const void *bytes, size_t size);

/* Makes the directory and the missing ones above it; that it can be written to is checked. */
struct status file_make_directory(struct arena *arena, const char *path);

#endif
