/* From a network to a training step: the loss, its gradients, the update.
 *
 * Each operation's definition says how a gradient of its output becomes gradients of its inputs;
 * this pass visits the operations backward once and adds up what reaches a tensor on several
 * ways. */
#ifndef COMPILER_GRADIENT_H
#define COMPILER_GRADIENT_H

#include "compiler/graph.h"

struct gradient_term {
    tensor_id tensor; /* a gradient that reaches some tensor */
    uint32_t next;    /* further terms of the same tensor, as index + 1; 0 ends */
};

struct gradient_pass {
    struct graph *graph;
    bool *needed;          /* for each forward tensor: does a parameter lie behind it? */
    uint32_t *first_term;  /* for each forward tensor: index + 1 into terms, or 0 */
    size_t tensor_count;   /* forward tensors: those numbered below this */
    VECTOR(struct gradient_term) terms;
};

/* Appends the softmax cross-entropy of the network's logits: a LABELS tensor and the op with
 * outputs loss, rank (per image). Requires one output of one value a class. */
void graph_add_loss(struct graph *graph);

/* Requires graph_add_loss. Appends the gradients of all parameters and the UPDATE op. */
void graph_add_gradients(struct graph *graph);

/* ---- for the definitions in op_*.c ---- */

/* The whole gradient that reaches `tensor` (a sum where there are several), or TENSOR_NONE where
 * none does. */
tensor_id gradient_of(struct gradient_pass *pass, tensor_id tensor);

bool gradient_needed(const struct gradient_pass *pass, tensor_id tensor);

/* Says that `gradient` is one term of the gradient of `tensor`. */
void gradient_add(struct gradient_pass *pass, tensor_id tensor, tensor_id gradient);

/* A new tensor for the gradient of a parameter; no term needs to be added for it. */
tensor_id gradient_of_parameter(struct gradient_pass *pass, tensor_id parameter);

/* Appends an op of the backward pass that belongs to forward op `of`, with its attributes. */
op_id gradient_op(struct gradient_pass *pass, enum op_kind kind, op_id of,
                  const tensor_id *inputs, size_t input_count, const tensor_id *outputs,
                  size_t output_count);

/* The gradient of op `of` where that has one input that a gradient reaches, and no parameters:
 * appends an op of `kind` that makes the gradient of the input from that of the output and, unless
 * it is TENSOR_NONE, from `kept`. Does nothing where no gradient is needed. */
void gradient_of_input(struct gradient_pass *pass, op_id of, enum op_kind kind, tensor_id kept);

#endif
