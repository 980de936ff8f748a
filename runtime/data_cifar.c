/* CIFAR-10 and CIFAR-100, the binary versions: records of one label byte (CIFAR-100: a coarse and
 * a fine one) and 3 x 32 x 32 bytes, channels first. Files may hold any number of records; class
 * names come from the text file beside them, when it is there. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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


/* Files of records, while they are gathered in scratch memory. */
struct records {
    struct arena arena;
    VECTOR(const char *) paths;
    VECTOR(const char *) bytes; /* of each path's file */
    VECTOR(int64_t) counts;     /* of each path's records */
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
static struct status train_files_find(struct records *records, const struct cifar_format *format,
                                      const char *directory)
{
    DIR *stream = opendir(directory);
    if (stream == NULL)
        return status_error(STATUS_IO, "cannot open %s: %s", directory, strerror(errno));
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream))
        if (is_train_file(format, entry->d_name))
            vector_push(&records->paths, &records->arena,
                        arena_format(&records->arena, "%s/%s", directory, entry->d_name));
    closedir(stream);
    if (records->paths.count == 0)
        return status_error(STATUS_INVALID, "%s holds no %s*.bin", directory,
                            format->train_prefix);
    qsort(records->paths.items, records->paths.count, sizeof *records->paths.items, name_order);
    return status_ok();
}

static struct status files_read(struct records *records, const struct cifar_format *format)
{
    size_t record = (size_t)(format->label_bytes + CIFAR_PIXELS);
    for (size_t i = 0; i < records->paths.count; i++) {
        char *bytes;
        size_t size;
        RETURN_IF_ERROR(
            file_read(&records->arena, records->paths.items[i], SIZE_MAX / 2, &bytes, &size));
        if (size == 0 || size % record != 0)
            return status_error(STATUS_INVALID,
                                "%s has %zu bytes, which is not a multiple of %zu",
                                records->paths.items[i], size, record);
        vector_push(&records->bytes, &records->arena, bytes);
        vector_push(&records->counts, &records->arena, (int64_t)(size / record));
        records->total += (int64_t)(size / record);
    }
    return status_ok();
}

/* Copies the gathered records into memory that lives as long as the data set. */
static struct data_part records_unpack(const struct records *records,
                                       const struct cifar_format *format, struct arena *arena)
{
    uint8_t *pixels = ARENA_ARRAY(arena, uint8_t, records->total * CIFAR_PIXELS);
    int32_t *labels = ARENA_ARRAY(arena, int32_t, records->total);
    int64_t image = 0;
    for (size_t file = 0; file < records->bytes.count; file++) {
        const uint8_t *record = (const uint8_t *)records->bytes.items[file];
        for (int64_t i = 0; i < records->counts.items[file]; i++, image++) {
            labels[image] = record[format->label_bytes - 1];
            memcpy(pixels + image * CIFAR_PIXELS, record + format->label_bytes, CIFAR_PIXELS);
            record += format->label_bytes + CIFAR_PIXELS;
        }
    }
    return (struct data_part){.count = records->total, .bytes = pixels, .labels = labels};
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
    struct records records = {0};
    struct status status = status_ok();
    if (kind == DATA_TRAIN)
        status = train_files_find(&records, format, directory);
    else
        vector_push(&records.paths, &records.arena,
                    arena_format(&records.arena, "%s/%s", directory, format->validation_file));
    if (status_is_ok(&status))
        status = files_read(&records, format);
    if (status_is_ok(&status)) {
        data->parts[kind] = records_unpack(&records, format, &data->arena);
        status = labels_check(&data->parts[kind], format, directory);
    }
    arena_release(&records.arena);
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
