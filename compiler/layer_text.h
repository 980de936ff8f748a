/* What a layer was told, in words, for drawings and comparisons. */
#ifndef COMPILER_LAYER_TEXT_H
#define COMPILER_LAYER_TEXT_H

#include "base/text.h"
#include "compiler/graph.h"

/* Adds " 3x3 / 2, 64, 32 groups", with a sign for the x: window, stride, channels, groups. Nothing
 * where the kind says it all. */
void layer_add_attributes(struct text_builder *text, const struct graph *graph,
                          const struct op *op);

/* Adds what the above leaves out because it is seldom told: padding, dilation, bias, epsilon,
 * momentum, rate. */
void layer_add_details(struct text_builder *text, const struct graph *graph, const struct op *op);

#endif
