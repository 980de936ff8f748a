/* The highlighting of both editors knows every word that the compiler knows: keywords, layers,
 * functions and words of recipes. Completion offers every keyword. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "compiler/context.h"
#include "tests/unit/suite.h"

enum { LARGEST_FILE = 1 << 20 };

struct fixture {
    struct arena arena;
    struct source_set sources;
    struct diagnostics diagnostics;
    struct context context;
    const char *vim, *completion;
    struct json_object *grammar;
};

static const char *read_file(struct arena *arena, const char *path)
{
    const char *folder = getenv("RNET_SOURCE_DIR");
    char *text = NULL;
    size_t size;
    const struct status status = file_read(
        arena, arena_format(arena, "%s/%s", folder ? folder : ".", path), LARGEST_FILE, &text,
        &size);

    ck_assert_msg(status_is_ok(&status), "%s", status.message);
    return text;
}

static void set_up(struct fixture *fixture)
{
    struct arena *arena = &fixture->arena;

    *fixture = (struct fixture){0};
    source_set_init(&fixture->sources, arena);
    diagnostics_init(&fixture->diagnostics, arena, &fixture->sources);
    context_init(&fixture->context, arena, &fixture->sources, &fixture->diagnostics);
    fixture->vim = read_file(arena, "editors/vim/syntax/rnet.vim");
    fixture->completion = read_file(arena, "driver/lsp_completion.c");
    fixture->grammar =
        json_tokener_parse(read_file(arena, "editors/vscode/syntaxes/rnet.tmLanguage.json"));
    ck_assert_msg(fixture->grammar != NULL, "the TextMate grammar is not JSON");
}

static void tear_down(struct fixture *fixture)
{
    json_object_put(fixture->grammar);
    arena_release(&fixture->arena);
}

/* Whether `text` holds `word` between two of the characters of `limits`. */
static bool holds_word(const char *text, const char *word, const char *limits)
{
    const size_t length = strlen(word);

    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if (at > text && strchr(limits, at[-1]) && strchr(limits, at[length]))
            return true;
    return false;
}

/* Whether a pattern `\b(a|b|c)\b` of the grammar's part has the word. */
static bool grammar_has(const struct fixture *fixture, const char *part, const char *word)
{
    struct json_object *repository, *patterns, *match;
    bool found = false;

    ck_assert(json_object_object_get_ex(fixture->grammar, "repository", &repository));
    ck_assert(json_object_object_get_ex(repository, part, &patterns));
    ck_assert(json_object_object_get_ex(patterns, "patterns", &patterns));
    for (size_t i = 0; i < json_object_array_length(patterns); i++) {
        struct json_object *pattern = json_object_array_get_idx(patterns, i);

        if (json_object_object_get_ex(pattern, "match", &match))
            found = found || holds_word(json_object_get_string(match), word, "(|)");
    }
    return found;
}

/* Whether a line `syn keyword GROUP ...` of the Vim syntax has the word. */
static bool vim_has(const struct fixture *fixture, const char *word)
{
    static const char start[] = "syn keyword ";

    for (const char *at = strstr(fixture->vim, start); at; at = strstr(at + 1, start)) {
        char line[400];

        snprintf(line, sizeof line, "%.*s\n", (int)strcspn(at, "\n"), at);
        if (holds_word(line, word, " \n"))
            return true;
    }
    return false;
}

static void expect_word(const struct fixture *fixture, const char *part, const char *word)
{
    ck_assert_msg(vim_has(fixture, word), "editors/vim/syntax/rnet.vim lacks `%s`", word);
    ck_assert_msg(grammar_has(fixture, part, word), "rnet.tmLanguage.json lacks `%s`", word);
}

static void expect_scope(const struct fixture *fixture, const struct scope *scope)
{
    ck_assert_uint_gt(scope->bindings.count, 0);
    for (size_t i = 0; i < scope->bindings.count; i++)
        expect_word(fixture, "names", scope->bindings.items[i]->name);
}

START_TEST(layers_functions_and_recipe_words_are_highlighted)
{
    struct fixture fixture;

    set_up(&fixture);
    expect_scope(&fixture, fixture.context.builtins);
    expect_scope(&fixture, fixture.context.words);
    tear_down(&fixture);
}
END_TEST

/* The lexer's table has lines such as {"block", TOKEN_BLOCK}. */
START_TEST(keywords_are_highlighted_and_completed)
{
    struct fixture fixture;
    const char *at;
    int count = 0;

    set_up(&fixture);
    at = read_file(&fixture.arena, "lang/lexer.l");
    while ((at = strstr(at, "{\""))) {
        const size_t length = strcspn(at += 2, "\"");
        const char *word = arena_copy_text(&fixture.arena, at, length);

        if (strncmp(at + length, "\", TOKEN_", 9) != 0)
            continue;
        count++;
        expect_word(&fixture, "keywords", word);
        ck_assert_msg(holds_word(fixture.completion, word, "\""),
                      "driver/lsp_completion.c lacks `%s`", word);
    }
    ck_assert_int_ge(count, 20);
    tear_down(&fixture);
}
END_TEST

START_TEST(a_word_that_is_none_is_not_found)
{
    struct fixture fixture;

    set_up(&fixture);
    ck_assert(!vim_has(&fixture, "convolution"));
    ck_assert(!vim_has(&fixture, "con"));
    ck_assert(!grammar_has(&fixture, "names", "onv"));
    ck_assert(!grammar_has(&fixture, "keywords", "conv"));
    tear_down(&fixture);
}
END_TEST

START_TEST(other_files_of_the_extension_are_json)
{
    static const char *const paths[] = {"editors/vscode/package.json",
                                        "editors/vscode/language-configuration.json"};
    struct arena arena = {0};

    for (size_t i = 0; i < countof(paths); i++) {
        struct json_object *object = json_tokener_parse(read_file(&arena, paths[i]));

        ck_assert_msg(json_object_is_type(object, json_type_object), "%s", paths[i]);
        json_object_put(object);
    }
    arena_release(&arena);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        layers_functions_and_recipe_words_are_highlighted,
        keywords_are_highlighted_and_completed,
        a_word_that_is_none_is_not_found,
        other_files_of_the_extension_are_json,
    };
    return run_suite("syntax", tests, countof(tests));
}
