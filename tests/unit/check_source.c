/* Sources: positions, lines, what is text, and where `use` finds files. */
#include "lang/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/suite.h"

static const struct source *add(struct source_set *set, struct arena *arena, const char *text)
{
    source_set_init(set, arena);
    return set->sources.items[source_add(set, "a.rnet", text, strlen(text))];
}

START_TEST(positions_count_characters)
{
    struct arena arena = {0};
    struct source_set set;
    const struct source *source = add(&set, &arena, "ab\n\n\t\xc3\xa9\xe5\xa4\xa7x\nend");
    static const struct {
        uint32_t offset, line, column;
    } cases[] = {
        {0, 1, 1}, {2, 1, 3}, {3, 2, 1}, {4, 3, 1}, {5, 3, 2},
        {7, 3, 3}, {10, 3, 4}, {12, 4, 1}, {15, 4, 4},
    };

    ck_assert_uint_eq(source->line_count, 4);
    for (size_t i = 0; i < countof(cases); i++) {
        struct position position = source_position(source, cases[i].offset);
        ck_assert_uint_eq(position.line, cases[i].line);
        ck_assert_uint_eq(position.column, cases[i].column);
    }
    arena_release(&arena);
}
END_TEST

static void expect_line(const struct source *source, uint32_t offset, const char *expected)
{
    size_t length;
    const char *line = source_line(source, offset, &length);

    ck_assert_uint_eq(length, strlen(expected));
    ck_assert_mem_eq(line, expected, length);
}

START_TEST(lines_lose_their_ends)
{
    struct arena arena = {0};
    struct source_set set;
    const struct source *source = add(&set, &arena, "one\r\ntwo\n\nfour\n");

    expect_line(source, 0, "one");
    expect_line(source, 4, "one");
    expect_line(source, 5, "two");
    expect_line(source, 9, "");
    expect_line(source, 12, "four");
    expect_line(source, 15, "");
    expect_line(add(&set, &arena, ""), 0, "");
    arena_release(&arena);
}
END_TEST

START_TEST(what_is_text)
{
    static const struct {
        const char *text;
        size_t size, end;
    } cases[] = {
        {"", 0, 0},
        {"abc", 3, 3},
        {"a\0b", 3, 1},
        {"\xc3\xa9\xe5\xa4\xa7\xf0\x9f\x98\x80", 9, 9},
        {"a\xc3", 2, 1},
        {"a\x80", 2, 1},
        {"\xc0\x80", 2, 0},
        {"\xe0\x80\x80", 3, 0},
        {"\xed\xa0\x80", 3, 0},
        {"\xf0\x80\x80\x80", 4, 0},
        {"\xf4\x90\x80\x80", 4, 0},
        {"\xf5\x80\x80\x80", 4, 0},
        {"\xff", 1, 0},
    };
    for (size_t i = 0; i < countof(cases); i++)
        ck_assert_uint_eq(source_text_end(cases[i].text, cases[i].size), cases[i].end);
}
END_TEST

START_TEST(files_that_are_no_text_are_refused)
{
    struct arena arena = {0};
    struct source_set set;
    char path[] = "/tmp/check_source.XXXXXX";
    uint32_t source = 99;

    close(mkstemp(path));
    source_set_init(&set, &arena);
    file_write(path, "let a = 1\nlet \0b = 2\n", 21);
    struct status status = source_open(&set, path, &source);
    ck_assert_int_eq(status.code, STATUS_INVALID);
    ck_assert_ptr_nonnull(strstr(status.message, "line 2 holds a NUL byte"));
    file_write(path, "\xff", 1);
    ck_assert_int_eq(source_open(&set, path, &source).code, STATUS_INVALID);
    ck_assert_int_eq(truncate(path, (16 << 20) + 1), 0);
    ck_assert_int_eq(source_open(&set, path, &source).code, STATUS_INVALID);
    file_write(path, "let a = 1\n", 10);
    ck_assert_int_eq(source_open(&set, path, &source).code, STATUS_OK);
    ck_assert_uint_eq(source, 1);
    ck_assert_str_eq(set.sources.items[1]->text, "let a = 1\n");
    unlink(path);
    ck_assert_int_eq(source_open(&set, path, &source).code, STATUS_IO);
    arena_release(&arena);
}
END_TEST

START_TEST(used_files_are_beside_or_in_the_include_paths)
{
    struct arena arena = {0};
    struct source_set set;
    char folder[] = "/tmp/check_source.XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    mkdir("lib", 0777);
    file_write("lib/a.rnet", "", 0);
    file_write("b.rnet", "", 0);
    source_set_init(&set, &arena);
    uint32_t beside = source_add(&set, "lib/user.rnet", "", 0);
    ck_assert_str_eq(source_find(&set, "a", beside), "lib/a.rnet");
    ck_assert_str_eq(source_find(&set, "b", 0), "b.rnet");
    ck_assert_ptr_null(source_find(&set, "a", 0));
    vector_push(&set.include_paths, &arena, "missing");
    vector_push(&set.include_paths, &arena, "lib");
    ck_assert_str_eq(source_find(&set, "a", 0), "lib/a.rnet");
    unlink("lib/a.rnet");
    unlink("b.rnet");
    rmdir("lib");
    ck_assert_int_eq(chdir("/"), 0);
    rmdir(folder);
    arena_release(&arena);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        positions_count_characters,
        lines_lose_their_ends,
        what_is_text,
        files_that_are_no_text_are_refused,
        used_files_are_beside_or_in_the_include_paths,
    };
    return run_suite("source", tests, countof(tests));
}
