/* Whether code can be made of a network that is well formed. */
#ifndef COMPILER_COMPILABLE_H
#define COMPILER_COMPILABLE_H

#include <stdbool.h>

#include "compiler/graph.h"
#include "compiler/recipe.h"
#include "lang/diagnostic.h"

/* Reports each kind of layer that has no code and, unless it is for inference alone, outputs that
 * the training step has no loss for. Returns whether there was nothing to report. */
bool graph_is_compilable(const struct graph *graph, bool inference,
                         struct diagnostics *diagnostics);

/* Reports settings that have no code, and a network that has no recipe at all. Returns whether
 * there was nothing to report. */
bool recipe_is_compilable(const struct graph *graph, const struct recipe *recipe,
                          struct diagnostics *diagnostics);

#endif
