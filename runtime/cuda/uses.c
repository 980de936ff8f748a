/* Uses of memory, sorted. See uses.h. */
#include "runtime/cuda/uses.h"

#include <assert.h>
#include <stdlib.h>

static int use_order(const void *first, const void *second)
{
    const struct use *a = first, *b = second;
    if (a->region != b->region)
        return a->region < b->region ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return a->step < b->step ? -1 : a->step > b->step;
}

static bool is_same_place(const struct use *a, const struct use *b)
{
    return a->region == b->region && a->offset == b->offset;
}

/* Makes one of those that a step has of a place. */
static void uses_merge(struct uses *uses)
{
    size_t count = 0;
    for (size_t i = 0; i < uses->count; i++) {
        struct use *last = count > 0 ? &uses->items[count - 1] : NULL;
        if (last != NULL && use_order(last, &uses->items[i]) == 0)
            last->loads |= uses->items[i].loads;
        else
            uses->items[count++] = uses->items[i];
    }
    uses->count = count;
}

struct uses uses_collect(struct arena *arena, const struct rnet_program *program,
                         enum rnet_phase phase)
{
    const struct rnet_steps *steps = &program->phases[phase];
    struct uses uses = {0};
    size_t count = 0;
    for (uint64_t i = 0; i < steps->count; i++)
        count += steps->steps[i].argument_count;
    uses.items = ARENA_ARRAY(arena, struct use, count + 1);
    for (uint64_t i = 0; i < steps->count; i++) {
        const struct rnet_step *step = &steps->steps[i];
        const struct rnet_argument *arguments = program->arguments + step->first_argument;
        const uint32_t first_output = program->cuda->kernels[step->kernel].first_output;
        for (uint32_t j = 0; j < step->argument_count; j++)
            uses.items[uses.count++] = (struct use){arguments[j].offset, (int64_t)i,
                                                    arguments[j].region, j < first_output};
    }
    qsort(uses.items, uses.count, sizeof *uses.items, use_order);
    uses_merge(&uses);
    return uses;
}

/* The use `away` places further on than step `step`'s, if it is of the same place. */
static const struct use *use_beside(const struct uses *uses, const struct rnet_argument *place,
                                    int64_t step, int away)
{
    const struct use key = {.offset = place->offset, .step = step, .region = place->region};
    const struct use *own = bsearch(&key, uses->items, uses->count, sizeof key, use_order);
    assert(own != NULL);
    const int64_t index = own - uses->items + away;
    if (index < 0 || index >= (int64_t)uses->count || !is_same_place(own, &uses->items[index]))
        return NULL;
    return &uses->items[index];
}

const struct use *use_before(const struct uses *uses, const struct rnet_argument *place,
                             int64_t step)
{
    return use_beside(uses, place, step, -1);
}

const struct use *use_after(const struct uses *uses, const struct rnet_argument *place,
                            int64_t step)
{
    return use_beside(uses, place, step, 1);
}
