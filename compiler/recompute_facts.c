/* What recomputation has to know of a training step: which results gradients read, which of them
 * can be had again, what they cost and how much memory they take. */
#include <assert.h>
#include <string.h>

#include "compiler/kernel_work.h"
#include "compiler/recompute_internal.h"

enum {
    SMALL_SHARE = 16, /* of what a call works on: a result of so little is not worth it */
    BYTE_WORK = 5,    /* multiply-adds that take as long as moving a byte, as kernels are */
};

static const struct kernel *kernel_of(const struct calls *calls, call_id call)
{
    return calls->kernels.items.items[calls->items.items[call].kernel];
}

static bool in_workspace(const struct calls *calls, buffer_id buffer)
{
    return calls->buffers.items[buffer].region == RNET_REGION_WORKSPACE;
}

/* ---- the halves ---- */

static void find_halves(struct recompute_facts *facts)
{
    const struct calls *calls = facts->calls;

    facts->forward = CALL_NONE;
    for (call_id c = 0; c < calls->items.count; c++) {
        if (calls->items.items[c].phase != RNET_PHASE_TRAIN)
            continue;
        facts->train = c + 1;
        if (kernel_of(calls, c)->anchor == KERNEL_SOFTMAX_LOSS)
            facts->forward = c;
    }
    assert(facts->forward < facts->train);
}

static void note_reader(struct recompute_facts *facts, buffer_id buffer, call_id call)
{
    if (call < facts->forward && facts->writer[buffer] != CALL_NONE)
        facts->last_forward[buffer] = call;
    else if (call >= facts->forward && facts->first_backward[buffer] == CALL_NONE)
        facts->first_backward[buffer] = call;
}

static void find_users(struct recompute_facts *facts)
{
    const struct calls *calls = facts->calls;

    for (call_id c = 0; c < facts->train; c++) {
        const struct call *call = &calls->items.items[c];
        const int inputs = kernel_first_output(kernel_of(calls, c));

        for (int p = 0; p < inputs; p++)
            note_reader(facts, call->arguments[p], c);
        for (int p = inputs; p < call->argument_count && c < facts->forward; p++) {
            facts->writer[call->arguments[p]] = c;
            facts->last_forward[call->arguments[p]] = c;
        }
    }
}

/* ---- what can be computed again ---- */

static uint32_t loads_of(const struct kernel *kernel, uint16_t root)
{
    bool needed[KERNEL_EXPRESSIONS];
    uint32_t parameters = 0;

    kernel_needed(kernel, root, needed);
    for (int i = 0; i <= root; i++)
        if (needed[i] && expression_reads((enum expression_op)kernel->expressions[i].op))
            parameters |= UINT32_C(1) << kernel->expressions[i].parameter;
    return parameters;
}

/* The parameters that output number `output` is made of, as bits. Side sums read all that there is,
 * as far as is asked here. */
static uint32_t made_of(const struct kernel *kernel, int output)
{
    switch ((enum kernel_anchor)kernel->anchor) {
    case KERNEL_POINTWISE:
    case KERNEL_CHANNEL_SUM:
    case KERNEL_VECTOR:
    case KERNEL_GROUP_SUM:
    case KERNEL_POINT_SUM:
        return loads_of(kernel, kernel->values[output]);
    case KERNEL_CONVOLUTION:
    case KERNEL_DATA_GRADIENT:
        if (output > 0)
            break;
        return loads_of(kernel, kernel->values[0]) |
               UINT32_C(1) << kernel_weight_parameter(kernel) |
               (kernel->epilogue ? loads_of(kernel, (uint16_t)(kernel->epilogue - 1)) : 0);
    default:
        break;
    }
    return UINT32_MAX;
}

/* Marks what the forward and the backward half change in place. */
static bool *find_changed(const struct recompute_facts *facts)
{
    const struct calls *calls = facts->calls;
    bool *changed = ARENA_ARRAY(facts->arena, bool, calls->buffers.count);

    for (call_id c = 0; c < facts->train; c++) {
        const struct call *call = &calls->items.items[c];

        for (int p = kernel_first_output(kernel_of(calls, c)); p < call->argument_count; p++)
            changed[call->arguments[p]] = !in_workspace(calls, call->arguments[p]);
    }
    return changed;
}

static bool is_small(const struct calls *calls, const struct call *call, buffer_id buffer)
{
    uint64_t largest = 0;

    for (int p = 0; p < call->argument_count; p++)
        if (calls->buffers.items[call->arguments[p]].bytes > largest)
            largest = calls->buffers.items[call->arguments[p]].bytes;
    return calls->buffers.items[buffer].bytes * SMALL_SHARE <= largest;
}

