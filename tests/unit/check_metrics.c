/* metrics.jsonl, byte by byte, and the records behind the curves. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/history.h"
#include "runtime/metrics.h"
#include "tests/unit/suite.h"

START_TEST(lines_are_as_promised)
{
    char directory[] = "/tmp/check_metrics.XXXXXX";
    struct arena arena = {0};
    struct metrics metrics;
    ck_assert_ptr_nonnull(mkdtemp(directory));
    const char *path = arena_format(&arena, "%s/metrics.jsonl", directory);
    ck_assert_str_eq(metrics_create(&metrics, path).message, "");
    struct step_record step = {
        .step = 1, .loss = 2.0 / 3, .learning_rate = 0.1, .images_per_second = 1234};
    struct epoch_record epoch = {0, 1.5, 50, INFINITY, 25, 75, 0.1, 100, 0};
    ck_assert_str_eq(metrics_step(&metrics, &step).message, "");
    ck_assert_str_eq(metrics_epoch(&metrics, &epoch).message, "");
    char *bytes;
    size_t size;
    ck_assert(file_read(&arena, path, 4096, &bytes, &size).code == STATUS_OK);
    ck_assert_str_eq(bytes, "{\"event\":\"step\",\"epoch\":0,\"step\":1,\"loss\":0.666666667,"
                            "\"lr\":0.1,\"images_per_second\":1234}\n"
                            "{\"event\":\"epoch\",\"epoch\":0,\"train_loss\":1.5,"
                            "\"train_top1\":50,\"val_loss\":null,\"val_top1\":25,"
                            "\"val_top5\":75}\n");
    metrics_close(&metrics);
    struct metrics again;
    ck_assert_int_eq(metrics_create(&again, path).code, STATUS_IO);
    metrics_close(&again);
    unlink(path);
    rmdir(directory);
    arena_release(&arena);
}
END_TEST

START_TEST(a_full_disk_is_noticed)
{
    struct metrics metrics = {fopen("/dev/full", "w"), "/dev/full"};
    struct step_record step = {.step = 1, .loss = 1};
    ck_assert_int_eq(metrics_step(&metrics, &step).code, STATUS_IO);
    metrics_close(&metrics);
}
END_TEST

START_TEST(steps_are_merged_when_full)
{
    static struct history history;
    for (int i = 0; i < 3 * HISTORY_POINTS; i++)
        history_add_step(&history, i);
    ck_assert_int_eq(history.steps.span, 4);
    ck_assert_int_eq(history.steps.count, 3 * HISTORY_POINTS / 4);
    for (int i = 0; i < history.steps.count; i++)
        ck_assert_double_eq(history.steps.points[i], 4 * i + 1.5);
}
END_TEST

START_TEST(the_earliest_best_epoch_counts)
{
    static const double accuracies[] = {10, 30, 20, 30};
    struct arena arena = {0};
    struct history history = {.arena = &arena};
    ck_assert_ptr_null(history_best(&history));
    for (int i = 0; i < 4; i++)
        history_add_epoch(&history,
                          &(struct epoch_record){.epoch = i, .validation_top1 = accuracies[i]});
    ck_assert_int_eq(history_best(&history)->epoch, 1);
    arena_release(&arena);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("metrics");
    tcase_add_test(tests, lines_are_as_promised);
    tcase_add_test(tests, a_full_disk_is_noticed);
    tcase_add_test(tests, steps_are_merged_when_full);
    tcase_add_test(tests, the_earliest_best_epoch_counts);
    return run_case("metrics", tests);
}
