/* The executable's entry: picks the command, prints what went wrong, sets the exit status. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "runtime/commands.h"
#include "runtime/interrupt.h"

typedef struct status command_function(const struct rnet_program *program, int argc, char **argv);

/* What a command wants of the program. */
enum command_needs {
    NEEDS_NOTHING,
    NEEDS_LOGITS,
    NEEDS_TRAINING,
};

struct command {
    const char *name;
    command_function *run;
    enum command_needs needs;
    const char *summary;
};

static const struct command commands[] = {
    {"train", command_train, NEEDS_TRAINING, "train by the recipe compiled in"},
    {"eval", command_eval, NEEDS_LOGITS, "loss and accuracy on the validation part of a data set"},
    {"predict", command_predict, NEEDS_LOGITS, "classes of image files"},
    {"forward", command_forward, NEEDS_NOTHING, "raw tensors in, the network's outputs out"},
    {"info", command_info, NEEDS_NOTHING, "the network, its recipe, and how it was compiled"},
    {"bench", command_bench, NEEDS_NOTHING, "time steps on random data"},
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

static bool wants_help(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static struct status command_possible(const struct command *command)
{
    if (command->needs == NEEDS_LOGITS && rnet_program.classes == 0)
        return status_error(STATUS_INVALID,
                            "%s needs a network with one output of one value a class; forward "
                            "writes what this one puts out",
                            command->name);
    if (command->needs == NEEDS_TRAINING && rnet_program.phases[RNET_PHASE_TRAIN].count == 0)
        return status_error(STATUS_INVALID, "this was built with --inference and can't train");
    return status_ok();
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
    if (!wants_help(argc, argv))
        RETURN_IF_ERROR(command_possible(command));
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
