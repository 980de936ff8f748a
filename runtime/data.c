/* Opening a data set by its SPEC, and checking that it fits the network. See data.h. */
#include "runtime/data.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

typedef struct status data_open_function(struct data_set *data, const char *path, unsigned parts);

static const struct {
    const char *kind;
    data_open_function *open;
    bool takes_path;
    const float *mean, *deviation;
} data_kinds[] = {
    {"cifar10", data_open_cifar10, true, data_cifar_mean, data_cifar_deviation},
    {"cifar100", data_open_cifar100, true, data_cifar_mean, data_cifar_deviation},
    {"imagenet", data_open_imagenet, true, data_imagenet_mean, data_imagenet_deviation},
    {"npy", data_open_npy, true, NULL, NULL},
    {"shapes", data_open_shapes, false, data_shapes_mean, data_shapes_deviation},
};

bool data_kind_normalization(const char *kind, const float **mean, const float **deviation)
{
    for (size_t i = 0; kind != NULL && i < sizeof data_kinds / sizeof *data_kinds; i++) {
        if (strcmp(data_kinds[i].kind, kind) != 0 || data_kinds[i].mean == NULL)
            continue;
        *mean = data_kinds[i].mean;
        *deviation = data_kinds[i].deviation;
        return true;
    }
    return false;
}

/* Splits "KIND:PATH" and opens the kind. */
static struct status kind_open(struct data_set *data, const char *spec, unsigned parts)
{
    size_t length = strcspn(spec, ":");
    const char *path = spec[length] == ':' ? spec + length + 1 : "";
    for (size_t i = 0; i < sizeof data_kinds / sizeof *data_kinds; i++) {
        const char *kind = data_kinds[i].kind;
        if (strlen(kind) != length || memcmp(spec, kind, length) != 0)
            continue;
        if (data_kinds[i].takes_path && path[0] == '\0')
            return status_error(STATUS_USAGE, "--data %s needs a directory: %s:DIR", kind, kind);
        data->kind = kind;
        return data_kinds[i].open(data, path, parts);
    }
    return status_error(STATUS_USAGE,
                        "there is no data set \"%s\"; there are cifar10:DIR, cifar100:DIR, "
                        "imagenet:DIR, npy:DIR and shapes",
                        spec);
}

static struct status labels_check(const struct data_part *part, int64_t classes)
{
    for (int64_t i = 0; i < part->count; i++)
        if (part->labels[i] < 0 || part->labels[i] >= classes)
            return status_error(STATUS_INVALID,
                                "image %" PRId64 " is of class %d, the network has classes 0 to "
                                "%" PRId64,
                                i, part->labels[i], classes - 1);
    return status_ok();
}

static struct status data_check(const struct data_set *data, const struct rnet_program *program)
{
    int64_t depth = program->spatial_rank == 3 ? program->size[0] : 1;
    if (data->channels != program->channels)
        return status_error(STATUS_INVALID,
                            "the images have %" PRId64 " channels, the network takes %" PRId64,
                            data->channels, program->channels);
    if (data->size[0] != depth)
        return status_error(STATUS_INVALID,
                            "the clips have %" PRId64 " frames, the network takes %" PRId64,
                            data->size[0], depth);
    if (data->class_names != NULL && data->class_count > program->classes)
        return status_error(STATUS_INVALID,
                            "it has %" PRId64 " classes, the network %" PRId64
                            " (rnet build -D classes=%" PRId64 ")",
                            data->class_count, program->classes, data->class_count);
    for (int part = 0; part < DATA_PART_COUNT; part++)
        RETURN_IF_ERROR(labels_check(&data->parts[part], program->classes));
    return status_ok();
}

struct status data_set_open(struct data_set *data, const char *spec, unsigned parts,
                            const struct rnet_program *program)
{
    *data = (struct data_set){0};
    RETURN_IF_ERROR(kind_open(data, spec, parts));
    struct status status = data_check(data, program);
    if (!status_is_ok(&status))
        return status_error(status.code, "%s does not fit the network: %s", spec, status.message);
    return status;
}

void data_set_release(struct data_set *data)
{
    for (int part = 0; part < DATA_PART_COUNT; part++)
        npy_release(&data->files[part]);
    arena_release(&data->arena);
    *data = (struct data_set){0};
}
