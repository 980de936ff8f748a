/* Views: composition of transforms, and the checks before a training. */
#include <check.h>
#include <string.h>

#include "runtime/augment.h"

static const struct rnet_transform pad4 = {.name = "pad", .arguments = {4}, .argument_count = 1};
static const struct rnet_transform crop32 = {
    .name = "random_crop", .arguments = {32}, .argument_count = 1};
static const struct rnet_transform always_flip = {
    .name = "horizontal_flip", .arguments = {1}, .argument_count = 1};

START_TEST(nothing_shows_everything)
{
    struct random_source random = {0};
    struct view view = augmentation_draw((struct augmentation){0}, 5, 7, &random);
    ck_assert(view.top == 0 && view.left == 0 && view.height == 5 && view.width == 7);
    ck_assert(!view.flipped);
}
END_TEST

START_TEST(pad_and_crop_reach_all_places)
{
    const struct rnet_transform transforms[] = {pad4, crop32, {.name = "horizontal_flip"}};
    struct augmentation augmentation = {transforms, 3};
    struct random_source random = {1, 2, 0};
    int tops[9] = {0}, lefts[9] = {0}, flips = 0;
    ck_assert_str_eq(augmentation_check(augmentation, 32, 32, 32, 32).message, "");
    for (int i = 0; i < 1800; i++) {
        struct view view = augmentation_draw(augmentation, 32, 32, &random);
        ck_assert(view.top >= -4 && view.top <= 4 && view.left >= -4 && view.left <= 4);
        ck_assert(view.height == 32 && view.width == 32);
        tops[view.top + 4]++;
        lefts[view.left + 4]++;
        flips += view.flipped;
    }
    for (int i = 0; i < 9; i++)
        ck_assert(tops[i] > 120 && tops[i] < 280 && lefts[i] > 120 && lefts[i] < 280);
    ck_assert(flips > 780 && flips < 1020);
}
END_TEST

START_TEST(crop_after_flip_counts_from_the_right)
{
    /* Flip a row 0 ... 9, then take the 4 in the middle (3 ... 6 from the right), then flip. */
    const struct rnet_transform centre = {
        .name = "center_crop", .arguments = {4}, .argument_count = 1};
    const struct rnet_transform odd = {
        .name = "center_crop", .arguments = {3}, .argument_count = 1};
    const struct rnet_transform transforms[] = {always_flip, centre, odd, always_flip};
    struct random_source random = {0};
    struct view view = augmentation_draw((struct augmentation){transforms, 4}, 10, 10, &random);
    /* Shown right to left: 6 5 4 3; its middle three from place 0: 6 5 4, which are columns 4-6. */
    ck_assert_int_eq(view.left, 4);
    ck_assert_int_eq(view.top, 3);
    ck_assert(!view.flipped);
}
END_TEST

START_TEST(misfits_are_refused)
{
    const struct rnet_transform unknown = {.name = "rotate"};
    const struct rnet_transform bare = {.name = "pad"};
    const struct rnet_transform large = {
        .name = "random_crop", .arguments = {41}, .argument_count = 1};
    const struct rnet_transform padded[] = {pad4, large};
    struct status status = augmentation_check((struct augmentation){&unknown, 1}, 32, 32, 32, 32);
    ck_assert_ptr_nonnull(strstr(status.message, "no transform rotate"));
    status = augmentation_check((struct augmentation){&bare, 1}, 32, 32, 32, 32);
    ck_assert_ptr_nonnull(strstr(status.message, "arguments"));
    status = augmentation_check((struct augmentation){padded, 2}, 32, 32, 41, 41);
    ck_assert_ptr_nonnull(strstr(status.message, "does not fit an image of 40 x 40"));
    status = augmentation_check((struct augmentation){&pad4, 1}, 32, 32, 32, 32);
    ck_assert_ptr_nonnull(strstr(status.message, "come out as 40 x 40"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("augment");
    TCase *tests = tcase_create("augment");
    tcase_add_test(tests, nothing_shows_everything);
    tcase_add_test(tests, pad_and_crop_reach_all_places);
    tcase_add_test(tests, crop_after_flip_counts_from_the_right);
    tcase_add_test(tests, misfits_are_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
