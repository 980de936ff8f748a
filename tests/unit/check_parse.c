/* Parsing beyond what the golden files show: limits, entry points, spans, bytes that are no
 * text. */
#include "lang/ast.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

enum { REPEATS = 20000 };

struct fixture {
    struct arena arena;
    struct source_set sources;
    struct diagnostics diagnostics;
};

static struct node *parse_bytes(struct fixture *fixture, const char *text, size_t size,
                                bool is_expression)
{
    *fixture = (struct fixture){0};
    source_set_init(&fixture->sources, &fixture->arena);
    diagnostics_init(&fixture->diagnostics, &fixture->arena, &fixture->sources);
    uint32_t source = source_add(&fixture->sources, "a.rnet", text, size);
    return is_expression ? parse_expression(&fixture->sources, &fixture->diagnostics, source)
                         : parse(&fixture->sources, &fixture->diagnostics, source);
}

static struct node *parse_file(struct fixture *fixture, const char *text)
{
    return parse_bytes(fixture, text, strlen(text), false);
}

static const char *first_code(const struct fixture *fixture)
{
    return fixture->diagnostics.items.count > 0 ? fixture->diagnostics.items.items[0]->code : "";
}

/* `head`, `count` times `piece`, `middle`, `count` times `close`. */
static char *repeated(const char *head, const char *piece, int count, const char *middle,
                      const char *close)
{
    size_t size = strlen(head) + strlen(middle) + (strlen(piece) + strlen(close)) * (size_t)count;
    char *text = calloc(size + 1, 1), *at = stpcpy(text, head);

    for (int i = 0; i < count; i++)
        at = stpcpy(at, piece);
    at = stpcpy(at, middle);
    for (int i = 0; i < count; i++)
        at = stpcpy(at, close);
    return text;
}

