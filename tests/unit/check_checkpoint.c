/* Checkpoint files: what is written comes back, two are kept, and what is broken is passed over. */
#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/checkpoint.h"
#include "tests/unit/suite.h"

static char directory[] = "/tmp/check_checkpoint.XXXXXX";

static void directory_begin(void)
{
    strcpy(strrchr(directory, '.'), ".XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void directory_end(void)
{
    struct arena arena = {0};
    DIR *stream = opendir(directory);
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream))
        unlink(arena_format(&arena, "%s/%s", directory, entry->d_name));
    closedir(stream);
    arena_release(&arena);
    rmdir(directory);
}

static void save(int64_t step)
{
    struct checkpoint checkpoint = {{{&step, sizeof step}, {NULL, 0}, {"abc", 3}}, 3};
    ck_assert_str_eq(checkpoint_write(directory, step, &checkpoint).message, "");
}

/* Returns the step that the newest sound checkpoint holds, or -1 where there is none. */
static int64_t restored(void)
{
    struct arena arena = {0};
    struct checkpoint checkpoint;
    int64_t step = -1;
    bool found;
    ck_assert_str_eq(checkpoint_read(&arena, directory, &checkpoint, &found).message, "");
    if (found) {
        ck_assert_uint_eq(checkpoint.count, 3);
        ck_assert_uint_eq(checkpoint.parts[1].size, 0);
        ck_assert_mem_eq(checkpoint.parts[2].bytes, "abc", 3);
        memcpy(&step, checkpoint.parts[0].bytes, sizeof step);
    }
    arena_release(&arena);
    return step;
}

static bool exists(int64_t step)
{
    struct arena arena = {0};
    const char *path = arena_format(&arena, "%s/checkpoint-%010lld", directory, (long long)step);
    bool found = access(path, F_OK) == 0;
    arena_release(&arena);
    return found;
}

static void cut(int64_t step, long size)
{
    struct arena arena = {0};
    const char *path = arena_format(&arena, "%s/checkpoint-%010lld", directory, (long long)step);
    ck_assert_int_eq(truncate(path, size), 0);
    arena_release(&arena);
}

START_TEST(the_last_two_are_kept)
{
    directory_begin();
    ck_assert_int_eq(restored(), -1);
    for (int64_t step = 3; step <= 12; step += 3) {
        save(step);
        ck_assert_int_eq(restored(), step);
    }
    ck_assert(!exists(3) && !exists(6) && exists(9) && exists(12));
    directory_end();
}
END_TEST

START_TEST(what_is_broken_is_passed_over)
{
    directory_begin();
    save(1);
    save(2);
    cut(2, 40);
    ck_assert_int_eq(restored(), 1);
    /* Writing goes on from there: the broken one must not count as one of the two. */
    save(2);
    ck_assert_int_eq(restored(), 2);
    save(7);
    cut(7, 0);
    save(3);
    ck_assert(exists(2) && exists(3) && !exists(7));
    cut(2, 10);
    cut(3, 10);
    struct arena arena = {0};
    struct checkpoint checkpoint;
    bool found;
    ck_assert_int_eq(checkpoint_read(&arena, directory, &checkpoint, &found).code, STATUS_INVALID);
    ck_assert(found && exists(2) && exists(3));
    arena_release(&arena);
    directory_end();
}
END_TEST

START_TEST(every_flipped_bit_is_noticed)
{
    struct arena arena = {0};
    struct checkpoint checkpoint;
    char *bytes;
    size_t size;
    directory_begin();
    save(5);
    ck_assert(file_read(&arena, arena_format(&arena, "%s/checkpoint-%010d", directory, 5), 4096,
                        &bytes, &size)
                  .code == STATUS_OK);
    ck_assert(checkpoint_parse(bytes, size, &checkpoint).code == STATUS_OK);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        ck_assert_int_eq(checkpoint_parse(bytes, size, &checkpoint).code, STATUS_INVALID);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t less = 0; less < size; less++)
        ck_assert_int_eq(checkpoint_parse(bytes, less, &checkpoint).code, STATUS_INVALID);
    directory_end();
    arena_release(&arena);
}
END_TEST

START_TEST(only_left_overs_are_swept)
{
    static const char *const names[] = {
        "checkpoint-0000000001.a1B2c3", "last.safetensors.a1B2c3", "best.safetensors.abcdef",
        "report.html.zzzzzz",           "metrics.csv.abcdef",      "run.json.abcdef",
        "last.safetensors",             "notes.abcdef",            "checkpoint-0000000001",
        "metrics.jsonl",
    };
    enum { SWEPT = 6, COUNT = sizeof names / sizeof *names };
    struct arena arena = {0};
    directory_begin();
    for (int i = 0; i < COUNT; i++)
        ck_assert(file_write(arena_format(&arena, "%s/%s", directory, names[i]), "x", 1).code ==
                  STATUS_OK);
    checkpoint_sweep(directory);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(
            access(arena_format(&arena, "%s/%s", directory, names[i]), F_OK) == 0, i >= SWEPT);
    directory_end();
    arena_release(&arena);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_last_two_are_kept,
        what_is_broken_is_passed_over,
        every_flipped_bit_is_noticed,
        only_left_overs_are_swept,
    };
    return run_suite("checkpoint", tests, sizeof tests / sizeof *tests);
}
