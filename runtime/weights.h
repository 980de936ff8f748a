/* Weight files: all of a network's parameters as safetensors, as PyTorch names and shapes them. */
#ifndef RUNTIME_WEIGHTS_H
#define RUNTIME_WEIGHTS_H

#include "base/status.h"
#include "runtime/data.h"
#include "runtime/execute.h"

/* Writes the executor's parameters to `path`, atomically. The metadata names the network and, from
 * `data`, the classes and the preprocessing. */
struct status weights_write(const struct executor *executor, const struct data_set *data,
                            const char *path);

/* Reads the file at `path` into the executor. Names may begin with "module."; batch counters may
 * be missing. Where file and network differ it prints every difference on stderr, fails, and
 * changes nothing. */
struct status weights_read(const struct executor *executor, const char *path);

#endif
