/* Linking. cc is run without a shell, so no name needs quoting. */
#include "driver/link.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/vector.h"
#include "config.h"
#include "driver/front.h"

extern char **environ;

struct status link_folder_new(struct arena *arena, size_t capacity, struct link_folder *out)
{
    const char *parent = getenv("TMPDIR");

    *out = (struct link_folder){.files = ARENA_ARRAY(arena, const char *, capacity)};
    snprintf(out->path, sizeof out->path, "%s/rnet-XXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(out->path)) {
        const int error = errno;
        const struct status status = status_error(STATUS_IO, "can't make a temporary folder %s: %s",
                                                  out->path, strerror(error));
        out->path[0] = '\0';
        return status;
    }
    return status_ok();
}

void link_folder_remove(struct link_folder *folder)
{
    for (size_t i = 0; i < folder->file_count; i++)
        unlink(folder->files[i]);
    if (folder->path[0])
        rmdir(folder->path);
    *folder = (struct link_folder){0};
}

struct status link_add(struct arena *arena, struct link_folder *folder, const char *ending,
                       const void *bytes, size_t size)
{
    const char *path =
        arena_format(arena, "%s/piece-%zu%s", folder->path, folder->file_count, ending);
    FILE *stream = fopen(path, "wb");
    bool written;

    if (!stream)
        return status_error(STATUS_IO, "can't write %s: %s", path, strerror(errno));
    folder->files[folder->file_count++] = path;
    written = fwrite(bytes, 1, size, stream) == size;
    if (fclose(stream) != 0 || !written)
        return status_error(STATUS_IO, "can't write %s: %s", path, strerror(errno));
    return status_ok();
}

/* Runs cc and waits for it. */
static struct status run_compiler(char *const *arguments)
{
    pid_t child;
    int state;
    const int error = posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environ);

    if (error != 0)
        return status_error(STATUS_IO, "can't run %s (Debian package gcc): %s", arguments[0],
                            strerror(error));
    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR)
            return status_error(STATUS_IO, "lost %s: %s", arguments[0], strerror(errno));
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 0)
        return status_error(STATUS_IO, "%s failed to link the program", arguments[0]);
    return status_ok();
}

/* Beside rnet in a build tree, or where `make install` puts it. */
static const char *find_runtime(struct arena *arena)
{
    static const char *const places[] = {"", "/../lib/rnet"};
    const char *folder = front_folder(arena);

    for (size_t i = 0; folder && i < countof(places); i++) {
        const char *path = arena_format(arena, "%s%s/librnet_runtime.a", folder, places[i]);
        struct stat facts;

        if (stat(path, &facts) == 0)
            return path;
    }
    return NULL;
}

struct argument_list {
    VECTOR(char *) items;
};

static void add_argument(struct arena *arena, struct argument_list *list, const char *argument)
{
    vector_push(&list->items, arena, arena_copy_text(arena, argument, strlen(argument)));
}

/* Adds the words of configure's flags. */
static void add_words(struct arena *arena, struct argument_list *list, const char *words)
{
    char *copy = arena_copy_text(arena, words, strlen(words));
    char *rest = NULL;

    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        add_argument(arena, list, word);
}

/* Links to a name beside the output and renames, so that a failure leaves the old file alone. */
static struct status run_and_rename(struct arena *arena, struct argument_list *list,
                                    const char *output)
{
    const char *temporary = arena_format(arena, "%s.%ld.tmp", output, (long)getpid());
    struct status status;

    add_argument(arena, list, "-o");
    add_argument(arena, list, temporary);
    vector_push(&list->items, arena, (char *)NULL);
    status = run_compiler(list->items.items);
    if (status_is_ok(&status) && rename(temporary, output) != 0)
        status = status_error(STATUS_IO, "can't write %s: %s", output, strerror(errno));
    if (!status_is_ok(&status))
        unlink(temporary);
    return status;
}

struct status link_executable(struct arena *arena, const struct link_folder *folder,
                              const char *output)
{
    const char *runtime = find_runtime(arena);
    struct argument_list list = {0};

    if (!runtime)
        return status_error(STATUS_IO, "librnet_runtime.a is neither beside rnet nor in "
                                       "../lib/rnet: is rnet installed whole?");
    add_argument(arena, &list, "cc");
    for (size_t i = 0; i < folder->file_count; i++)
        add_argument(arena, &list, folder->files[i]);
    add_argument(arena, &list, runtime);
    add_words(arena, &list, RNET_LINK_FLAGS);
    return run_and_rename(arena, &list, output);
}

struct status link_object(struct arena *arena, const struct link_folder *folder,
                          const char *output)
{
    struct argument_list list = {0};

    add_argument(arena, &list, "cc");
    add_argument(arena, &list, "-r");
    add_argument(arena, &list, "-nostdlib");
    for (size_t i = 0; i < folder->file_count; i++)
        add_argument(arena, &list, folder->files[i]);
    return run_and_rename(arena, &list, output);
}
