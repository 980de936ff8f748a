/* The report: main path, places of layers, and the counts, on networks small enough to count by
 * hand. */
#include "compiler/report.h"

#include "base/text.h"
#include "compiler/diff.h"
#include "compiler/stage_path.h"
#include "tests/unit/elaborate_fixture.h"

static struct report *report_of(struct fixture *fixture, const char *text,
                                enum report_count count)
{
    struct compilation *compilation;

    fixture_begin(fixture);
    compilation = ARENA_NEW(&fixture->arena, struct compilation);
    ck_assert_msg(fixture_elaborate(fixture, text), "%s", fixture_codes(fixture));
    compilation->elaboration = fixture->out;
    return report_make(compilation, count, &fixture->arena);
}

/* The same of a network with an input of [4, 8, 8]. */
static struct report *report_of_body(struct fixture *fixture, const char *body,
                                     enum report_count count)
{
    struct arena text = {0};
    struct report *report = report_of(
        fixture, arena_format(&text, "network n {\n input image(4, 8, 8)\n %s\n}\n", body),
        count);

    arena_release(&text);
    return report;
}

static void check_path(const char *body, const char *expected)
{
    struct fixture fixture;
    const struct report *report = report_of_body(&fixture, body, REPORT_MACS);

    ck_assert_str_eq(gate_counts_text(&report->main_path_total, &fixture.arena), expected);
    fixture_end(&fixture);
}

static void check_work(enum report_count count, const char *body, int64_t expected)
{
    struct fixture fixture;
    const struct report *report = report_of_body(&fixture, body, count);

    ck_assert_int_eq(report->total.work, expected);
    fixture_end(&fixture);
}

START_TEST(path_takes_the_branch_with_fewest_convolutions)
{
    check_path("bn >> relu", "1 bn, 1 relu");
    check_path("(conv(3, 4) >> relu) + identity", "none");
    check_path("(conv(3, 8) >> conv(3, 8)) + (bn >> conv(1, 8))", "1 conv, 1 bn");
    check_path("(relu >> conv(3, 4)) + conv(1, 4) + (bn >> relu >> conv(1, 4))", "1 conv");
    check_path("(bn >> relu) + bn", "1 bn");
    check_path("((conv(3, 4) + identity) >> relu) + conv(3, 4)", "1 relu");
    check_path("(identity * (conv(1, 4) >> sigmoid)) >> bn", "1 bn");
    check_path("[conv(3, 4), relu]", "1 relu");
}
END_TEST

START_TEST(path_counts_stages_apart)
{
    struct fixture fixture;
    const struct report *report =
        report_of(&fixture,
                  "network n {\n input image(4, 8, 8)\n bn\n"
                  " deep: repeat(3, (conv(3, 4) + identity) >> relu)\n bn\n}\n",
                  REPORT_MACS);

    ck_assert_int_eq(report->main_path.kinds[OP_RELU], 3);
    ck_assert_int_eq(report->main_path.kinds[OP_BN], 0);
    ck_assert_int_eq(report->main_path_total.kinds[OP_BN], 2);
    ck_assert_uint_eq(report->stages.count, 3);
    ck_assert_str_eq(report->stages.items[0].name, "stem");
    ck_assert_str_eq(report->stages.items[1].name, "deep");
    ck_assert_int_eq(report->stages.items[1].blocks, 3);
    ck_assert_str_eq(report->stages.items[2].name, "head");
    fixture_end(&fixture);
}
END_TEST

static void check_place(const char *path, const char *stage, const char *block)
{
    struct stage_path place;

    if (!stage) {
        ck_assert_msg(!stage_path_read(path, &place), "%s", path);
        return;
    }
    ck_assert_msg(stage_path_read(path, &place), "%s", path);
    ck_assert_uint_eq(place.stage, strlen(stage));
    ck_assert_uint_eq(place.block, strlen(block));
}

START_TEST(places_are_read_off_paths)
{
    check_place("conv1", NULL, NULL);
    check_place("3", NULL, NULL);
    check_place("layer1.3", NULL, NULL);
    check_place("layer1.0.conv1", "layer1", "layer1.0");
    check_place("layer1.12.downsample.1", "layer1", "layer1.12");
    check_place("stages.0.2.3", "stages.0", "stages.0.2");
    check_place("body.layer1.0.7", "body.layer1", "body.layer1.0");
    check_place("0.conv", "", "0");
    ck_assert_uint_eq(scope_length("layer1.0.conv1"), 8);
    ck_assert_uint_eq(scope_length("conv1"), 0);
}
END_TEST

