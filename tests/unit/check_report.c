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
    struct report_run runs[] = {{"<one>", &first, 1e6, 2}, {"two", &second, 0, 0}};
    ck_assert_double_eq(report_run_best(&runs[0]), 40);
    ck_assert_double_eq(report_run_last(&runs[0]), 50);
    ck_assert(isnan(report_run_best(&runs[1])));
    ck_assert(report_compare_write(path, "title", "two & more", runs, 2).code == STATUS_OK);
    ck_assert(file_read(&arena, path, 1 << 20, &bytes, &size).code == STATUS_OK);
    ck_assert_ptr_nonnull(strstr(bytes, "&lt;one>"));
    ck_assert_ptr_nonnull(strstr(bytes, "two &amp; more"));
    ck_assert_ptr_nonnull(strstr(bytes, "40.00 %"));
    ck_assert_ptr_null(strstr(bytes, "nan"));
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
        event_files_begin_as_tensorboard_wants,
    };
    return run_suite("report", tests, sizeof tests / sizeof *tests);
}