static bool reads_changed(const struct call *call, const bool *changed, uint32_t parameters)
{
    for (int p = 0; p < call->argument_count; p++)
        if ((parameters >> p & 1) && changed[call->arguments[p]])
            return true;
    return false;
}

static bool changes_something(const struct call *call, const struct kernel *kernel,
                              const bool *changed)
{
    for (int p = kernel_first_output(kernel); p < call->argument_count; p++)
        if (changed[call->arguments[p]])
            return true;
    return false;
}

static void find_kept(struct recompute_facts *facts)
{
    const struct calls *calls = facts->calls;
    const bool *changed = find_changed(facts);

    for (call_id c = 0; c < facts->forward; c++) {
        const struct call *call = &calls->items.items[c];
        const struct kernel *kernel = kernel_of(calls, c);
        const bool changes = changes_something(call, kernel, changed);
        const int inputs = kernel_first_output(kernel);

        for (int p = inputs; p < call->argument_count; p++) {
            const buffer_id buffer = call->arguments[p];

            facts->is_kept[buffer] = changes || calls->buffers.items[buffer].is_result ||
                                     !in_workspace(calls, buffer) ||
                                     is_small(calls, call, buffer) ||
                                     reads_changed(call, changed, made_of(kernel, p - inputs));
        }
    }
}

/* ---- sums up to each place ---- */

static double call_work(const struct calls *calls, call_id call)
{
    const struct rnet_work work = kernel_work(kernel_of(calls, call));
    const double batch = (double)calls->batch;
    const double multiply_adds = (double)work.image_multiply_adds * batch;
    const double bytes = (double)work.image_bytes * batch + (double)work.fixed_bytes;

    return multiply_adds > BYTE_WORK * bytes ? multiply_adds : BYTE_WORK * bytes;
}

/* `crossing` first holds by how much it grows at each place. */
static void add_sums(struct recompute_facts *facts)
{
    const struct calls *calls = facts->calls;

    for (buffer_id b = 0; b < calls->buffers.count; b++) {
        const uint64_t bytes = calls->buffers.items[b].bytes;

        if (facts->writer[b] == CALL_NONE || facts->is_kept[b])
            continue;
        facts->crossing[facts->writer[b] + 1] += bytes;
        facts->crossing[facts->last_forward[b] + 1] -= bytes;
        if (facts->first_backward[b] != CALL_NONE)
            facts->results[facts->writer[b] + 1] += bytes;
    }
    for (call_id c = 0; c < facts->forward; c++) {
        facts->results[c + 1] += facts->results[c];
        facts->crossing[c + 1] += facts->crossing[c];
        facts->work[c + 1] = facts->work[c] + call_work(calls, c);
    }
}

static void find_costly(struct recompute_facts *facts)
{
    const double results = (double)facts->results[facts->forward];
    const double work = facts->work[facts->forward];

    for (buffer_id b = 0; b < facts->calls->buffers.count; b++) {
        const call_id writer = facts->writer[b];
        const double bytes = (double)facts->calls->buffers.items[b].bytes;

        if (writer != CALL_NONE)
            facts->is_costly[b] =
                bytes * work < results * (facts->work[writer + 1] - facts->work[writer]);
    }
}

void recompute_find_facts(struct recompute_facts *facts, const struct calls *calls,
                          struct arena *arena)
{
    const size_t buffers = calls->buffers.count;

    *facts = (struct recompute_facts){.calls = calls, .arena = arena};
    find_halves(facts);
    facts->writer = ARENA_ARRAY(arena, call_id, buffers);
    facts->last_forward = ARENA_ARRAY(arena, call_id, buffers);
    facts->first_backward = ARENA_ARRAY(arena, call_id, buffers);
    facts->is_kept = ARENA_ARRAY(arena, bool, buffers);
    facts->is_costly = ARENA_ARRAY(arena, bool, buffers);
    facts->results = ARENA_ARRAY(arena, uint64_t, facts->forward + 1);
    facts->crossing = ARENA_ARRAY(arena, uint64_t, facts->forward + 1);
    facts->work = ARENA_ARRAY(arena, double, facts->forward + 1);
    memset(facts->writer, 0xff, buffers * sizeof *facts->writer);
    memset(facts->last_forward, 0xff, buffers * sizeof *facts->last_forward);
    memset(facts->first_backward, 0xff, buffers * sizeof *facts->first_backward);
    find_users(facts);
    find_kept(facts);
    add_sums(facts);
    find_costly(facts);
}
