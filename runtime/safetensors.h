/* The safetensors format: named tensors behind a JSON header.
 *
 * Files come from anywhere, so reading trusts nothing: the tensors must have known types, shapes
 * that fit their bytes, names that occur once, and cover the data without overlap or hole. */
#ifndef RUNTIME_SAFETENSORS_H
#define RUNTIME_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/table.h"

enum { SAFETENSORS_RANK = 8 }; /* the most axes we read */

struct tensor_entry {
    const char *name;
    const char *type; /* as the format names it: "F32", "I64" ... */
    int64_t shape[SAFETENSORS_RANK];
    int rank;
    const void *bytes;
    size_t size;
};

struct metadata_entry {
    const char *key, *value;
};

struct tensor_file {
    struct tensor_entry *tensors;
    size_t tensor_count;
    struct metadata_entry *metadata;
    size_t metadata_count;
    struct table names; /* of what was read: index into tensors */
};

/* Reads a whole file's `size` bytes. The result lives in the arena and borrows `bytes`. */
struct status safetensors_parse(struct arena *arena, const char *bytes, size_t size,
                                struct tensor_file *file);

/* Reads the file at `path` into the arena. */
struct status safetensors_read(struct arena *arena, const char *path, struct tensor_file *file);

/* Writes the file atomically, tensors in the order given (wider types first keeps them aligned).
 * The sizes must fit the shapes. */
struct status safetensors_write(const char *path, const struct tensor_file *file);

/* Returns the tensor of that name in a file that was read, or NULL. */
const struct tensor_entry *tensor_file_find(const struct tensor_file *file, const char *name);

#endif
