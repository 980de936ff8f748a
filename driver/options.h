/* The command line of rnet: which command, its options, its file. */
#ifndef DRIVER_OPTIONS_H
#define DRIVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/vector.h"
#include "compiler/elaborate.h"

enum emit {
    EMIT_EXE,
    EMIT_OBJECT,
    EMIT_ASSEMBLY,
    EMIT_LLVM,
    EMIT_CUDA,
    EMIT_KERNELS,
    EMIT_GRAPH,
    EMIT_AST,
};

/* Which options a command takes besides those that all take; a set of bits. */
enum option_group {
    OPTIONS_CODE = 1,         /* of code generation */
    OPTIONS_OUTPUT = 2,       /* -o */
    OPTIONS_JSON = 4,         /* --json */
    OPTIONS_COUNT = 8,        /* --count */
    OPTIONS_LAYERS = 16,      /* --layers */
    OPTIONS_PAIR = 32,        /* a second file, and settings for either */
    OPTIONS_DIAGNOSTICS = 64, /* --diagnostics */
    OPTIONS_FILES = 128, /* --check, any number of files; none of the options about a network */
    OPTIONS_WORD = 256,  /* a word or none instead of a file; none of the options about a network */
    OPTIONS_RUNS = 512,  /* any number of directories; none of the options about a network */
    OPTIONS_EXPLORE = 1024, /* --vary, and how the variants are trained */
    OPTIONS_MEMORY = 2048,  /* --memory-limit */
};

struct options {
    const char *program;    /* argv[0] */
    const char *file;       /* the .rnet file; the first, where a command takes several */
    const char *second;     /* OPTIONS_PAIR: the other one, or NULL */
    const char *output;     /* -o; NULL: standard output, where that makes sense */
    const char *network;    /* --network */
    const char *target;     /* --target */
    const char *cpu;        /* --cpu */
    const char *gpu;        /* --gpu; NULL: the one of this machine */
    const char *precision;  /* --precision; NULL: the target's default */
    const char *dump_after; /* --dump-after; a pass or "all" */
    enum emit emit;
    const char *count;       /* --count */
    const char *network_b;   /* --network-b */
    const char *diagnostics; /* --diagnostics: "text" or "json" */
    const char *data;        /* --data */
    const char *out;         /* --out */
    int64_t epochs;          /* --epochs; 0: not given, as of the next two */
    int64_t repeat;          /* --repeat */
    int64_t threads;         /* --threads */
    int64_t seed;            /* --seed */
    uint64_t memory_limit;   /* --memory-limit, in bytes; 0: none */
    bool silent;             /* diagnostics were printed before; no option sets it */
    bool inference;          /* --inference: neither recipe nor loss is needed */
    bool time;               /* --time */
    bool check;              /* --check */
    bool json;               /* --json */
    bool layers;             /* --layers */
    bool help;
    VECTOR(const char *) words;               /* all that is no option, in order */
    VECTOR(struct definition) definitions;    /* -D */
    VECTOR(struct definition) only_a, only_b; /* --a, --b: of one file of a pair */
    VECTOR(const char *) include_paths;       /* -I */
    VECTOR(const char *) varied;              /* --vary, as given */
    int rest; /* index in argv of what follows "--"; argc if nothing does */
};

struct command {
    const char *name;
    const char *usage;   /* what stands behind the name */
    const char *summary; /* one line for the list of commands */
    unsigned takes;      /* enum option_group */
    int (*run)(struct arena *arena, const struct options *options, char **argv);
};

/* Reads argv[2...] for `command`. STATUS_USAGE with a message for everything wrong. */
struct status options_read(struct arena *arena, const struct command *command, int argc,
                           char **argv, struct options *out);

/* The help text of one command, on standard output. */
void options_help(const struct command *command);

#endif
