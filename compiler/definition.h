/* The -D options of a run: parsed once, then taken by the parameter or setting of that name. */
#ifndef COMPILER_DEFINITION_H
#define COMPILER_DEFINITION_H

#include "compiler/elaborate.h"
#include "compiler/load.h"

struct definition_value {
    const char *name; /* interned */
    const struct node *expression;
    struct span span; /* the expression's */
    bool taken;
};

struct definition_list {
    const struct file *file; /* in whose scope the expressions stand */
    VECTOR(struct definition_value) items;
};

/* Parses the options and checks the names in them. Of two with one name the last counts. */
void definitions_parse(struct context *context, struct definition_list *list,
                       const struct elaborate_options *options);

/* Evaluates the option `name`; false if there is none. */
bool definitions_take(struct context *context, struct definition_list *list, const char *name,
                      struct argument *out);

/* Reports the options that nothing took; `known` are the names that would have been. */
void definitions_report(struct context *context, const struct definition_list *list,
                        const struct name_list *known);

#endif
