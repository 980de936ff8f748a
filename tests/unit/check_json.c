/* JSON: what is read, and what is refused. */
#include <check.h>
#include <string.h>

#include "runtime/json.h"
#include "tests/unit/suite.h"

static struct arena arena;

static const struct json *parse(const char *text)
{
    return json_parse(&arena, text, strlen(text));
}

START_TEST(values_are_read)
{
    const struct json *value = parse(
        " {\"a\" : [1, -2.5e1, true, null, \"x\"], \"b\":{\"c\":9007199254740993}, \"d\":[] }\n");
    const struct json *items = json_member(value, "a");
    ck_assert(json_is(items, JSON_ARRAY) && items->count == 5);
    ck_assert(items->items[0].is_integer && items->items[0].integer == 1);
    ck_assert(!items->items[1].is_integer && json_number(&items->items[1]) == -25);
    ck_assert(items->items[2].kind == JSON_BOOLEAN && items->items[2].number == 1);
    ck_assert_int_eq(items->items[3].kind, JSON_NULL);
    ck_assert_str_eq(items->items[4].text, "x");
    const struct json *large = json_member(json_member(value, "b"), "c");
    ck_assert(large->is_integer && large->integer == 9007199254740993);
    ck_assert(json_is(json_member(value, "d"), JSON_ARRAY));
    ck_assert_ptr_null(json_member(value, "e"));
    ck_assert_ptr_null(json_member(NULL, "e"));
    ck_assert(json_number(NULL) == 0 && json_number(items) == 0);
}
END_TEST

START_TEST(texts_are_decoded)
{
    const struct json *value = parse("\"a\\n\\\"\\\\\\/\\u0041\\u00e9\\u20AC\\ud83d\\ude00\xc3\xa9\"");
    ck_assert_str_eq(value->text, "a\n\"\\/A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9");
}
END_TEST

START_TEST(what_is_no_json_is_refused)
{
    static const char *const texts[] = {
        "", " ", "{", "}", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}",
        "01", "+1", "1.", ".5", "1e", "-", "0x10", "nan", "Infinity", "tru", "nulll", "1 2", "\"",
        "\"\\x\"", "\"\\u12\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
        "\"\n\"", "\"\x80\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"",
        "\"\xe2\x82\"", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "[[[[[[[[[]]]]]]]]]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(parse(texts[i]) == NULL, "%s is taken", texts[i]);
    ck_assert_ptr_nonnull(parse("[[[[[[[[]]]]]]]]"));
    ck_assert_ptr_null(json_parse(&arena, "1\0", 2));
    ck_assert_ptr_null(json_parse(&arena, "[1]", 2));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        values_are_read,
        texts_are_decoded,
        what_is_no_json_is_refused,
    };
    return run_suite("json", tests, sizeof tests / sizeof *tests);
}
