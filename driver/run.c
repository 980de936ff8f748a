/* rnet run: builds into a temporary folder and runs what came out, with the arguments behind --. */
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/commands.h"

extern char **environ;

static int wait_for(pid_t child)
{
    int state;

    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR)
            return 1;
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

static int run_program(const char *path, char **arguments)
{
    pid_t child;
    const int error = posix_spawn(&child, path, NULL, NULL, arguments, environ);

    if (error != 0) {
        const struct status status =
            status_error(STATUS_IO, "can't run %s: %s", path, strerror(error));

        return report_failure(&status);
    }
    return wait_for(child);
}

int command_run(struct arena *arena, const struct options *options, char **argv)
{
    const char *parent = getenv("TMPDIR");
    char *folder = arena_format(arena, "%s/rnet-XXXXXX", parent && *parent ? parent : "/tmp");
    struct options build = *options;
    char *path;
    int result;

    if (!mkdtemp(folder)) {
        const struct status status =
            status_error(STATUS_IO, "can't make %s: %s", folder, strerror(errno));

        return report_failure(&status);
    }
    path = arena_format(arena, "%s/program", folder);
    build.output = path;
    result = command_build(arena, &build, argv);
    if (result == 0) {
        char **arguments = argv + options->rest - 1; /* the word before: "--", or the last one */

        arguments[0] = path;
        result = run_program(path, arguments);
    }
    unlink(path);
    rmdir(folder);
    return result;
}
