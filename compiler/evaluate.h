/* Expressions become values: names, calls, operators, `if`, lists, maps, indices.
 *
 * Evaluating never runs a block, so it needs no graph but for the shape that `input.channels` and
 * `input.size` speak of. Every mistake is reported where it stands and gives poison. */
#ifndef COMPILER_EVALUATE_H
#define COMPILER_EVALUATE_H

#include "compiler/context.h"

/* The value of an expression. */
struct value evaluate(struct context *context, const struct environment *environment,
                      const struct node *node);

/* The block that an expression stands for; a poison block after a mistake, never NULL. */
const struct block *evaluate_block(struct context *context, const struct environment *environment,
                                   const struct node *node);

/* A condition; false after a mistake, with `*out_poison` true. */
bool evaluate_condition(struct context *context, const struct environment *environment,
                        const struct node *node, bool *out_poison);

/* The name that a LABEL gives: "layer" and the value of its expression. NULL after a mistake. */
const char *evaluate_label(struct context *context, const struct environment *environment,
                           const struct node *node);

/* Evaluates the `let` of a file behind a name, if that still waits. */
void evaluate_pending(struct context *context, struct binding *binding, struct span span);

/* evaluate_operator.c: a value of OPERATOR, CHAIN, NEGATE or NOT. */
struct value evaluate_operator(struct context *context, const struct environment *environment,
                               const struct node *node);
struct value evaluate_chain(struct context *context, const struct environment *environment,
                            const struct node *node);
struct value evaluate_negate(struct context *context, const struct environment *environment,
                             const struct node *node);

/* evaluate_call.c: a value of CALL. */
struct value evaluate_call(struct context *context, const struct environment *environment,
                           const struct node *node);

/* Checks that a value suits a layer's argument and brings it into the form that shape rules read;
 * false, reported at `span`, if it does not. */
bool read_layer_argument(struct context *context, const struct layer_argument *argument,
                         const struct argument *given, struct layer_value *out);

/* evaluate_join.c: the block that `value`, written at `span`, stands for where one is required. */
const struct block *require_block(struct context *context, struct value value, struct span span);

/* A new block with parts; borrows `parts`. */
const struct block *block_of_parts(struct context *context, enum block_kind kind, struct span span,
                                   const struct block *const *parts, size_t count);

#endif
