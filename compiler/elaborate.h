/* From trees to a graph and a recipe: evaluates the chosen network with its parameters. */
#ifndef COMPILER_ELABORATE_H
#define COMPILER_ELABORATE_H

#include <stdbool.h>

#include "compiler/graph.h"
#include "compiler/recipe.h"
#include "lang/diagnostic.h"
#include "lang/source.h"

/* One -D NAME=VALUE. */
struct definition {
    const char *name;
    const char *value; /* an expression of the language */
};

struct elaborate_options {
    const char *network; /* --network, or NULL for the only one */
    const struct definition *definitions;
    size_t definition_count;
    int64_t layer_limit; /* 0: the language's, a million */
};

/* A parameter of the network, as it was bound: for reports. */
struct network_parameter {
    const char *name;
    const char *value; /* printed as the language writes it */
    bool is_number;
};

struct elaboration {
    struct graph *graph;
    struct recipe recipe; /* without a name where the network has no `train` declaration */
    const struct network_parameter *parameters;
    size_t parameter_count;
};

/* Parses the file `path` and all that it uses, elaborates the network and its recipe. Everything
 * lives in `arena`. Returns false if there are errors, which are in `diagnostics`; a graph may be
 * missing then. Reads no global state; the same text gives the same graph. */
bool elaborate(struct arena *arena, struct source_set *sources, struct diagnostics *diagnostics,
               const char *path, const struct elaborate_options *options, struct elaboration *out);

/* The same for a source that was added already. */
bool elaborate_source(struct arena *arena, struct source_set *sources,
                      struct diagnostics *diagnostics, uint32_t source,
                      const struct elaborate_options *options, struct elaboration *out);

/* The tree of the file alone, for --emit ast; NULL if it can't be read. */
struct node *elaborate_parse(struct source_set *sources, struct diagnostics *diagnostics,
                             const char *path);

#endif
