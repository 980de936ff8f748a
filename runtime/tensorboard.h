/* TensorBoard's event files: scalars over steps.
 *
 * The file is appended to, and cut back like metrics.jsonl when a run goes on. */
#ifndef RUNTIME_TENSORBOARD_H
#define RUNTIME_TENSORBOARD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

/* Zeroed, it takes everything and writes nothing. */
struct tensorboard {
    FILE *stream;
    const char *path;
};

/* Opens the event file at `path`, cut back to `position` bytes; 0 begins it anew. Borrows the path.
 */
struct status tensorboard_open(struct tensorboard *board, const char *path, int64_t position);
void tensorboard_close(struct tensorboard *board);

/* Adds one number of the curve `tag`. Errors show in the next tensorboard_sync. */
void tensorboard_scalar(struct tensorboard *board, const char *tag, int64_t step, double value);

/* Brings the file to the disk and tells how many bytes it has (0 for a zeroed board). */
struct status tensorboard_sync(struct tensorboard *board, int64_t *position);

/* CRC-32C (Castagnoli) of the bytes. */
uint32_t crc32c(const void *bytes, size_t size);

#endif
