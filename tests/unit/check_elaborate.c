/* Networks: shapes, names of parameters, outputs, limits. */
#include "tests/unit/elaborate_fixture.h"

static void expect_codes(const char *text, const char *codes)
{
    struct fixture f;

    fixture_begin(&f);
    fixture_elaborate(&f, text);
    ck_assert_msg(strcmp(fixture_codes(&f), codes) == 0, "%s gave %s", text, fixture_codes(&f));
    fixture_end(&f);
}

/* Elaborates a network with `body` and expects the parameters `names`, in order. */
static void expect_names(const char *declarations, const char *body, const char *names)
{
    struct fixture f;
    struct text_builder found;

    fixture_begin(&f);
    found = (struct text_builder){.arena = &f.arena};
    ck_assert_msg(fixture_elaborate(&f, arena_format(&f.arena,
                                                     "%snetwork n {\n    input image(3, 8, 8)\n"
                                                     "    %s\n}\n",
                                                     declarations, body)),
                  "%s", fixture_codes(&f));
    for (size_t i = 0; i < f.out.graph->tensors.count; i++) {
        if (f.out.graph->tensors.items[i].kind == TENSOR_PARAMETER)
            text_add(&found, "%s%s", found.length ? " " : "", f.out.graph->tensors.items[i].name);
    }
    ck_assert_str_eq(text_result(&found), names);
    ck_assert_ptr_null(graph_check(f.out.graph));
    fixture_end(&f);
}

/* ---- names ---- */

START_TEST(labels_name_layers_and_open_scopes)
{
    expect_names("", "a: conv(3, 4)", "a.weight");
    expect_names("", "a: (conv(3, 4) >> relu >> conv(3, 4))", "a.0.weight a.2.weight");
    expect_names("", "a: b: conv(3, 4)", "a.b.weight");
    expect_names("", "a{1 + 1}: conv(3, 4)", "a2.weight");
    expect_names("", "loc.{3}: conv(3, 4)", "loc.3.weight");
    expect_names("block one = conv(3, 4)\n", "a: one", "a.0.weight");
}
END_TEST

START_TEST(unlabelled_layers_are_numbered)
{
    expect_names("", "conv(3, 4)", "0.weight");
    expect_names("", "conv(3, 4) >> relu >> conv(3, 4)", "0.weight 2.weight");
    expect_names("", "a: conv(3, 4) >> conv(3, 4)", "a.weight 1.weight");
    expect_names("", "a: (relu >> relu) >> conv(3, 4)", "1.weight");
    expect_names("", "identity >> conv(3, 3) >> identity >> conv(3, 4)", "0.weight 1.weight");
    expect_names("", "(conv(3, 4) >> relu) + conv(3, 4)", "0.weight 2.weight");
    expect_names("block one(w) = conv(3, w)\n", "one(4) >> one(5)", "0.weight 1.weight");
    expect_names("", "for i in 0..2 { conv(3, 4) }", "0.weight 1.weight");
}
END_TEST

START_TEST(stages_and_repeat_open_scopes)
{
    static const char stage[] = "stage s(count, body) {\n"
                                "    start = body\n"
                                "    middle = a: body\n"
                                "    end = body >> bn\n"
                                "}\n";

    expect_names(stage, "x: s(3, conv(3, 4, groups = 1))",
                 "x.0.0.weight x.1.a.weight x.2.0.weight x.2.1.weight x.2.1.bias");
    expect_names("", "x: repeat(2, c: conv(3, 4))", "x.0.c.weight x.1.c.weight");
    expect_names("", "repeat(2, conv(3, 4))", "0.0.weight 1.0.weight");
}
END_TEST

START_TEST(duplicate_names_are_errors)
{
    expect_codes("network n {\n input image(3, 8, 8)\n a: conv(3, 3)\n a: conv(3, 3)\n}\n",
                 "E0025");
    expect_codes("network n {\n input image(3, 8, 8)\n a: relu\n a: relu\n}\n", "E0025");
    expect_codes("network n {\n input image(3, 8, 8)\n repeat(2, bn)\n repeat(2, bn)\n}\n",
                 "E0025");
    /* a scope's number meets a label that spells the same path */
    expect_codes("network n {\n input image(3, 8, 8)\n x: (conv(3, 3) >> relu)\n"
                 " x.{0}: conv(3, 3)\n}\n",
                 "E0025");
    /* one report, however often the block is used */
    expect_codes("block b = a: relu >> a: relu\n"
                 "network n {\n input image(3, 8, 8)\n for i in 0..9 { l{i}: b }\n}\n",
                 "E0025");
}
END_TEST

/* ---- stages ---- */

