/* Layers with parameters of one value a channel: what norms and scale share. */
#ifndef COMPILER_OP_CHANNEL_H
#define COMPILER_OP_CHANNEL_H

#include "compiler/gradient.h"
#include "compiler/lower.h"
#include "compiler/op.h"

/* Adds a parameter or statistic of the layer, a value a channel (a counter: one value), named
 * `name` behind the layer's path. `like` gives its kind and initializer. */
tensor_id channel_parameter(struct graph *graph, const struct layer_call *call, const char *path,
                            const char *name, struct tensor like);

/* The gradient of op `id`, whose inputs are x and then `parameters` parameters: appends an op of
 * `kind` with the inputs dy, x and those in `kept`. Its outputs are the gradients of the
 * parameters, in order, and last that of x, which is there only where it is needed. */
void channel_gradient(struct gradient_pass *pass, op_id id, enum op_kind kind, int parameters,
                      const tensor_id *kept, int kept_count);

/* 1 / sqrt(variance + epsilon) */
uint16_t inverse_deviation(struct kernel *kernel, uint16_t variance, double epsilon);

#endif
