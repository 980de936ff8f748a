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

/* What options may set: parameters of the network come first. */
struct known_names {
    struct name_list list;
    size_t network_count;
};

/* Parses the options and checks the names in them. Of two with one name the last counts. */
void definitions_parse(struct context *context, struct definition_list *list,
                       const struct elaborate_options *options);

/* Evaluates the option `name`; false if there is none, or if it was taken before: the network's
 * parameters come first, then the recipe's, then its settings. */
bool definitions_take(struct context *context, struct definition_list *list, const char *name,
                      struct argument *out);

/* Reports the options that nothing took; `known` are the names that would have been. */
void definitions_report(struct context *context, const struct definition_list *list,
                        const struct known_names *known);

#endif
