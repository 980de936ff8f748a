/* rnet graph: the network drawn, as text for Graphviz or, through its `dot`, as a picture. */
#include "compiler/draw.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "driver/commands.h"
#include "driver/measure.h"

extern char **environ;

/* Which form the output's ending asks for: "dot", or one of those that Graphviz writes. */
static const char *output_form(const char *output)
{
    static const char *const forms[] = {"dot", "svg", "png", "pdf"};
    const char *dot = output ? strrchr(output, '.') : NULL;

    for (size_t i = 0; dot && i < countof(forms); i++)
        if (strcmp(dot + 1, forms[i]) == 0)
            return forms[i];
    return NULL;
}

static struct status run_dot(struct arena *arena, const char *form, const char *input,
                             const char *output)
{
    char *arguments[] = {arena_format(arena, "dot"), arena_format(arena, "-T%s", form),
                         arena_format(arena, "-o%s", output), arena_format(arena, "%s", input),
                         NULL};
    pid_t child;
    int state = 0;

    if (posix_spawnp(&child, "dot", NULL, NULL, arguments, environ) != 0)
        return status_error(STATUS_IO, "drawing needs Graphviz' dot, which can't be run here "
                                       "(Debian package graphviz); -o OUT.dot works without");
    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR)
            return status_error(STATUS_IO, "dot was lost: %s", strerror(errno));
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 0)
        return status_error(STATUS_IO, "dot could not draw %s", output);
    return status_ok();
}

static struct status draw_text(const struct report *report, char **out_text, size_t *out_size)
{
    FILE *stream = open_memstream(out_text, out_size);

    if (!stream)
        return status_error(STATUS_MEMORY, "not enough memory for the drawing");
    draw_network(report, stream);
    if (fclose(stream) != 0)
        return status_error(STATUS_MEMORY, "not enough memory for the drawing");
    return status_ok();
}

/* The picture appears beside its final name first, so that a failure leaves nothing half drawn. */
static struct status draw_picture(struct arena *arena, const char *form, const char *output,
                                  const char *text, size_t size)
{
    const char *source = arena_format(arena, "%s.%ld.dot", output, (long)getpid());
    const char *picture = arena_format(arena, "%s.%ld.new", output, (long)getpid());
    struct status status = file_write(source, text, size);

    if (status_is_ok(&status))
        status = run_dot(arena, form, source, picture);
    if (status_is_ok(&status) && rename(picture, output) != 0)
        status = status_error(STATUS_IO, "can't write %s: %s", output, strerror(errno));
    unlink(source);
    unlink(picture);
    return status;
}

static struct status draw_output_file(struct arena *arena, const struct options *options,
                                      const struct report *report)
{
    const char *form = output_form(options->output);
    char *text = NULL;
    size_t size = 0;
    struct status status = draw_text(report, &text, &size);

    if (status_is_ok(&status) && strcmp(form, "dot") == 0)
        status = file_write(options->output, text, size);
    else if (status_is_ok(&status))
        status = draw_picture(arena, form, options->output, text, size);
    free(text);
    return status;
}

int command_graph(struct arena *arena, const struct options *options, char **argv)
{
    struct front front;
    struct report *report = NULL;
    struct status status = status_ok();

    (void)argv;
    if (!output_form(options->output))
        status = status_error(STATUS_USAGE,
                              "where to? say -o OUT.svg, OUT.png, OUT.pdf or OUT.dot");
    if (status_is_ok(&status))
        status = measure_network(arena, options, &front, &report);
    if (status_is_ok(&status) && report)
        status = draw_output_file(arena, options, report);
    if (!status_is_ok(&status))
        return report_failure(&status);
    return report ? 0 : 1;
}