START_TEST(stage_arms)
{
    static const char stage[] = "stage s(count) {\n"
                                "    let w = index + count\n"
                                "    start = a: conv(1, w)\n"
                                "    middle = b: conv(1, w)\n"
                                "}\n";
    struct fixture f;

    expect_names(stage, "s(1)", "0.a.weight");
    fixture_begin(&f);
    ck_assert(fixture_elaborate(&f, arena_format(&f.arena,
                                                 "%snetwork n {\n"
                                                 " input image(3, 8, 8)\n s(3)\n}\n",
                                                 stage)));
    ck_assert_int_eq(fixture_find(&f, "0.a.weight")->shape[0], 3);
    ck_assert_int_eq(fixture_find(&f, "1.b.weight")->shape[0], 4);
    ck_assert_int_eq(fixture_find(&f, "2.b.weight")->shape[0], 5);
    fixture_end(&f);
}
END_TEST

/* ---- what belongs to which tensor ---- */

START_TEST(input_channels_of_block_and_statement)
{
    static const char text[] =
        "block squeeze = a: conv(1, 2 * input.channels) >> b: conv(1, input.channels)\n"
        "network n {\n"
        "    input image(3, 8, 6)\n"
        "    conv(1, 5)\n"
        "    s: squeeze >> c: conv(1, input.channels + 1)\n"
        "    d: conv(1, input.size[1])\n"
        "    if input.size == 8 then identity else e: bn\n"
        "}\n";
    struct fixture f;

    fixture_begin(&f);
    ck_assert(fixture_elaborate(&f, text));
    ck_assert_int_eq(fixture_find(&f, "s.a.weight")->shape[0], 10);
    ck_assert_int_eq(fixture_find(&f, "s.b.weight")->shape[0], 5);
    ck_assert_int_eq(fixture_find(&f, "c.weight")->shape[0], 6);
    ck_assert_int_eq(fixture_find(&f, "d.weight")->shape[0], 6);
    ck_assert_ptr_nonnull(fixture_find(&f, "e.weight"));
    fixture_end(&f);
}
END_TEST

START_TEST(outputs)
{
    struct fixture f;

    fixture_begin(&f);
    ck_assert(fixture_elaborate(&f, "network n {\n input image(3, 8, 8)\n conv(1, 4)\n"
                                    " output a = conv(1, 7)\n output b = identity\n relu\n}\n"));
    ck_assert_uint_eq(f.out.graph->outputs.count, 2);
    ck_assert_str_eq(f.out.graph->outputs.items[0].name, "a");
    ck_assert_int_eq(f.out.graph->tensors.items[f.out.graph->outputs.items[0].tensor].channels, 7);
    ck_assert_int_eq(f.out.graph->tensors.items[f.out.graph->outputs.items[1].tensor].channels, 4);
    fixture_end(&f);
    fixture_begin(&f);
    ck_assert(fixture_elaborate(&f, "network n {\n input video(3, 4, 8, 8)\n"
                                    " conv([1, 3, 3], 5, stride = [1, 2, 2])\n}\n"));
    ck_assert_str_eq(f.out.graph->outputs.items[0].name, "logits");
    ck_assert_str_eq(
        tensor_shape_text(&f.out.graph->tensors.items[f.out.graph->outputs.items[0].tensor],
                          &f.arena),
        "[5, 4, 4, 4]");
    fixture_end(&f);
}
END_TEST

/* Outputs of one name join in the order they are met, wherever they are written. */
START_TEST(outputs_of_one_name)
{
    static const char text[] = "block head(w) {\n"
                               "    output boxes = conv(1, 4 * w) >> rows(4)\n"
                               "    output last = identity\n"
                               "}\n"
                               "network n {\n"
                               "    input image(3, 8, 8)\n"
                               "    a: head(2) >> max_pool(2)\n"
                               "    output boxes = b: conv(1, 4) >> rows(4)\n"
                               "}\n";
    struct fixture f;
    const struct graph_output *given;

    fixture_begin(&f);
    ck_assert_msg(fixture_elaborate(&f, text), "%s", fixture_codes(&f));
    given = f.out.graph->outputs.items;
    ck_assert_uint_eq(f.out.graph->outputs.count, 2);
    ck_assert_str_eq(given[0].name, "boxes");
    ck_assert_str_eq(tensor_shape_text(&f.out.graph->tensors.items[given[0].tensor], &f.arena),
                     "[144, 4]");
    ck_assert_str_eq(given[1].name, "last");
    fixture_end(&f);
}
END_TEST

/* ---- joins and products ---- */

