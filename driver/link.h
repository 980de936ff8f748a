/* From pieces of code to one file, through the system's cc. */
#ifndef DRIVER_LINK_H
#define DRIVER_LINK_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

/* A folder for the pieces, removed with all that is in it. */
struct link_folder {
    char path[4096];
    size_t file_count; /* files made by link_add, named piece-N with their ending */
    const char **files;
};

struct status link_folder_new(struct arena *arena, size_t capacity, struct link_folder *out);
void link_folder_remove(struct link_folder *folder);

/* Writes one piece; `ending` such as ".o" or ".s". */
struct status link_add(struct arena *arena, struct link_folder *folder, const char *ending,
                       const void *bytes, size_t size);

/* Links the pieces with the runtime into the executable `output`, or without it into one object
 * file. What stood at `output` is replaced only on success. */
struct status link_executable(struct arena *arena, const struct link_folder *folder,
                              const char *output);
struct status link_object(struct arena *arena, const struct link_folder *folder,
                          const char *output);

#endif
