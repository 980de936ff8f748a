/* rnet fmt: rewrites each file in place, or says with --check which it would rewrite. A file with
 * mistakes of syntax is left alone; the others are formatted all the same. */
#include "lang/format.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "driver/commands.h"

static int write_formatted(const char *path, const struct text_builder *text)
{
    const struct status status = file_write(path, text->data ? text->data : "", text->length);

    return status_is_ok(&status) ? 0 : report_failure(&status);
}

/* The exit status for one file. */
static int format_file(struct arena *arena, const char *path, bool checks)
{
    struct source_set sources;
    struct diagnostics diagnostics;
    struct text_builder text = {.arena = arena};
    uint32_t index;

    source_set_init(&sources, arena);
    diagnostics_init(&diagnostics, arena, &sources);
    const struct status status = source_open(&sources, path, &index);
    if (!status_is_ok(&status))
        return report_failure(&status);
    if (!format_source(&sources, &diagnostics, index, &text)) {
        diagnostics_print(&diagnostics, stderr, isatty(STDERR_FILENO) && !getenv("NO_COLOR"));
        return 1;
    }
    const struct source *source = sources.sources.items[index];
    if (text.length == source->size && memcmp(text_result(&text), source->text, text.length) == 0)
        return 0;
    if (!checks)
        return write_formatted(path, &text);
    puts(path);
    return 1;
}

int command_format(struct arena *arena, const struct options *options, char **argv)
{
    int result = 0;

    (void)arena;
    (void)argv;
    for (size_t i = 0; i < options->words.count; i++) {
        struct arena file_arena = {0};
        const int status = format_file(&file_arena, options->words.items[i], options->check);

        result = status > result ? status : result;
        arena_release(&file_arena);
    }
    return result;
}
