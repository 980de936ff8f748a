/* Running blocks on tensors: the part of elaboration that adds to the graph.
 *
 * A block takes a tensor and gives one. TENSOR_NONE is the tensor after a mistake: blocks still run
 * on it, so that further mistakes are found, but nothing that needs its shape is reported. C calls
 * nest as blocks do, never as long as the network is deep. */
#ifndef COMPILER_RUN_H
#define COMPILER_RUN_H

#include "compiler/context.h"

tensor_id run_block(struct context *context, const struct block *block, tensor_id input);

/* Enters a block or stage; false, reported, where too many are inside each other. `frame` must live
 * until run_leave. */
bool run_enter(struct context *context, struct frame *frame, const char *kind,
               const struct block *block);
void run_leave(struct context *context);

/* Counts one more C call inside the others; false, reported, where there are too many. Take it back
 * with context->run_depth--, in both cases. */
bool run_deeper(struct context *context, struct span span);

/* run_parameters.c: a scope with the parameters of a declaration: what is bound, and defaults for
 * the rest, evaluated with `input` as their tensor. Missing ones are reported and poison. */
struct scope *run_parameters(struct context *context, const struct block *block, tensor_id input);

/* The value of a parameter's default, in the scope of the parameters before it. */
struct value run_default(struct context *context, const struct scope *scope,
                         const struct node *parameter, const struct environment *environment);

/* Reports what an application lacks; true if it lacks nothing. */
bool run_complete(struct context *context, const struct block *block);

/* run_body.c: the statements of a body, on `input`. `scope` is that of the parameters. */
tensor_id run_body(struct context *context, const struct scope *scope, const struct node *body,
                   tensor_id input);

/* `let` and `require`, which bodies and stages share. `use` is where the block stands for which
 * a requirement does not hold; source 0 for a network. */
void run_let(struct context *context, struct scope *scope, const struct environment *environment,
             const struct node *node);
void run_require(struct context *context, const struct environment *environment,
                 const struct node *node);

/* run_terms.c: sums, products, joins. */
tensor_id run_terms(struct context *context, const struct block *block, tensor_id input);

/* Gives the graph its outputs: those of one name are joined in the order they were met. */
void run_join_outputs(struct context *context);

/* run_stage.c: stages and `repeat`. */
tensor_id run_stage(struct context *context, const struct block *stage, tensor_id input);
tensor_id run_repeat(struct context *context, const struct block *repeat, tensor_id input);

/* run_layer.c: a layer; `label` is the LABEL that names it, or NULL for its number. */
tensor_id run_layer(struct context *context, const struct block *layer, tensor_id input,
                    const struct block *label);

/* Counts one more operation of the graph; false, reported, where there are too many. */
bool run_count_layer(struct context *context, struct span span);

/* Reports a tensor too large for what comes after; TENSOR_NONE then, else the tensor. */
tensor_id run_check_size(struct context *context, tensor_id tensor, struct span span);

/* run_name.c: names of parameters. */

/* `prefix` and `name`, joined by a dot. */
const char *name_join(struct context *context, const char *prefix, const char *name);

/* Claims `label` in the present scope, counts it, and returns its full path; a path that was
 * claimed before is reported at `span` and replaced by one that is free. */
const char *name_claim(struct context *context, const char *label, struct span span);

/* Claims position `index` of a stage or `repeat` used at `span`. */
const char *name_claim_position(struct context *context, int64_t index, struct span span);

/* Reports names of parameters among tensors numbered `first` and up that exist already. */
void name_check_parameters(struct context *context, tensor_id first, struct span span);

#endif
