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
                      struct definition_list *definitions, struct name_list *known,
                      struct recipe *out);

/* recipe_setting.c */

enum recipe_setting {
    SETTING_DATA,
    SETTING_AUGMENT,
    SETTING_EVALUATE,
    SETTING_EPOCHS,
    SETTING_BATCH,
    SETTING_INIT,
    SETTING_OPTIMIZER,
    SETTING_SCHEDULE,
    SETTING_COUNT
};

/* Reports a setting that recipes do not have. */
void recipe_setting_check_name(struct context *context, const struct node *setting);

/* Reads a body of settings; `given` says which were there. */
void recipe_settings_read(struct context *context, const struct environment *environment,
                          const struct node *body, struct recipe *out, bool given[SETTING_COUNT]);

/* Reads a count, such as `epochs`, or reports it at `argument`. */
bool recipe_read_count(struct context *context, const char *name, const struct argument *argument,
                       int64_t *out);

#endif
