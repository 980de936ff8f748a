/* Warnings about what is written and has no effect. */
#ifndef LANG_UNUSED_H
#define LANG_UNUSED_H

#include "lang/ast.h"

/* Warns of every `let` in a body whose name is used nowhere in the file. Declarations at the top
 * are not looked at: other files and -D may use them. `file` must have parsed without errors. */
void unused_report(struct diagnostics *diagnostics, const struct node *file);

#endif
