/* What every command does first: find the standard library, elaborate the file, say what is wrong
 * with it. */
#ifndef DRIVER_FRONT_H
#define DRIVER_FRONT_H

#include <stdbool.h>

#include "compiler/elaborate.h"
#include "driver/options.h"

struct front {
    struct source_set sources;
    struct diagnostics diagnostics;
    struct elaboration elaboration;
    bool prints_json; /* --diagnostics=json */
    bool silent;      /* prints nothing by itself */
};

/* The folder of the running rnet, as a path without a final slash; NULL if it can't be told. */
const char *front_folder(struct arena *arena);

/* Elaborates the file of the options and prints all diagnostics to standard error. Returns false
 * if there were errors. As JSON, diagnostics are printed to standard output only if there were
 * errors; else front_finish prints them, so that there is one array. */
bool front_run(struct arena *arena, const struct options *options, struct front *out);

/* Prints the JSON array that front_run left unprinted, if it is wanted. */
void front_finish(const struct front *front);

/* Whether code can be made of what front_run gave, for training or for inference alone; prints what
 * stands in the way. */
bool front_is_compilable(struct front *front, bool inference);

/* Elaborates the file and looks whether code can be made of it, without printing anything. */
bool front_examine(struct arena *arena, const struct options *options, struct front *out);

/* All diagnostics so far, as text; `coloured` for a terminal. */
void front_print(const struct front *front, FILE *stream, bool coloured);

/* Whether standard error takes colours. */
bool front_is_coloured(void);

/* Parses the file alone and prints its tree to `stream`; false if there were errors. */
bool front_print_tree(struct arena *arena, const struct options *options, FILE *stream);

#endif
