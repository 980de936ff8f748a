/* Data sets: what they hold, what batches made of them hold, and what is refused. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/loader.h"
#include "tests/unit/suite.h"

enum { RECORD = 3073, IMAGE = 3072 };

struct folder {
    char path[40];
    struct arena arena;
};

static void folder_make(struct folder *folder)
{
    *folder = (struct folder){.path = "/tmp/check_data.XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(folder->path));
}

static void folder_write(struct folder *folder, const char *name, const void *bytes, size_t size)
{
    const char *path = arena_format(&folder->arena, "%s/%s", folder->path, name);
    ck_assert_str_eq(file_write(path, bytes, size).message, "");
}

static void folder_remove(struct folder *folder, const char *const *names)
{
    for (; *names != NULL; names++)
        unlink(arena_format(&folder->arena, "%s/%s", folder->path, *names));
    rmdir(folder->path);
    arena_release(&folder->arena);
}

static struct status folder_open(struct folder *folder, const char *kind, unsigned parts,
                                 struct data_set *data)
{
    const char *spec = arena_format(&folder->arena, "%s:%s", kind, folder->path);
    return data_set_open(data, spec, parts, &rnet_program);
}

START_TEST(shapes_are_balanced_and_fixed)
{
    struct data_set data = {0};
    int classes[10] = {0};
    ck_assert_str_eq(data_set_open(&data, "shapes", DATA_NEEDS_VALIDATION, &rnet_program).message,
                     "");
    const struct data_part *part = &data.parts[DATA_VALIDATION];
    ck_assert_int_eq(part->count, 1000);
    ck_assert_int_eq(data.parts[DATA_TRAIN].count, 0);
    for (int64_t i = 0; i < part->count; i++)
        classes[part->labels[i]]++;
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(classes[i], 100);
    double sum = 0;
    for (int64_t i = 0; i < part->count * IMAGE; i++)
        sum += part->bytes[i];
    ck_assert_double_eq_tol(sum / (255.0 * (double)part->count * IMAGE), 0.3, 0.05);
    data_set_release(&data);
}
END_TEST

START_TEST(cifar_files_are_joined_in_order)
{
    static uint8_t records[3 * RECORD];
    static const char *const names[] = {"data_batch_1.bin", "data_batch_2.bin", "test_batch.bin",
                                        "batches.meta.txt", NULL};
    struct folder folder;
    struct data_set data = {0};
    for (int i = 0; i < 3; i++)
        memset(records + i * RECORD, 10 * (i + 1), RECORD), records[i * RECORD] = (uint8_t)(7 + i);
    folder_make(&folder);
    folder_write(&folder, names[1], records + 2 * RECORD, RECORD);
    folder_write(&folder, names[0], records, 2 * RECORD);
    folder_write(&folder, names[2], records, RECORD);
    folder_write(&folder, names[3], "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n", 21);
    ck_assert_str_eq(folder_open(&folder, "cifar10", 3, &data).message, "");
    ck_assert_int_eq(data.parts[DATA_TRAIN].count, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(data.parts[DATA_TRAIN].labels[i], 7 + i);
        ck_assert_int_eq(data.parts[DATA_TRAIN].bytes[i * IMAGE + 5], 10 * (i + 1));
    }
    ck_assert_str_eq(data.class_names[9], "j");
    data_set_release(&data);
    folder_remove(&folder, names);
}
END_TEST

START_TEST(broken_cifar_files_are_refused)
{
    static uint8_t records[2 * RECORD];
    static const char *const names[] = {"test_batch.bin", NULL};
    struct folder folder;
    struct data_set data;
    folder_make(&folder);
    ck_assert_int_eq(folder_open(&folder, "cifar10", DATA_NEEDS_TRAIN, &data).code, STATUS_INVALID);
    data_set_release(&data);
    ck_assert_int_eq(folder_open(&folder, "cifar10", DATA_NEEDS_VALIDATION, &data).code, STATUS_IO);
    data_set_release(&data);
    folder_write(&folder, names[0], records, RECORD + 1);
    struct status status = folder_open(&folder, "cifar10", DATA_NEEDS_VALIDATION, &data);
    ck_assert_ptr_nonnull(strstr(status.message, "not a multiple of 3073"));
    data_set_release(&data);
    records[0] = 10;
    folder_write(&folder, names[0], records, RECORD);
    status = folder_open(&folder, "cifar10", DATA_NEEDS_VALIDATION, &data);
    ck_assert_ptr_nonnull(strstr(status.message, "label 10"));
    data_set_release(&data);
    folder_remove(&folder, names);
}
END_TEST

START_TEST(wrong_specs_are_usage_errors)
{
    static const char *const specs[] = {"", "nothing", "cifar10", "cifar10:", "shapes:x", ":"};
    struct data_set data;
    ck_assert_int_eq(data_set_open(&data, specs[_i], 3, &rnet_program).code, STATUS_USAGE);
    data_set_release(&data);
}
END_TEST

/* Writes an array as .npy; labels as uint8 by patching the type in a header of the same length. */
static void array_write(struct folder *folder, const char *name, const int64_t *shape, int rank,
                        const void *values, size_t size)
{
    char *bytes = NULL;
    size_t length;
    FILE *stream = open_memstream(&bytes, &length);
    npy_write_header(stream, shape, rank);
    fwrite(values, 1, size, stream);
    fclose(stream);
    if (rank == 1)
        memcpy(strstr(bytes + 10, "<f4"), "|u1", 3);
    folder_write(folder, name, bytes, length);
    free(bytes);
}

