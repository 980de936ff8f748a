/* Scopes: inner names hide outer ones, large scopes behave like small ones. */
#include "compiler/scope.h"

#include <string.h>

#include "base/text.h"
#include "tests/unit/suite.h"

static void expect_hiding(bool is_large)
{
    struct arena arena = {0};
    const char *a = "a", *b = "b", *c = "c";
    struct scope *outer = scope_new(&arena, NULL, is_large);
    struct scope *inner = scope_new(&arena, outer, is_large);

    scope_add(outer, &arena, a, (struct span){0}, value_integer(1));
    scope_add(outer, &arena, b, (struct span){0}, value_integer(2));
    scope_add(inner, &arena, a, (struct span){0}, value_integer(3));
    ck_assert_int_eq(scope_find(inner, a)->value.integer, 3);
    ck_assert_int_eq(scope_find(inner, b)->value.integer, 2);
    ck_assert_int_eq(scope_find(outer, a)->value.integer, 1);
    ck_assert_ptr_null(scope_find_here(inner, b));
    ck_assert_ptr_null(scope_find(inner, c));
    scope_add(inner, &arena, a, (struct span){0}, value_integer(4));
    ck_assert_int_eq(scope_find(inner, a)->value.integer, 4);
    arena_release(&arena);
}

START_TEST(small_scopes)
{
    expect_hiding(false);
}
END_TEST

START_TEST(large_scopes)
{
    expect_hiding(true);
}
END_TEST

START_TEST(shared_bindings_are_one)
{
    struct arena arena = {0};
    const char *a = "a";
    struct scope *first = scope_new(&arena, NULL, true);
    struct scope *second = scope_new(&arena, NULL, true);
    struct binding *binding = scope_add(first, &arena, a, (struct span){0}, value_integer(1));

    scope_share(second, &arena, binding);
    binding->value = value_integer(2);
    ck_assert_int_eq(scope_find(second, a)->value.integer, 2);
    arena_release(&arena);
}
END_TEST

START_TEST(many_names)
{
    struct arena arena = {0};
    struct interner names = {.arena = &arena, .table = {.arena = &arena}};
    struct scope *scope = scope_new(&arena, NULL, true);
    struct name_list list = {.arena = &arena};

    for (int i = 0; i < 1000; i++) {
        const char *text = arena_format(&arena, "name%d", i);

        scope_add(scope, &arena, intern(&names, text, strlen(text)), (struct span){0},
                  value_integer(i));
    }
    ck_assert_int_eq(scope_find(scope, intern(&names, "name617", 7))->value.integer, 617);
    scope_list_names(scope, &list);
    ck_assert_uint_eq(list.names.count, 1000);
    arena_release(&arena);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {small_scopes, large_scopes, shared_bindings_are_one, many_names};

    return run_suite("scope", tests, countof(tests));
}
