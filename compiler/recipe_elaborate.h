/* From `train` and `recipe` declarations to a struct recipe. */
#ifndef COMPILER_RECIPE_ELABORATE_H
#define COMPILER_RECIPE_ELABORATE_H

#include "compiler/definition.h"
#include "compiler/recipe.h"

/* Fills the recipe by which `network` is trained: what its `train` declaration says, changed by
 * options. `parameters` holds the network's parameters. The names that options may have are added
 * to `known`. Without a `train` declaration the recipe has no name. */
void recipe_elaborate(struct context *context, const struct file_set *files,
                      const struct declaration *network, const struct scope *parameters,
                      struct definition_list *definitions, struct known_names *known,
                      struct recipe *out);

/* Reports outputs and labels of the recipe that the finished graph does not have. */
void recipe_check_graph(struct context *context, const struct recipe *recipe);

/* recipe_setting.c */

/* Reports a setting that recipes do not have. */
void recipe_setting_check_name(struct context *context, const struct node *setting);

/* Whether unknown names in the value of this setting are names that the network gives. */
bool recipe_setting_names_network(const char *setting);

const char *recipe_setting_name(enum recipe_setting setting);

/* Reads a body of settings; a setting that was there has its place in `out`. */
void recipe_settings_read(struct context *context, const struct environment *environment,
                          const struct node *body, struct recipe *out);

/* Reads one setting. */
void recipe_setting_read(struct context *context, enum recipe_setting setting,
                         const struct argument *argument, struct recipe *out);

/* Reads argument number `number` of the optimizer, as its definition counts. */
void recipe_optimizer_read(struct context *context, size_t number, const struct argument *argument,
                           struct recipe *out);

#endif
