/* Building text, JSON strings, interning, edit distance. */
#include "base/text.h"

#include <string.h>

#include "base/vector.h"
#include "tests/unit/suite.h"

START_TEST(a_builder_grows)
{
    struct arena arena = {0};
    struct text_builder text = {.arena = &arena};

    ck_assert_str_eq(text_result(&text), "");
    for (int i = 0; i < 1000; i++)
        text_add(&text, "%d,", i % 10);
    ck_assert_uint_eq(text.length, 2000);
    ck_assert_uint_eq(strlen(text_result(&text)), 2000);
    ck_assert_int_eq(strncmp(text_result(&text), "0,1,2,", 6), 0);
    text_add_bytes(&text, "end", 3);
    ck_assert_str_eq(text_result(&text) + 2000, "end");
    arena_release(&arena);
}
END_TEST

START_TEST(lengths_around_the_capacity)
{
    struct arena arena = {0};
    char filler[300];

    memset(filler, 'x', sizeof filler);
    for (int length = 0; length < 300; length++) {
        struct text_builder text = {.arena = &arena};
        text_add(&text, "%.*s", length, filler);
        text_add_bytes(&text, filler, (size_t)length);
        ck_assert_uint_eq(strlen(text_result(&text)), 2 * (size_t)length);
    }
    arena_release(&arena);
}
END_TEST

START_TEST(json_is_escaped)
{
    struct arena arena = {0};
    struct text_builder text = {.arena = &arena};

    text_add_json(&text, "a \"b\" \\ \n\t\x01 \xc3\xa9");
    ck_assert_str_eq(text_result(&text), "\"a \\\"b\\\" \\\\ \\n\\t\\u0001 \xc3\xa9\"");
    arena_release(&arena);
}
END_TEST

START_TEST(equal_names_are_one_pointer)
{
    struct arena arena = {0};
    struct interner names = {.arena = &arena};
    const char *stride = intern(&names, "stride", 6);

    for (int i = 0; i < 500; i++) {
        const char *name = arena_format(&arena, "name%d", i);
        intern(&names, name, strlen(name));
    }
    ck_assert_ptr_eq(intern(&names, "stride = 2", 6), stride);
    ck_assert_ptr_ne(intern(&names, "strid", 5), stride);
    ck_assert_str_eq(stride, "stride");
    ck_assert_ptr_eq(intern(&names, "", 0), intern(&names, "x", 0));
    arena_release(&arena);
}
END_TEST

START_TEST(distances)
{
    static const struct {
        const char *a, *b;
        size_t limit, distance;
    } cases[] = {
        {"relu", "relu", 2, 0},      {"rleu", "relu", 2, 1},       {"rlu", "relu", 2, 1},
        {"reluu", "relu", 2, 1},     {"conv", "relu", 2, 3},       {"", "ab", 2, 2},
        {"stride", "strides", 0, 1}, {"kitten", "sitting", 9, 3},  {"ca", "abc", 9, 3},
        {"abcdef", "badcfe", 9, 3},  {"groups", "momentum", 9, 8}, {"a", "b", 1, 1},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        size_t distance = text_distance(cases[i].a, cases[i].b, cases[i].limit);
        ck_assert_msg(distance == cases[i].distance, "%s, %s: %zu", cases[i].a, cases[i].b,
                      distance);
        ck_assert_uint_eq(text_distance(cases[i].b, cases[i].a, cases[i].limit), distance);
    }
}
END_TEST

START_TEST(long_names_have_no_distance)
{
    char a[100] = {0}, b[100] = {0};

    memset(a, 'a', sizeof a - 1);
    memset(b, 'b', sizeof b - 1);
    ck_assert_uint_eq(text_distance(a, a, 3), 0);
    ck_assert_uint_eq(text_distance(a, b, 3), 4);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_builder_grows,
        lengths_around_the_capacity,
        json_is_escaped,
        equal_names_are_one_pointer,
        distances,
        long_names_have_no_distance,
    };
    return run_suite("text", tests, countof(tests));
}
