/* A hash table from byte strings to 64-bit numbers. Iteration order is insertion order, so
 * nothing printed from a table depends on hashing. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct table_entry {
    const void *key; /* copied into the table's arena */
    size_t size;
    uint64_t hash;
    uint64_t value;
};

/* Zero it, then set the arena. */
struct table {
    struct arena *arena;
    struct table_entry *entries; /* in insertion order */
    uint32_t *slots;             /* entry index + 1; 0 is empty */
    size_t count, capacity, slot_count;
};

/* FNV-1a over `size` bytes. */
uint64_t hash_bytes(const void *bytes, size_t size);

/* Returns the entry of `key`, or NULL. */
struct table_entry *table_find(const struct table *table, const void *key, size_t size);

/* Sets the value of `key`, adding it if it is new; returns the entry. Entries move when the table
 * grows: do not keep the pointer across calls. */
struct table_entry *table_set(struct table *table, const void *key, size_t size, uint64_t value);

#endif
