/* rnet lsp: the language server, on standard input and output. */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver/commands.h"
#include "driver/front.h"
#include "driver/lsp.h"

/* Adds a folder under its one name, so that a file has one URI however it is found. */
static void add_include_path(struct lsp_server *server, const char *path)
{
    char resolved[PATH_MAX];

    if (realpath(path, resolved))
        vector_push(&server->include_paths, &server->arena,
                    arena_copy_text(&server->arena, resolved, strlen(resolved)));
}

int command_lsp(struct arena *arena, const struct options *options, char **argv)
{
    struct lsp_server *server = ARENA_NEW(arena, struct lsp_server);
    const char *folder = front_folder(arena);

    (void)argv;
    if (options->file) {
        const struct status status =
            status_error(STATUS_USAGE, "lsp takes no file; it speaks on standard input");

        return report_failure(&status);
    }
    signal(SIGPIPE, SIG_IGN);
    server->transport.in = STDIN_FILENO;
    server->transport.out = STDOUT_FILENO;
    if (folder) {
        add_include_path(server, arena_format(arena, "%s/stdlib", folder));
        add_include_path(server, arena_format(arena, "%s/../share/rnet/stdlib", folder));
    }
    return lsp_serve(server);
}
