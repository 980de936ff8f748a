/* Growable typed arrays that live in an arena.
 *
 *     VECTOR(int) numbers = {0};
 *     vector_push(&numbers, arena, 7);
 *     for (size_t i = 0; i < numbers.count; i++) use(numbers.items[i]);
 *
 * Growing copies to fresh arena memory: pointers into `items` do not survive a push. */
#ifndef BASE_VECTOR_H
#define BASE_VECTOR_H

#include <stddef.h>

#include "base/arena.h"

#define VECTOR(type)                                                                               \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, capacity;                                                                    \
    }

/* Makes room for one more item of `size` bytes; returns the array's (possibly new) address. */
void *vector_reserve(void *items, size_t count, size_t *capacity, size_t size,
                     struct arena *arena);

#define vector_push(vector, arena, ...)                                                            \
    ((vector)->items = vector_reserve((vector)->items, (vector)->count, &(vector)->capacity,       \
                                      sizeof *(vector)->items, (arena)),                           \
     (vector)->items[(vector)->count++] = (__VA_ARGS__))

#define countof(array) (sizeof(array) / sizeof *(array))

#endif
