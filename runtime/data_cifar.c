/* CIFAR-10 and CIFAR-100, the binary versions: records of one label byte (CIFAR-100: a coarse and
 * a fine one) and 3 x 32 x 32 bytes, channels first. Files may hold any number of records; class
 * names come from the text file beside them, when it is there. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/vector.h"
#include "runtime/data.h"

enum { CIFAR_SIDE = 32, CIFAR_PIXELS = DATA_COLOURS * CIFAR_SIDE * CIFAR_SIDE };

/* Per-channel statistics of the training images, for both data sets. */
const float data_cifar_mean[DATA_COLOURS] = {0.4914f, 0.4822f, 0.4465f};
const float data_cifar_deviation[DATA_COLOURS] = {0.2470f, 0.2435f, 0.2616f};

struct cifar_format {
    int64_t label_bytes; /* the last of them is the label */
    int64_t classes;
    const char *train_prefix, *validation_file, *names_file;
};

static const struct cifar_format cifar10 = {1, 10, "data_batch_", "test_batch.bin",
                                            "batches.meta.txt"};
static const struct cifar_format cifar100 = {2, 100, "train", "test.bin", "fine_label_names.txt"};

/* Files of records. */
struct files {
    struct arena arena;
    VECTOR(const char *) paths;
    VECTOR(int64_t) counts; /* of each path's records */
    int64_t total;
};

static int name_order(const void *first, const void *second)
{
    return strcmp(*(const char *const *)first, *(const char *const *)second);
}

static bool is_train_file(const struct cifar_format *format, const char *name)
{
    size_t length = strlen(name), prefix = strlen(format->train_prefix);
    return length >= prefix + 4 && strncmp(name, format->train_prefix, prefix) == 0 &&
           strcmp(name + length - 4, ".bin") == 0;
}

/* Lists the training files in the order of their names. */
static struct status train_files_find(struct files *files, const struct cifar_format *format,
                                      const char *directory)
{
    DIR *stream = opendir(directory);
    if (stream == NULL)
        return status_error(STATUS_IO, "cannot open %s: %s", directory, strerror(errno));
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream))
        if (is_train_file(format, entry->d_name))
            vector_push(&files->paths, &files->arena,
                        arena_format(&files->arena, "%s/%s", directory, entry->d_name));
    closedir(stream);
    if (files->paths.count == 0)
        return status_error(STATUS_INVALID, "%s holds no %s*.bin", directory, format->train_prefix);
    qsort(files->paths.items, files->paths.count, sizeof *files->paths.items, name_order);
    return status_ok();
}

/* Tells from the files' sizes how many records each holds. */
static struct status records_count(struct files *files, const struct cifar_format *format)
{
    const int64_t record = format->label_bytes + CIFAR_PIXELS;
    for (size_t i = 0; i < files->paths.count; i++) {
        const char *path = files->paths.items[i];
        struct stat facts;
        if (stat(path, &facts) != 0)
            return status_error(STATUS_IO, "cannot open `%s`: %s", path, strerror(errno));
        if (!S_ISREG(facts.st_mode))
            return status_error(STATUS_IO, "cannot read `%s`: it is not a file", path);
        if (facts.st_size == 0 || facts.st_size % record != 0)
            return status_error(STATUS_INVALID,
                                "%s has %lld bytes, which is not a multiple of %lld", path,
                                (long long)facts.st_size, (long long)record);
        vector_push(&files->counts, &files->arena, facts.st_size / record);
        files->total += facts.st_size / record;
    }
    return status_ok();
}

/* Reads `count` records, each to its place: a data set takes its own size in memory, not twice. */
static struct status file_unpack(const char *path, const struct cifar_format *format, int64_t count,
                                 uint8_t *pixels, int32_t *labels)
{
    struct status status = status_ok();
    const size_t label_bytes = (size_t)format->label_bytes;
    uint8_t label[2] = {0};
    FILE *stream = fopen(path, "rb");
    if (stream == NULL)
        return status_error(STATUS_IO, "cannot open `%s`: %s", path, strerror(errno));
    for (int64_t i = 0; i < count && status_is_ok(&status); i++) {
        if (fread(label, 1, label_bytes, stream) != label_bytes ||
            fread(pixels + i * CIFAR_PIXELS, 1, CIFAR_PIXELS, stream) != CIFAR_PIXELS)
            status = status_error(STATUS_IO, "cannot read `%s`: %s", path,
                                  ferror(stream) ? strerror(errno) : "it became shorter");
        labels[i] = label[label_bytes - 1];
    }
    fclose(stream);
    return status;
}

