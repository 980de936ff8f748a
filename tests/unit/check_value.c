/* Values: kinds, joins, how they are written. */
#include "compiler/value.h"

#include "tests/unit/suite.h"

START_TEST(text_is_what_the_language_writes)
{
    struct arena arena = {0};
    const struct value items[] = {value_integer(3), value_number(0.1), value_boolean(true)};
    const int64_t keys[] = {50, 101};
    const struct value_map map = {keys, items, 2};

    ck_assert_str_eq(value_text(value_integer(-7), &arena), "-7");
    ck_assert_str_eq(value_text(value_number(2), &arena), "2.0");
    ck_assert_str_eq(value_text(value_number(1e-5), &arena), "1e-05");
    ck_assert_str_eq(value_text(value_list(&arena, items, 3), &arena), "[3, 0.1, true]");
    ck_assert_str_eq(value_text((struct value){.kind = VALUE_MAP, .map = &map}, &arena),
                     "{50: 3, 101: 0.1}");
    arena_release(&arena);
}
END_TEST

START_TEST(long_values_are_cut)
{
    struct arena arena = {0};
    struct value items[100];

    for (int i = 0; i < 100; i++)
        items[i] = value_integer(i);
    ck_assert_str_eq(value_text(value_list(&arena, items, 100), &arena),
                     "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...]");
    for (int depth = 0; depth < 50; depth++)
        items[0] = value_list(&arena, arena_copy(&arena, items, sizeof *items), 1);
    ck_assert_str_eq(value_text(items[0], &arena), "[[[[[...]]]]]");
    arena_release(&arena);
}
END_TEST

START_TEST(a_join_is_a_list_with_a_block)
{
    struct arena arena = {0};
    const struct block identity = {.kind = BLOCK_IDENTITY};
    const struct value items[] = {value_integer(1), value_block(&identity)};

    ck_assert(!value_is_join(value_list(&arena, items, 0)));
    ck_assert(!value_is_join(value_list(&arena, items, 1)));
    ck_assert(value_is_join(value_list(&arena, items, 2)));
    ck_assert(!value_is_join(items[1]));
    arena_release(&arena);
}
END_TEST

START_TEST(numbers)
{
    ck_assert(value_is_numeric(value_integer(3)));
    ck_assert(value_is_numeric(value_number(3)));
    ck_assert(!value_is_numeric(value_boolean(true)));
    ck_assert(value_as_double(value_integer(3)) == value_as_double(value_number(3)));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        text_is_what_the_language_writes,
        long_values_are_cut,
        a_join_is_a_list_with_a_block,
        numbers,
    };

    return run_suite("value", tests, countof(tests));
}
