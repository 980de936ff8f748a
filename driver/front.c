/* The front end as the commands use it. */
#include "driver/front.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/compilable.h"
#include "lang/ast.h"

const char *front_folder(struct arena *arena)
{
    char path[4096];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    char *slash;

    if (length <= 0)
        return NULL;
    path[length] = '\0';
    slash = strrchr(path, '/');
    return arena_copy_text(arena, path, slash ? (size_t)(slash - path) : 0);
}

/* The user's folders first, then the standard library beside rnet or where it was installed. */
static void set_include_paths(struct arena *arena, const struct options *options,
                              struct source_set *sources)
{
    const char *folder = front_folder(arena);

    for (size_t i = 0; i < options->include_paths.count; i++)
        vector_push(&sources->include_paths, arena, options->include_paths.items[i]);
    if (!folder)
        return;
    vector_push(&sources->include_paths, arena, arena_format(arena, "%s/stdlib", folder));
    vector_push(&sources->include_paths, arena,
                arena_format(arena, "%s/../share/rnet/stdlib", folder));
}

static void begin(struct arena *arena, const struct options *options, struct front *front)
{
    memset(front, 0, sizeof *front);
    front->prints_json = strcmp(options->diagnostics, "json") == 0;
    front->silent = options->silent;
    source_set_init(&front->sources, arena);
    set_include_paths(arena, options, &front->sources);
    diagnostics_init(&front->diagnostics, arena, &front->sources);
}

bool front_is_coloured(void)
{
    return isatty(STDERR_FILENO) && !getenv("NO_COLOR");
}

void front_print(const struct front *front, FILE *stream, bool coloured)
{
    diagnostics_print(&front->diagnostics, stream, coloured);
}

static void print_diagnostics(const struct front *front)
{
    if (front->silent)
        return;
    if (front->prints_json)
        diagnostics_print_json(&front->diagnostics, stdout);
    else
        front_print(front, stderr, front_is_coloured());
}

/* Of a JSON array nothing is printed while more may follow. */
static void print_before_more(const struct front *front)
{
    if (!front->prints_json || diagnostics_failed(&front->diagnostics))
        print_diagnostics(front);
}

bool front_run(struct arena *arena, const struct options *options, struct front *out)
{
    const struct elaborate_options wanted = {
        .network = options->network,
        .definitions = options->definitions.items,
        .definition_count = options->definitions.count,
    };
    bool succeeded;

    begin(arena, options, out);
    succeeded = elaborate(arena, &out->sources, &out->diagnostics, options->file, &wanted,
                          &out->elaboration);
    print_before_more(out);
    return succeeded;
}

void front_finish(const struct front *front)
{
    if (front->prints_json)
        print_diagnostics(front);
}

bool front_is_compilable(struct front *front, bool inference)
{
    const struct elaboration *elaboration = &front->elaboration;
    const bool has_recipe =
        inference ||
        recipe_is_compilable(elaboration->graph, &elaboration->recipe, &front->diagnostics);
    const bool compilable =
        graph_is_compilable(elaboration->graph, inference, &front->diagnostics) && has_recipe;

    if (!compilable)
        print_diagnostics(front);
    return compilable;
}

bool front_examine(struct arena *arena, const struct options *options, struct front *out)
{
    struct options quiet = *options;

    quiet.silent = true;
    return front_run(arena, &quiet, out) && front_is_compilable(out, false);
}

bool front_print_tree(struct arena *arena, const struct options *options, FILE *stream)
{
    struct front front;
    const struct node *tree;

    begin(arena, options, &front);
    tree = elaborate_parse(&front.sources, &front.diagnostics, options->file);
    print_before_more(&front);
    if (tree)
        ast_print(tree, &front.sources, stream);
    return !diagnostics_failed(&front.diagnostics);
}
