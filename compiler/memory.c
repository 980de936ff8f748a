/* The memory plan: calls in order, a list of free gaps sorted by offset, the best fit taken.
 *
 * A buffer lives from the call that writes it to the last that reads it; results live on to the
 * end. A call's results are placed before the buffers that it read last are freed, so no call's
 * output overlaps its input. */
#include "compiler/memory.h"

#include <string.h>

#include "base/vector.h"

enum { ALIGNMENT = 64 };

struct lifetime {
    uint32_t first, last; /* numbers of calls; first > last: never used */
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

static struct lifetime *find_lifetimes(const struct calls *calls)
{
    struct lifetime *lifetimes = ARENA_ARRAY(calls->arena, struct lifetime, calls->buffers.count);

    for (size_t b = 0; b < calls->buffers.count; b++)
        lifetimes[b] = (struct lifetime){UINT32_MAX, 0};
    for (uint32_t c = 0; c < calls->items.count; c++) {
        const struct call *call = &calls->items.items[c];

        for (int a = 0; a < call->argument_count; a++) {
            struct lifetime *lifetime = &lifetimes[call->arguments[a]];

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
        struct gap *last =
            heap->gaps.count > 0 ? &heap->gaps.items[heap->gaps.count - 1] : NULL;

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

uint64_t memory_plan(struct calls *calls)
{
    const struct lifetime *lifetimes = find_lifetimes(calls);
    struct heap heap = {.arena = calls->arena};

    for (uint32_t c = 0; c < calls->items.count; c++) {
        const struct call *call = &calls->items.items[c];

        for (int a = 0; a < call->argument_count; a++) {
            struct buffer *buffer = &calls->buffers.items[call->arguments[a]];

            if (is_planned(buffer) && lifetimes[call->arguments[a]].first == c)
                buffer->offset = heap_take(&heap, aligned(buffer->bytes));
        }
        for (int a = 0; a < call->argument_count; a++) {
            const struct buffer *buffer = &calls->buffers.items[call->arguments[a]];

            if (is_planned(buffer) && lifetimes[call->arguments[a]].last == c)
                heap_free(&heap, buffer->offset, aligned(buffer->bytes));
        }
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

const char *memory_check(const struct calls *calls, uint64_t bytes)
{
    const struct lifetime *lifetimes = find_lifetimes(calls);
    struct gap *taken = ARENA_ARRAY(calls->arena, struct gap, calls->buffers.count + 1);
    size_t count = 0;

    for (uint32_t c = 0; c < calls->items.count; c++) {
        const struct call *call = &calls->items.items[c];

        for (int a = 0; a < call->argument_count; a++) {
            const struct buffer *buffer = &calls->buffers.items[call->arguments[a]];
            const struct gap place = {buffer->offset, buffer->bytes};
            const size_t at = taken_before(taken, count, place.offset);

            if (!is_planned(buffer) || lifetimes[call->arguments[a]].first != c)
                continue;
            if (place.offset + place.bytes > bytes ||
                (at > 0 && taken[at - 1].offset + taken[at - 1].bytes > place.offset) ||
                (at < count && place.offset + place.bytes > taken[at].offset))
                return arena_format(calls->arena, "call %u: buffer %u overlaps another", c,
                                    call->arguments[a]);
            memmove(taken + at + 1, taken + at, (count++ - at) * sizeof *taken);
            taken[at] = place;
        }
        for (int a = 0; a < call->argument_count; a++) {
            const struct buffer *buffer = &calls->buffers.items[call->arguments[a]];
            const size_t at = taken_before(taken, count, buffer->offset);

            if (is_planned(buffer) && lifetimes[call->arguments[a]].last == c)
                memmove(taken + at, taken + at + 1, (--count - at) * sizeof *taken);
        }
    }
    return NULL;
}
