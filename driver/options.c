/* One table of options serves parsing and help. */
#include "driver/options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum option_kind {
    OPTION_TEXT,
    OPTION_FLAG,
    OPTION_EMIT,
    OPTION_DEFINITION,
    OPTION_INCLUDE,
};

struct option {
    const char *name;
    const char *argument; /* its name in the help; NULL: takes none */
    enum option_kind kind;
    bool needs_code;      /* only for commands that generate code */
    size_t offset;        /* of the field that TEXT and FLAG set */
    const char *help;
};

static const struct option table[] = {
    {"-D", "NAME=VALUE", OPTION_DEFINITION, false, 0,
     "set a parameter of the network or its recipe"},
    {"-I", "DIR", OPTION_INCLUDE, false, 0, "look for used files in DIR too"},
    {"--network", "NAME", OPTION_TEXT, false, offsetof(struct options, network),
     "which network, where the file has several"},
    {"-o", "OUT", OPTION_TEXT, true, offsetof(struct options, output), "what to write"},
    {"--target", "cpu", OPTION_TEXT, true, offsetof(struct options, target),
     "what to generate code for"},
    {"--cpu", "NAME", OPTION_TEXT, true, offsetof(struct options, cpu),
     "native (the default), x86-64-v2, x86-64-v3, x86-64-v4 or another name"},
    {"--emit", "WHAT", OPTION_EMIT, true, 0,
     "exe (the default), obj, asm, llvm, kernels, graph or ast"},
    {"--dump-after", "PASS", OPTION_TEXT, true, offsetof(struct options, dump_after),
     "print the state after a pass (elaborate, loss, gradient, lower,\n"
     "                      fuse, memory, schedule or all) to standard error"},
    {"--time", NULL, OPTION_FLAG, true, offsetof(struct options, time),
     "print what each phase took to standard error"},
    {"--help", NULL, OPTION_FLAG, false, offsetof(struct options, help), "print this"},
};

static const char *const emit_names[] = {
    [EMIT_EXE] = "exe",         [EMIT_OBJECT] = "obj",  [EMIT_ASSEMBLY] = "asm", [EMIT_LLVM] = "llvm",
    [EMIT_KERNELS] = "kernels", [EMIT_GRAPH] = "graph", [EMIT_AST] = "ast",
};

static struct status set_emit(struct options *options, const char *value)
{
    for (size_t i = 0; i < countof(emit_names); i++) {
        if (strcmp(emit_names[i], value) == 0) {
            options->emit = (enum emit)i;
            return status_ok();
        }
    }
    return status_error(STATUS_USAGE,
                        "--emit %s: expected exe, obj, asm, llvm, kernels, graph or ast", value);
}

static struct status add_definition(struct arena *arena, struct options *options,
                                    const char *value)
{
    const char *equals = strchr(value, '=');
    struct definition definition;

    if (!equals || equals == value || equals[1] == '\0')
        return status_error(STATUS_USAGE, "-D %s: expected NAME=VALUE", value);
    definition.name = arena_copy_text(arena, value, (size_t)(equals - value));
    definition.value = equals + 1;
    vector_push(&options->definitions, arena, definition);
    return status_ok();
}

static struct status apply(struct arena *arena, struct options *options,
                           const struct option *option, const char *value)
{
    char *field = (char *)options + option->offset;

    switch (option->kind) {
    case OPTION_TEXT:
        memcpy(field, &value, sizeof value);
        break;
    case OPTION_FLAG:
        *(bool *)field = true;
        break;
    case OPTION_EMIT:
        return set_emit(options, value);
    case OPTION_DEFINITION:
        return add_definition(arena, options, value);
    case OPTION_INCLUDE:
        vector_push(&options->include_paths, arena, value);
        break;
    }
    return status_ok();
}

/* Finds the option that `text` names; `*out_value` is what is attached to it (-DNAME=1, --cpu=X),
 * or NULL. */
static const struct option *find(const struct command *command, const char *text,
                                 const char **out_value)
{
    for (size_t i = 0; i < countof(table); i++) {
        const size_t length = strlen(table[i].name);
        const bool is_long = table[i].name[1] == '-';

        if (strncmp(text, table[i].name, length) != 0 ||
            (table[i].needs_code && !command->compiles))
            continue;
        *out_value = NULL;
        if (text[length] == '\0')
            return &table[i];
        if (!table[i].argument || (is_long && text[length] != '='))
            continue;
        *out_value = text + length + (is_long ? 1 : 0);
        return &table[i];
    }
    return NULL;
}

static struct status read_option(struct arena *arena, const struct command *command, int argc,
                                 char **argv, int *index, struct options *out)
{
    const char *value;
    const struct option *option = find(command, argv[*index], &value);

    if (!option)
        return status_error(STATUS_USAGE, "unknown option %s", argv[*index]);
    if (option->argument && !value) {
        if (*index + 1 >= argc)
            return status_error(STATUS_USAGE, "%s needs %s", option->name, option->argument);
        value = argv[++*index];
    }
    return apply(arena, out, option, value);
}

struct status options_read(struct arena *arena, const struct command *command, int argc,
                           char **argv, struct options *out)
{
    *out = (struct options){.program = argv[0], .target = "cpu", .cpu = "native", .rest = argc};
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            out->rest = i + 1;
            break;
        }
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            RETURN_IF_ERROR(read_option(arena, command, argc, argv, &i, out));
        } else if (out->file) {
            return status_error(STATUS_USAGE, "one file at a time: %s and %s", out->file, argv[i]);
        } else {
            out->file = argv[i];
        }
    }
    if (!out->file && !out->help)
        return status_error(STATUS_USAGE, "which file? usage: rnet %s %s", command->name,
                            command->usage);
    return status_ok();
}

void options_help(const struct command *command)
{
    printf("usage: rnet %s %s\n\n%s.\n\noptions:\n", command->name, command->usage,
           command->summary);
    for (size_t i = 0; i < countof(table); i++) {
        const struct option *option = &table[i];
        char head[40];

        if (option->needs_code && !command->compiles)
            continue;
        snprintf(head, sizeof head, "%s %s", option->name, option->argument ? option->argument : "");
        printf("  %-20s%s\n", head, option->help);
    }
}
