/* What is said of runs: the worst mistakes, means and deviations, metrics.csv, checksums of event
 * files, text in pages. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/mistakes.h"
#include "runtime/page.h"
#include "runtime/report_compare.h"
#include "runtime/tensorboard.h"
#include "tests/unit/suite.h"

/* Where the processor leaves what is read. */
static float *at(const struct executor *executor, struct rnet_location location)
{
    return (float *)(void *)(executor->regions[location.region] + location.offset);
}

START_TEST(the_worst_mistakes_are_kept_in_order)
{
    struct data_set data = {0};
    struct executor executor = {0};
    struct arena arena = {0};
    struct mistakes mistakes;
    struct loader loader = {0};
    int64_t order[50];
    int32_t labels[50];
    ck_assert(executor_open(&executor, &rnet_program, 1).code == STATUS_OK);
    mistakes_open(&mistakes, &arena, &rnet_program);
    float *logits = at(&executor, rnet_program.logits);
    float *losses = at(&executor, rnet_program.loss);
    for (int i = 0; i < 50; i++) {
        order[i] = 49 - i;
        labels[49 - i] = i % 2; /* class 0 is predicted for all */
        logits[i * 16] = 5;
        losses[i] = (float)((i * 7) % 50);
    }
    data.parts[DATA_VALIDATION].labels = labels;
    loader = (struct loader){
        .data = &data, .executor = &executor, .part = DATA_VALIDATION, .order = order};
    mistakes_see(&mistakes, &executor, 50);
    mistakes_add(&mistakes, &loader, 0, 50);
    ck_assert_int_eq(mistakes.images, 50);
    ck_assert_int_eq(mistakes.confusion[0], 25);
    ck_assert_int_eq(mistakes.confusion[10], 25);
    ck_assert_int_eq(mistakes.count, MISTAKES_SHOWN);
    for (int i = 0; i < MISTAKES_SHOWN; i++) {
        ck_assert_int_eq(mistakes.worst[i].label, 1);
        ck_assert_double_eq(mistakes.worst[i].loss, 49 - 2 * i);
        ck_assert_int_eq((49 - mistakes.worst[i].image) * 7 % 50, (int)mistakes.worst[i].loss);
        ck_assert_double_eq_tol(mistakes.worst[i].confidence, 1 / (1 + 9 * exp(-5)), 1e-6);
    }
    mistakes_clear(&mistakes);
    ck_assert(mistakes.count == 0 && mistakes.confusion[10] == 0);
    executor_release(&executor);
    arena_release(&arena);
}
END_TEST

START_TEST(means_and_deviations_are_those_of_samples)
{
    double mean, deviation;
    mean_and_deviation((const double[]){2, 4, 4, 4, 5, 5, 7, 9}, 8, &mean, &deviation);
    ck_assert_double_eq_tol(mean, 5, 1e-12);
    ck_assert_double_eq_tol(deviation, sqrt(32.0 / 7), 1e-12);
    mean_and_deviation((const double[]){3}, 1, &mean, &deviation);
    ck_assert(mean == 3 && deviation == 0);
}
END_TEST

START_TEST(a_table_and_a_page_of_runs)
{
    char path[] = "/tmp/check_report.XXXXXX", *bytes;
    struct arena arena = {0};
    struct history first = {.arena = &arena}, second = {.arena = &arena};
    size_t size;
    close(mkstemp(path));
    history_add_epoch(&first, &(struct epoch_record){0, 2, 10, 1.5, 60, 90, 0.1, 100, 0.25});
    history_add_epoch(&first, &(struct epoch_record){1, 1, 20, 1.25, 50, 80, 0.1, 100, 0});
    ck_assert(history_write_csv(&first, path).code == STATUS_OK);
    ck_assert(file_read(&arena, path, 4096, &bytes, &size).code == STATUS_OK);
    ck_assert_str_eq(bytes, "epoch,lr,train_loss,train_top1,val_loss,val_top1,val_top5,"
                            "images_per_second,waiting\n"
                            "0,0.1,2,10,1.5,60,90,100,0.25\n1,0.1,1,20,1.25,50,80,100,0\n");
    const struct history *one[] = {&first}, *two[] = {&second};
    struct report_run runs[] = {
        {.name = "<one>", .seeds = one, .seed_count = 1, .parameters = 1234567, .gflops = 2},
        {.name = "two", .seeds = two, .seed_count = 1},
    };
    const struct report_page page = {.title = "title", .subtitle = "two & more"};
    ck_assert_double_eq(report_run_best(&runs[0]).mean, 40);
    ck_assert_double_eq(report_run_last(&runs[0]).mean, 50);
    ck_assert(isnan(report_run_best(&runs[1]).mean));
    ck_assert_uint_eq(report_best_run(runs, 2), 0);
    ck_assert(report_compare_write(path, &page, runs, 2).code == STATUS_OK);
    ck_assert(file_read(&arena, path, 1 << 20, &bytes, &size).code == STATUS_OK);
    ck_assert_ptr_nonnull(strstr(bytes, "&lt;one>"));
    ck_assert_ptr_nonnull(strstr(bytes, "two &amp; more"));
    ck_assert_ptr_nonnull(strstr(bytes, "40.00 %"));
    ck_assert_ptr_nonnull(strstr(bytes, "1,234,567"));
    ck_assert_ptr_null(strstr(bytes, "nan"));
    ck_assert_ptr_null(strstr(bytes, "each choice"));
    unlink(path);
    arena_release(&arena);
}
END_TEST