static int depth_of(const struct node *node)
{
    int deepest = 0;

    for (size_t i = 0; i < node->count; i++) {
        int depth = depth_of(node->items[i]);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

START_TEST(nesting_is_limited_whatever_nests)
{
    static const struct {
        const char *head, *piece, *middle, *close;
    } cases[] = {
        {"let a = ", "(", "b", ")"},       {"let a = ", "[", "b", "]"},
        {"let a = ", "{1: ", "b", "}"},    {"let a = ", "f(", "b", ")"},
        {"let a = b", "(1)", "", ""},      {"let a = b", "[1]", "", ""},
        {"let a = ", "2 ^ ", "2", ""},     {"let a = ", "-", "2", ""},
        {"let a = ", "not ", "b", ""},     {"let a = ", "x: ", "b", ""},
        {"let a = ", "x{1}: ", "b", ""},   {"let a = ", "if c then b else ", "b", ""},
        {"let a = ", "b - ", "b", ""},     {"network n { ", "for i in x { ", "b", " }"},
        {"let a = ", "(", "", ""},         {"let a = ", "if ", "", ""},
    };
    static const int counts[] = {190, 210, 4000, REPEATS};

    for (size_t i = 0; i < countof(cases); i++) {
        for (size_t j = 0; j < countof(counts); j++) {
            struct fixture f;
            char *text = repeated(cases[i].head, cases[i].piece, counts[j], cases[i].middle,
                                  cases[i].close);
            ck_assert_int_lt(depth_of(parse_file(&f, text)), 500);
            ck_assert(counts[j] == 190 || diagnostics_failed(&f.diagnostics));
            arena_release(&f.arena);
            free(text);
        }
    }
}
END_TEST

START_TEST(length_is_free)
{
    static const struct {
        const char *head, *piece, *middle;
    } cases[] = {
        {"block a = ", "b >> ", "c"}, {"block a = ", "b + ", "c"},   {"block a = ", "b * ", "c"},
        {"let a = ", "b and ", "c"},  {"let a = ", "b or ", "c"},    {"let a = [", "b, ", "c]"},
        {"let a = f(", "b, ", "c)"},  {"network n {", "b\n", "c\n}"}, {"", "let a = 1\n", ""},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct fixture f;
        char *text = repeated(cases[i].head, cases[i].piece, REPEATS, cases[i].middle, "");
        struct node *file = parse_file(&f, text);
        ck_assert(!diagnostics_failed(&f.diagnostics));
        ck_assert_int_lt(depth_of(file), 10);
        arena_release(&f.arena);
        free(text);
    }
}
END_TEST

START_TEST(operators_of_one_kind_are_one_node)
{
    struct fixture f;
    const struct node *value = parse_bytes(&f, "a + b + (c + d) - e", 19, true);

    ck_assert_int_eq(value->operator, OPERATOR_SUBTRACT);
    const struct node *sum = value->items[0];
    ck_assert_int_eq(sum->operator, OPERATOR_ADD);
    ck_assert_uint_eq(sum->count, 3);
    ck_assert_int_eq(sum->items[2]->kind, NODE_PARENTHESES);
    ck_assert_uint_eq(sum->span.begin, 0);
    ck_assert_uint_eq(sum->span.end, 15);
    arena_release(&f.arena);
}
END_TEST

START_TEST(names_are_interned_and_placed)
{
    struct fixture f;
    const struct node *file = parse_file(&f, "block a(b) = x.{b + 1}: conv(b, groups = 1)\n");
    const struct node *block = file->items[0], *label = block->items[1];

    ck_assert_ptr_eq(block->name, intern(&f.sources.names, "a", 1));
    ck_assert_uint_eq(block->name_span.begin, 6);
    ck_assert_uint_eq(block->name_span.end, 7);
    ck_assert_ptr_eq(label->name, intern(&f.sources.names, "x.", 2));
    ck_assert_uint_eq(label->name_span.end - label->name_span.begin, 2);
    ck_assert_int_eq(label->items[0]->kind, NODE_CALL);
    ck_assert_int_eq(label->items[1]->kind, NODE_OPERATOR);
    ck_assert_ptr_null(label->items[0]->items[1]->name);
    ck_assert_str_eq(label->items[0]->items[2]->name, "groups");
    arena_release(&f.arena);
}
END_TEST

START_TEST(an_expression_is_the_whole_source)
{
    static const struct {
        const char *text;
        enum node_kind kind;
        bool fails;
    } cases[] = {
        {"50", NODE_INTEGER, false},         {"\n  basic(64)\n", NODE_CALL, false},
        {"[1,\n 2]", NODE_LIST, false},      {"", NODE_POISON, true},
        {"1 2", NODE_POISON, true},          {"let a = 1", NODE_POISON, true},
        {"1\n2", NODE_POISON, true},         {"a >> b + c", NODE_OPERATOR, true},
        {"(1", NODE_PARENTHESES, true},      {"{1: 2}", NODE_MAP, false},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct fixture f;
        const struct node *node = parse_bytes(&f, cases[i].text, strlen(cases[i].text), true);
        ck_assert_msg(node->kind == cases[i].kind, "%s: %s", cases[i].text,
                      node_kind_name(node->kind));
        ck_assert_int_eq(diagnostics_failed(&f.diagnostics), cases[i].fails);
        arena_release(&f.arena);
    }
}
END_TEST

START_TEST(what_is_no_text_is_reported)
{
    struct fixture f;
    const struct node *file = parse_bytes(&f, "let a = 1\0", 10, false);

    ck_assert_int_eq(file->kind, NODE_FILE);
    ck_assert_str_eq(first_code(&f), "E0001");
    arena_release(&f.arena);
    parse_bytes(&f, "let \xff = 1", 9, false);
    ck_assert_str_eq(first_code(&f), "E0001");
    arena_release(&f.arena);
}
END_TEST

START_TEST(line_ends_may_have_carriage_returns)
{
    struct fixture f;
    const struct node *file = parse_file(&f, "\xef\xbb\xbfuse a\r\nlet b = 1 +\r\n  2\r\n");

    ck_assert(!diagnostics_failed(&f.diagnostics));
    ck_assert_uint_eq(file->count, 2);
    arena_release(&f.arena);
}
END_TEST

START_TEST(errors_keep_the_rest_of_the_tree)
{
    struct fixture f;
    const struct node *file = parse_file(&f, "let a = 1\n"
                                             "network n {\n    relu\n    let = 3\n    bn bn\n"
                                             "    conv(3, 16)\n}\n"
                                             "let = 2\n"
                                             "let b = 2\n");

    ck_assert_uint_eq(f.diagnostics.error_count, 3);
    ck_assert_uint_eq(file->count, 4);
    const struct node *body = file->items[1]->items[0];
    ck_assert_uint_eq(body->count, 4);
    ck_assert_int_eq(body->items[1]->kind, NODE_POISON);
    ck_assert_int_eq(body->items[3]->kind, NODE_DO);
    ck_assert_int_eq(file->items[2]->kind, NODE_POISON);
    arena_release(&f.arena);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        nesting_is_limited_whatever_nests,
        length_is_free,
        operators_of_one_kind_are_one_node,
        names_are_interned_and_placed,
        an_expression_is_the_whole_source,
        what_is_no_text_is_reported,
        line_ends_may_have_carriage_returns,
        errors_keep_the_rest_of_the_tree,
    };
    return run_suite("parse", tests, countof(tests));
}
