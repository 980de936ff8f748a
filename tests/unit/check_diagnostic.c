/* Diagnostics: each once, sorted, underlined under the right text, counted. */
#include "lang/diagnostic.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

struct fixture {
    struct arena arena;
    struct source_set sources;
    struct diagnostics diagnostics;
    uint32_t source;
};

static void begin(struct fixture *fixture, const char *text)
{
    *fixture = (struct fixture){0};
    source_set_init(&fixture->sources, &fixture->arena);
    diagnostics_init(&fixture->diagnostics, &fixture->arena, &fixture->sources);
    fixture->source = source_add(&fixture->sources, "a.rnet", text, strlen(text));
}

/* The span of the first `part` in the source. */
static struct span span_of(const struct fixture *fixture, const char *part)
{
    const char *text = fixture->sources.sources.items[fixture->source]->text;
    uint32_t begin = (uint32_t)(strstr(text, part) - text);

    return (struct span){fixture->source, begin, begin + (uint32_t)strlen(part)};
}

static void expect_printed(struct fixture *fixture, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    diagnostics_print(&fixture->diagnostics, stream, false);
    fclose(stream);
    ck_assert_str_eq(text, expected);
    free(text);
    arena_release(&fixture->arena);
}

START_TEST(label_help_and_note)
{
    struct fixture f;
    static const char *const names[] = {"conv", "bn", "relu", "linear"};

    begin(&f, "block a = bn\nnetwork n {\n    conv(3, 16) >> rleu\n}\n");
    struct diagnostic *made = diagnostic_error(&f.diagnostics, DIAGNOSTIC_UNKNOWN_NAME,
                                               span_of(&f, "rleu"), "unknown block `%s`", "rleu");
    diagnostic_label(&f.diagnostics, made, "not declared anywhere");
    diagnostic_note(&f.diagnostics, made, span_of(&f, "n {"), "in this network");
    diagnostic_suggest(&f.diagnostics, made, "rleu", names, countof(names));
    expect_printed(&f, "error[E0012]: unknown block `rleu`\n"
                       "  --> a.rnet:3:20\n"
                       "   |\n"
                       " 3 |     conv(3, 16) >> rleu\n"
                       "   |                    ^^^^ not declared anywhere\n"
                       "   = help: did you mean `relu`?\n"
                       "note: in this network\n"
                       "  --> a.rnet:2:9\n"
                       "   |\n"
                       " 2 | network n {\n"
                       "   |         ---\n"
                       "\n"
                       "1 error\n");
}
END_TEST

START_TEST(sorted_and_each_once)
{
    struct fixture f;

    begin(&f, "a b\n");
    diagnostic_error(&f.diagnostics, DIAGNOSTIC_SYNTAX, span_of(&f, "b"), "second");
    diagnostic_warning(&f.diagnostics, DIAGNOSTIC_UNUSED, span_of(&f, "a"), "first");
    ck_assert(diagnostics_failed(&f.diagnostics));
    ck_assert_ptr_null(diagnostic_error(&f.diagnostics, DIAGNOSTIC_SYNTAX, span_of(&f, "b"),
                                        "second"));
    diagnostic_help(&f.diagnostics, NULL, "nothing happens");
    expect_printed(&f, "warning[W0001]: first\n"
                       "  --> a.rnet:1:1\n"
                       "   |\n"
                       " 1 | a b\n"
                       "   | ^\n"
                       "\n"
                       "error[E0003]: second\n"
                       "  --> a.rnet:1:3\n"
                       "   |\n"
                       " 1 | a b\n"
                       "   |   ^\n"
                       "\n"
                       "1 error, 1 warning\n");
}
END_TEST

START_TEST(tabs_and_wide_characters_keep_their_columns)
{
    struct fixture f;

    begin(&f, "\t\xc3\xa9 \xe5\xa4\xa7\x1b here\n");
    diagnostic_error(&f.diagnostics, DIAGNOSTIC_SYNTAX, span_of(&f, "here"), "wrong");
    expect_printed(&f, "error[E0003]: wrong\n"
                       "  --> a.rnet:1:7\n"
                       "   |\n"
                       " 1 |     \xc3\xa9 \xe5\xa4\xa7\xef\xbf\xbd here\n"
                       "   |           ^^^^\n"
                       "\n"
                       "1 error\n");
}
END_TEST

START_TEST(a_span_of_lines_underlines_the_first)
{
    struct fixture f;

    begin(&f, "a >>\r\nb\n");
    diagnostic_error(&f.diagnostics, DIAGNOSTIC_SYNTAX, span_of(&f, ">>\r\nb"), "wrong");
    expect_printed(&f, "error[E0003]: wrong\n"
                       "  --> a.rnet:1:3\n"
                       "   |\n"
                       " 1 | a >>\n"
                       "   |   ^^\n"
                       "\n"
                       "1 error\n");
}
END_TEST

START_TEST(nowhere_has_no_place)
{
    struct fixture f;

    begin(&f, "");
    diagnostic_help(&f.diagnostics,
                    diagnostic_error(&f.diagnostics, DIAGNOSTIC_NO_NETWORK, (struct span){0},
                                     "there is no network"),
                    "write one");
    diagnostic_error(&f.diagnostics, DIAGNOSTIC_SYNTAX, (struct span){f.source, 0, 0}, "empty");
    expect_printed(&f, "error[E0029]: there is no network\n"
                       "   = help: write one\n"
                       "\n"
                       "error[E0003]: empty\n"
                       "  --> a.rnet:1:1\n"
                       "   |\n"
                       " 1 | \n"
                       "   | ^\n"
                       "\n"
                       "2 errors\n");
}
END_TEST

START_TEST(only_so_many_are_kept)
{
    struct fixture f;

    begin(&f, "a\n");
    for (int i = 0; i < 500; i++)
        diagnostic_error(&f.diagnostics, DIAGNOSTIC_SYNTAX, (struct span){0}, "number %d", i);
    ck_assert_uint_eq(f.diagnostics.items.count, 100);
    ck_assert_uint_eq(f.diagnostics.error_count, 500);
    arena_release(&f.arena);
}
END_TEST

START_TEST(suggestions_are_near)
{
    struct fixture f;
    static const char *const names[] = {"stride", "groups", "a"};

    begin(&f, "x\n");
    struct diagnostic *made =
        diagnostic_error(&f.diagnostics, DIAGNOSTIC_UNKNOWN_ARGUMENT, (struct span){0}, "x");
    diagnostic_suggest(&f.diagnostics, made, "padding", names, countof(names));
    diagnostic_suggest(&f.diagnostics, made, "b", names, countof(names));
    ck_assert_uint_eq(made->notes.count, 0);
    diagnostic_suggest(&f.diagnostics, made, "strids", names, countof(names));
    ck_assert_uint_eq(made->notes.count, 1);
    ck_assert_str_eq(made->notes.items[0].text, "did you mean `stride`?");
    arena_release(&f.arena);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        label_help_and_note,
        sorted_and_each_once,
        tabs_and_wide_characters_keep_their_columns,
        a_span_of_lines_underlines_the_first,
        nowhere_has_no_place,
        only_so_many_are_kept,
        suggestions_are_near,
    };
    return run_suite("diagnostic", tests, countof(tests));
}
