/* Files: whole reads within a limit, and writes of which nothing is seen until they are done. */
#include "base/file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vector.h"
#include "tests/unit/suite.h"

/* A folder of its own for each test, which runs in it. */
static void enter_folder(char *folder)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

/* Leaves and removes the folder; returns how many files lay in it. */
static int leave_folder(const char *folder)
{
    int count = 0;
    DIR *entries = opendir(".");

    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        count += unlink(entry->d_name) == 0;
    closedir(entries);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    return count;
}

static void expect_contents(const char *path, const char *contents)
{
    struct arena arena = {0};
    char *bytes = NULL;
    size_t size = 0;
    struct status status = file_read(&arena, path, 1 << 20, &bytes, &size);

    ck_assert_msg(status_is_ok(&status), "%s", status.message);
    ck_assert_uint_eq(size, strlen(contents));
    ck_assert_str_eq(bytes, contents);
    arena_release(&arena);
}

START_TEST(what_is_written_is_read)
{
    char folder[] = "/tmp/check_file.XXXXXX";

    enter_folder(folder);
    struct status status = file_write("a", "hello", 5);
    ck_assert_int_eq(status.code, STATUS_OK);
    expect_contents("a", "hello");
    status = file_write("a", "", 0);
    ck_assert_int_eq(status.code, STATUS_OK);
    expect_contents("a", "");
    ck_assert_int_eq(leave_folder(folder), 1);
}
END_TEST

START_TEST(a_file_has_a_limit)
{
    char folder[] = "/tmp/check_file.XXXXXX";
    struct arena arena = {0};
    char *bytes;
    size_t size;

    enter_folder(folder);
    file_write("a", "12345678", 8);
    ck_assert_int_eq(file_read(&arena, "a", 8, &bytes, &size).code, STATUS_OK);
    ck_assert_uint_eq(size, 8);
    ck_assert_int_eq(file_read(&arena, "a", 7, &bytes, &size).code, STATUS_INVALID);
    ck_assert_int_eq(file_read(&arena, "/dev/zero", 100000, &bytes, &size).code, STATUS_INVALID);
    ck_assert_int_eq(file_read(&arena, "missing", 7, &bytes, &size).code, STATUS_IO);
    ck_assert_int_eq(file_read(&arena, ".", 7, &bytes, &size).code, STATUS_IO);
    arena_release(&arena);
    leave_folder(folder);
}
END_TEST

START_TEST(a_pipe_is_read_to_its_end)
{
    struct arena arena = {0};
    char path[64], *bytes = NULL;
    size_t size = 0;
    FILE *pipe_end = popen("seq 1 50000", "r");

    snprintf(path, sizeof path, "/dev/fd/%d", fileno(pipe_end));
    struct status status = file_read(&arena, path, 1 << 20, &bytes, &size);
    pclose(pipe_end);
    ck_assert_msg(status_is_ok(&status), "%s", status.message);
    ck_assert_uint_eq(size, 288894);
    ck_assert_str_eq(bytes + size - 6, "50000\n");
    arena_release(&arena);
}
END_TEST

START_TEST(nothing_is_seen_before_the_commit)
{
    char folder[] = "/tmp/check_file.XXXXXX";
    struct file_writer writer = {0};

    enter_folder(folder);
    file_write("a", "old", 3);
    ck_assert_int_eq(file_writer_open(&writer, "a").code, STATUS_OK);
    fputs("new", writer.stream);
    fflush(writer.stream);
    expect_contents("a", "old");
    ck_assert_int_eq(file_writer_commit(&writer).code, STATUS_OK);
    expect_contents("a", "new");
    file_writer_discard(&writer);
    expect_contents("a", "new");
    ck_assert_int_eq(leave_folder(folder), 1);
}
END_TEST

START_TEST(a_discard_leaves_nothing)
{
    char folder[] = "/tmp/check_file.XXXXXX";
    struct file_writer writer = {0};

    enter_folder(folder);
    file_writer_discard(&writer);
    ck_assert_int_eq(file_writer_open(&writer, "a").code, STATUS_OK);
    fputs("new", writer.stream);
    file_writer_discard(&writer);
    ck_assert_int_eq(file_writer_open(&writer, "missing/a").code, STATUS_IO);
    file_writer_discard(&writer);
    ck_assert_int_eq(leave_folder(folder), 0);
}
END_TEST

START_TEST(devices_stay_and_full_ones_fail)
{
    struct stat about;

    ck_assert_int_eq(file_write("/dev/null", "x", 1).code, STATUS_OK);
    ck_assert_int_eq(stat("/dev/null", &about), 0);
    ck_assert(S_ISCHR(about.st_mode));
    ck_assert_int_eq(file_write("/dev/full", "x", 1).code, STATUS_IO);
}
END_TEST

START_TEST(directories_are_made_with_those_above)
{
    char folder[] = "/tmp/check_file.XXXXXX";
    struct arena arena = {0};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    const char *deep = arena_format(&arena, "%s/a/b", folder);
    const char *file = arena_format(&arena, "%s/a/file", folder);
    ck_assert_int_eq(file_make_directory(&arena, deep).code, STATUS_OK);
    ck_assert_int_eq(file_make_directory(&arena, deep).code, STATUS_OK);
    ck_assert_int_eq(access(deep, W_OK), 0);
    ck_assert_int_eq(file_write(file, "", 0).code, STATUS_OK);
    ck_assert_int_eq(file_make_directory(&arena, file).code, STATUS_IO);
    ck_assert_int_eq(file_make_directory(&arena, arena_format(&arena, "%s/c", file)).code,
                     STATUS_IO);
    unlink(file);
    rmdir(deep);
    rmdir(arena_format(&arena, "%s/a", folder));
    rmdir(folder);
    arena_release(&arena);
}
END_TEST

START_TEST(a_status_maps_to_an_exit_status)
{
    struct status usage = status_error(STATUS_USAGE, "no such option `%s`", "--x");
    struct status diverged = status_error(STATUS_DIVERGED, "the loss is not finite");
    struct status stopped = status_error(STATUS_STOPPED, "stopped");
    struct status failed = status_error(STATUS_IO, "%0600d", 1), ok = status_ok();

    ck_assert_str_eq(usage.message, "no such option `--x`");
    ck_assert_uint_eq(strlen(failed.message), sizeof failed.message - 1);
    ck_assert_int_eq(status_exit_code(&usage), 2);
    ck_assert_int_eq(status_exit_code(&diverged), 70);
    ck_assert_int_eq(status_exit_code(&stopped), 75);
    ck_assert_int_eq(status_exit_code(&failed), 1);
    ck_assert_int_eq(status_exit_code(&ok), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_is_written_is_read,
        directories_are_made_with_those_above,
        a_file_has_a_limit,
        a_pipe_is_read_to_its_end,
        nothing_is_seen_before_the_commit,
        a_discard_leaves_nothing,
        devices_stay_and_full_ones_fail,
        a_status_maps_to_an_exit_status,
    };
    return run_suite("file", tests, countof(tests));
}
