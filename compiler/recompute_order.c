/* From segments to the order of calls: which run again, when, and how much memory lives then. */
#include <string.h>

#include "compiler/memory.h"
#include "compiler/recompute_internal.h"

enum { SEGMENT_NONE = UINT32_MAX };

struct recompute_order recompute_order_new(const struct recompute_facts *facts)
{
    struct arena *arena = facts->arena;
    const size_t buffers = facts->calls->buffers.count, calls = facts->calls->items.count;

    return (struct recompute_order){
        .facts = facts,
        .segment_end = ARENA_ARRAY(arena, call_id, facts->forward),
        .is_needed = ARENA_ARRAY(arena, bool, buffers),
        .repeats = ARENA_ARRAY(arena, bool, facts->forward),
        .first_turn = ARENA_ARRAY(arena, call_id, 2 * buffers),
        .last_turn = ARENA_ARRAY(arena, call_id, 2 * buffers),
        .first_segment = ARENA_ARRAY(arena, uint32_t, calls),
        .next_segment = ARENA_ARRAY(arena, uint32_t, facts->forward),
        .change = ARENA_ARRAY(arena, int64_t, calls + facts->forward + 2),
    };
}

static int first_output(const struct calls *calls, const struct call *call)
{
    return kernel_first_output(calls->kernels.items.items[call->kernel]);
}

bool recompute_is_dropped(const struct recompute_order *order, buffer_id buffer)
{
    const struct recompute_facts *facts = order->facts;
    const call_id writer = facts->writer[buffer];

    return writer != CALL_NONE && !facts->is_kept[buffer] &&
           !(order->keeps_costly && facts->is_costly[buffer]) &&
           facts->last_forward[buffer] < order->segment_end[writer];
}

/* ---- which calls run again ---- */

static void mark_segments(struct recompute_order *order)
{
    call_id call = 0;

    memset(order->segment_end, 0, order->facts->forward * sizeof *order->segment_end);
    for (size_t s = 0; s < order->again; s++)
        for (; call < order->ends.items[s]; call++)
            order->segment_end[call] = order->ends.items[s];
}

/* Backwards, so that what a call needs is known before the call that gives it is reached. */
static void find_repeats(struct recompute_order *order)
{
    const struct recompute_facts *facts = order->facts;
    const struct calls *calls = facts->calls;

    for (buffer_id b = 0; b < calls->buffers.count; b++)
        order->is_needed[b] =
            facts->first_backward[b] != CALL_NONE && recompute_is_dropped(order, b);
    order->repeated = 0;
    order->work = 0;
    for (call_id c = facts->forward; c-- > 0;) {
        const struct call *call = &calls->items.items[c];
        const int inputs = first_output(calls, call);

        order->repeats[c] = false;
        for (int p = inputs; p < call->argument_count; p++)
            order->repeats[c] |= order->is_needed[call->arguments[p]];
        if (!order->repeats[c])
            continue;
        for (int p = 0; p < inputs; p++)
            order->is_needed[call->arguments[p]] |= recompute_is_dropped(order, call->arguments[p]);
        order->repeated++;
        order->work += facts->work[c + 1] - facts->work[c];
    }
}

/* ---- when ---- */

/* The first call of the backward half that reads something of a segment. */
static call_id first_reader(const struct recompute_order *order, call_id first, call_id end)
{
    const struct recompute_facts *facts = order->facts;
    call_id reader = CALL_NONE;

    for (call_id c = first; c < end; c++) {
        const struct call *call = &facts->calls->items.items[c];

        for (int p = first_output(facts->calls, call); p < call->argument_count; p++)
            if (order->is_needed[call->arguments[p]] &&
                facts->first_backward[call->arguments[p]] < reader)
                reader = facts->first_backward[call->arguments[p]];
    }
    return reader;
}

/* Lists for each call of the backward half the segments that run again before it, earlier first. */
static void place_segments(struct recompute_order *order)
{
    memset(order->first_segment, 0xff,
           order->facts->calls->items.count * sizeof *order->first_segment);
    for (size_t s = order->again; s-- > 0;) {
        const call_id first = s > 0 ? order->ends.items[s - 1] : 0;
        const call_id reader = first_reader(order, first, order->ends.items[s]);

        if (reader == CALL_NONE)
            continue;
        order->next_segment[s] = order->first_segment[reader];
        order->first_segment[reader] = (uint32_t)s;
    }
}

static void add_turn(struct recompute_order *order, call_id call, bool again)
{
    vector_push(&order->turns, order->facts->arena, (struct recompute_turn){call, again});
}

