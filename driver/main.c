/* rnet, the compiler: finds the command and runs it. */
#include <stdio.h>
#include <string.h>

#include "base/vector.h"
#include "config.h"
#include "driver/commands.h"

static const struct command commands[] = {
    {"build", "FILE.rnet -o OUT [options]", "compile a network to a stand-alone executable",
     OPTIONS_CODE | OPTIONS_MEMORY | OPTIONS_DIAGNOSTICS, command_build},
    {"run", "FILE.rnet [options] [-- ARG...]", "build into a temporary place and run it",
     OPTIONS_CODE | OPTIONS_MEMORY | OPTIONS_DIAGNOSTICS, command_run},
    {"check", "FILE.rnet [options]", "say everything that is wrong with a file",
     OPTIONS_DIAGNOSTICS, command_check},
    {"report", "FILE.rnet [options]", "layers, parameters, multiply-adds, memory, the main path",
     OPTIONS_JSON | OPTIONS_COUNT | OPTIONS_LAYERS | OPTIONS_MEMORY, command_report},
    {"graph", "FILE.rnet -o OUT.svg|OUT.png|OUT.dot [options]", "draw the network",
     OPTIONS_OUTPUT, command_graph},
    {"diff", "A.rnet [B.rnet] [options]", "how two networks differ",
     OPTIONS_JSON | OPTIONS_COUNT | OPTIONS_PAIR, command_diff},
    {"compare", "RUN... [-o OUT.html] [options]", "several trainings in one table, on one page",
     OPTIONS_RUNS | OPTIONS_OUTPUT | OPTIONS_JSON, command_compare},
    {"explore", "FILE.rnet --vary NAME=A,B,... --data SPEC [options] [-- TRAIN-OPTION...]",
     "train all variants of a network, and compare them", OPTIONS_EXPLORE | OPTIONS_JSON,
     command_explore},
    {"fmt", "[--check] FILE.rnet...", "rewrite files in the language's one style", OPTIONS_FILES,
     command_format},
    {"explain", "[CODE]", "explain a diagnostic by an example, or list all of them", OPTIONS_WORD,
     command_explain},
    {"lsp", "", "serve an editor: diagnostics, hover, completion (Language Server Protocol)",
     OPTIONS_WORD, command_lsp},
};

int report_failure(const struct status *status)
{
    fprintf(stderr, "rnet: %s\n", status->message);
    return status_exit_code(status);
}

static void print_usage(FILE *stream)
{
    fputs("usage: rnet COMMAND [options]\n\ncommands:\n", stream);
    for (size_t i = 0; i < countof(commands); i++)
        fprintf(stream, "  %-8s%s\n", commands[i].name, commands[i].summary);
    fputs("\n`rnet COMMAND --help` says more about one of them.\n", stream);
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct arena arena = {0};
    struct options options;
    const struct status status = options_read(&arena, command, argc, argv, &options);
    int result = 0;

    if (!status_is_ok(&status))
        result = report_failure(&status);
    else if (options.help)
        options_help(command);
    else
        result = command->run(&arena, &options, argv);
    arena_release(&arena);
    return result;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        puts("rnet " PACKAGE_VERSION);
        return 0;
    }
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_usage(stdout);
        return 0;
    }
    for (size_t i = 0; argc >= 2 && i < countof(commands); i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (argc == 3 && strcmp(argv[2], "--version") == 0) {
            puts("rnet " PACKAGE_VERSION);
            return 0;
        }
        return run_command(&commands[i], argc, argv);
    }
    if (argc >= 2)
        fprintf(stderr, "rnet: unknown command %s\n", argv[1]);
    print_usage(stderr);
    return 2;
}
