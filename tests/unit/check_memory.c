/* The memory plan: what lives at the same time never overlaps, what does not shares. */
#include <stdlib.h>

#include "compiler/memory.h"
#include "tests/unit/suite.h"

static struct calls *calls_new(struct arena *arena)
{
    struct calls *calls = ARENA_NEW(arena, struct calls);

    calls->arena = arena;
    calls->batch = 1;
    return calls;
}

static buffer_id add_buffer(struct calls *calls, uint64_t bytes)
{
    vector_push(&calls->buffers, calls->arena,
                (struct buffer){.region = RNET_REGION_WORKSPACE, .bytes = bytes});
    return (buffer_id)(calls->buffers.count - 1);
}

static void add_call(struct calls *calls, const buffer_id *arguments, size_t count)
{
    vector_push(&calls->items, calls->arena,
                (struct call){.argument_count = (uint8_t)count,
                              .arguments = arena_copy(calls->arena, arguments,
                                                      count * sizeof *arguments)});
}

START_TEST(chain_takes_turns)
{
    struct arena arena = {0};
    struct calls *calls = calls_new(&arena);
    buffer_id before = add_buffer(calls, 1000);

    for (int i = 0; i < 100; i++) {
        const buffer_id after = add_buffer(calls, 1000);

        add_call(calls, (buffer_id[]){before, after}, 2);
        before = after;
    }
    ck_assert_uint_eq(memory_plan(calls), 2 * 1024);
    ck_assert_ptr_null(memory_check(calls, 2 * 1024));
    arena_release(&arena);
}
END_TEST

START_TEST(results_live_on)
{
    struct arena arena = {0};
    struct calls *calls = calls_new(&arena);
    const buffer_id a = add_buffer(calls, 64), b = add_buffer(calls, 64),
                    c = add_buffer(calls, 64);
    uint64_t bytes;

    calls->buffers.items[a].is_result = true;
    add_call(calls, (buffer_id[]){a, b}, 2);
    add_call(calls, (buffer_id[]){b, c}, 2);
    bytes = memory_plan(calls);
    ck_assert_uint_eq(bytes, 3 * 64);
    ck_assert_uint_ne(calls->buffers.items[a].offset, calls->buffers.items[c].offset);
    arena_release(&arena);
}
END_TEST

START_TEST(check_sees_overlap)
{
    struct arena arena = {0};
    struct calls *calls = calls_new(&arena);
    const buffer_id a = add_buffer(calls, 128), b = add_buffer(calls, 128);

    add_call(calls, (buffer_id[]){a, b}, 2);
    calls->buffers.items[b].offset = 64;
    ck_assert_ptr_nonnull(memory_check(calls, 1024));
    calls->buffers.items[b].offset = 128;
    ck_assert_ptr_null(memory_check(calls, 1024));
    ck_assert_ptr_nonnull(memory_check(calls, 255));
    arena_release(&arena);
}
END_TEST

/* Random programs, each buffer written once and read a few times later. */
START_TEST(random_programs_never_overlap)
{
    for (unsigned seed = 1; seed <= 50; seed++) {
        struct arena arena = {0};
        struct calls *calls = calls_new(&arena);
        uint64_t bytes, most = 0;

        srand(seed);
        add_buffer(calls, 64);
        for (int i = 0; i < 400; i++) {
            const int recent = calls->buffers.count > 30 ? 30 : (int)calls->buffers.count;
            const buffer_id from = (buffer_id)(calls->buffers.count - 1 - (size_t)(rand() % recent));
            const buffer_id to = add_buffer(calls, (uint64_t)(rand() % 5000 + 1));

            add_call(calls, (buffer_id[]){from, to}, 2);
        }
        for (size_t b = 0; b < calls->buffers.count; b++)
            most += calls->buffers.items[b].bytes;
        bytes = memory_plan(calls);
        ck_assert_ptr_null(memory_check(calls, bytes));
        ck_assert_uint_lt(bytes, most / 2);
        arena_release(&arena);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {chain_takes_turns, results_live_on, check_sees_overlap,
                                  random_programs_never_overlap};

    return run_suite("memory", tests, countof(tests));
}
