/* Weights and data for a parity test, computed (hash_data.h) and written as an executable reads
 * them. What tensors a network has is read from weights that the executable itself wrote. */
#include <stdio.h>

#include "base/file.h"
#include "runtime/npy.h"
#include "runtime/safetensors.h"
#include "tests/train/hash_data.h"
#include "tests/train/parity.h"

static struct status tensor_fill(struct arena *arena, uint64_t seed, struct tensor_entry *tensor)
{
    if (tensor->rank == 0) {
        const int64_t tracked = HASH_BATCHES_TRACKED;

        tensor->bytes = arena_copy(arena, &tracked, sizeof tracked);
        return status_ok();
    }
    float *const values = arena_alloc(arena, tensor->size);
    int64_t count = 1;

    for (int axis = 0; axis < tensor->rank; axis++)
        count *= tensor->shape[axis];
    if ((size_t)count * sizeof *values != tensor->size)
        return status_error(STATUS_INVALID, "%s is not float32", tensor->name);
    hash_parameter(values, seed, tensor->name, tensor->shape, tensor->rank);
    tensor->bytes = values;
    return status_ok();
}

static struct status weights_write(struct arena *arena, uint64_t seed, const char *listing,
                                   const char *path)
{
    struct tensor_file file = {0};

    RETURN_IF_ERROR(safetensors_read(arena, listing, &file));
    for (size_t t = 0; t < file.tensor_count; t++)
        RETURN_IF_ERROR(tensor_fill(arena, seed, &file.tensors[t]));
    file.metadata_count = 0;
    return safetensors_write(path, &file);
}

static struct status images_write(struct arena *arena, const struct parity_case *expected,
                                  const char *name, int64_t count, const char *path)
{
    float *const values = ARENA_ARRAY(arena, float, count *HASH_IMAGE);
    const int64_t image[] = {count, 3, HASH_SIDE, HASH_SIDE};
    const int64_t video[] = {count, 3, 4, HASH_SIDE / 2, HASH_SIDE / 2};
    struct file_writer writer;

    hash_images(values, expected->seed, name, count);
    RETURN_IF_ERROR(file_writer_open(&writer, path));
    npy_write_header(writer.stream, expected->is_video ? video : image, expected->is_video ? 5 : 4);
    fwrite(values, sizeof *values, (size_t)(count * HASH_IMAGE), writer.stream);
    return file_writer_commit(&writer);
}

/* The header by hand: labels are int64, which the runtime reads but never writes. */
static struct status labels_write(struct arena *arena, uint64_t seed, const char *name,
                                  int64_t count, const char *path)
{
    int64_t *const labels = ARENA_ARRAY(arena, int64_t, count);
    struct file_writer writer;
    char header[119];

    hash_labels(labels, seed, name, count);
    RETURN_IF_ERROR(file_writer_open(&writer, path));
    snprintf(header, sizeof header, "{'descr': '<i8', 'fortran_order': False, 'shape': (%d,), }",
             (int)count);
    fprintf(writer.stream, "%cNUMPY%c%c%c%c%-117s\n", 0x93, 1, 0, 118, 0, header);
    fwrite(labels, sizeof *labels, (size_t)count, writer.stream);
    return file_writer_commit(&writer);
}

static struct status part_write(struct arena *arena, const struct parity_case *expected,
                                const char *part, int64_t count, const char *directory)
{
    const char *const x = arena_format(arena, "%s_x", part);
    const char *const y = arena_format(arena, "%s_y", part);

    RETURN_IF_ERROR(
        images_write(arena, expected, x, count, arena_format(arena, "%s/%s.npy", directory, x)));
    return labels_write(arena, expected->seed, y, count,
                        arena_format(arena, "%s/%s.npy", directory, y));
}

struct status data_write(const struct parity_case *expected, const char *directory)
{
    struct arena arena = {0};
    struct status status = part_write(&arena, expected, "train", PARITY_TRAIN_IMAGES, directory);

    if (status_is_ok(&status))
        status = part_write(&arena, expected, "val", PARITY_OTHER_IMAGES, directory);
    arena_release(&arena);
    return status;
}

struct status weights_make(const struct parity_case *expected, const char *listing,
                           const char *directory)
{
    struct arena arena = {0};
    struct status status =
        weights_write(&arena, expected->seed, listing,
                      arena_format(&arena, "%s/weights.safetensors", directory));

    arena_release(&arena);
    return status;
}
