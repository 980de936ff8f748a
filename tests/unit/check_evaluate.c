/* Expressions: what they come to, and which mistake each wrong one is. The value of an expression
 * shows as the bound parameter of a network. */
#include "tests/unit/elaborate_fixture.h"

static const char prelude[] = "let xs = [3, 4, 6, 3]\n"
                              "let m = {50: [3, 4], 101: 7}\n"
                              "block wide(out, stride = 1) = conv(3, out, stride = stride)\n"
                              "network n(x = 0, y) {\n"
                              "    input image(3, 8, 8)\n"
                              "    relu\n"
                              "}\n";

struct example {
    const char *expression;
    const char *expected; /* the value's text, or the codes of the mistakes */
};

static void check_example(const struct example *example, bool is_mistake)
{
    struct fixture f;
    bool ok;

    fixture_begin(&f);
    fixture_define(&f, "y", example->expression);
    ok = fixture_elaborate(&f, prelude);
    if (is_mistake)
        ck_assert_msg(strcmp(fixture_codes(&f), example->expected) == 0, "%s gave %s",
                      example->expression, fixture_codes(&f));
    else
        ck_assert_msg(ok && strcmp(f.out.parameters[1].value, example->expected) == 0,
                      "%s gave %s %s", example->expression,
                      ok ? f.out.parameters[1].value : "mistakes", fixture_codes(&f));
    fixture_end(&f);
}