static void find_turns(struct recompute_order *order)
{
    const struct recompute_facts *facts = order->facts;

    order->turns.count = 0;
    for (call_id c = 0; c < facts->calls->items.count; c++) {
        uint32_t s = c >= facts->forward ? order->first_segment[c] : SEGMENT_NONE;

        for (; s != SEGMENT_NONE; s = order->next_segment[s])
            for (call_id r = s > 0 ? order->ends.items[s - 1] : 0; r < order->ends.items[s]; r++)
                if (order->repeats[r])
                    add_turn(order, r, true);
        add_turn(order, c, false);
    }
}

/* ---- the memory that lives then ---- */

/* Whether argument p is what is written for the second time. */
static bool is_second(const struct recompute_order *order, struct recompute_turn turn, int p,
                      int inputs)
{
    const struct recompute_facts *facts = order->facts;
    const buffer_id buffer = facts->calls->items.items[turn.call].arguments[p];

    if (turn.again && p >= inputs)
        return true;
    return (turn.again || turn.call >= facts->forward) && recompute_is_dropped(order, buffer);
}

static void find_lives(struct recompute_order *order)
{
    const struct calls *calls = order->facts->calls;
    const size_t buffers = calls->buffers.count;

    memset(order->first_turn, 0xff, 2 * buffers * sizeof *order->first_turn);
    for (call_id t = 0; t < order->turns.count; t++) {
        const struct recompute_turn turn = order->turns.items[t];
        const struct call *call = &calls->items.items[turn.call];
        const int inputs = first_output(calls, call);

        for (int p = 0; p < call->argument_count; p++) {
            const size_t life =
                call->arguments[p] + (is_second(order, turn, p, inputs) ? buffers : 0);

            if (order->first_turn[life] == CALL_NONE)
                order->first_turn[life] = t;
            order->last_turn[life] = t;
        }
    }
    for (buffer_id b = 0; b < buffers; b++)
        if (calls->buffers.items[b].is_result)
            order->last_turn[b] = (call_id)order->turns.count;
}

static void find_peak(struct recompute_order *order)
{
    const struct calls *calls = order->facts->calls;
    const size_t buffers = calls->buffers.count;
    int64_t live = 0, most = 0;

    memset(order->change, 0, (order->turns.count + 2) * sizeof *order->change);
    for (size_t life = 0; life < 2 * buffers; life++) {
        const buffer_id b = (buffer_id)(life % buffers);
        const int64_t bytes = (int64_t)memory_size(&calls->buffers.items[b]);

        if (order->first_turn[life] == CALL_NONE)
            continue;
        order->change[order->first_turn[life]] += bytes;
        order->change[order->last_turn[life] + 1] -= bytes;
    }
    for (size_t t = 0; t < order->turns.count; t++) {
        live += order->change[t];
        most = live > most ? live : most;
    }
    order->peak = (uint64_t)most;
}

void recompute_order_find(struct recompute_order *order)
{
    mark_segments(order);
    find_repeats(order);
    place_segments(order);
    find_turns(order);
    find_lives(order);
    find_peak(order);
}

/* ---- the calls ---- */

/* The buffer that stands in the place of one that is written for the second time. */
static buffer_id second_buffer(struct calls *calls, buffer_id *seconds, buffer_id buffer)
{
    if (seconds[buffer] == BUFFER_NONE) {
        struct buffer second = calls->buffers.items[buffer];

        second.is_result = false;
        vector_push(&calls->buffers, calls->arena, second);
        seconds[buffer] = (buffer_id)(calls->buffers.count - 1);
    }
    return seconds[buffer];
}

static struct call turn_call(const struct recompute_order *order, struct calls *calls,
                             buffer_id *seconds, const struct call *before,
                             struct recompute_turn turn)
{
    struct call call = before[turn.call];
    const int inputs = first_output(calls, &call);

    call.arguments =
        arena_copy(calls->arena, call.arguments, call.argument_count * sizeof *call.arguments);
    for (int p = 0; p < call.argument_count; p++)
        if (is_second(order, turn, p, inputs))
            call.arguments[p] = second_buffer(calls, seconds, call.arguments[p]);
    return call;
}

void recompute_apply(const struct recompute_order *order, struct calls *calls)
{
    const struct call *before = calls->items.items;
    const size_t buffers = calls->buffers.count;
    buffer_id *seconds = ARENA_ARRAY(order->facts->arena, buffer_id, buffers);

    memset(seconds, 0xff, buffers * sizeof *seconds);
    memset(&calls->items, 0, sizeof calls->items);
    for (size_t t = 0; t < order->turns.count; t++)
        vector_push(&calls->items, calls->arena,
                    turn_call(order, calls, seconds, before, order->turns.items[t]));
}
