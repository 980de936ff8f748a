/* The command line of rnet: which command, its options, its file. */
#ifndef DRIVER_OPTIONS_H
#define DRIVER_OPTIONS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/vector.h"
#include "compiler/elaborate.h"

enum emit {
    EMIT_EXE,
    EMIT_OBJECT,
    EMIT_ASSEMBLY,
    EMIT_LLVM,
    EMIT_KERNELS,
    EMIT_GRAPH,
    EMIT_AST,
};

struct options {
    const char *program;      /* argv[0] */
    const char *file;         /* the .rnet file */
    const char *output;       /* -o; NULL: standard output, where that makes sense */
    const char *network;      /* --network */
    const char *target;       /* --target */
    const char *cpu;          /* --cpu */
    const char *dump_after;   /* --dump-after; a pass or "all" */
    enum emit emit;
    bool time;                /* --time */
    bool help;
    VECTOR(struct definition) definitions; /* -D */
    VECTOR(const char *) include_paths;    /* -I */
    int rest;                 /* index in argv of what follows "--"; argc if nothing does */
};

struct command {
    const char *name;
    const char *usage;   /* what stands behind the name */
    const char *summary; /* one line for the list of commands */
    bool compiles;       /* it takes the options of code generation */
    int (*run)(struct arena *arena, const struct options *options, char **argv);
};

/* Reads argv[2...] for `command`. STATUS_USAGE with a message for everything wrong. */
struct status options_read(struct arena *arena, const struct command *command, int argc,
                           char **argv, struct options *out);

/* The help text of one command, on standard output. */
void options_help(const struct command *command);

#endif