static const char *shape_of(struct fixture *f, const char *body)
{
    const struct graph *graph;

    fixture_begin(f);
    ck_assert_msg(fixture_elaborate(f, arena_format(&f->arena,
                                                    "block w(n) = conv(1, n)\nnetwork n {\n"
                                                    " input image(3, 8, 8)\n %s\n}\n",
                                                    body)),
                  "%s: %s", body, fixture_codes(f));
    graph = f->out.graph;
    ck_assert_ptr_null(graph_check(graph));
    return tensor_shape_text(&graph->tensors.items[graph->outputs.items[0].tensor], &f->arena);
}

static void expect_shape(const char *body, const char *shape)
{
    struct fixture f;

    ck_assert_str_eq(shape_of(&f, body), shape);
    fixture_end(&f);
}

START_TEST(joins)
{
    expect_shape("[w(4), w(5)]", "[9, 8, 8]");
    expect_shape("[identity, [w(4), relu], w(5)] >> relu", "[15, 8, 8]");
    expect_shape("[w(4)]", "[4, 8, 8]");
    expect_shape("let parts = [w(4), w(2)]\n parts + w(6)", "[6, 8, 8]");
    expect_shape("a: [w(4), w(2)][0..1]", "[4, 8, 8]");
    expect_shape("repeat(2, [w(4), identity])", "[11, 8, 8]");
    expect_names("", "a: [conv(1, 2), x: conv(1, 3)] >> [b: conv(1, 2), conv(1, 2)]",
                 "a.0.weight a.x.weight b.weight 2.weight");
    expect_codes("network n {\n input image(3, 8, 8)\n [conv(1, 4), max_pool(2)]\n}\n", "E0021");
}
END_TEST

START_TEST(products)
{
    expect_shape("identity * relu", "[3, 8, 8]");
    expect_shape("identity * (global_avg_pool >> w(3))", "[3, 8, 8]");
    expect_shape("global_avg_pool * relu * global_avg_pool", "[3, 8, 8]");
    expect_codes("network n {\n input image(3, 8, 8)\n relu * conv(1, 4)\n}\n", "E0021");
    expect_codes("network n {\n input image(3, 8, 8)\n relu * max_pool(2)\n}\n", "E0021");
    expect_codes("network n {\n input image(3, 8, 8)\n"
                 " global_avg_pool * max_pool(2) * relu\n}\n",
                 "E0021");
}
END_TEST

/* ---- files ---- */

START_TEST(own_names_hide_used_ones)
{
    struct fixture f;

    fixture_begin(&f);
    ck_assert(fixture_elaborate(&f, "use cifar\n"
                                    "block bottleneck(width) = mine: conv(3, width)\n"
                                    "network n {\n input image(3, 8, 8)\n bottleneck(4)\n}\n"));
    ck_assert_ptr_nonnull(fixture_find(&f, "mine.weight"));
    fixture_end(&f);
}
END_TEST

START_TEST(networks_have_their_own_names)
{
    struct fixture f;

    fixture_begin(&f);
    f.options.network = "same";
    ck_assert(fixture_elaborate(&f, "block same = relu\n"
                                    "network other {\n input image(3, 8, 8)\n relu\n}\n"
                                    "network same {\n input image(3, 8, 8)\n same\n}\n"));
    ck_assert_str_eq(f.out.graph->network, "same");
    fixture_end(&f);
}
END_TEST

/* ---- mistakes and limits ---- */

START_TEST(limits)
{
    expect_codes("block f(g) = g(g)\nnetwork n {\n input image(3, 8, 8)\n f(f)\n}\n", "E0026");
    expect_codes("block f(g) = g(g) + g(g)\nnetwork n {\n input image(3, 8, 8)\n f(f)\n}\n",
                 "E0026");
    expect_codes("network n {\n input image(3, 8, 8)\n repeat(2000000, relu)\n}\n", "E0034");
    expect_codes("network n {\n input image(3, 8, 8)\n repeat(100000000000, identity)\n}\n",
                 "E0034");
    expect_codes("network n {\n input image(3, 8, 8)\n"
                 " for i in 0..100000 { for j in 0..100000 { let x = i } }\n}\n",
                 "E0034");
    expect_codes("network n {\n input image(1000, 65536, 65536)\n conv(1, 1000000)\n}\n", "E0034");
}
END_TEST

/* Values that double: harmless while nothing walks them, stopped where something does. */
START_TEST(doubling_values)
{
    struct fixture f;
    struct text_builder text;

    fixture_begin(&f);
    text = (struct text_builder){.arena = &f.arena};
    text_add(&text, "let a0 = identity\n");
    for (int i = 0; i < 60; i++)
        text_add(&text, "let a%d = a%d >> a%d\n", i + 1, i, i);
    text_add(&text, "network n {\n input image(3, 8, 8)\n a60\n}\n");
    ck_assert(!fixture_elaborate(&f, text_result(&text)));
    ck_assert_str_eq(fixture_codes(&f), "E0034");
    fixture_end(&f);
}
END_TEST

