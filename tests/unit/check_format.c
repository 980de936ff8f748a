/* Formatting beyond the golden files: sizes, and line ends that are not the usual ones. */
#include "lang/format.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

enum { REPEATS = 20000 };

struct fixture {
    struct arena arena;
    struct source_set sources;
    struct diagnostics diagnostics;
    struct text_builder text;
};

static bool format_text(struct fixture *fixture, const char *text)
{
    *fixture = (struct fixture){0};
    fixture->text.arena = &fixture->arena;
    source_set_init(&fixture->sources, &fixture->arena);
    diagnostics_init(&fixture->diagnostics, &fixture->arena, &fixture->sources);
    return format_source(&fixture->sources, &fixture->diagnostics,
                         source_add(&fixture->sources, "a.rnet", text, strlen(text)),
                         &fixture->text);
}

static void expect_formatted(const char *text, const char *expected)
{
    struct fixture f;

    ck_assert(format_text(&f, text));
    ck_assert_str_eq(text_result(&f.text), expected);
    arena_release(&f.arena);
}

/* `head`, `count` times `piece`, `tail`. */
static char *repeated(const char *head, const char *piece, int count, const char *tail)
{
    char *text = calloc(strlen(head) + strlen(piece) * (size_t)count + strlen(tail) + 1, 1);
    char *at = stpcpy(text, head);

    for (int i = 0; i < count; i++)
        at = stpcpy(at, piece);
    stpcpy(at, tail);
    return text;
}

static size_t longest_line(const char *text)
{
    size_t longest = 0;

    while (*text) {
        size_t length = strcspn(text, "\n");
        longest = length > longest ? length : longest;
        text += length + (text[length] == '\n');
    }
    return longest;
}

START_TEST(nothing_stays_nothing)
{
    expect_formatted("", "");
    expect_formatted("\n\n  \n", "");
    expect_formatted("\n\n// a\n\n\n// b", "// a\n\n// b\n");
}
END_TEST

START_TEST(other_line_ends_and_marks)
{
    expect_formatted("\xef\xbb\xbflet a=1 // b \r\n\r\n\r\nlet c=2\r\n",
                     "let a = 1   // b\n\nlet c = 2\n");
    expect_formatted("let\ta\t=\t1", "let a = 1\n");
}
END_TEST

START_TEST(mistakes_give_no_text)
{
    struct fixture f;

    ck_assert(!format_text(&f, "let a = = 1\n"));
    ck_assert(diagnostics_failed(&f.diagnostics));
    ck_assert_uint_eq(f.text.length, 0);
    arena_release(&f.arena);
    ck_assert(!format_text(&f, "let a = b >> c + d\n"));
    arena_release(&f.arena);
}
END_TEST

/* Columns are characters. */
START_TEST(width_counts_characters)
{
    char *fits = repeated("block b {\n    require a, \"", "\xc3\xa9", 83, "\"\n}\n");
    char *overflows = repeated("block b {\n    require a, \"", "\xc3\xa9", 84, "\"\n}\n");
    char *broken = repeated("block b {\n    require a,\n        \"", "\xc3\xa9", 84, "\"\n}\n");

    expect_formatted(fits, fits);
    expect_formatted(overflows, broken);
    free(fits);
    free(overflows);
    free(broken);
}
END_TEST

START_TEST(long_statements_take_linear_time)
{
    static const struct {
        const char *head, *piece, *tail;
    } cases[] = {
        {"let a = [", "1, ", "2]"},        {"let a = b", " >> b", ""},
        {"let a = b", " + (b >> b)", ""},  {"let a = f(", "x = [1], ", ")"},
        {"let a = b", "(1)", ""},          {"let a = {", "1: 2, ", "}"},
        {"let a = b", " and b or b", ""},  {"let a = [\n", "b,\nc = 1,\n", "]"},
        {"network n {", "\nlet x = 1", "\n}"}, {"let a = b", " // c\n >> b", ""},
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct fixture first, second;
        char *text = repeated(cases[i].head, cases[i].piece, REPEATS, cases[i].tail);
        const bool is_valid = format_text(&first, text);
        if (is_valid && i != 4)
            ck_assert_uint_le(longest_line(text_result(&first.text)), 100);
        if (is_valid) {
            ck_assert(format_text(&second, text_result(&first.text)));
            ck_assert_str_eq(text_result(&second.text), text_result(&first.text));
            arena_release(&second.arena);
        }
        arena_release(&first.arena);
        free(text);
    }
}
END_TEST

START_TEST(deep_nesting)
{
    struct fixture first, second;
    char *head = repeated("let a = ", "f(b, ", 150, "c");
    char *text = repeated(head, ")", 150, "\n");

    ck_assert(format_text(&first, text));
    ck_assert(format_text(&second, text_result(&first.text)));
    ck_assert_str_eq(text_result(&second.text), text_result(&first.text));
    arena_release(&first.arena);
    arena_release(&second.arena);
    free(head);
    free(text);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        nothing_stays_nothing,
        other_line_ends_and_marks,
        mistakes_give_no_text,
        width_counts_characters,
        long_statements_take_linear_time,
        deep_nesting,
    };
    return run_suite("format", tests, countof(tests));
}
