/* The one function behind every VECTOR: capacity doubles, the old items are left to the arena. */
#include "base/vector.h"

#include <string.h>

enum { FIRST_CAPACITY = 8 };

void *vector_reserve(void *items, size_t count, size_t *capacity, size_t size,
                     struct arena *arena)
{
    if (count < *capacity)
        return items;
    size_t grown = *capacity > 0 ? *capacity * 2 : FIRST_CAPACITY;
    void *fresh = arena_alloc(arena, grown * size);
    if (count > 0)
        memcpy(fresh, items, count * size);
    *capacity = grown;
    return fresh;
}
