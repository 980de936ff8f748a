/* Checkpoints: numbered files in a run's directory, the last two of them kept.
 *
 * A file is a list of parts (ranges of bytes) between a header and a CRC-32 of all before it. It is
 * written beside its name, synced, renamed, and the directory synced, so that at any moment the
 * newest file that passes its check is whole. What the parts mean is for resume.h. */
#ifndef RUNTIME_CHECKPOINT_H
#define RUNTIME_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum { CHECKPOINT_PARTS = 16 /* the most */ };

struct checkpoint_part {
    const void *bytes;
    size_t size;
};

struct checkpoint {
    struct checkpoint_part parts[CHECKPOINT_PARTS];
    size_t count;
};

/* Writes the checkpoint of `step`, then removes all but it and the newest before it. On failure
 * the earlier ones are as they were. */
struct status checkpoint_write(const char *directory, int64_t step,
                               const struct checkpoint *checkpoint);

/* Whether the directory, which need not exist, holds one, sound or not. */
bool checkpoint_is_there(const char *directory);

/* Reads the newest sound checkpoint into the arena, and says on stderr which newer ones are not
 * sound. `*found` is false where the directory holds none; that all are broken is an error. */
struct status checkpoint_read(struct arena *arena, const char *directory,
                              struct checkpoint *checkpoint, bool *found);

/* Reads a whole file's `size` bytes, which come from anywhere; the parts point into them. */
struct status checkpoint_parse(const char *bytes, size_t size, struct checkpoint *checkpoint);

/* Removes what writers that were killed have left beside the run's files. */
void checkpoint_sweep(const char *directory);

#endif
