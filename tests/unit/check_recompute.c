/* Recomputation: within the limit, and the same step. Which step it is, is told by symbols: each
 * result's is made of its kernel's and of those of all that it is computed from. */
#include <stdlib.h>
#include <string.h>

#include "compiler/memory.h"
#include "tests/unit/compile_shipped.h"

/* ---- symbols ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t sum = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);

    return sum ^ sum >> 29;
}

/* Adds the symbols that expression `index` loads; `seen` keeps shared ones from being added twice.
 */
static uint64_t mix_loads(const struct kernel *kernel, const struct call *call,
                          const uint64_t *symbols, uint16_t root, uint64_t symbol)
{
    bool needed[KERNEL_EXPRESSIONS] = {false};

    needed[root] = true;
    for (int i = root; i >= 0; i--) {
        const struct expression *expression = &kernel->expressions[i];
        const int operands = expression_operands((enum expression_op)expression->op);

        if (!needed[i])
            continue;
        if (operands > 0)
            needed[expression->a] = true;
        if (operands > 1)
            needed[expression->b] = true;
        if (expression_reads((enum expression_op)expression->op))
            symbol = mix(symbol, symbols[call->arguments[expression->parameter]]);
    }
    return symbol;
}

static uint64_t output_symbol(const struct calls *calls, const struct call *call,
                              const uint64_t *symbols, int output)
{
    const struct kernel *kernel = calls->kernels.items.items[call->kernel];
    uint64_t symbol = mix(call->kernel + 1, (uint64_t)output + 1);
    const bool by_value = kernel->anchor == KERNEL_POINTWISE ||
                          kernel->anchor == KERNEL_CHANNEL_SUM || kernel->anchor == KERNEL_VECTOR;

    if (by_value)
        return mix_loads(kernel, call, symbols, kernel->values[output], symbol);
    if (kernel_is_convolution(kernel) && output == 0) {
        symbol = mix_loads(kernel, call, symbols, kernel->values[0], symbol);
        if (kernel->epilogue)
            symbol = mix_loads(kernel, call, symbols, (uint16_t)(kernel->epilogue - 1), symbol);
        return mix(symbol, symbols[call->arguments[kernel_weight_parameter(kernel)]]);
    }
    for (int p = 0; p < kernel_first_output(kernel); p++)
        symbol = mix(symbol, symbols[call->arguments[p]]);
    return symbol;
}

/* What each buffer holds after TRAIN; those of other regions start as what they are. */
static uint64_t *run_symbols(const struct calls *calls, struct arena *arena)
{
    uint64_t *symbols = ARENA_ARRAY(arena, uint64_t, calls->buffers.count);

    for (size_t b = 0; b < calls->buffers.count; b++)
        if (calls->buffers.items[b].region != RNET_REGION_WORKSPACE)
            symbols[b] =
                mix(calls->buffers.items[b].region + 1, calls->buffers.items[b].offset + 1);
    for (size_t c = 0; c < calls->items.count; c++) {
        const struct call *call = &calls->items.items[c];
        const int inputs = kernel_first_output(calls->kernels.items.items[call->kernel]);
        uint64_t results[KERNEL_PARAMETERS];

        if (call->phase != RNET_PHASE_TRAIN)
            continue;
        for (int p = inputs; p < call->argument_count; p++)
            results[p] = output_symbol(calls, call, symbols, p - inputs);
        for (int p = inputs; p < call->argument_count; p++)
            symbols[call->arguments[p]] = results[p];
    }
    return symbols;
}

/* ---- networks ---- */

static void expect_same_step(const struct calls *before, const struct calls *after,
                             struct arena *arena, const char *file)
{
    const uint64_t *expected = run_symbols(before, arena), *got = run_symbols(after, arena);

    for (size_t b = 0; b < before->buffers.count; b++)
        if (before->buffers.items[b].region != RNET_REGION_WORKSPACE ||
            before->buffers.items[b].is_result)
            ck_assert_msg(expected[b] == got[b], "%s: buffer %zu is another", file, b);
}