/* Lists that double, without blocks and with them. */
START_TEST(doubling_lists)
{
    static const char *const leaves[][2] = {{"1", "E0035"}, {"relu", "E0034"}};

    for (size_t leaf = 0; leaf < countof(leaves); leaf++) {
        struct fixture f;
        struct text_builder text;

        fixture_begin(&f);
        text = (struct text_builder){.arena = &f.arena};
        text_add(&text, "let a0 = [%s]\n", leaves[leaf][0]);
        for (int i = 0; i < 60; i++)
            text_add(&text, "let a%d = [a%d, a%d]\n", i + 1, i, i);
        text_add(&text, "network n {\n input image(3, 8, 8)\n a60 >> relu\n}\n");
        ck_assert(!fixture_elaborate(&f, text_result(&text)));
        ck_assert_str_eq(fixture_codes(&f), leaves[leaf][1]);
        fixture_end(&f);
    }
}
END_TEST

/* A chain of names may be long; a value nested very deep is a diagnostic. */
START_TEST(deep_values)
{
    struct fixture f;
    struct text_builder text;

    fixture_begin(&f);
    text = (struct text_builder){.arena = &f.arena};
    text_add(&text, "let a0 = relu\n");
    for (int i = 0; i < 20000; i++)
        text_add(&text, "let a%d = a%d >> identity\n", i + 1, i);
    text_add(&text, "network n {\n input image(3, 8, 8)\n a20000\n}\n");
    ck_assert(!fixture_elaborate(&f, text_result(&text)));
    ck_assert_str_eq(fixture_codes(&f), "E0026");
    fixture_end(&f);
    fixture_begin(&f);
    text = (struct text_builder){.arena = &f.arena};
    text_add(&text, "let a0 = relu\n");
    for (int i = 0; i < 20000; i++)
        text_add(&text, "let a%d = [a%d]\n", i + 1, i);
    text_add(&text, "network n {\n input image(3, 8, 8)\n a20000\n}\n");
    ck_assert(!fixture_elaborate(&f, text_result(&text)));
    ck_assert_str_eq(fixture_codes(&f), "E0005");
    fixture_end(&f);
}
END_TEST

START_TEST(poison_is_silent)
{
    expect_codes("network n {\n input image(3, 8, 8)\n let a = nowhere\n conv(3, a) >> bn\n"
                 " (conv(3, a + 1) + identity) >> linear(2 * a)\n"
                 " for i in a { relu }\n if a then relu else bn\n}\n",
                 "E0012");
    expect_codes("network n {\n input image(3, 8, 8)\n conv(3, 8, groups = 5) >> conv(3, 0) >>\n"
                 " (relu + conv(3, 9))\n}\n",
                 "E0022 E0023");
}
END_TEST

START_TEST(options)
{
    struct fixture f;

    fixture_begin(&f);
    fixture_define(&f, "depth", "n * 2");
    fixture_define(&f, "body", "bn");
    ck_assert(fixture_elaborate(&f, "let n = 21\n"
                                    "network x(depth = 1, body = relu) {\n"
                                    " input image(3, 8, 8)\n a: body\n}\n"));
    ck_assert_uint_eq(f.out.parameter_count, 2);
    ck_assert_str_eq(f.out.parameters[0].name, "depth");
    ck_assert_str_eq(f.out.parameters[0].value, "42");
    ck_assert(f.out.parameters[0].is_number);
    ck_assert_str_eq(f.out.parameters[1].value, "bn");
    ck_assert_ptr_nonnull(fixture_find(&f, "a.weight"));
    fixture_end(&f);
    fixture_begin(&f);
    fixture_define(&f, "dept", "1");
    ck_assert(!fixture_elaborate(&f, "network x(depth = 1) {\n input image(3, 8, 8)\n relu\n}\n"));
    ck_assert_str_eq(fixture_codes(&f), "E0033");
    fixture_end(&f);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        labels_name_layers_and_open_scopes,
        unlabelled_layers_are_numbered,
        stages_and_repeat_open_scopes,
        duplicate_names_are_errors,
        stage_arms,
        input_channels_of_block_and_statement,
        outputs,
        outputs_of_one_name,
        joins,
        products,
        own_names_hide_used_ones,
        networks_have_their_own_names,
        limits,
        doubling_values,
        doubling_lists,
        deep_values,
        poison_is_silent,
        options,
    };

    return run_suite("elaborate", tests, countof(tests));
}
