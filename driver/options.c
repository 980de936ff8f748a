/* One table of options serves parsing and help. */
#include "driver/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_kind {
    OPTION_TEXT,
    OPTION_FLAG,
    OPTION_EMIT,
    OPTION_DIAGNOSTICS,
    OPTION_DEFINITION,
    OPTION_DEFINITION_A,
    OPTION_DEFINITION_B,
    OPTION_INCLUDE,
    OPTION_VARY,
    OPTION_POSITIVE, /* an int64_t, at least 1 */
    OPTION_INTEGER,  /* an int64_t */
    OPTION_SIZE,     /* a uint64_t, of bytes */
};

struct option {
    const char *name;
    const char *argument; /* its name in the help; NULL: takes none */
    enum option_kind kind;
    unsigned groups; /* enum option_group: for commands that take one of them; 0: for all */
    size_t offset;   /* of the field that TEXT and FLAG set */
    const char *help;
};

static const struct option table[] = {
    {"-D", "NAME=VALUE", OPTION_DEFINITION, 0, 0, "set a parameter of the network or its recipe"},
    {"-I", "DIR", OPTION_INCLUDE, 0, 0, "look for used files in DIR too"},
    {"--network", "NAME", OPTION_TEXT, 0, offsetof(struct options, network),
     "which network, where the file has several"},
    {"-o", "OUT", OPTION_TEXT, OPTIONS_CODE | OPTIONS_OUTPUT, offsetof(struct options, output),
     "what to write"},
    {"--target", "cpu|cuda", OPTION_TEXT, OPTIONS_CODE | OPTIONS_EXPLORE,
     offsetof(struct options, target), "what to generate code for"},
    {"--cpu", "NAME", OPTION_TEXT, OPTIONS_CODE | OPTIONS_EXPLORE, offsetof(struct options, cpu),
     "native (the default), x86-64-v2, x86-64-v3, x86-64-v4 or another name"},
    {"--gpu", "sm_NN", OPTION_TEXT, OPTIONS_CODE | OPTIONS_EXPLORE, offsetof(struct options, gpu),
     "which NVIDIA GPU: the one of this machine by default, or sm_90"},
    {"--precision", "HOW", OPTION_TEXT, OPTIONS_CODE | OPTIONS_EXPLORE,
     offsetof(struct options, precision),
     "fp32 (the processor's, and its only one), tf32 (a GPU's by default) or bf16"},
    {"--emit", "WHAT", OPTION_EMIT, OPTIONS_CODE, 0,
     "exe (the default), obj, asm, llvm, cuda, kernels, graph or ast"},
    {"--dump-after", "PASS", OPTION_TEXT, OPTIONS_CODE, offsetof(struct options, dump_after),
     "print the state after a pass (elaborate, loss, gradient, lower,\n"
     "                      fuse, memory, recompute, schedule or all) to standard error"},
    {"--memory-limit", "SIZE", OPTION_SIZE, OPTIONS_MEMORY, offsetof(struct options, memory_limit),
     "such as 4GiB: training computes again what it has no room to\n"
     "                      keep; the result is the same, to the bit"},
    {"--inference", NULL, OPTION_FLAG, OPTIONS_CODE, offsetof(struct options, inference),
     "what it makes can't train; needs neither recipe nor loss"},
    {"--time", NULL, OPTION_FLAG, OPTIONS_CODE, offsetof(struct options, time),
     "print what each phase took to standard error"},
    {"--json", NULL, OPTION_FLAG, OPTIONS_JSON, offsetof(struct options, json),
     "print one JSON document"},
    {"--count", "HOW", OPTION_TEXT, OPTIONS_COUNT, offsetof(struct options, count),
     "what GFLOPs are: macs (the default), thop or thop-all"},
    {"--layers", NULL, OPTION_FLAG, OPTIONS_LAYERS, offsetof(struct options, layers),
     "a row for every layer too; * is the main path"},
    {"--a", "NAME=VALUE", OPTION_DEFINITION_A, OPTIONS_PAIR, 0,
     "as -D, for the first network alone"},
    {"--b", "NAME=VALUE", OPTION_DEFINITION_B, OPTIONS_PAIR, 0, "as -D, for the second one alone"},
    {"--network-b", "NAME", OPTION_TEXT, OPTIONS_PAIR, offsetof(struct options, network_b),
     "which network of the second file, where it is another"},
    {"--diagnostics", "text|json", OPTION_DIAGNOSTICS, OPTIONS_DIAGNOSTICS, 0,
     "json: what is wrong, as a JSON array on standard output"},
    {"--check", NULL, OPTION_FLAG, OPTIONS_FILES, offsetof(struct options, check),
     "change nothing, name the files that would change"},
    {"--vary", "NAME=A,B,...", OPTION_VARY, OPTIONS_EXPLORE, 0,
     "train a variant for each value, and for each combination of\n"
     "                      several --vary; commas within brackets do not count"},
    {"--data", "SPEC", OPTION_TEXT, OPTIONS_EXPLORE, offsetof(struct options, data),
     "cifar10:DIR, cifar100:DIR, imagenet:DIR, npy:DIR or shapes"},
    {"--out", "DIR", OPTION_TEXT, OPTIONS_EXPLORE, offsetof(struct options, out),
     "where everything goes (default: explore-NAME for NAME.rnet);\n"
     "                      with what is there already, the exploration goes on"},
    {"--epochs", "N", OPTION_POSITIVE, OPTIONS_EXPLORE, offsetof(struct options, epochs),
     "of each variant (default: the recipe's)"},
    {"--seed", "N", OPTION_INTEGER, OPTIONS_EXPLORE, offsetof(struct options, seed),
     "of weights, order and augmentation (default: 0)"},
    {"--repeat", "N", OPTION_POSITIVE, OPTIONS_EXPLORE, offsetof(struct options, repeat),
     "N seeds for each variant"},
    {"--threads", "N", OPTION_POSITIVE, OPTIONS_EXPLORE, offsetof(struct options, threads),
     "threads (default: one for each processor)"},
    {"--help", NULL, OPTION_FLAG, 0, offsetof(struct options, help), "print this"},
};

