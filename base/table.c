/* Open addressing with linear probing over indices into an array of entries.
 *
 * Invariant: slot_count is zero or a power of two, and at most two thirds of the slots are taken,
 * so that a probe always meets an empty slot. */
#include "base/table.h"

#include <string.h>

enum {
    FIRST_SLOTS = 16,
    FIRST_ENTRIES = 8,
};

uint64_t hash_bytes(const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

/* The slot that holds `key`, or the empty one where it belongs. */
static uint32_t *slot_of(const struct table *table, const void *key, size_t size, uint64_t hash)
{
    size_t mask = table->slot_count - 1;
    size_t i = (size_t)(hash ^ hash >> 32) & mask;

    for (;; i = (i + 1) & mask) {
        if (table->slots[i] == 0)
            return &table->slots[i];
        const struct table_entry *entry = &table->entries[table->slots[i] - 1];
        if (entry->hash == hash && entry->size == size &&
            (size == 0 || memcmp(entry->key, key, size) == 0))
            return &table->slots[i];
    }
}

static void grow_slots(struct table *table)
{
    table->slot_count = table->slot_count > 0 ? table->slot_count * 2 : FIRST_SLOTS;
    table->slots = ARENA_ARRAY(table->arena, uint32_t, table->slot_count);
    for (size_t i = 0; i < table->count; i++) {
        const struct table_entry *entry = &table->entries[i];
        *slot_of(table, entry->key, entry->size, entry->hash) = (uint32_t)i + 1;
    }
}

static void grow_entries(struct table *table)
{
    size_t capacity = table->capacity > 0 ? table->capacity * 2 : FIRST_ENTRIES;
    struct table_entry *entries = ARENA_ARRAY(table->arena, struct table_entry, capacity);

    if (table->count > 0)
        memcpy(entries, table->entries, table->count * sizeof *entries);
    table->entries = entries;
    table->capacity = capacity;
}

struct table_entry *table_find(const struct table *table, const void *key, size_t size)
{
    if (table->count == 0)
        return NULL;
    uint32_t slot = *slot_of(table, key, size, hash_bytes(key, size));
    return slot > 0 ? &table->entries[slot - 1] : NULL;
}

struct table_entry *table_set(struct table *table, const void *key, size_t size, uint64_t value)
{
    uint64_t hash = hash_bytes(key, size);

    if ((table->count + 1) * 3 > table->slot_count * 2)
        grow_slots(table);
    uint32_t *slot = slot_of(table, key, size, hash);
    if (*slot == 0) {
        if (table->count == table->capacity)
            grow_entries(table);
        table->entries[table->count] = (struct table_entry){
            .key = arena_copy(table->arena, key, size),
            .size = size,
            .hash = hash,
        };
        *slot = (uint32_t)++table->count;
    }
    struct table_entry *entry = &table->entries[*slot - 1];
    entry->value = value;
    return entry;
}
