/* Numbered checkpoint files. See checkpoint.h.
 *
 *     "rnetckpt"  u32 version  u32 parts  u64 size of each part  the parts  u32 CRC-32
 *
 * Numbers are little-endian, as on every machine that runs the kernels. */
#include "runtime/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/vector.h"

enum { FORMAT_VERSION = 1, KEPT = 2, SUFFIX_LENGTH = 7 /* of a temporary: ".XXXXXX" */ };

static const char magic[8] = {'r', 'n', 'e', 't', 'c', 'k', 'p', 't'};
static const char name_prefix[] = "checkpoint-";

struct header {
    char magic[sizeof magic];
    uint32_t version, parts;
};

/* The steps of the checkpoints in a directory, newest first. */
struct step_list {
    struct arena arena;
    VECTOR(int64_t) steps;
};

static const char *step_path(struct arena *arena, const char *directory, int64_t step)
{
    return arena_format(arena, "%s/%s%010" PRId64, directory, name_prefix, step);
}

static int newest_first(const void *first, const void *second)
{
    int64_t a = *(const int64_t *)first, b = *(const int64_t *)second;
    return a > b ? -1 : a < b;
}

/* Returns the step in the name of a checkpoint, or -1. */
static int64_t step_of_name(const char *name)
{
    size_t prefix = sizeof name_prefix - 1;
    if (strncmp(name, name_prefix, prefix) != 0 || name[prefix] < '0' || name[prefix] > '9')
        return -1;
    char *end;
    errno = 0;
    long long step = strtoll(name + prefix, &end, 10);
    return *end == '\0' && errno == 0 ? step : -1;
}

static struct status steps_list(struct step_list *list, const char *directory)
{
    *list = (struct step_list){0};
    DIR *stream = opendir(directory);
    if (stream == NULL)
        return status_error(STATUS_IO, "cannot open %s: %s", directory, strerror(errno));
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        int64_t step = step_of_name(entry->d_name);
        if (step >= 0)
            vector_push(&list->steps, &list->arena, step);
    }
    closedir(stream);
    if (list->steps.count > 0)
        qsort(list->steps.items, list->steps.count, sizeof *list->steps.items, newest_first);
    return status_ok();
}

/* Makes the renamed file's name last through a power failure. */
static struct status directory_sync(const char *directory)
{
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced =
        descriptor >= 0 && (fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP);
    struct status status = status_ok();
    if (!synced)
        status = status_error(STATUS_IO, "cannot sync %s: %s", directory, strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    return status;
}

/* Keeps the checkpoint of `step` and the newest before it. Later ones were found broken, or belong
 * to a past that this run does not continue. Failing to remove one harms nothing. */
static void old_remove(const char *directory, int64_t step)
{
    struct step_list list;
    struct status status = steps_list(&list, directory);
    int kept = 0;
    for (size_t i = 0; status_is_ok(&status) && i < list.steps.count; i++)
        if (list.steps.items[i] > step || kept++ >= KEPT)
            unlink(step_path(&list.arena, directory, list.steps.items[i]));
    arena_release(&list.arena);
}

static void bytes_write(FILE *stream, const void *bytes, size_t size, uLong *sum)
{
    *sum = crc32_z(*sum, bytes, size);
    fwrite(bytes, 1, size, stream);
}

static void content_write(FILE *stream, const struct checkpoint *checkpoint)
{
    uLong sum = crc32_z(0, NULL, 0);
    struct header header = {.version = FORMAT_VERSION, .parts = (uint32_t)checkpoint->count};
    memcpy(header.magic, magic, sizeof magic);
    bytes_write(stream, &header, sizeof header, &sum);
    for (size_t i = 0; i < checkpoint->count; i++) {
        uint64_t size = checkpoint->parts[i].size;
        bytes_write(stream, &size, sizeof size, &sum);
    }
    for (size_t i = 0; i < checkpoint->count; i++)
        if (checkpoint->parts[i].size > 0)
            bytes_write(stream, checkpoint->parts[i].bytes, checkpoint->parts[i].size, &sum);
    uint32_t stored = (uint32_t)sum;
    fwrite(&stored, 1, sizeof stored, stream);
}

struct status checkpoint_write(const char *directory, int64_t step,
                               const struct checkpoint *checkpoint)
{
    struct arena arena = {0};
    struct file_writer writer;
    struct status status = file_writer_open(&writer, step_path(&arena, directory, step));
    if (status_is_ok(&status)) {
        content_write(writer.stream, checkpoint);
        status = file_writer_commit(&writer);
    }
    if (status_is_ok(&status))
        status = directory_sync(directory);
    if (status_is_ok(&status))
        old_remove(directory, step);
    arena_release(&arena);
    return status;
}

/* Cuts the bytes behind the header into parts; they must fill [sizes, end) exactly. */
static bool parts_cut(const char *sizes, const char *end, uint32_t count,
                      struct checkpoint *checkpoint)
{
    const char *next = sizes + count * sizeof(uint64_t);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t size;
        memcpy(&size, sizes + i * sizeof size, sizeof size);
        if (size > (uint64_t)(end - next))
            return false;
        checkpoint->parts[i] = (struct checkpoint_part){next, (size_t)size};
        next += size;
    }
    checkpoint->count = count;
    return next == end;
}

