/* Syntax errors in the user's words: what could stand there, what stands there, what would help.
 *
 * The grammar's list of possible tokens is long (every operator, every start of an expression);
 * whole classes of it are named by one word before the rest is listed. */
#include <string.h>

#include "lang/parse.h"
#include "lang/parser.h"

enum {
    MOST_TOKENS = 96,
    LONGEST_FOUND = 40,
};

/* The tokens that could stand at the error. */
struct expected {
    bool has[MOST_TOKENS];
};

static const int operators[] = {
    TOKEN_THEN_BLOCK, TOKEN_RANGE,      TOKEN_EQUAL,         TOKEN_NOT_EQUAL, TOKEN_LESS,
    TOKEN_LESS_EQUAL, TOKEN_GREATER,    TOKEN_GREATER_EQUAL, TOKEN_PLUS,      TOKEN_MINUS,
    TOKEN_TIMES,      TOKEN_DIVIDE,     TOKEN_REMAINDER,     TOKEN_POWER,     TOKEN_AND,
    TOKEN_OR,         TOKEN_OPEN_ROUND, TOKEN_OPEN_SQUARE,   TOKEN_COLON,     TOKEN_ASSIGN,
};
static const int operands[] = {
    TOKEN_NAME,     TOKEN_LABEL, TOKEN_INTEGER, TOKEN_NUMBER,     TOKEN_TRUE,
    TOKEN_FALSE,    TOKEN_INPUT, TOKEN_MINUS,   TOKEN_OPEN_ROUND, TOKEN_OPEN_SQUARE,
    TOKEN_OPEN_MAP, TOKEN_NOT,   TOKEN_IF,
};
static const int statements[] = {TOKEN_LET, TOKEN_REQUIRE, TOKEN_OUTPUT, TOKEN_FOR};
static const int declarations[] = {
    TOKEN_USE,     TOKEN_LET,    TOKEN_BLOCK, TOKEN_STAGE,
    TOKEN_NETWORK, TOKEN_RECIPE, TOKEN_TRAIN, TOKEN_NAME,
};

static void drop(struct expected *expected, const int *tokens, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expected->has[tokens[i]] = false;
}

/* A list of alternatives: "a, b or c". */
struct alternatives {
    struct arena *arena;
    VECTOR(const char *) items;
};

static void name_classes(struct expected *expected, struct alternatives *words)
{
    if (expected->has[TOKEN_BLOCK]) {
        drop(expected, declarations, countof(declarations));
        vector_push(&words->items, words->arena, "a declaration");
    }
    if (expected->has[TOKEN_FOR]) {
        drop(expected, statements, countof(statements));
        drop(expected, operands, countof(operands));
        vector_push(&words->items, words->arena, "a statement");
    }
    if (expected->has[TOKEN_TRUE]) {
        drop(expected, operands, countof(operands));
        vector_push(&words->items, words->arena, "an expression");
    }
    if (expected->has[TOKEN_THEN_BLOCK] || expected->has[TOKEN_AND]) {
        drop(expected, operators, countof(operators));
        vector_push(&words->items, words->arena, "an operator");
    }
    if (expected->has[TOKEN_NEW_LINE])
        expected->has[TOKEN_END] = false;
}

static bool is_class(const char *text)
{
    return strncmp(text, "a ", 2) == 0 || strncmp(text, "an ", 3) == 0 ||
           strncmp(text, "the ", 4) == 0;
}

static const char *list_alternatives(struct arena *arena, struct expected *expected)
{
    struct alternatives words = {.arena = arena};
    struct text_builder text = {.arena = arena};

    name_classes(expected, &words);
    for (int kind = 0; kind < MOST_TOKENS; kind++) {
        if (!expected->has[kind])
            continue;
        const char *word = token_text(kind);
        if (!is_class(word))
            word = arena_format(arena, "`%s`", word);
        vector_push(&words.items, arena, word);
    }
    for (size_t i = 0; i < words.items.count; i++) {
        if (i > 0)
            text_add(&text, i + 1 < words.items.count ? ", " : " or ");
        text_add(&text, "%s", words.items.items[i]);
    }
    return text_result(&text);
}

static const char *found_text(const struct parser *parser)
{
    const struct token *found = &parser->sent;
    int length = (int)(found->span.end - found->span.begin);

    switch (found->kind) {
    case TOKEN_END:
        return "the end of the file";
    case TOKEN_NEW_LINE:
        return "the end of the line";
    case TOKEN_STRING:
        return "a string";
    default:
        return arena_format(parser->sources->arena, length > LONGEST_FOUND ? "`%.*s...`" : "`%.*s`",
                            length > LONGEST_FOUND ? LONGEST_FOUND : length,
                            parser->source->text + found->span.begin);
    }
}

static bool is_comparison(int kind)
{
    return kind == TOKEN_EQUAL || kind == TOKEN_NOT_EQUAL || kind == TOKEN_LESS ||
           kind == TOKEN_LESS_EQUAL || kind == TOKEN_GREATER || kind == TOKEN_GREATER_EQUAL;
}

static bool is_operator(int kind)
{
    return kind >= TOKEN_THEN_BLOCK && kind <= TOKEN_POWER;
}

static bool is_keyword(int kind)
{
    return kind >= TOKEN_BLOCK && kind <= TOKEN_NOT;
}

static bool begins_operand(int kind)
{
    for (size_t i = 0; i < countof(operands); i++)
        if (operands[i] == kind)
            return true;
    return false;
}

