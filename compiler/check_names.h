/* Names and arguments, checked in the text itself: in files that are used, in blocks that are not,
 * and in both arms of every `if`. Shapes and types wait for the values. */
#ifndef COMPILER_CHECK_NAMES_H
#define COMPILER_CHECK_NAMES_H

#include "compiler/load.h"

void check_names(struct context *context, const struct file_set *files);

/* Checks an expression given with -D in the scope of the user's own file. `names_network`: unknown
 * names are the network's own. */
void check_names_of_expression(struct context *context, const struct file *file,
                               const struct node *expression, bool names_network);

#endif