/* 64 points; a 3x3 convolution of 4 channels to 8 is 64 * 4 * 9 * 8. */
START_TEST(work_is_counted_by_the_rules)
{
    enum { CONV = 64 * 4 * 9 * 8 };

    check_work(REPORT_MACS, "conv(3, 8) >> bn >> relu", CONV);
    check_work(REPORT_THOP, "conv(3, 8) >> bn >> relu", CONV + 64 * 8 * 5);
    check_work(REPORT_THOP, "conv(3, 8, bias = true)", CONV + 64 * 4 * 8);
    check_work(REPORT_THOP, "conv(3, 8, groups = 2, bias = true)", CONV / 2 + 64 * 2 * 8);
    check_work(REPORT_THOP, "max_pool(2, stride = 2)", 16 * 4 * 2);
    check_work(REPORT_THOP, "max_pool([2, 2], stride = 2)", 16 * 4 * 4);
    check_work(REPORT_THOP, "avg_pool(2, stride = 2)", 16 * 4 * 3);
    check_work(REPORT_THOP, "global_avg_pool", 65 * 4);
    check_work(REPORT_THOP, "global_avg_pool >> linear(10)", 65 * 4 + 7 * 10);
    check_work(REPORT_MACS, "global_avg_pool >> linear(10)", 40);
}
END_TEST

START_TEST(relus_of_a_residual_block_count_once)
{
    static const char body[] = "unit: (((relu >> relu) + identity) >> relu)\n relu >> relu";

    check_work(REPORT_THOP, body, 3 * 64 * 4);
    check_work(REPORT_THOP_ALL, body, 5 * 64 * 4);
    check_work(REPORT_MACS, body, 0);
}
END_TEST

static const struct difference *only_difference(struct fixture *a, struct fixture *b,
                                                const char *body_a, const char *body_b)
{
    const struct report *first = report_of_body(a, body_a, REPORT_MACS);
    const struct report *second = report_of_body(b, body_b, REPORT_MACS);
    const struct diff *diff = diff_networks(first, second, &a->arena);

    ck_assert_uint_le(diff->items.count, 1);
    return diff->items.count == 1 ? &diff->items.items[0] : NULL;
}

static void check_difference(const char *body_a, const char *body_b, enum difference_kind kind,
                             const char *place, const char *detail)
{
    struct fixture a, b;
    const struct difference *difference = only_difference(&a, &b, body_a, body_b);

    ck_assert_ptr_nonnull(difference);
    ck_assert_int_eq(difference->kind, kind);
    ck_assert_str_eq(difference->place, place);
    ck_assert_str_eq(difference->detail, detail);
    fixture_end(&a);
    fixture_end(&b);
}

START_TEST(differences_are_told_where_they_begin)
{
    struct fixture a, b;

    ck_assert_ptr_null(only_difference(&a, &b, "c: conv(3, 4) >> relu", "c: conv(3, 4)  >>  relu"));
    fixture_end(&a);
    fixture_end(&b);
    check_difference("c: conv(3, 4) >> bn >> relu", "c: conv(3, 8) >> bn >> relu",
                     DIFFERENCE_CHANGED, "c", "conv 3\xC3\x97"
                                              "3, 4 \xE2\x86\x92 conv 3\xC3\x97"
                                              "3, 8");
    check_difference("c: conv(3, 4) >> relu >> bn", "c: conv(3, 4) >> bn", DIFFERENCE_ONLY_A,
                     "relu after c", "");
    check_difference("s: repeat(1, bn)", "s: repeat(2, bn)", DIFFERENCE_ONLY_B, "s.1", "");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        path_takes_the_branch_with_fewest_convolutions,
        path_counts_stages_apart,
        places_are_read_off_paths,
        work_is_counted_by_the_rules,
        relus_of_a_residual_block_count_once,
        differences_are_told_where_they_begin,
    };

    return run_suite("report", tests, countof(tests));
}
