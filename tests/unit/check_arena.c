/* Arenas: memory is zeroed, aligned, stable, and reusable after a reset; vectors grow in them. */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/vector.h"
#include "tests/unit/suite.h"

static size_t nonzero_bytes(const unsigned char *bytes, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++)
        count += bytes[i] != 0;
    return count;
}

START_TEST(memory_is_zeroed_and_aligned)
{
    struct arena arena = {0};
    unsigned char *last = NULL;

    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *bytes = arena_alloc(&arena, size);
        ck_assert_ptr_ne(bytes, last);
        ck_assert_uint_eq((uintptr_t)bytes % 16, 0);
        ck_assert_uint_eq(nonzero_bytes(bytes, size), 0);
        memset(bytes, 0xff, size);
        last = bytes;
    }
    arena_release(&arena);
}
END_TEST

START_TEST(a_reset_clears_what_was_used)
{
    struct arena arena = {0};

    for (int round = 0; round < 5; round++) {
        for (size_t size = 1; size < 20000; size *= 3) {
            unsigned char *bytes = arena_alloc(&arena, size);
            ck_assert_uint_eq(nonzero_bytes(bytes, size), 0);
            memset(bytes, 0xff, size);
        }
        arena_reset(&arena);
    }
    arena_release(&arena);
}
END_TEST

START_TEST(an_empty_arena_can_be_reset_and_released)
{
    struct arena arena = {0};

    arena_reset(&arena);
    arena_release(&arena);
    arena_release(&arena);
    ck_assert_ptr_nonnull(arena_alloc(&arena, 1));
    arena_release(&arena);
}
END_TEST

START_TEST(large_blocks_are_served)
{
    struct arena arena = {0};
    char *small = arena_copy_text(&arena, "small", 5);
    unsigned char *large = arena_alloc(&arena, (size_t)20 << 20);

    memset(large, 0xff, (size_t)20 << 20);
    ck_assert_str_eq(small, "small");
    arena_release(&arena);
}
END_TEST

START_TEST(text_is_copied_and_formatted)
{
    struct arena arena = {0};
    const int numbers[] = {1, 2, 3};

    ck_assert_str_eq(arena_copy_text(&arena, "stride = 2", 6), "stride");
    ck_assert_str_eq(arena_copy_text(&arena, NULL, 0), "");
    ck_assert_str_eq(arena_format(&arena, "%s.%d", "layer", 3), "layer.3");
    ck_assert_mem_eq(arena_copy(&arena, numbers, sizeof numbers), numbers, sizeof numbers);
    arena_release(&arena);
}
END_TEST

START_TEST(vectors_grow)
{
    struct arena arena = {0};
    VECTOR(int) numbers = {0};

    for (int i = 0; i < 1000; i++)
        vector_push(&numbers, &arena, i * i);
    ck_assert_uint_eq(numbers.count, 1000);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(numbers.items[i], i * i);
    arena_release(&arena);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        memory_is_zeroed_and_aligned,
        a_reset_clears_what_was_used,
        an_empty_arena_can_be_reset_and_released,
        large_blocks_are_served,
        text_is_copied_and_formatted,
        vectors_grow,
    };
    return run_suite("arena", tests, countof(tests));
}
