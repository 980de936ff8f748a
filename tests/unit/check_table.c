/* Tables: what is set is found, what is not is not, and order is that of insertion. */
#include "base/table.h"

#include <string.h>

#include "base/vector.h"
#include "tests/unit/suite.h"

START_TEST(an_empty_table_holds_nothing)
{
    struct arena arena = {0};
    struct table table = {.arena = &arena};

    ck_assert_ptr_null(table_find(&table, "a", 1));
    ck_assert_ptr_null(table_find(&table, "", 0));
}
END_TEST

START_TEST(many_keys)
{
    struct arena arena = {0};
    struct table table = {.arena = &arena};

    for (uint64_t i = 0; i < 5000; i++)
        table_set(&table, &i, sizeof i, i * 3);
    ck_assert_uint_eq(table.count, 5000);
    for (uint64_t i = 0; i < 5000; i++) {
        ck_assert_uint_eq(table_find(&table, &i, sizeof i)->value, i * 3);
        ck_assert_mem_eq(table.entries[i].key, &i, sizeof i);
        ck_assert_ptr_null(table_find(&table, &i, sizeof i - 1));
    }
    arena_release(&arena);
}
END_TEST

START_TEST(setting_again_changes_the_value)
{
    struct arena arena = {0};
    struct table table = {.arena = &arena};
    char key[] = "epochs";

    table_set(&table, key, strlen(key), 90);
    table_set(&table, "batch", 5, 256);
    key[0] = 'E';
    ck_assert_uint_eq(table_set(&table, "epochs", 6, 120)->value, 120);
    ck_assert_uint_eq(table.count, 2);
    ck_assert_uint_eq(table_find(&table, "epochs", 6)->value, 120);
    ck_assert_ptr_null(table_find(&table, key, strlen(key)));
    arena_release(&arena);
}
END_TEST

START_TEST(the_empty_key_is_a_key)
{
    struct arena arena = {0};
    struct table table = {.arena = &arena};

    table_set(&table, "", 0, 7);
    ck_assert_uint_eq(table_find(&table, NULL, 0)->value, 7);
    arena_release(&arena);
}
END_TEST

START_TEST(the_hash_is_fnv)
{
    ck_assert_uint_eq(hash_bytes("", 0), 0xcbf29ce484222325u);
    ck_assert_uint_eq(hash_bytes("a", 1), 0xaf63dc4c8601ec8cu);
    ck_assert_uint_eq(hash_bytes("foobar", 6), 0x85944171f73967e8u);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_empty_table_holds_nothing,    many_keys,
        setting_again_changes_the_value, the_empty_key_is_a_key,
        the_hash_is_fnv,
    };
    return run_suite("table", tests, countof(tests));
}