static void add_epoch(struct history *history, double top1, double speed)
{
    history_add_epoch(history,
                      &(struct epoch_record){.epoch = (int64_t)history->epochs.count,
                                             .validation_top1 = top1,
                                             .images_per_second = speed});
}

/* A seed that is an epoch behind, and one without any, shorten the curve, not the errors. */
START_TEST(seeds_of_a_run_are_averaged)
{
    struct arena arena = {0};
    struct history histories[3] = {{.arena = &arena}, {.arena = &arena}, {.arena = &arena}};
    const struct history *seeds[] = {&histories[0], &histories[1], &histories[2]};
    struct report_run run = {.name = "run", .seeds = seeds, .seed_count = 2};
    add_epoch(&histories[0], 30, 100);
    add_epoch(&histories[0], 20, 300);
    add_epoch(&histories[1], 40, 300);
    ck_assert_double_eq(report_run_best(&run).mean, 65);
    ck_assert_double_eq(report_run_best(&run).least, 60);
    ck_assert_double_eq_tol(report_run_best(&run).deviation, sqrt(50), 1e-12);
    ck_assert_double_eq(report_run_last(&run).mean, 70);
    ck_assert_uint_eq(report_run_epochs(&run), 1);
    ck_assert_double_eq_tol(report_run_speed(&run), 3 / (1.0 / 100 + 2.0 / 300), 1e-9);
    run.seed_count = 3;
    ck_assert_double_eq(report_run_best(&run).mean, 65);
    ck_assert_uint_eq(report_run_epochs(&run), 0);
    arena_release(&arena);
}
END_TEST

/* The page tells what each choice comes to only where all combinations are there. */
START_TEST(choices_are_averaged_over_the_others)
{
    char path[] = "/tmp/check_report.XXXXXX", *bytes;
    struct arena arena = {0};
    struct report_run runs[4];
    const struct report_page page = {.title = "title", .subtitle = ""};
    size_t size;
    close(mkstemp(path));
    for (int i = 0; i < 4; i++) {
        struct history *history = ARENA_NEW(&arena, struct history);
        const struct history **seeds = ARENA_NEW(&arena, const struct history *);
        struct report_setting *settings = ARENA_ARRAY(&arena, struct report_setting, 2);
        history->arena = &arena;
        add_epoch(history, 60 + 10 * (i / 2) + i % 2, 1);
        seeds[0] = history;
        settings[0] = (struct report_setting){"stage", i / 2 ? "new" : "old"};
        settings[1] = (struct report_setting){"pool", i % 2 ? "max" : "none"};
        runs[i] = (struct report_run){arena_format(&arena, "run %d", i), seeds, 1, 0, 0,
                                      settings, 2, NULL};
    }
    ck_assert_uint_eq(report_best_run(runs, 4), 3);
    ck_assert(report_compare_write(path, &page, runs, 4).code == STATUS_OK);
    ck_assert(file_read(&arena, path, 1 << 20, &bytes, &size).code == STATUS_OK);
    ck_assert_ptr_nonnull(strstr(bytes, ">old</td><td>2</td><td>39.50 %"));
    ck_assert_ptr_nonnull(strstr(bytes, ">new</td><td>2</td><td>29.50 %"));
    ck_assert_ptr_nonnull(strstr(bytes, ">max</td><td>2</td><td>34.00 %"));
    ck_assert(report_compare_write(path, &page, runs, 3).code == STATUS_OK);
    ck_assert(file_read(&arena, path, 1 << 20, &bytes, &size).code == STATUS_OK);
    ck_assert_ptr_null(strstr(bytes, "each choice"));
    unlink(path);
    arena_release(&arena);
}
END_TEST

START_TEST(event_files_begin_as_tensorboard_wants)
{
    char path[] = "/tmp/check_report.XXXXXX", *bytes;
    struct arena arena = {0};
    struct tensorboard board = {0};
    int64_t position, again;
    size_t size;
    ck_assert_uint_eq(crc32c("123456789", 9), 0xe3069283);
    tensorboard_scalar(&board, "ignored", 1, 1);
    ck_assert(tensorboard_sync(&board, &position).code == STATUS_OK && position == 0);
    close(mkstemp(path));
    ck_assert(tensorboard_open(&board, path, 0).code == STATUS_OK);
    tensorboard_scalar(&board, "loss", 1, 0.5);
    ck_assert(tensorboard_sync(&board, &position).code == STATUS_OK);
    tensorboard_scalar(&board, "loss", 300, 0.25);
    ck_assert(tensorboard_sync(&board, &again).code == STATUS_OK && again > position);
    tensorboard_close(&board);
    ck_assert(tensorboard_open(&board, path, position).code == STATUS_OK);
    ck_assert(tensorboard_sync(&board, &again).code == STATUS_OK && again == position);
    tensorboard_close(&board);
    ck_assert(file_read(&arena, path, 4096, &bytes, &size).code == STATUS_OK);
    ck_assert_int_eq((int64_t)size, position);
    ck_assert_mem_eq(bytes, "\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22", 12);
    ck_assert_mem_eq(bytes + 12 + 9,
                     "\x1a\x0d"
                     "brain.Event:2",
                     15);
    unlink(path);
    arena_release(&arena);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_worst_mistakes_are_kept_in_order,
        means_and_deviations_are_those_of_samples,
        a_table_and_a_page_of_runs,
        seeds_of_a_run_are_averaged,
        choices_are_averaged_over_the_others,
        event_files_begin_as_tensorboard_wants,
    };
    return run_suite("report", tests, sizeof tests / sizeof *tests);
}
