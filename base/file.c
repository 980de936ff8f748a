/* Reading whole files, and writing them so that a reader sees the old or the new, never half.
 *
 * A writer fills a temporary file beside the final name; commit syncs it and renames it. A writer
 * whose stream is NULL owns nothing; one without a temporary name writes to a device. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

static struct status cannot(const char *verb, const char *path)
{
    return status_error(STATUS_IO, "cannot %s `%s`: %s", verb, path, strerror(errno));
}

static struct status too_large(const char *path, size_t limit)
{
    return status_error(STATUS_INVALID, "`%s` is larger than %zu bytes", path, limit);
}

/* Reads to the end of the stream, whose size may be unknown (a pipe) or change meanwhile. */
static struct status read_stream(struct arena *arena, FILE *stream, size_t expected,
                                 const char *path, size_t limit, char **out_bytes,
                                 size_t *out_size)
{
    size_t capacity = expected < limit ? expected : limit, size = 0;
    char *bytes = arena_alloc(arena, capacity + 1);

    for (;;) {
        size += fread(bytes + size, 1, capacity - size, stream);
        if (ferror(stream))
            return cannot("read", path);
        int next = getc(stream);
        if (next == EOF)
            break;
        if (size >= limit)
            return too_large(path, limit);
        size_t grown = capacity * 2 + CHUNK < limit ? capacity * 2 + CHUNK : limit;
        char *larger = arena_alloc(arena, grown + 1);
        memcpy(larger, bytes, size);
        larger[size++] = (char)next;
        bytes = larger;
        capacity = grown;
    }
    if (ferror(stream))
        return cannot("read", path);
    *out_bytes = bytes;
    *out_size = size;
    return status_ok();
}

struct status file_read(struct arena *arena, const char *path, size_t limit, char **out_bytes,
                        size_t *out_size)
{
    FILE *stream = fopen(path, "rbe");

    if (!stream)
        return cannot("open", path);
    struct stat about;
    struct status status;
    if (fstat(fileno(stream), &about) != 0) {
        status = cannot("read", path);
    } else if (S_ISDIR(about.st_mode)) {
        status = status_error(STATUS_IO, "cannot read `%s`: it is a directory", path);
    } else if (about.st_size > 0 && (size_t)about.st_size > limit) {
        status = too_large(path, limit);
    } else {
        size_t expected = about.st_size > 0 ? (size_t)about.st_size : 0;
        status = read_stream(arena, stream, expected, path, limit, out_bytes, out_size);
    }
    fclose(stream);
    return status;
}

/* The permissions a new file gets from fopen; mkostemp's are for the owner alone. */
static mode_t permissions_for(const char *path)
{
    struct stat about;

    if (stat(path, &about) == 0 && S_ISREG(about.st_mode))
        return about.st_mode & 0777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static struct status open_temporary(struct file_writer *writer)
{
    snprintf(writer->temporary, sizeof writer->temporary, "%s.XXXXXX", writer->path);
    int descriptor = mkstemp(writer->temporary);
    if (descriptor < 0)
        return cannot("write", writer->path);
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 &&
        fchmod(descriptor, permissions_for(writer->path)) == 0)
        writer->stream = fdopen(descriptor, "wb");
    if (writer->stream)
        return status_ok();
    struct status status = cannot("write", writer->path);
    close(descriptor);
    unlink(writer->temporary);
    return status;
}

struct status file_writer_open(struct file_writer *writer, const char *path)
{
    struct stat about;

    *writer = (struct file_writer){0};
    if (strlen(path) >= sizeof writer->path)
        return status_error(STATUS_IO, "cannot write `%.60s...`: the path is too long", path);
    strcpy(writer->path, path);
    if (stat(path, &about) != 0 || S_ISREG(about.st_mode))
        return open_temporary(writer);
    writer->stream = fopen(path, "wbe"); /* a device or pipe must not be replaced */
    return writer->stream ? status_ok() : cannot("write", path);
}

struct status file_writer_commit(struct file_writer *writer)
{
    struct status status = status_ok();

    if (!writer->stream)
        return status_error(STATUS_IO, "cannot write `%s`: it is not open", writer->path);
    if (ferror(writer->stream) || fflush(writer->stream) != 0 ||
        (fsync(fileno(writer->stream)) != 0 && errno != EINVAL && errno != ENOTSUP))
        status = cannot("write", writer->path);
    if (fclose(writer->stream) != 0 && status_is_ok(&status))
        status = cannot("write", writer->path);
    writer->stream = NULL;
    if (!writer->temporary[0])
        return status;
    if (status_is_ok(&status) && rename(writer->temporary, writer->path) != 0)
        status = cannot("write", writer->path);
    if (!status_is_ok(&status))
        unlink(writer->temporary);
    return status;
}

void file_writer_discard(struct file_writer *writer)
{
    if (!writer->stream)
        return;
    fclose(writer->stream);
    writer->stream = NULL;
    if (writer->temporary[0])
        unlink(writer->temporary);
}

struct status file_write(const char *path, const void *bytes, size_t size)
{
    struct file_writer writer;

    RETURN_IF_ERROR(file_writer_open(&writer, path));
    fwrite(bytes, 1, size, writer.stream);
    return file_writer_commit(&writer);
}

struct status file_make_directory(struct arena *arena, const char *path)
{
    char *partial = arena_format(arena, "%s", path);
    struct stat about;

    for (char *slash = strchr(partial + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(partial, 0777);
        *slash = '/';
    }
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return cannot("make", path);
    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode))
        return status_error(STATUS_IO, "`%s` is not a directory", path);
    if (access(path, W_OK | X_OK) != 0)
        return cannot("write to", path);
    return status_ok();
}
