/* Blocks of growing size, each filled from its front; the newest heads a list of the earlier ones.
 *
 * Invariant: the bytes of a block beyond `used` are zero, so that an allocation need not clear
 * what it hands out. A reset keeps only the newest block, which is also the largest of the
 * ordinary ones, and clears what was used of it. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT = 16,
    FIRST_BLOCK = 1 << 12,
    LARGEST_GROWTH = 1 << 22,
};

struct arena_block {
    struct arena_block *before;
    size_t used, capacity;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

static _Noreturn void die_without_memory(size_t size)
{
    fprintf(stderr, "rnet: out of memory (%zu more bytes were needed)\n", size);
    exit(1);
}

static struct arena_block *block_new(size_t size, struct arena_block *before)
{
    size_t capacity = FIRST_BLOCK;

    if (before)
        capacity = before->capacity < LARGEST_GROWTH / 2 ? before->capacity * 2 : LARGEST_GROWTH;
    if (capacity < size)
        capacity = size;
    struct arena_block *block = NULL;
    if (capacity <= SIZE_MAX - sizeof *block)
        block = calloc(1, sizeof *block + capacity);
    if (!block)
        die_without_memory(size);
    block->before = before;
    block->capacity = capacity;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT)
        die_without_memory(size);
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (size == 0)
        size = ALIGNMENT;
    if (!arena->last || arena->last->capacity - arena->last->used < size)
        arena->last = block_new(size, arena->last);
    void *result = arena->last->bytes + arena->last->used;
    arena->last->used += size;
    return result;
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
    void *copy = arena_alloc(arena, size);

    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

char *arena_copy_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        return arena_alloc(arena, 1);
    char *text = arena_alloc(arena, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

static void release_before(struct arena_block *block)
{
    while (block) {
        struct arena_block *before = block->before;
        free(block);
        block = before;
    }
}

void arena_reset(struct arena *arena)
{
    if (!arena->last)
        return;
    release_before(arena->last->before);
    arena->last->before = NULL;
    memset(arena->last->bytes, 0, arena->last->used);
    arena->last->used = 0;
}

void arena_release(struct arena *arena)
{
    release_before(arena->last);
    arena->last = NULL;
}
