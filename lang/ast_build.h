/* Constructors of the tree, as the grammar's actions call them.
 *
 * Each returns a new node in the sources' arena, or a POISON node if the tree would nest too deep
 * for a recursion (reported once). A list under construction is a BODY node or, when empty, NULL;
 * its items move into the node that it is given to. */
#ifndef LANG_AST_BUILD_H
#define LANG_AST_BUILD_H

#include "lang/ast.h"

struct parser;

/* The deepest nesting of brackets, operators, labels and statements. */
enum { DEEPEST_NESTING = 200 };

/* A node with up to three children; NULLs are left out. */
struct node *build_tree(struct parser *parser, enum node_kind kind, struct span span,
                        struct node *first, struct node *second, struct node *third);

/* A node with a name, whose children are those of `list` and then `last`; both may be NULL. */
struct node *build_named(struct parser *parser, enum node_kind kind, struct span span,
                         const char *name, struct span name_span, struct node *list,
                         struct node *last);

struct node *build_list(struct parser *parser, struct node *first);
struct node *build_append(struct parser *parser, struct node *list, struct node *item);

/* Turns a list into a node of `kind`. */
struct node *build_group(struct parser *parser, enum node_kind kind, struct span span,
                         struct node *list);

/* `left operator right`; + * and/or join an operator of the same kind on the left. */
struct node *build_operator(struct parser *parser, struct span span, enum operator operator,
                            struct node *left, struct node *right);

/* `left >> right`; joins a chain on the left. */
struct node *build_chain(struct parser *parser, struct span span, struct node *left,
                         struct node *right);

struct node *build_for(struct parser *parser, struct span span, const char *index,
                       const char *value, struct span value_span, struct node *sequence,
                       struct node *body);

/* `name{index}: term`; the name's span ends before the brace. */
struct node *build_label(struct parser *parser, struct span span, const char *name,
                         struct span name_span, struct node *term, struct node *index);

struct node *build_call(struct parser *parser, struct span span, struct node *callee,
                        struct node *arguments);

/* `name = value` where only `let name = value` may stand: reports it and gives the LET. */
struct node *build_missing_let(struct parser *parser, struct span span, const char *name,
                               struct span name_span, struct node *value);

struct node *build_integer(struct parser *parser, struct span span, int64_t integer);
struct node *build_boolean(struct parser *parser, struct span span, bool value);
struct node *build_number(struct parser *parser, struct span span, double number);
struct node *build_poison(struct parser *parser, struct span span);

#endif
