/* rnet explore: builds and trains the variants of a network, and compares them. */
#include <string.h>

#include "base/text.h"
#include "driver/commands.h"
#include "driver/exploration.h"
#include "runtime/interrupt.h"
#include "runtime/run_read.h"

struct options exploration_options(const struct exploration *exploration,
                                   const struct variant *variant)
{
    struct options options = *exploration->options;
    const size_t given = options.definitions.count;

    options.definitions.items = arena_copy(exploration->arena, options.definitions.items,
                                           given * sizeof(struct definition));
    options.definitions.capacity = given;
    for (size_t i = 0; i < exploration->varied.items.count; i++) {
        const struct definition definition = {variant->settings[i].name,
                                              variant->settings[i].value};

        vector_push(&options.definitions, exploration->arena, definition);
    }
    return options;
}

const char *exploration_run(const struct exploration *exploration, const struct variant *variant,
                            int64_t index)
{
    return run_seed_directory(
        exploration->arena,
        arena_format(exploration->arena, "%s/%s", exploration->out, variant->folder),
        exploration->options->seed + index);
}

const char *exploration_diverged_mark(const struct exploration *exploration,
                                      const struct variant *variant, int64_t index)
{
    return arena_format(exploration->arena, "%s/diverged",
                        exploration_run(exploration, variant, index));
}

/* explore-NAME for a file NAME.rnet, wherever it is. */
static const char *default_out(struct arena *arena, const char *file)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    const char *dot = strrchr(name, '.');

    return arena_format(arena, "explore-%.*s", (int)(dot ? dot - name : (long)strlen(name)), name);
}

/* What stands behind "--" is for `train`, apart from what an exploration decides itself. */
static struct status take_extra(struct exploration *exploration, char **argv)
{
    static const char *const own[] = {"--data",   "--out",    "--epochs", "--seed",
                                      "--repeat", "--resume", "--threads"};
    struct text_builder text = {.arena = exploration->arena};
    char **extra = argv + exploration->options->rest;

    exploration->extra = extra;
    for (; *extra; extra++) {
        for (size_t i = 0; i < countof(own); i++) {
            const size_t length = strlen(own[i]);

            if (strncmp(*extra, own[i], length) == 0 && strchr("=", (*extra)[length]))
                return status_error(STATUS_USAGE, "%s is not for train: it stands before --",
                                    own[i]);
        }
        text_add(&text, "%s%s", extra == exploration->extra ? "" : " ", *extra);
    }
    exploration->extra_text = text_result(&text);
    return status_ok();
}

static void make_variants(struct exploration *exploration)
{
    struct arena *arena = exploration->arena;
    const size_t parameters = exploration->varied.items.count;

    exploration->variants = ARENA_ARRAY(arena, struct variant, exploration->varied.variant_count);
    for (size_t i = 0; i < exploration->varied.variant_count; i++) {
        struct variant *variant = &exploration->variants[i];

        variant->settings = vary_settings(arena, &exploration->varied, i);
        variant->name = vary_name(arena, variant->settings, parameters);
        variant->folder = vary_folder(arena, variant->settings, parameters);
    }
}

static struct status prepare(struct exploration *exploration, char **argv)
{
    const struct options *options = exploration->options;

    if (!options->data)
        return status_error(STATUS_USAGE, "which data? say --data SPEC, such as --data shapes");
    RETURN_IF_ERROR(vary_read(exploration->arena, options, &exploration->varied));
    RETURN_IF_ERROR(take_extra(exploration, argv));
    exploration->out = options->out ? options->out : default_out(exploration->arena, options->file);
    exploration->seeds = options->repeat > 0 ? options->repeat : 1;
    make_variants(exploration);
    return status_ok();
}

static int explore(struct exploration *exploration)
{
    const struct status opened = exploration_open(exploration);

    if (!status_is_ok(&opened))
        return report_failure(&opened);
    fprintf(stderr, "%zu variant%s of %s, into %s\n", exploration->varied.variant_count,
            exploration->varied.variant_count == 1 ? "" : "s", exploration->network,
            exploration->out);
    interrupt_install();
    const int result = exploration_train(exploration);
    if (result != 0 && result != EXIT_DIVERGED)
        return result;
    const struct status shown = exploration_show(exploration, stdout);
    return status_is_ok(&shown) ? result : report_failure(&shown);
}

int command_explore(struct arena *arena, const struct options *options, char **argv)
{
    struct exploration exploration = {.arena = arena, .options = options};
    const struct status status = prepare(&exploration, argv);

    if (!status_is_ok(&status))
        return report_failure(&status);
    const int checked = exploration_check(&exploration);
    return checked != 0 ? checked : explore(&exploration);
}
