/* The options of a command: one table gives the parser, the checks and the help text. */
#ifndef RUNTIME_OPTIONS_H
#define RUNTIME_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum option_kind {
    OPTION_FLAG,    /* target: bool */
    OPTION_TEXT,    /* target: const char *, borrowed from argv */
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
};

/* Fills the targets from argv[2 ...], after program and command. With --help it prints the help on
 * stdout, sets `*helped` and looks no further. Everything wrong is STATUS_USAGE. */
struct status options_parse(const struct option_set *set, int argc, char **argv, bool *helped);

#endif
