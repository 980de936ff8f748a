/* Picture files in a directory for each class, under train/ and val/, with any of the endings
 * .jpeg, .jpg and .png. The classes are numbered in the order of their directories' names, as
 * torchvision's ImageFolder does; only the list of files is read here. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/vector.h"
#include "runtime/data.h"

const float data_imagenet_mean[DATA_COLOURS] = {0.485f, 0.456f, 0.406f};
const float data_imagenet_deviation[DATA_COLOURS] = {0.229f, 0.224f, 0.225f};

static const char *const part_names[DATA_PART_COUNT] = {"train", "val"};

struct name_list {
    VECTOR(const char *) names;
};

static int name_order(const void *first, const void *second)
{
    return strcmp(*(const char *const *)first, *(const char *const *)second);
}

static bool is_picture(const char *name)
{
    static const char *const endings[] = {".jpeg", ".jpg", ".png"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < countof(endings); i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static bool is_class(const char *name)
{
    return name[0] != '.';
}

/* Lists the entries that the predicate takes, sorted. */
static struct status names_list(struct arena *arena, const char *directory,
                                bool (*takes)(const char *name), struct name_list *list)
{
    DIR *stream = opendir(directory);
    *list = (struct name_list){0};
    if (stream == NULL)
        return status_error(STATUS_IO, "cannot open %s: %s", directory, strerror(errno));
    errno = 0;
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream))
        if (takes(entry->d_name))
            vector_push(&list->names, arena,
                        arena_copy_text(arena, entry->d_name, strlen(entry->d_name)));
    int error = errno;
    closedir(stream);
    if (error != 0)
        return status_error(STATUS_IO, "cannot read %s: %s", directory, strerror(error));
    if (list->names.count == 0)
        return status_error(STATUS_INVALID, "%s holds no %s", directory,
                            takes == is_picture ? "pictures" : "directories of classes");
    qsort(list->names.items, list->names.count, sizeof *list->names.items, name_order);
    return status_ok();
}

/* Takes the classes from the first part that is read; those of the other must be the same. */
static struct status classes_take(struct data_set *data, const struct name_list *list,
                                  const char *directory)
{
    if (data->class_names == NULL) {
        data->class_names = list->names.items;
        data->class_count = (int64_t)list->names.count;
        return status_ok();
    }
    bool same = (int64_t)list->names.count == data->class_count;
    for (int64_t i = 0; same && i < data->class_count; i++)
        same = strcmp(list->names.items[i], data->class_names[i]) == 0;
    if (same)
        return status_ok();
    return status_error(STATUS_INVALID, "%s has other classes than the other part", directory);
}

/* The files of all classes, while they are gathered in scratch memory. */
struct file_list {
    struct arena arena;
    VECTOR(const char *) paths; /* these live as long as the data set */
    VECTOR(int32_t) labels;
};

static struct status class_list(struct data_set *data, struct file_list *files,
                                const char *directory, int32_t label)
{
    struct name_list list;
    RETURN_IF_ERROR(names_list(&files->arena, directory, is_picture, &list));
    for (size_t i = 0; i < list.names.count; i++) {
        const char *path = arena_format(&data->arena, "%s/%s", directory, list.names.items[i]);
        vector_push(&files->paths, &files->arena, path);
        vector_push(&files->labels, &files->arena, label);
    }
    return status_ok();
}

static struct status part_list(struct data_set *data, struct file_list *files,
                               const char *directory)
{
    struct name_list classes;
    RETURN_IF_ERROR(names_list(&data->arena, directory, is_class, &classes));
    RETURN_IF_ERROR(classes_take(data, &classes, directory));
    for (size_t i = 0; i < classes.names.count; i++) {
        const char *path = arena_format(&files->arena, "%s/%s", directory, classes.names.items[i]);
        RETURN_IF_ERROR(class_list(data, files, path, (int32_t)i));
    }
    return status_ok();
}

static struct status part_open(struct data_set *data, const char *directory,
                               enum data_part_kind kind)
{
    struct file_list files = {0};
    const char *path = arena_format(&data->arena, "%s/%s", directory, part_names[kind]);
    struct status status = part_list(data, &files, path);
    size_t count = files.paths.count;
    if (status_is_ok(&status))
        data->parts[kind] = (struct data_part){
            .count = (int64_t)count,
            .paths = arena_copy(&data->arena, files.paths.items, count * sizeof(const char *)),
            .labels = arena_copy(&data->arena, files.labels.items, count * sizeof(int32_t)),
        };
    arena_release(&files.arena);
    return status;
}

struct status data_open_imagenet(struct data_set *data, const char *directory, unsigned parts)
{
    data->channels = DATA_COLOURS;
    data->size[0] = 1;
    data->mean = data_imagenet_mean;
    data->deviation = data_imagenet_deviation;
    for (int kind = 0; kind < DATA_PART_COUNT; kind++)
        if (parts & 1U << kind)
            RETURN_IF_ERROR(part_open(data, directory, (enum data_part_kind)kind));
    return status_ok();
}
