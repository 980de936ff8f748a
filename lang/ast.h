/* The tree of a source file, as written: one kind of node, no meaning attached.
 *
 *   kind         name            items (children)                 other
 *   FILE         -               declarations                     -
 *   USE          used name       -                                -
 *   LET          name            [value]                          -
 *   BLOCK        name            parameters..., body last         body: an expression or BODY
 *   STAGE        name            parameters..., BODY last         of LET, REQUIRE, SETTING
 *   NETWORK      name            parameters..., BODY last         -
 *   RECIPE       name            parameters..., BODY last         of SETTING
 *   TRAIN        network's name  [expression or BODY of SETTINGs] -
 *   PARAMETER    name            [] or [default]                  -
 *   BODY         -               statements                       -
 *   REQUIRE      -               [condition, STRING]              -
 *   INPUT        kind's name     arguments                        `input image(3, 32, 32)`
 *   OUTPUT       name            [value]                          -
 *   FOR          value's name    [sequence, BODY]                 name2: the index' name or NULL
 *   DO           -               [expression]                     an expression as a statement
 *   SETTING      name            [value]                          `name = value`: arm or setting
 *   IF           -               [condition, then, else]          -
 *   OPERATOR     -               operands, 2 or more              operator; + * and or: n-ary
 *   CHAIN        -               2 or more terms                  a >> b >> c
 *   NEGATE NOT   -               [operand]                        -
 *   LABEL        name            [term] or [term, expression]     `name{expr}: term`, `name.{}`
 *   CALL         -               callee, then ARGUMENTs           -
 *   ARGUMENT     name or NULL    [value]                          -
 *   INDEX        -               [value, index]                   -
 *   NAME         name            -                                -
 *   INTEGER      -               -                                integer
 *   NUMBER       -               -                                number
 *   BOOLEAN      -               -                                integer is 0 or 1
 *   STRING       contents        -                                -
 *   INPUT_FIELD  field           -                                `input.channels`
 *   PARENTHESES  -               [expression]                     kept for fmt and the >> rule
 *   LIST         -               elements                         -
 *   MAP          -               ENTRYs                           -
 *   ENTRY        -               [key, value]                     the key is INTEGER
 *   POISON       -               -                                did not parse
 */
#ifndef LANG_AST_H
#define LANG_AST_H

#include <stdint.h>
#include <stdio.h>

#include "lang/diagnostic.h"
#include "lang/source.h"

enum node_kind {
#define NODE(kind, name) NODE_##kind,
#include "lang/ast.def"
#undef NODE
    NODE_KIND_COUNT
};

enum operator {
    OPERATOR_NONE,
    OPERATOR_OR,
    OPERATOR_AND,
    OPERATOR_EQUAL,
    OPERATOR_NOT_EQUAL,
    OPERATOR_LESS,
    OPERATOR_LESS_EQUAL,
    OPERATOR_GREATER,
    OPERATOR_GREATER_EQUAL,
    OPERATOR_RANGE,
    OPERATOR_ADD,
    OPERATOR_SUBTRACT,
    OPERATOR_MULTIPLY,
    OPERATOR_DIVIDE,
    OPERATOR_REMAINDER,
    OPERATOR_POWER,
};

struct node {
    enum node_kind kind;
    enum operator operator;
    struct span span;      /* the whole construct */
    struct span name_span; /* where `name` is written */
    const char *name;      /* interned, or NULL; a label's keeps its final full stop */
    const char *name2;     /* interned, or NULL */
    int64_t integer;
    double number;
    struct node **items;
    size_t count;
    uint32_t height; /* how deep the tree below nests; never beyond what a recursion can walk */
};

/* Parses one source. Always returns a FILE node; what did not parse is reported and POISON, and
 * parsing goes on behind it, so that one run reports several mistakes. */
struct node *parse(struct source_set *sources, struct diagnostics *diagnostics, uint32_t source);

/* Parses one expression, the whole of `source`: the value of a -D option. */
struct node *parse_expression(struct source_set *sources, struct diagnostics *diagnostics,
                              uint32_t source);

/* As `operator` is written: "+", "==", "and". */
const char *operator_text(enum operator operator);

/* The nodes' printed names, by kind. */
const char *node_kind_name(enum node_kind kind);

/* One node a line, indented, with line:column spans: `--emit ast`. */
void ast_print(const struct node *node, const struct source_set *sources, FILE *stream);

#endif
