/* The loader's own threads: what a batch holds depends on seed, epoch and place alone, and a file
 * that is lost ends the run with a message. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/loader.h"
#include "tests/unit/suite.h"

enum { IMAGES = 130, PIXELS = 32 * 32 * 3 };

static const struct rnet_transform transforms[] = {
    {.name = "random_resized_crop", .arguments = {32}, .argument_count = 1},
    {.name = "horizontal_flip"},
};

struct setup {
    struct data_set data;
    struct executor executor;
    struct loader loader;
};

static void data_open(struct setup *setup)
{
    *setup = (struct setup){0};
    ck_assert(data_set_open(&setup->data, "shapes", DATA_NEEDS_TRAIN, &rnet_program).code == 0);
    setup->data.parts[DATA_TRAIN].count = IMAGES;
}

static void readers_open(struct setup *setup, int64_t threads)
{
    struct loader_options options = {
        .part = DATA_TRAIN, .augmentation = {transforms, 2}, .shuffle = true, .seed = 5};
    ck_assert(executor_open(&setup->executor, &rnet_program, threads).code == STATUS_OK);
    ck_assert_str_eq(loader_open(&setup->loader, &setup->data.arena, &setup->data,
                                 &setup->executor, &options)
                         .message,
                     "");
    ck_assert_ptr_nonnull(setup->loader.prefetch);
}

static void setup_open(struct setup *setup, int64_t threads)
{
    data_open(setup);
    readers_open(setup, threads);
}

static void readers_close(struct setup *setup)
{
    loader_close(&setup->loader);
    executor_release(&setup->executor);
}

static void setup_close(struct setup *setup)
{
    readers_close(setup);
    data_set_release(&setup->data);
}

/* Appends the pixels of the epoch from place `first` on to `out`. */
static float *epoch_take(struct setup *setup, int64_t epoch, int64_t first, float *out)
{
    const float *input = (const float *)(const void *)setup->executor.regions[RNET_REGION_INPUT];
    int64_t images;
    loader_start_epoch(&setup->loader, epoch);
    for (int64_t done = first; done < IMAGES; done += images) {
        ck_assert_str_eq(loader_fill(&setup->loader, done, &images).message, "");
        ck_assert_int_eq(images, done + 50 <= IMAGES ? 50 : IMAGES - done);
        memcpy(out, input, (size_t)(images * PIXELS) * sizeof *out);
        out += images * PIXELS;
    }
    return out;
}

START_TEST(threads_and_starts_change_nothing)
{
    enum { FLOATS = IMAGES * PIXELS };
    float *expected = malloc(2 * FLOATS * sizeof *expected), *got = malloc(2 * FLOATS * sizeof *got);
    for (int64_t threads = 1; threads <= 4; threads++) {
        struct setup setup;
        float *out = threads == 1 ? expected : got;
        setup_open(&setup, threads);
        ck_assert_ptr_eq(epoch_take(&setup, 1, 0, epoch_take(&setup, 0, 0, out)), out + 2 * FLOATS);
        ck_assert_mem_eq(out, expected, 2 * FLOATS * sizeof *out);
        /* As a run that resumes within the epoch. */
        epoch_take(&setup, 1, 50, out);
        ck_assert_mem_eq(out, expected + FLOATS + 50 * PIXELS, 80 * PIXELS * sizeof *out);
        if (threads == 1)
            epoch_take(&setup, 1, 0, epoch_take(&setup, 0, 0, out));
        setup_close(&setup);
    }
    ck_assert_int_ne(memcmp(expected, expected + FLOATS, FLOATS * sizeof *expected), 0);
    free(expected);
    free(got);
}
END_TEST

START_TEST(a_loader_can_end_at_any_time)
{
    struct setup setup;
    data_open(&setup);
    for (int i = 0; i < 30; i++) {
        int64_t images;
        readers_open(&setup, 1 + i % 4);
        for (int batch = 0; batch < i % 3; batch++)
            ck_assert(loader_fill(&setup.loader, batch * 50, &images).code == STATUS_OK);
        if (i % 5 == 0)
            loader_start_epoch(&setup.loader, 3);
        readers_close(&setup);
    }
    data_set_release(&setup.data);
}
END_TEST

START_TEST(a_lost_file_is_named)
{
    const char *paths[IMAGES];
    struct setup setup;
    int64_t images;
    setup_open(&setup, 2);
    for (int i = 0; i < IMAGES; i++)
        paths[i] = "/nonexistent/picture.jpeg";
    setup.data.parts[DATA_TRAIN].paths = paths;
    struct status status = loader_fill(&setup.loader, 0, &images);
    ck_assert_int_eq(status.code, STATUS_IO);
    ck_assert_ptr_nonnull(strstr(status.message, "/nonexistent/picture.jpeg"));
    setup_close(&setup);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        threads_and_starts_change_nothing,
        a_loader_can_end_at_any_time,
        a_lost_file_is_named,
    };
    return run_suite("loader", tests, sizeof tests / sizeof *tests);
}
