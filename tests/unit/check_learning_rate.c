/* Schedules at their corners, and stretched. */
#include <check.h>
#include <string.h>

#include "runtime/learning_rate.h"
#include "tests/unit/suite.h"

static const struct rnet_schedule steps[] = {
    {.name = "step", .arguments = {0.1, 81, 122}, .argument_count = 3}};
static const struct rnet_recipe recipe = {
    .schedule = steps, .schedule_count = 1, .epochs = 164, .learning_rate = 0.1};

START_TEST(milestones_cut_the_rate)
{
    struct arena arena = {0};
    struct learning_rate rate;
    const char *note;
    ck_assert_str_eq(learning_rate_open(&rate, &arena, &recipe, 164, 10, &note).message, "");
    ck_assert_ptr_null(note);
    ck_assert_double_eq_tol(learning_rate_at(&rate, 0, 0), 0.1, 1e-12);
    ck_assert_double_eq_tol(learning_rate_at(&rate, 80, 9), 0.1, 1e-12);
    ck_assert_double_eq_tol(learning_rate_at(&rate, 81, 0), 0.01, 1e-12);
    ck_assert_double_eq_tol(learning_rate_at(&rate, 122, 0), 0.001, 1e-12);
    arena_release(&arena);
}
END_TEST

START_TEST(milestones_stretch_to_the_floor)
{
    struct arena arena = {0};
    struct learning_rate rate;
    const char *note;
    ck_assert_str_eq(learning_rate_open(&rate, &arena, &recipe, 8, 10, &note).message, "");
    ck_assert_str_eq(note, "the recipe's 164 epochs become 8; milestones 81 122 become 3 5");
    ck_assert_double_eq_tol(learning_rate_at(&rate, 2, 9), 0.1, 1e-12);
    ck_assert_double_eq_tol(learning_rate_at(&rate, 3, 0), 0.01, 1e-12);
    ck_assert_double_eq_tol(learning_rate_at(&rate, 5, 0), 0.001, 1e-12);
    arena_release(&arena);
}
END_TEST

START_TEST(warmup_and_cosine_multiply)
{
    static const struct rnet_schedule both[] = {
        {.name = "warmup", .arguments = {2}, .argument_count = 1}, {.name = "cosine"}};
    const struct rnet_recipe other = {
        .schedule = both, .schedule_count = 2, .epochs = 10, .learning_rate = 1};
    struct arena arena = {0};
    struct learning_rate rate;
    const char *note;
    ck_assert_str_eq(learning_rate_open(&rate, &arena, &other, 10, 4, &note).message, "");
    ck_assert_double_eq_tol(learning_rate_at(&rate, 0, 0), 1.0 / 8, 1e-12);
    ck_assert_double_eq_tol(learning_rate_at(&rate, 5, 0), 0.5, 1e-12);
    ck_assert_double_lt(learning_rate_at(&rate, 9, 3), 0.01);
    ck_assert_str_eq(learning_rate_open(&rate, &arena, &other, 5, 4, &note).message, "");
    ck_assert_ptr_nonnull(strstr(note, "warmup of 2 becomes 1"));
    ck_assert_double_eq_tol(learning_rate_at(&rate, 0, 0), 1.0 / 4, 1e-12);
    arena_release(&arena);
}
END_TEST

START_TEST(unknown_schedules_are_refused)
{
    static const struct rnet_schedule unknown = {.name = "zigzag"}, bare = {.name = "warmup"};
    struct rnet_recipe other = {.schedule = &unknown, .schedule_count = 1, .epochs = 1};
    struct arena arena = {0};
    struct learning_rate rate;
    const char *note;
    struct status status = learning_rate_open(&rate, &arena, &other, 1, 1, &note);
    ck_assert_ptr_nonnull(strstr(status.message, "no schedule zigzag"));
    other.schedule = &bare;
    status = learning_rate_open(&rate, &arena, &other, 1, 1, &note);
    ck_assert_ptr_nonnull(strstr(status.message, "arguments"));
    arena_release(&arena);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("learning_rate");
    tcase_add_test(tests, milestones_cut_the_rate);
    tcase_add_test(tests, milestones_stretch_to_the_floor);
    tcase_add_test(tests, warmup_and_cosine_multiply);
    tcase_add_test(tests, unknown_schedules_are_refused);
    return run_case("learning_rate", tests);
}