/* Says what the user may have meant, if that can be guessed; NULL if not. */
static const char *help_for(struct parser *parser, const struct expected *expected)
{
    struct arena *arena = parser->sources->arena;
    const struct token *found = &parser->sent, *before = &parser->before;
    const char *text = parser->source->text + found->span.begin;

    if (before->kind == TOKEN_NAME && strcmp(before->value.name, "repeat") == 0 &&
        (found->kind == TOKEN_NAME || found->kind == TOKEN_INTEGER))
        return arena_format(arena, "write `repeat(%s, ...)`", source_excerpt(parser, found->span));
    if (strncmp(text, "/*", 2) == 0 || (before->kind == TOKEN_DIVIDE && found->kind == TOKEN_TIMES))
        return "comments begin with `//` and end with the line";
    if (found->kind == TOKEN_IF && is_operator(before->kind))
        return "parenthesize the `if`: `(if ... then ... else ...)`";
    if (is_comparison(found->kind) && expected->has[TOKEN_AND])
        return "comparisons do not chain: join two of them with `and`";
    if (before->kind == TOKEN_OPEN_MAP && found->kind != TOKEN_CLOSE_MAP)
        return "`{` opens a map here; a body is written without `=`: `block name { ... }`";
    if (expected->has[TOKEN_NAME] && !expected->has[TOKEN_TRUE] && is_keyword(found->kind) &&
        !expected->has[TOKEN_LET])
        return arena_format(arena, "`%s` is a keyword and can't be a name",
                            token_text(found->kind));
    if (expected->has[TOKEN_NEW_LINE] && expected->has[TOKEN_THEN_BLOCK] &&
        (begins_operand(found->kind) || is_keyword(found->kind)))
        return "each statement has its own line; layers in one statement are joined by `>>`";
    return NULL;
}

static bool is_inner(const struct bracket *bracket)
{
    return bracket->kind != TOKEN_OPEN_BODY;
}

/* Points at a bracket that was opened on an earlier line and is still open. */
static void note_open_bracket(struct parser *parser, struct diagnostic *diagnostic)
{
    if (parser->brackets.count == 0)
        return;
    const struct bracket *bracket = &parser->brackets.items[parser->brackets.count - 1];
    uint32_t line = source_position(parser->source, parser->sent.span.begin).line;
    if (is_inner(bracket) && source_position(parser->source, bracket->span.begin).line < line)
        diagnostic_note(parser->diagnostics, diagnostic, bracket->span, "this `%s` is still open",
                        bracket->kind == TOKEN_LABEL ? "{" : token_text(bracket->kind));
}

static void report(struct parser *parser, const int *tokens, size_t count)
{
    struct expected expected = {0};

    if (parser->sent.is_unmatched) {
        diagnostic_error(parser->diagnostics, DIAGNOSTIC_SYNTAX, parser->sent.span,
                         "this %s closes nothing", found_text(parser));
        return;
    }
    for (size_t i = 0; i < count; i++)
        expected.has[tokens[i]] = true;
    const char *help = help_for(parser, &expected);
    const char *wanted = list_alternatives(parser->sources->arena, &expected);
    struct diagnostic *diagnostic = diagnostic_error(
        parser->diagnostics, DIAGNOSTIC_SYNTAX, parser->sent.span,
        *wanted ? "expected %s, found %s" : "unexpected%s %s", wanted, found_text(parser));
    if (help)
        diagnostic_help(parser->diagnostics, diagnostic, "%s", help);
    note_open_bracket(parser, diagnostic);
}

/* Decides where parsing goes on: at the end of the innermost body's statement. */
static void begin_skipping(struct parser *parser)
{
    int kind = parser->sent.kind;
    size_t depth = parser->brackets.count;

    if (depth > 0 && parser->brackets.items[depth - 1].span.begin == parser->sent.span.begin)
        depth--;
    while (depth > 0 && is_inner(&parser->brackets.items[depth - 1]))
        depth--;
    parser->skip_depth = depth;
    parser->is_skipping = kind != TOKEN_NEW_LINE && kind != TOKEN_END &&
                          !(kind == TOKEN_CLOSE_BODY && !parser->sent.is_unmatched);
    for (size_t i = depth; i < parser->brackets.count; i++)
        parser->brackets.items[i].is_reported = true;
}

void report_syntax_error(struct parser *parser, const int *expected, size_t count)
{
    const struct token *found = &parser->sent;

    if (!found->is_virtual && !parser->is_doubtful && (int64_t)found->span.end > parser->error_end)
        report(parser, expected, count);
    parser->error_end = found->span.end;
    begin_skipping(parser);
}

void report_unclosed(struct parser *parser, struct span missed)
{
    const struct bracket *bracket = &parser->brackets.items[parser->brackets.count - 1];

    if (!bracket->is_reported) {
        const char *text = bracket->kind == TOKEN_LABEL ? "{" : token_text(bracket->kind);
        struct diagnostic *diagnostic =
            diagnostic_error(parser->diagnostics, DIAGNOSTIC_SYNTAX, bracket->span,
                             "this `%s` is never closed", text);
        diagnostic_note(parser->diagnostics, diagnostic, missed, "it should be closed before this");
    }
    /* Those outside a reported one are reported already: each is marked once in all. */
    for (size_t i = parser->brackets.count; i > 0 && !parser->brackets.items[i - 1].is_reported; i--)
        parser->brackets.items[i - 1].is_reported = true;
}
