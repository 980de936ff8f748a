/* Data in four .npy files: train_x, train_y, val_x, val_y. Images are float32, NCHW or NCDHW, taken
 * as they are and mapped, not copied; labels are int64 or uint8. */
#include <stdbool.h>
#include <string.h>

#include "runtime/data.h"

enum { AXES_2D = 4, AXES_3D = 5 };

static const char *const part_names[DATA_PART_COUNT] = {"train", "val"};

static struct status labels_convert(struct arena *arena, const struct npy_array *array,
                                    const int32_t **out)
{
    int32_t *labels = ARENA_ARRAY(arena, int32_t, array->count);
    for (int64_t i = 0; i < array->count; i++) {
        int64_t label = 0;
        if (array->type == NPY_UINT8)
            label = ((const uint8_t *)array->values)[i];
        else
            memcpy(&label, (const char *)array->values + (size_t)i * sizeof label, sizeof label);
        if (label < 0 || label > INT32_MAX)
            return status_error(STATUS_INVALID, "label %lld is %lld", (long long)i,
                                (long long)label);
        labels[i] = (int32_t)label;
    }
    *out = labels;
    return status_ok();
}

static struct status labels_read(struct data_set *data, const char *path, struct data_part *part)
{
    struct npy_file file = {0};
    struct status status = npy_open(&file, path);
    if (status_is_ok(&status) && (file.array.type == NPY_FLOAT32 || file.array.rank != 1))
        status = status_error(STATUS_INVALID, "%s must be a vector of int64 or uint8", path);
    if (status_is_ok(&status) && file.array.count != part->count)
        status = status_error(STATUS_INVALID, "%s has %lld labels for %lld images", path,
                              (long long)file.array.count, (long long)part->count);
    if (status_is_ok(&status)) {
        status = labels_convert(&data->arena, &file.array, &part->labels);
        if (!status_is_ok(&status))
            status = status_error(status.code, "%s: %s", path, status.message);
    }
    npy_release(&file);
    return status;
}

/* Takes the images' shape into the data set, or checks that it is that of the other part. */
static struct status shape_take(struct data_set *data, const struct npy_array *array,
                                const char *path)
{
    bool flat = array->rank == AXES_2D;
    const int64_t *shape = array->shape;
    int64_t size[3] = {flat ? 1 : shape[2], flat ? shape[2] : shape[3], flat ? shape[3] : shape[4]};
    if (data->channels != 0 &&
        (data->channels != shape[1] || memcmp(data->size, size, sizeof size) != 0))
        return status_error(STATUS_INVALID, "%s has images of another size than the other part",
                            path);
    data->channels = shape[1];
    memcpy(data->size, size, sizeof size);
    return status_ok();
}

static struct status images_read(struct data_set *data, const char *path, enum data_part_kind kind)
{
    struct npy_file *file = &data->files[kind];
    RETURN_IF_ERROR(npy_open(file, path));
    const struct npy_array *array = &file->array;
    if (array->type != NPY_FLOAT32 || (array->rank != AXES_2D && array->rank != AXES_3D))
        return status_error(STATUS_INVALID, "%s is %s, but must be float32, NCHW or NCDHW", path,
                            npy_text(&data->arena, array));
    if (array->count == 0)
        return status_error(STATUS_INVALID, "%s holds no images", path);
    const void *values = array->values;
    if ((uintptr_t)values % sizeof(float) != 0)
        values = arena_copy(&data->arena, values, (size_t)array->count * sizeof(float));
    data->parts[kind].floats = values;
    data->parts[kind].count = array->shape[0];
    return shape_take(data, array, path);
}

struct status data_open_npy(struct data_set *data, const char *directory, unsigned parts)
{
    for (int kind = 0; kind < DATA_PART_COUNT; kind++) {
        if (!(parts & 1U << kind))
            continue;
        const char *name = part_names[kind];
        const char *images = arena_format(&data->arena, "%s/%s_x.npy", directory, name);
        const char *labels = arena_format(&data->arena, "%s/%s_y.npy", directory, name);
        RETURN_IF_ERROR(images_read(data, images, (enum data_part_kind)kind));
        RETURN_IF_ERROR(labels_read(data, labels, &data->parts[kind]));
    }
    return status_ok();
}
