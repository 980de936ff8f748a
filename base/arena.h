/* Bump allocation with a lifetime: everything in an arena is released together.
 *
 * An arena is named after the lifetime of what lies in it (source, network, pass). Memory comes
 * zeroed and 16-byte aligned. Allocation never returns NULL: without memory the process ends with
 * a message, because nothing above could do better. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

/* A zeroed struct arena is a valid empty arena. */
struct arena {
    struct arena_block *last; /* the block being filled; earlier ones hang off it */
};

/* Returns `size` zeroed bytes that live until the arena is reset or released. */
void *arena_alloc(struct arena *arena, size_t size);

/* Returns a copy of `size` bytes at `bytes`. */
void *arena_copy(struct arena *arena, const void *bytes, size_t size);

/* Returns a NUL-terminated copy of the `length` characters at `text`. */
char *arena_copy_text(struct arena *arena, const char *text, size_t length);

/* Returns a new string made as printf makes it. */
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Forgets the contents; a following allocation may reuse the memory. */
void arena_reset(struct arena *arena);

/* Gives all memory back; the arena is empty and usable again. */
void arena_release(struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count)                                                            \
    ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

#endif