START_TEST(values)
{
    static const struct example examples[] = {
        {"1 + 2 * 3", "7"},
        {"2 ^ 3 ^ 2", "512"},
        {"-2 ^ 2", "-4"},
        {"7 % 3", "1"},
        {"65 / 13", "5"},
        {"65 / 2.0", "32.5"},
        {"1e-4 * 10", "0.001"},
        {"2.0 ^ -1", "0.5"},
        {"(-1) ^ 9223372036854775807", "-1"},
        {"1 - 2 - 3", "-4"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775807 - 1", "-9223372036854775808"},
        {"if 1 < 2 then 3 else 1 / 0", "3"},
        {"0..4", "[0, 1, 2, 3]"},
        {"3..1", "[]"},
        {"xs[2]", "6"},
        {"xs[0..3]", "[3, 4, 6]"},
        {"xs[[3, 0]]", "[3, 3]"},
        {"m[101]", "7"},
        {"m[50][1]", "4"},
        {"len(xs)", "4"},
        {"len(m)", "2"},
        {"sum(xs)", "16"},
        {"sum(xs[0..0])", "0"},
        {"sum([1, 0.5])", "1.5"},
        {"[1, [2, 2]][1]", "[2, 2]"},
        {"if [2, 2] == 2 then 1 else 0", "1"},
        {"if [1, 2] == 2 then 1 else 0", "0"},
        {"if [1, 2] != 2 then 1 else 0", "1"},
        {"if [1, 2] == [1, 2] then 1 else 0", "1"},
        {"if [1, 2] == [1] then 1 else 0", "0"},
        {"if 1 == 1.0 and not (2 < 1 or 2 >= 3) then 1 else 0", "1"},
        {"if 1 == 2 and 1 / 0 == 1 then 1 else 0", "0"},
    };

    for (size_t i = 0; i < countof(examples); i++)
        check_example(&examples[i], false);
}
END_TEST

START_TEST(mistakes)
{
    static const struct example examples[] = {
        {"65 / 16", "E0017"},
        {"1 / 0", "E0019"},
        {"1 % 0", "E0019"},
        {"1 / 0.0", "E0019"},
        {"2 ^ 63", "E0019"},
        {"2 ^ -1", "E0019"},
        {"9223372036854775807 + 1", "E0019"},
        {"-9223372036854775807 - 2", "E0019"},
        {"(-9223372036854775807 - 1) / -1", "E0019"},
        {"sum([9223372036854775807, 1])", "E0019"},
        {"10.0 ^ 400", "E0019"},
        {"xs[4]", "E0018"},
        {"xs[-1]", "E0018"},
        {"xs[2..5]", "E0018"},
        {"m[7]", "E0018"},
        {"xs[true]", "E0016"},
        {"1 + true", "E0016"},
        {"1 < xs", "E0016"},
        {"xs + xs", "E0016"},
        {"[[1]] == 1", "E0016"},
        {"relu == relu", "E0016"},
        {"not 1", "E0016"},
        {"-xs", "E0016"},
        {"if 1 then 2 else 3", "E0016"},
        {"1 and true", "E0016"},
        {"xs(3)", "E0016"},
        {"sum(relu)", "E0016"},
        {"repeat(-1, relu)", "E0016"},
        {"0..10000000", "E0034"},
        {"-9223372036854775807..9223372036854775807", "E0034"},
        {"y", "E0012"},
        {"if true then 1 else nowhere", "E0012"},
        {"wide(3, strid = 2)", "E0013"},
        {"if true then 1 else wide(3, strid = 2)", "E0013"},
        {"wide(1, 2, 3)", "E0014"},
        {"identity(3)", "E0014"},
        {"(relu >> bn)(3)", "E0014"},
        {"sum()", "E0015"},
        {"input.channels", "E0030"},
        {"{1: 2, 1: 3}", "E0011"},
        {"wide(3, out = 4)", "E0011"},
        {"relu * 3", "E0016"},
        {"relu - bn", "E0016"},
        {"relu ^ bn", "E0016"},
        {"[relu, 3] >> relu", "E0035"},
        {"[[relu], [bn, 1]] + relu", "E0035"},
        {"[] >> relu", "E0035"},
        {"[1] >> relu", "E0035"},
        {"3 >> relu", "E0035"},
        {"if true then 1 else wide(3)(strid = 2)", "E0013"},
        {"{1: relu}[1](3)", "E0014"},
        {"conv([3, 0.5], 8)", "E0016"},
        {"conv([], 8)", "E0022"},
    };

    for (size_t i = 0; i < countof(examples); i++)
        check_example(&examples[i], true);
}
END_TEST

/* Positional arguments fill what is still unbound; named ones replace earlier calls'. */
START_TEST(partial_application)
{
    static const char text[] = "let odd = conv(kernel = 5)\n"
                               "let strided = odd(stride = 2)\n"
                               "let wide = strided(16)\n"
                               "network n {\n"
                               "    input image(3, 32, 32)\n"
                               "    a: wide >> b: strided(8, stride = 1) >> c: wide(kernel = 1)\n"
                               "}\n";
    struct fixture f;

    fixture_begin(&f);
    ck_assert(fixture_elaborate(&f, text));
    ck_assert_int_eq(fixture_find(&f, "a.weight")->shape[0], 16);
    ck_assert_int_eq(fixture_find(&f, "b.weight")->shape[0], 8);
    ck_assert_int_eq(fixture_find(&f, "b.weight")->shape[3], 5);
    ck_assert_int_eq(fixture_find(&f, "c.weight")->shape[3], 1);
    ck_assert_int_eq(f.out.graph->tensors.items[f.out.graph->outputs.items[0].tensor].grid[2], 8);
    fixture_end(&f);
}
END_TEST

/* A default is evaluated when the block meets its input, and may use earlier parameters. */
START_TEST(defaults)
{
    static const char text[] = "block b(width = 2 * input.channels, out = width + 1) =\n"
                               "    conv1: conv(1, width) >> conv2: conv(1, out)\n"
                               "network n {\n"
                               "    input image(3, 8, 8)\n"
                               "    a: b\n"
                               "    c: b(10)\n"
                               "    d: b(out = 4)\n"
                               "}\n";
    struct fixture f;

    fixture_begin(&f);
    ck_assert(fixture_elaborate(&f, text));
    ck_assert_int_eq(fixture_find(&f, "a.conv1.weight")->shape[0], 6);
    ck_assert_int_eq(fixture_find(&f, "a.conv2.weight")->shape[0], 7);
    ck_assert_int_eq(fixture_find(&f, "c.conv2.weight")->shape[0], 11);
    ck_assert_int_eq(fixture_find(&f, "d.conv1.weight")->shape[0], 22);
    ck_assert_int_eq(fixture_find(&f, "d.conv2.weight")->shape[0], 4);
    fixture_end(&f);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {values, mistakes, partial_application, defaults};

    return run_suite("evaluate", tests, countof(tests));
}
