/* The options of a command: one table gives the parser, the checks and the help text. */
#ifndef RUNTIME_OPTIONS_H
#define RUNTIME_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/vector.h"

/* Texts in the order given, borrowed from argv. Zero it, then set the arena. */
struct text_list {
    struct arena *arena;
    VECTOR(const char *) texts;
};

enum option_kind {
    OPTION_FLAG,    /* target: bool */
    OPTION_TEXT,    /* target: const char *, borrowed from argv */
    OPTION_LIST,    /* target: struct text_list; the option may be given several times */
    OPTION_INTEGER, /* target: int64_t, at least `minimum` */
    OPTION_REAL,    /* target: double, finite and at least `minimum` */
};

struct option_entry {
    const char *name; /* without the dashes */
    enum option_kind kind;
    const char *argument; /* its name in the help; NULL for a flag */
    const char *help;
    void *target; /* keeps its value when the option is not given */
    double minimum;
    bool required;
};

struct option_set {
    const char *command;
    const char *summary;
    const struct option_entry *entries;
    size_t count;
    struct text_list *operands; /* takes what is no option; NULL: that is an error */
    const char *operand;        /* its name in the help, such as "IMAGE..." */
};

/* Fills the targets from argv[2 ...], after program and command. With --help it prints the help on
 * stdout, sets `*helped` and looks no further. Everything wrong is STATUS_USAGE. */
struct status options_parse(const struct option_set *set, int argc, char **argv, bool *helped);

#endif
