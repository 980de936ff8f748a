/* The memory plan: calls in order, a list of free gaps sorted by offset, the best fit taken.
 *
 * A buffer lives from the call that writes it to the last that reads it; results live on to the
 * end. A call's results are placed before the buffers that it read last are freed, so no call's
 * output overlaps its input. Nor does a chain's: its calls count as one. */
#include "compiler/memory.h"

#include <string.h>

#include "base/vector.h"
#include "compiler/chain.h"

enum { ALIGNMENT = 64 };

struct lifetime {
    uint32_t first, last; /* numbers of calls, or of those that chains begin with; first > last:
                             never used */
};

struct gap {
    uint64_t offset, bytes;
};

struct heap {
    struct arena *arena;
    VECTOR(struct gap) gaps; /* free, sorted by offset, never touching each other */
    uint64_t end;            /* of all memory taken so far */
};

static uint64_t aligned(uint64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* The arguments of some calls in a row, one after the other. */
struct argument_walk {
    const struct calls *calls;
    uint32_t call, end;
    int argument;
    buffer_id buffer; /* the one that walk_goes_on has come to */
};

static struct argument_walk walk_begin(const struct calls *calls, uint32_t first, uint32_t end)
{
    return (struct argument_walk){.calls = calls, .call = first, .end = end};
}

static bool walk_goes_on(struct argument_walk *walk)
{
    while (walk->call < walk->end) {
        const struct call *call = &walk->calls->items.items[walk->call];

        if (walk->argument < call->argument_count) {
            walk->buffer = call->arguments[walk->argument++];
            return true;
        }
        walk->call++;
        walk->argument = 0;
    }
    return false;
}

static struct lifetime *find_lifetimes(const struct calls *calls)
{
    struct lifetime *lifetimes = ARENA_ARRAY(calls->arena, struct lifetime, calls->buffers.count);

    for (size_t b = 0; b < calls->buffers.count; b++)
        lifetimes[b] = (struct lifetime){UINT32_MAX, 0};
    for (uint32_t c = 0, next; c < calls->items.count; c = next) {
        next = c + chain_length(&calls->items.items[c]);
        for (struct argument_walk walk = walk_begin(calls, c, next); walk_goes_on(&walk);) {
            struct lifetime *lifetime = &lifetimes[walk.buffer];

            if (lifetime->first == UINT32_MAX)
                lifetime->first = c;
            lifetime->last = c;
        }
    }
    for (size_t b = 0; b < calls->buffers.count; b++)
        if (calls->buffers.items[b].is_result)
            lifetimes[b].last = (uint32_t)calls->items.count;
    return lifetimes;
}

/* Takes memory from the smallest gap that is large enough, or from the end. */
static uint64_t heap_take(struct heap *heap, uint64_t bytes)
{
    struct gap *best = NULL;
    uint64_t offset;

    for (size_t g = 0; g < heap->gaps.count; g++) {
        struct gap *gap = &heap->gaps.items[g];

        if (gap->bytes >= bytes && (!best || gap->bytes < best->bytes))
            best = gap;
    }
    if (!best) {
        struct gap *last = heap->gaps.count > 0 ? &heap->gaps.items[heap->gaps.count - 1] : NULL;

        offset = heap->end;
        if (last && last->offset + last->bytes == heap->end) {
            offset = last->offset;
            heap->gaps.count--;
        }
        heap->end = offset + bytes;
        return offset;
    }
    offset = best->offset;
    best->offset += bytes;
    best->bytes -= bytes;
    if (best->bytes == 0) {
        const size_t index = (size_t)(best - heap->gaps.items);

        memmove(best, best + 1, (heap->gaps.count - index - 1) * sizeof *best);
        heap->gaps.count--;
    }
    return offset;
}

/* The number of gaps that begin before `offset`. */
static size_t gaps_before(const struct heap *heap, uint64_t offset)
{
    size_t low = 0, high = heap->gaps.count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (heap->gaps.items[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void heap_free(struct heap *heap, uint64_t offset, uint64_t bytes)
{
    const size_t at = gaps_before(heap, offset);
    struct gap *gaps = heap->gaps.items;
    const bool joins_left = at > 0 && gaps[at - 1].offset + gaps[at - 1].bytes == offset;
    const bool joins_right = at < heap->gaps.count && offset + bytes == gaps[at].offset;

    if (joins_left && joins_right) {
        gaps[at - 1].bytes += bytes + gaps[at].bytes;
        memmove(gaps + at, gaps + at + 1, (heap->gaps.count - at - 1) * sizeof *gaps);
        heap->gaps.count--;
    } else if (joins_left) {
        gaps[at - 1].bytes += bytes;
    } else if (joins_right) {
        gaps[at].offset = offset;
        gaps[at].bytes += bytes;
    } else {
        vector_push(&heap->gaps, heap->arena, (struct gap){0, 0});
        gaps = heap->gaps.items;
        memmove(gaps + at + 1, gaps + at, (heap->gaps.count - 1 - at) * sizeof *gaps);
        gaps[at] = (struct gap){offset, bytes};
    }
}

static bool is_planned(const struct buffer *buffer)
{
    return buffer->region == RNET_REGION_WORKSPACE && buffer->bytes > 0;
}

uint64_t memory_size(const struct buffer *buffer)
{
    return is_planned(buffer) ? aligned(buffer->bytes) : 0;
}

/* Of one argument of a call or chain: takes its place if it begins to live there, once. */
static void begin_to_live(struct calls *calls, struct lifetime *lifetimes, buffer_id b,
                          struct heap *heap)
{
    struct buffer *buffer = &calls->buffers.items[b];

    if (is_planned(buffer))
        buffer->offset = heap_take(heap, aligned(buffer->bytes));
    lifetimes[b].first = UINT32_MAX;
}

static void end_to_live(const struct calls *calls, struct lifetime *lifetimes, buffer_id b,
                        struct heap *heap)
{
    const struct buffer *buffer = &calls->buffers.items[b];

    if (is_planned(buffer))
        heap_free(heap, buffer->offset, aligned(buffer->bytes));
    lifetimes[b].last = UINT32_MAX;
}

uint64_t memory_plan(struct calls *calls)
{
    chain_find(calls);

    struct lifetime *lifetimes = find_lifetimes(calls);
    struct heap heap = {.arena = calls->arena};

    for (uint32_t c = 0, next; c < calls->items.count; c = next) {
        next = c + chain_length(&calls->items.items[c]);
        for (struct argument_walk walk = walk_begin(calls, c, next); walk_goes_on(&walk);)
            if (lifetimes[walk.buffer].first == c)
                begin_to_live(calls, lifetimes, walk.buffer, &heap);
        for (struct argument_walk walk = walk_begin(calls, c, next); walk_goes_on(&walk);)
            if (lifetimes[walk.buffer].last == c)
                end_to_live(calls, lifetimes, walk.buffer, &heap);
    }
    return heap.end;
}

/* ---- the check: replays the calls with a sorted list of what is taken ---- */

static size_t taken_before(const struct gap *taken, size_t count, uint64_t offset)
{
    size_t low = 0, high = count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (taken[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Adds the place of a buffer that begins to live; false: another lives there. */
static bool place_add(struct gap *taken, size_t *count, struct gap place)
{
    const size_t at = taken_before(taken, *count, place.offset);

    if ((at > 0 && taken[at - 1].offset + taken[at - 1].bytes > place.offset) ||
        (at < *count && place.offset + place.bytes > taken[at].offset))
        return false;
    memmove(taken + at + 1, taken + at, ((*count)++ - at) * sizeof *taken);
    taken[at] = place;
    return true;
}

static void place_remove(struct gap *taken, size_t *count, uint64_t offset)
{
    const size_t at = taken_before(taken, *count, offset);

    memmove(taken + at, taken + at + 1, (--*count - at) * sizeof *taken);
}

const char *memory_check(const struct calls *calls, uint64_t bytes)
{
    struct lifetime *lifetimes = find_lifetimes(calls);
    struct gap *taken = ARENA_ARRAY(calls->arena, struct gap, calls->buffers.count + 1);
    size_t count = 0;

    for (uint32_t c = 0, next; c < calls->items.count; c = next) {
        next = c + chain_length(&calls->items.items[c]);
        for (struct argument_walk walk = walk_begin(calls, c, next); walk_goes_on(&walk);) {
            const struct buffer *buffer = &calls->buffers.items[walk.buffer];

            if (!is_planned(buffer) || lifetimes[walk.buffer].first != c)
                continue;
            if (buffer->offset + buffer->bytes > bytes ||
                !place_add(taken, &count, (struct gap){buffer->offset, buffer->bytes}))
                return arena_format(calls->arena, "call %u: buffer %u overlaps another", c,
                                    walk.buffer);
            lifetimes[walk.buffer].first = UINT32_MAX;
        }
        for (struct argument_walk walk = walk_begin(calls, c, next); walk_goes_on(&walk);) {
            const struct buffer *buffer = &calls->buffers.items[walk.buffer];

            if (!is_planned(buffer) || lifetimes[walk.buffer].last != c)
                continue;
            place_remove(taken, &count, buffer->offset);
            lifetimes[walk.buffer].last = UINT32_MAX;
        }
    }
    return NULL;
}