struct status checkpoint_parse(const char *bytes, size_t size, struct checkpoint *checkpoint)
{
    struct header header;
    uint32_t stored;
    *checkpoint = (struct checkpoint){0};
    if (size < sizeof header + sizeof stored)
        return status_error(STATUS_INVALID, "it is too short");
    memcpy(&header, bytes, sizeof header);
    if (memcmp(header.magic, magic, sizeof magic) != 0)
        return status_error(STATUS_INVALID, "it does not begin like a checkpoint");
    const char *end = bytes + size - sizeof stored;
    memcpy(&stored, end, sizeof stored);
    if (crc32_z(crc32_z(0, NULL, 0), (const Bytef *)bytes, (size_t)(end - bytes)) != stored)
        return status_error(STATUS_INVALID, "its checksum is wrong, it is cut short or damaged");
    if (header.version != FORMAT_VERSION)
        return status_error(STATUS_INVALID, "its format is version %" PRIu32 ", this is %d",
                            header.version, FORMAT_VERSION);
    const char *sizes = bytes + sizeof header;
    if (header.parts > CHECKPOINT_PARTS ||
        header.parts * sizeof(uint64_t) > (size_t)(end - sizes) ||
        !parts_cut(sizes, end, header.parts, checkpoint))
        return status_error(STATUS_INVALID, "its parts do not fill the file");
    return status_ok();
}

static struct status file_take(struct arena *arena, const char *path, struct checkpoint *checkpoint)
{
    char *bytes;
    size_t size;
    RETURN_IF_ERROR(file_read(arena, path, SIZE_MAX / 2, &bytes, &size));
    struct status status = checkpoint_parse(bytes, size, checkpoint);
    if (!status_is_ok(&status))
        return status_error(status.code, "cannot use %s: %s", path, status.message);
    return status;
}

static struct status newest_take(struct arena *arena, const char *directory,
                                 const struct step_list *list, struct checkpoint *checkpoint)
{
    struct status status = status_ok();
    for (size_t i = 0; i < list->steps.count; i++) {
        const char *path = step_path(arena, directory, list->steps.items[i]);
        status = file_take(arena, path, checkpoint);
        if (status_is_ok(&status))
            return status;
        if (i + 1 < list->steps.count)
            fprintf(stderr, "%s; taking the checkpoint before it\n", status.message);
    }
    return status;
}

bool checkpoint_is_there(const char *directory)
{
    struct step_list list;
    struct status status = steps_list(&list, directory);
    const bool found = status_is_ok(&status) && list.steps.count > 0;
    arena_release(&list.arena);
    return found;
}

struct status checkpoint_read(struct arena *arena, const char *directory,
                              struct checkpoint *checkpoint, bool *found)
{
    struct step_list list;
    struct status status = steps_list(&list, directory);
    *found = list.steps.count > 0;
    if (status_is_ok(&status) && *found)
        status = newest_take(arena, directory, &list, checkpoint);
    arena_release(&list.arena);
    return status;
}

/* "last.safetensors.Ab3xYz": a name of ours, a dot, six letters or digits. */
static bool is_left_over(const char *name)
{
    static const char *const finals[] = {"last.safetensors", "best.safetensors", "report.html",
                                         "metrics.csv", "run.json"};
    size_t length = strlen(name);
    if (length <= SUFFIX_LENGTH || name[length - SUFFIX_LENGTH] != '.' ||
        strchr(name + length - SUFFIX_LENGTH + 1, '.') != NULL)
        return false;
    length -= SUFFIX_LENGTH;
    for (size_t i = 0; i < countof(finals); i++)
        if (strlen(finals[i]) == length && strncmp(name, finals[i], length) == 0)
            return true;
    return strncmp(name, name_prefix, sizeof name_prefix - 1) == 0;
}

void checkpoint_sweep(const char *directory)
{
    struct arena arena = {0};
    DIR *stream = opendir(directory);
    if (stream == NULL)
        return;
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream))
        if (is_left_over(entry->d_name))
            unlink(arena_format(&arena, "%s/%s", directory, entry->d_name));
    closedir(stream);
    arena_release(&arena);
}
