/* The executable's entry: picks the command, prints what went wrong, sets the exit status. */
#include <stdio.h>
#include <string.h>

#include "runtime/commands.h"
#include "runtime/interrupt.h"

typedef struct status command_function(const struct rnet_program *program, int argc, char **argv);

struct command {
    const char *name;
    command_function *run;
    const char *summary;
};

static const struct command commands[] = {
    {"train", command_train, "train by the recipe compiled in"},
    {"eval", command_eval, "loss and accuracy on the validation part of a data set"},
    {"predict", command_predict, "classes of image files"},
    {"forward", command_forward, "raw tensors in, logits out"},
    {"info", command_info, "the network, its recipe, and how it was compiled"},
    {"bench", command_bench, "time steps on random data"},
};

static void help_print(FILE *stream, const char *program)
{
    fprintf(stream, "Usage: %s COMMAND [OPTION...]\nThe network %s, compiled.\n\n", program,
            rnet_program.network);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(stream, "  %-10s%s\n", commands[i].name, commands[i].summary);
    fprintf(stream, "\n%s COMMAND --help lists the options of a command.\n", program);
}

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static struct status command_run(int argc, char **argv)
{
    if (argc < 2) {
        help_print(stderr, argv[0]);
        return status_error(STATUS_USAGE, "no command is given");
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        help_print(stdout, argv[0]);
        return status_ok();
    }
    if (strcmp(name, "--version") == 0) {
        printf("%s (%s)\n", rnet_program.network, rnet_program.compiled);
        return status_ok();
    }
    const struct command *command = command_find(name);
    if (command == NULL)
        return status_error(STATUS_USAGE, "there is no command %s; --help lists them", name);
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--version") == 0)
            return command_run(2, (char *[]){argv[0], argv[i], NULL});
    return command->run(&rnet_program, argc, argv);
}

int main(int argc, char **argv)
{
    interrupt_guard_files();
    struct status status = command_run(argc, argv);
    if (status_is_ok(&status) && (fflush(stdout) != 0 || ferror(stdout)))
        status = status_error(STATUS_IO, "cannot write the result to standard output");
    if (!status_is_ok(&status))
        fprintf(stderr, "%s: %s\n", argc > 0 ? argv[0] : rnet_program.network, status.message);
    return status_exit_code(&status);
}