START_TEST(npy_is_taken_as_it_is)
{
    static float images[2 * IMAGE];
    static const char *const names[] = {"val_x.npy", "val_y.npy", NULL};
    const int64_t shape[] = {2, 3, 32, 32};
    const uint8_t labels[] = {3, 10};
    struct folder folder;
    struct data_set data;
    struct executor executor = {0};
    struct loader loader;
    for (int i = 0; i < 2 * IMAGE; i++)
        images[i] = (float)i;
    folder_make(&folder);
    array_write(&folder, names[0], shape, 4, images, sizeof images);
    array_write(&folder, names[1], shape, 1, labels, 2);
    struct status status = folder_open(&folder, "npy", DATA_NEEDS_VALIDATION, &data);
    ck_assert_ptr_nonnull(strstr(status.message, "image 1 is of class 10"));
    data_set_release(&data);
    array_write(&folder, names[1], shape, 1, (const uint8_t[]){3, 9}, 2);
    ck_assert_str_eq(folder_open(&folder, "npy", DATA_NEEDS_VALIDATION, &data).message, "");
    ck_assert(executor_open(&executor, &rnet_program, 2).code == STATUS_OK);
    ck_assert_str_eq(loader_open(&loader, &data.arena, &data, &executor,
                                 &(struct loader_options){.part = DATA_VALIDATION})
                         .message,
                     "");
    int64_t count;
    ck_assert(loader_fill(&loader, 0, &count).code == STATUS_OK);
    ck_assert_int_eq(count, 2);
    ck_assert(loader_fill(&loader, 2, &count).code == STATUS_OK);
    ck_assert_int_eq(count, 0);
    const float *input = (const float *)(const void *)executor.regions[RNET_REGION_INPUT];
    for (int image = 0; image < 2; image++)
        for (int channel = 0; channel < 3; channel++)
            for (int pixel = 0; pixel < 1024; pixel++)
                ck_assert(input[(image * 1024 + pixel) * 3 + channel] ==
                          images[(image * 3 + channel) * 1024 + pixel]);
    ck_assert_int_eq(((const int32_t *)(const void *)executor.regions[RNET_REGION_LABELS])[1], 9);
    executor_release(&executor);
    data_set_release(&data);
    folder_remove(&folder, names);
}
END_TEST

START_TEST(padding_is_black_before_normalization)
{
    static const struct rnet_transform transforms[] = {
        {.name = "pad", .arguments = {4}, .argument_count = 1},
        {.name = "random_crop", .arguments = {32}, .argument_count = 1},
        {.name = "horizontal_flip", .arguments = {1}, .argument_count = 1},
    };
    static uint8_t white[IMAGE];
    static const int32_t label = 0;
    static const float mean[] = {0.5f, 0.25f, 0.75f}, deviation[] = {0.5f, 0.25f, 0.25f};
    struct data_set data = {
        .channels = 3, .size = {1, 32, 32}, .mean = mean, .deviation = deviation};
    memset(white, 255, sizeof white);
    data.parts[DATA_TRAIN] = (struct data_part){.count = 1, .bytes = white, .labels = &label};
    struct executor executor = {0};
    struct loader loader;
    ck_assert(executor_open(&executor, &rnet_program, 1).code == STATUS_OK);
    struct loader_options options = {.part = DATA_TRAIN, .augmentation = {transforms, 3}};
    ck_assert(loader_open(&loader, &data.arena, &data, &executor, &options).code == STATUS_OK);
    int black = 0;
    for (int epoch = 0; epoch < 5; epoch++) {
        loader_start_epoch(&loader, epoch);
        int64_t count;
        ck_assert(loader_fill(&loader, 0, &count).code == STATUS_OK);
        const float *input = (const float *)(const void *)executor.regions[RNET_REGION_INPUT];
        for (int i = 0; i < IMAGE; i++) {
            float shown = input[i] * deviation[i % 3] + mean[i % 3];
            ck_assert(shown == 0 || shown == 1);
            black += shown == 0;
        }
    }
    ck_assert_int_gt(black, 0);
    ck_assert_int_eq(black % 3, 0);
    executor_release(&executor);
    data_set_release(&data);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("data");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, shapes_are_balanced_and_fixed);
    tcase_add_test(tests, cifar_files_are_joined_in_order);
    tcase_add_test(tests, broken_cifar_files_are_refused);
    tcase_add_loop_test(tests, wrong_specs_are_usage_errors, 0, 6);
    tcase_add_test(tests, npy_is_taken_as_it_is);
    tcase_add_test(tests, padding_is_black_before_normalization);
    return run_case("data", tests);
}
