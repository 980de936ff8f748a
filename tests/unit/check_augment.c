/* Views: composition of transforms, and the checks before a training. */
#include <check.h>
#include <string.h>

#include "runtime/augment.h"
#include "tests/unit/suite.h"

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

static const struct rnet_transform resize256 = {
    .name = "resize", .arguments = {256}, .argument_count = 1};
static const struct rnet_transform crop224 = {
    .name = "center_crop", .arguments = {224}, .argument_count = 1};
static const struct rnet_transform part224 = {
    .name = "random_resized_crop", .arguments = {224}, .argument_count = 1};

START_TEST(resizing_rounds_as_torchvision)
{
    static const struct {
        int64_t height, width, grid_height, grid_width, top, left;
    } cases[] = {
        {333, 500, 256, 384, 16, 80}, {500, 333, 384, 256, 80, 16}, {256, 257, 256, 257, 16, 16},
        {256, 259, 256, 259, 16, 18}, {100, 100, 256, 256, 16, 16}, {1, 3, 256, 768, 16, 272},
    };
    const struct rnet_transform transforms[] = {resize256, crop224};
    struct random_source random = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct view view = augmentation_draw((struct augmentation){transforms, 2}, cases[i].height,
                                             cases[i].width, &random);
        ck_assert(view.resized && view.part.height == cases[i].height &&
                  view.part.width == cases[i].width);
        ck_assert_int_eq(view.grid_height, cases[i].grid_height);
        ck_assert_int_eq(view.grid_width, cases[i].grid_width);
        ck_assert_int_eq(view.top, cases[i].top);
        ck_assert_int_eq(view.left, cases[i].left);
    }
}
END_TEST

START_TEST(random_parts_are_within_their_limits)
{
    struct augmentation augmentation = {&part224, 1};
    struct random_source random = {3, 1, 0};
    double areas = 0;
    for (int i = 0; i < 2000; i++) {
        struct view view = augmentation_draw(augmentation, 375, 500, &random);
        double area = (double)(view.part.height * view.part.width) / (375 * 500);
        double ratio = (double)view.part.width / (double)view.part.height;
        ck_assert(view.resized && view.grid_height == 224 && view.height == 224);
        ck_assert(view.part.top >= 0 && view.part.top + view.part.height <= 375);
        ck_assert(view.part.left >= 0 && view.part.left + view.part.width <= 500);
        ck_assert(area > 0.075 && area <= 1 && ratio > 0.73 && ratio < 1.36);
        areas += area / 2000;
    }
    /* Large parts of an unsuitable shape are drawn again; torchvision gives 0.43 on average. */
    ck_assert(areas > 0.41 && areas < 0.46);
    /* A strip has no part of an allowed shape: what is left is its middle. */
    struct view strip = augmentation_draw(augmentation, 10, 4000, &random);
    ck_assert(strip.part.height == 10 && strip.part.width == 13 && strip.part.left == 1993);
}
END_TEST

START_TEST(sources_of_any_size_need_a_resize_first)
{
    const struct rnet_transform good[] = {resize256, crop224, always_flip};
    const struct rnet_transform late[] = {always_flip, resize256, crop224};
    const struct rnet_transform twice[] = {resize256, part224};
    ck_assert_str_eq(augmentation_check((struct augmentation){good, 3}, 0, 0, 224, 224).message,
                     "");
    ck_assert_str_eq(augmentation_check((struct augmentation){&part224, 1}, 0, 0, 224, 224).message,
                     "");
    ck_assert_str_eq(augmentation_check((struct augmentation){NULL, 0}, 0, 0, 224, 224).message,
                     "");
    struct status status = augmentation_check((struct augmentation){late, 3}, 0, 0, 224, 224);
    ck_assert_ptr_nonnull(strstr(status.message, "must come before horizontal_flip"));
    status = augmentation_check((struct augmentation){twice, 2}, 300, 300, 224, 224);
    ck_assert_ptr_nonnull(strstr(status.message, "random_resized_crop must come first"));
    status = augmentation_check((struct augmentation){&resize256, 1}, 0, 0, 256, 256);
    ck_assert_ptr_nonnull(strstr(status.message, "come out as"));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("augment");
    tcase_add_test(tests, nothing_shows_everything);
    tcase_add_test(tests, pad_and_crop_reach_all_places);
    tcase_add_test(tests, crop_after_flip_counts_from_the_right);
    tcase_add_test(tests, misfits_are_refused);
    tcase_add_test(tests, resizing_rounds_as_torchvision);
    tcase_add_test(tests, random_parts_are_within_their_limits);
    tcase_add_test(tests, sources_of_any_size_need_a_resize_first);
    return run_case("augment", tests);
}
