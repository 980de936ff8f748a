/* Files and what they declare: reads a file and all that it uses, once each.
 *
 * A used file's names, and the names that it uses itself, become visible; a file's own names hide
 * them. Networks have names of their own, apart from blocks and values. */
#ifndef COMPILER_LOAD_H
#define COMPILER_LOAD_H

#include "compiler/context.h"

struct file {
    uint32_t source;
    const char *path;
    const struct node *tree;
    struct scope *scope;   /* what the file declares; its outer scope is `imports` */
    struct scope *imports; /* what its `use` lines bring in */
    VECTOR(struct declaration *) networks;
    VECTOR(const struct node *) trains;
    bool loading; /* its `use` lines are being followed */
};

/* All files of one elaboration, in the order of first use: the first is the user's own. */
struct file_set {
    VECTOR(struct file *) items;
};

/* Loads an added source and all that it uses. Mistakes are reported; what can be read is loaded. */
struct file *load_source(struct context *context, struct file_set *files, uint32_t source);

/* Evaluates every `let` of the files, so that mistakes in unused ones are found too. */
void load_finish(struct context *context, const struct file_set *files);

/* The network of that name in the first file or another; NULL if there is none. */
struct declaration *load_find_network(const struct file_set *files, const char *name);

/* Appends the names of all networks, those of the first file first. */
void load_list_networks(const struct file_set *files, struct name_list *list);

#endif