static void expect_limited(struct fixture *f, const struct compilation *compilation, int percent,
                           const char *file)
{
    const struct calls *before = compilation->plan.train;
    const uint64_t limit = compilation->train_workspace * (uint64_t)percent / 100;
    struct calls after = *before;
    struct recomputation found;

    found = recompute_calls(&after, limit);
    ck_assert_uint_eq(found.unlimited, compilation->train_workspace);
    if (found.workspace > limit) {
        ck_assert_msg(found.least > limit, "%s: %d %% was not reached", file, percent);
        ck_assert_uint_eq(after.items.count, before->items.count);
        return;
    }
    ck_assert_ptr_null(calls_check(&after));
    ck_assert_ptr_null(memory_check(&after, found.workspace));
    ck_assert_uint_eq(after.items.count, before->items.count + found.repeated);
    ck_assert(found.repeated > 0 && found.work > 0 && found.work <= 1);
    expect_same_step(before, &after, &f->arena, file);
}

static void check_every_network(bool for_library)
{
    int networks = 0;

    for (size_t i = 0; i < countof(shipped_networks); i++) {
        const struct shipped_network *network = &shipped_networks[i];
        struct compilation compilation;
        struct fixture f;

        if (!is_first_of_file(i))
            continue;
        if (compile_shipped(&f, &compilation, network->file, network->options, for_library)) {
            for (int percent = 90; percent > 0; percent -= 20)
                expect_limited(&f, &compilation, percent, network->file);
            networks++;
        }
        fixture_end(&f);
    }
    ck_assert_int_ge(networks, 15);
}

START_TEST(every_network)
{
    check_every_network(false);
}
END_TEST

START_TEST(every_network_for_a_library)
{
    check_every_network(true);
}
END_TEST

/* What a failure names as the least can be had, and a little less can't. */
START_TEST(least)
{
    struct compilation compilation;
    struct calls calls;
    struct fixture f;
    struct recomputation found;
    uint64_t bytes;

    ck_assert(compile_shipped(&f, &compilation, "cifar/iresnet", "depth=164", false));
    calls = *compilation.plan.train;
    bytes = recompute_calls(&calls, 1 << 20).least;
    ck_assert_uint_gt(bytes, 1 << 20);
    ck_assert_uint_lt(bytes, compilation.train_workspace / 3);
    found = recompute_calls(&calls, bytes);
    ck_assert_uint_le(found.workspace, bytes);
    calls = *compilation.plan.train;
    found = recompute_calls(&calls, bytes - bytes / 10);
    ck_assert_uint_eq(found.workspace, compilation.train_workspace);
    fixture_end(&f);
}
END_TEST

/* Memory for chains of equal blocks grows as the square root of their number: of 1000 blocks what
 * 54 need twice or so, and as many kernels. */
START_TEST(depth)
{
    struct compilation shallow, deep;
    struct calls calls;
    struct fixture f, g;
    uint64_t small, large;

    ck_assert(compile_shipped(&f, &shallow, "cifar/iresnet", "depth=164", false));
    ck_assert(compile_shipped(&g, &deep, "cifar/iresnet", "depth=3002", false));
    calls = *shallow.plan.train;
    small = recompute_calls(&calls, 1 << 20).least;
    calls = *deep.plan.train;
    large = recompute_calls(&calls, 1 << 20).least;
    ck_assert_uint_lt(large, 6 * small);
    ck_assert_uint_gt(deep.train_workspace, 15 * shallow.train_workspace);
    fixture_end(&f);
    fixture_end(&g);
}
END_TEST

/* Room enough: nothing changes. */
START_TEST(no_need)
{
    struct compilation compilation;
    struct calls calls;
    struct fixture f;
    struct recomputation found;

    ck_assert(compile_shipped(&f, &compilation, "cifar/resnet", "depth=20", false));
    calls = *compilation.plan.train;
    found = recompute_calls(&calls, compilation.train_workspace);
    ck_assert_uint_eq(found.repeated, 0);
    ck_assert_uint_eq(found.workspace, compilation.train_workspace);
    ck_assert_ptr_eq(calls.items.items, compilation.plan.train->items.items);
    fixture_end(&f);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_network, every_network_for_a_library, least, depth,
                                  no_need};

    return run_suite("recompute", tests, countof(tests));
}
