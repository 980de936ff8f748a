/* Choosing what to compute again. See recompute.h for the rule. */
#include "compiler/recompute.h"

#include "base/vector.h"
#include "compiler/memory.h"
#include "compiler/recompute_internal.h"

enum {
    ATTEMPTS = 8,         /* at a plan whose gaps leave it within the limit */
    BUDGET_NUMERATOR = 2, /* from one budget to the next smaller one */
    BUDGET_DENOMINATOR = 3,
};

struct choice {
    uint64_t budget; /* 0: none */
    bool keeps_costly;
    size_t again;
    double work;
    uint64_t peak;
};

/* ---- segments of a budget ---- */

/* Where to end a segment that must end between `start` and `last`: with at least half a budget in
 * it if that can be, where the fewest bytes cross; of equal places the last. */
static call_id best_end(const struct recompute_facts *facts, call_id start, call_id last,
                        uint64_t budget)
{
    call_id best = last;

    for (call_id place = last; place > start; place--) {
        if (facts->results[place] - facts->results[start] < budget / 2)
            break;
        if (facts->crossing[place] < facts->crossing[best])
            best = place;
    }
    return best;
}

static void cut(struct recompute_order *order, uint64_t budget)
{
    const struct recompute_facts *facts = order->facts;
    call_id start = 0;

    order->ends.count = 0;
    for (call_id c = 0; c < facts->forward; c++) {
        while (start < c && facts->results[c + 1] - facts->results[start] > budget) {
            start = best_end(facts, start, c, budget);
            vector_push(&order->ends, facts->arena, start);
        }
    }
    vector_push(&order->ends, facts->arena, facts->forward);
    order->again = order->ends.count;
}

/* ---- the choice ---- */

/* Lowers `again` to the fewest segments whose peak is within the limit, which that of all is. */
static void find_fewest(struct recompute_order *order, uint64_t limit)
{
    size_t low = 0, high = order->ends.count;

    while (low < high) {
        order->again = low + (high - low) / 2;
        recompute_order_find(order);
        if (order->peak <= limit)
            high = order->again;
        else
            low = order->again + 1;
    }
    order->again = high;
    recompute_order_find(order);
}

static struct choice choice_of(const struct recompute_order *order, uint64_t budget)
{
    return (struct choice){budget, order->keeps_costly, order->again, order->work, order->peak};
}

/* Tries segments of a budget: `*best` is the least work within the limit, `*least` the smallest
 * peak. */
static void try_budget(struct recompute_order *order, uint64_t budget, uint64_t limit,
                       struct choice *best, struct choice *least)
{
    for (int keeps = 0; keeps < 2; keeps++) {
        cut(order, budget);
        order->keeps_costly = keeps == 1;
        recompute_order_find(order);
        if (least->budget == 0 || order->peak < least->peak)
            *least = choice_of(order, budget);
        if (order->peak > limit)
            continue;
        find_fewest(order, limit);
        if (order->peak <= limit && (best->budget == 0 || order->work < best->work))
            *best = choice_of(order, budget);
    }
}

/* Tries budgets near one. */
static void refine(struct recompute_order *order, uint64_t budget, uint64_t limit,
                   struct choice *best, struct choice *least)
{
    static const uint64_t percents[] = {82, 91, 110, 121};

    for (size_t i = 0; i < countof(percents); i++)
        if (budget * percents[i] >= 100)
            try_budget(order, budget * percents[i] / 100, limit, best, least);
}

/* Tries budgets of all sizes, then those near the best ones. What the least is doesn't depend on
 * the limit. With a budget of less than the largest result segments have a result each, and nothing
 * is gained. */
static void choose(struct recompute_order *order, uint64_t limit, struct choice *best,
                   struct choice *least)
{
    const struct recompute_facts *facts = order->facts;
    uint64_t budget = facts->results[facts->forward], largest = 1;
    struct choice ignored;

    for (call_id c = 0; c < facts->forward; c++)
        if (facts->results[c + 1] - facts->results[c] > largest)
            largest = facts->results[c + 1] - facts->results[c];
    *best = *least = (struct choice){0};
    for (; budget >= largest; budget = budget * BUDGET_NUMERATOR / BUDGET_DENOMINATOR)
        try_budget(order, budget, limit, best, least);
    refine(order, least->budget, limit, best, least);
    ignored = *least;
    refine(order, best->budget, limit, best, &ignored);
}

/* ---- the calls ---- */

/* Makes the calls those of a choice and plans their memory. */
static uint64_t apply(struct recompute_order *order, struct calls *calls, struct choice choice)
{
    cut(order, choice.budget);
    order->keeps_costly = choice.keeps_costly;
    order->again = choice.again;
    recompute_order_find(order);
    recompute_apply(order, calls);
    return memory_plan(calls);
}

/* Makes the calls those of a choice if the plan of their memory is within the limit; else leaves
 * them as they were. Returns the bytes of that plan. */
static uint64_t try_choice(struct recompute_order *order, struct calls *calls, uint64_t limit,
                           struct choice choice, struct recomputation *result)
{
    const uint64_t bytes = apply(order, calls, choice);

    if (bytes <= limit) {
        result->workspace = bytes;
        result->repeated = order->repeated;
        result->work = order->work / order->facts->work[order->facts->forward];
    } else {
        *calls = *order->facts->calls;
    }
    return bytes;
}

/* Gaps may let a plan take more than what lives at once: then the aim goes lower. */
static void fit(struct recompute_order *order, struct calls *calls, uint64_t limit,
                struct recomputation *result)
{
    struct choice best, least;
    uint64_t aim = limit;

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint64_t bytes;

        choose(order, aim, &best, &least);
        if (best.budget == 0)
            break;
        bytes = try_choice(order, calls, limit, best, result);
        if (bytes <= limit)
            return;
        aim = best.peak - (bytes - limit < best.peak ? bytes - limit : best.peak);
    }
    result->least =
        least.budget ? try_choice(order, calls, limit, least, result) : result->unlimited;
    if (result->repeated == 0)
        memory_plan(calls);
}

struct recomputation recompute_calls(struct calls *calls, uint64_t limit)
{
    struct recomputation result = {.unlimited = memory_plan(calls)};
    struct recompute_facts facts;
    struct recompute_order order;
    struct arena scratch = {0};
    const struct calls before = *calls;

    result.workspace = result.unlimited;
    if (result.unlimited <= limit)
        return result;
    recompute_find_facts(&facts, &before, &scratch);
    order = recompute_order_new(&facts);
    fit(&order, calls, limit, &result);
    arena_release(&scratch);
    return result;
}