static const char *const emit_names[] = {
    [EMIT_EXE] = "exe",   [EMIT_OBJECT] = "obj", [EMIT_ASSEMBLY] = "asm",    [EMIT_LLVM] = "llvm",
    [EMIT_CUDA] = "cuda", [EMIT_AST] = "ast",    [EMIT_KERNELS] = "kernels", [EMIT_GRAPH] = "graph",
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
                        "--emit %s: expected exe, obj, asm, llvm, cuda, kernels, graph or ast",
                        value);
}

static struct status set_diagnostics(struct options *options, const char *value)
{
    if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0)
        return status_error(STATUS_USAGE, "--diagnostics %s: expected text or json", value);
    options->diagnostics = value;
    return status_ok();
}

static struct status add_definition(struct arena *arena, struct options *options,
                                    const struct option *option, const char *value)
{
    const char *equals = strchr(value, '=');
    struct definition definition;

    if (!equals || equals == value || equals[1] == '\0')
        return status_error(STATUS_USAGE, "%s %s: expected NAME=VALUE", option->name, value);
    definition.name = arena_copy_text(arena, value, (size_t)(equals - value));
    definition.value = equals + 1;
    if (option->kind == OPTION_DEFINITION_A)
        vector_push(&options->only_a, arena, definition);
    else if (option->kind == OPTION_DEFINITION_B)
        vector_push(&options->only_b, arena, definition);
    else
        vector_push(&options->definitions, arena, definition);
    return status_ok();
}

static struct status set_integer(const struct option *option, const char *value, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0)
        return status_error(STATUS_USAGE, "%s %s: expected a whole number", option->name, value);
    if (option->kind == OPTION_POSITIVE && *out < 1)
        return status_error(STATUS_USAGE, "%s must be at least 1", option->name);
    return status_ok();
}

