/* NumPy's .npy files: one array, C order. */
#ifndef RUNTIME_NPY_H
#define RUNTIME_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/status.h"

enum { NPY_RANK = 8 /* the most axes we read */ };

enum npy_type { NPY_FLOAT32, NPY_INT64, NPY_UINT8 };

struct npy_array {
    enum npy_type type;
    int rank;
    int64_t shape[NPY_RANK];
    int64_t count;      /* of all elements */
    const void *values; /* borrowed from what was parsed; may be unaligned */
};

/* A file that lies in memory as long as it is not released. */
struct npy_file {
    struct npy_array array;
    void *address; /* NULL: nothing mapped */
    size_t size;
};

/* Reads the `size` bytes of a file (format versions 1.0 and 2.0; '<f4', '<i8', '|u1'). */
struct status npy_parse(const char *bytes, size_t size, struct npy_array *array);

/* Maps the file at `path`. Release it also after a failure. */
struct status npy_open(struct npy_file *file, const char *path);

void npy_release(struct npy_file *file);

/* "float32 [5, 3, 224, 224]", for messages. */
const char *npy_text(struct arena *arena, const struct npy_array *array);

/* Begins a float32 array of that shape in a file being written; its values follow. */
void npy_write_header(FILE *stream, const int64_t *shape, int rank);

#endif
