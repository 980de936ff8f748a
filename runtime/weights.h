/* Weight files: all of a network's parameters as safetensors, as PyTorch names and shapes them. */
#ifndef RUNTIME_WEIGHTS_H
#define RUNTIME_WEIGHTS_H

#include <stdbool.h>

#include "base/status.h"
#include "runtime/data.h"
#include "runtime/execute.h"

/* Writes the executor's parameters to `path`, atomically. The metadata names the network and, from
 * `data`, the classes and the preprocessing. */
struct status weights_write(const struct executor *executor, const struct data_set *data,
                            const char *path);

/* What the metadata of a weight file says, where it says it. */
struct weights_metadata {
    const char *const *class_names; /* NULL: nothing */
    int64_t class_count;
    bool normalizes; /* the two below count */
    float mean[DATA_COLOURS], deviation[DATA_COLOURS];
};

struct weights_options {
    /* Labels of parameters that keep their values, whatever the file has for them: "fc" stands for
     * fc.weight and fc.bias. */
    const char *const *reset;
    size_t reset_count;
    struct weights_metadata *metadata; /* takes what the file says; NULL: not wanted */
    struct arena *arena;               /* that the metadata lives in */
};

/* Whether the parameter's name is the label or begins with it and a dot. */
bool name_has_label(const char *name, const char *label);

/* weights_read, with options. A label to reset that no parameter has is an error. */
struct status weights_read_with(const struct executor *executor, const char *path,
                                const struct weights_options *options);

/* Reads the file at `path` into the executor. Names may begin with "module."; batch counters may
 * be missing. Where file and network differ it prints every difference on stderr, fails, and
 * changes nothing. */
struct status weights_read(const struct executor *executor, const char *path);

#endif