/* Reads a size such as 4GiB, 1.5 GB, 500MiB or 4096. */
static struct status set_size(const struct option *option, const char *value, uint64_t *out)
{
    static const struct {
        const char *name;
        double bytes;
    } units[] = {{"", 1},      {"B", 1},       {"kB", 1e3},     {"MB", 1e6},     {"GB", 1e9},
                 {"TB", 1e12}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
    char *unit;
    const double number = strtod(value, &unit);

    while (*unit == ' ')
        unit++;
    for (size_t i = 0; i < countof(units); i++) {
        const double bytes = number * units[i].bytes;

        if (unit == value || strcmp(unit, units[i].name) != 0 || !(bytes >= 1 && bytes < 0x1p63))
            continue;
        *out = (uint64_t)bytes;
        return status_ok();
    }
    return status_error(STATUS_USAGE, "%s %s: expected a size such as 4GiB or 500MiB",
                        option->name, value);
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
    case OPTION_DIAGNOSTICS:
        return set_diagnostics(options, value);
    case OPTION_DEFINITION:
    case OPTION_DEFINITION_A:
    case OPTION_DEFINITION_B:
        return add_definition(arena, options, option, value);
    case OPTION_INCLUDE:
        vector_push(&options->include_paths, arena, value);
        break;
    case OPTION_VARY:
        vector_push(&options->varied, arena, value);
        break;
    case OPTION_POSITIVE:
    case OPTION_INTEGER:
        return set_integer(option, value, (int64_t *)(void *)field);
    case OPTION_SIZE:
        return set_size(option, value, (uint64_t *)(void *)field);
    }
    return status_ok();
}

/* What a command takes that elaborates nothing. */
enum { NO_NETWORK = OPTIONS_FILES | OPTIONS_WORD | OPTIONS_RUNS };

/* Of the options for all, commands that elaborate nothing take --help alone, the only flag. */
static bool is_taken(const struct command *command, const struct option *option)
{
    if (option->groups == 0)
        return option->kind == OPTION_FLAG || !(command->takes & NO_NETWORK);
    return (option->groups & command->takes) != 0;
}

/* Finds the option that `text` names; `*out_value` is what is attached to it (-DNAME=1, --cpu=X),
 * or NULL. */
static const struct option *find(const struct command *command, const char *text,
                                 const char **out_value)
{
    for (size_t i = 0; i < countof(table); i++) {
        const size_t length = strlen(table[i].name);
        const bool is_long = table[i].name[1] == '-';

        if (strncmp(text, table[i].name, length) != 0 || !is_taken(command, &table[i]))
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

/* Files, or what else stands beside the options. */
static struct status take_words(const struct command *command, struct options *options)
{
    const size_t count = options->words.count;
    const size_t most = command->takes & OPTIONS_PAIR ? 2 : 1;
    const char *const *words = options->words.items;

    if (count > most && !(command->takes & (OPTIONS_FILES | OPTIONS_RUNS)))
        return status_error(STATUS_USAGE, "one %s at a time: %s and %s",
                            command->takes & OPTIONS_WORD ? "code" : "file", words[count - 2],
                            words[count - 1]);
    if (count == 0 && !options->help && !(command->takes & OPTIONS_WORD))
        return status_error(STATUS_USAGE, "which %s? usage: rnet %s %s",
                            command->takes & OPTIONS_RUNS ? "runs" : "file", command->name,
                            command->usage);
    options->file = count > 0 ? words[0] : NULL;
    options->second = count > 1 ? words[1] : NULL;
    return status_ok();
}

struct status options_read(struct arena *arena, const struct command *command, int argc,
                           char **argv, struct options *out)
{
    *out = (struct options){
        .program = argv[0],
        .target = "cpu",
        .cpu = "native",
        .diagnostics = "text",
        .rest = argc,
    };
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            out->rest = i + 1;
            break;
        }
        if (argv[i][0] == '-' && argv[i][1] != '\0')
            RETURN_IF_ERROR(read_option(arena, command, argc, argv, &i, out));
        else
            vector_push(&out->words, arena, argv[i]);
    }
    return take_words(command, out);
}

void options_help(const struct command *command)
{
    printf("usage: rnet %s %s\n\n%s.\n\noptions:\n", command->name, command->usage,
           command->summary);
    for (size_t i = 0; i < countof(table); i++) {
        const struct option *option = &table[i];
        char head[40];

        if (!is_taken(command, option))
            continue;
        snprintf(head, sizeof head, "%s %s", option->name,
                 option->argument ? option->argument : "");
        printf("  %-20s%s\n", head, option->help);
    }
}