static struct status files_unpack(const struct files *files, const struct cifar_format *format,
                                  struct arena *arena, struct data_part *part)
{
    uint8_t *pixels = ARENA_ARRAY(arena, uint8_t, files->total * CIFAR_PIXELS);
    int32_t *labels = ARENA_ARRAY(arena, int32_t, files->total);
    int64_t image = 0;
    for (size_t file = 0; file < files->paths.count; file++) {
        RETURN_IF_ERROR(file_unpack(files->paths.items[file], format, files->counts.items[file],
                                    pixels + image * CIFAR_PIXELS, labels + image));
        image += files->counts.items[file];
    }
    *part = (struct data_part){.count = files->total, .bytes = pixels, .labels = labels};
    return status_ok();
}

static struct status labels_check(const struct data_part *part, const struct cifar_format *format,
                                  const char *directory)
{
    for (int64_t i = 0; i < part->count; i++)
        if (part->labels[i] >= format->classes)
            return status_error(STATUS_INVALID,
                                "%s: record %lld has the label %d; is this the binary version?",
                                directory, (long long)i, part->labels[i]);
    return status_ok();
}

static struct status part_read(struct data_set *data, const struct cifar_format *format,
                               const char *directory, enum data_part_kind kind)
{
    struct files files = {0};
    struct status status = status_ok();
    if (kind == DATA_TRAIN)
        status = train_files_find(&files, format, directory);
    else
        vector_push(&files.paths, &files.arena,
                    arena_format(&files.arena, "%s/%s", directory, format->validation_file));
    if (status_is_ok(&status))
        status = records_count(&files, format);
    if (status_is_ok(&status))
        status = files_unpack(&files, format, &data->arena, &data->parts[kind]);
    if (status_is_ok(&status))
        status = labels_check(&data->parts[kind], format, directory);
    arena_release(&files.arena);
    return status;
}

/* Takes the class names if the file is there and holds at least as many lines as classes. */
static void names_read(struct data_set *data, const struct cifar_format *format,
                       const char *directory)
{
    enum { NAMES_LIMIT = 1 << 16 };
    char *text;
    size_t size;
    const char *path = arena_format(&data->arena, "%s/%s", directory, format->names_file);
    struct status status = file_read(&data->arena, path, NAMES_LIMIT, &text, &size);
    if (!status_is_ok(&status))
        return;
    const char **names = ARENA_ARRAY(&data->arena, const char *, format->classes);
    int64_t count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\r\n", &rest); line != NULL && count < format->classes;
         line = strtok_r(NULL, "\r\n", &rest))
        names[count++] = line;
    if (count < format->classes)
        return;
    data->class_names = names;
    data->class_count = count;
}

static struct status cifar_open(struct data_set *data, const struct cifar_format *format,
                                const char *directory, unsigned parts)
{
    data->channels = DATA_COLOURS;
    data->size[0] = 1;
    data->size[1] = data->size[2] = CIFAR_SIDE;
    data->mean = data_cifar_mean;
    data->deviation = data_cifar_deviation;
    for (int kind = 0; kind < DATA_PART_COUNT; kind++)
        if (parts & 1U << kind)
            RETURN_IF_ERROR(part_read(data, format, directory, (enum data_part_kind)kind));
    names_read(data, format, directory);
    return status_ok();
}

struct status data_open_cifar10(struct data_set *data, const char *directory, unsigned parts)
{
    return cifar_open(data, &cifar10, directory, parts);
}

struct status data_open_cifar100(struct data_set *data, const char *directory, unsigned parts)
{
    return cifar_open(data, &cifar100, directory, parts);
}
