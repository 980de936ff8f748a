/* Reading runs, and telling what they share from what sets them apart. */
#include "driver/comparison.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

struct status comparison_read_seed(struct comparison *comparison, struct compared_run *run,
                                   const char *directory)
{
    struct run_record record;

    RETURN_IF_ERROR(run_read(comparison->arena, directory, &record));
    if (!record.finished && record.epochs > 0 && !run->note)
        run->note = "not finished";
    vector_push(&run->seeds, comparison->arena, record);
    return status_ok();
}

/* Why there is nothing to compare in a directory. */
static struct status no_run(struct arena *arena, const char *directory)
{
    if (access(directory, F_OK) != 0)
        return status_error(STATUS_INVALID, "%s: there is no such directory", directory);
    if (access(arena_format(arena, "%s/explore.json", directory), F_OK) == 0)
        return status_error(STATUS_INVALID,
                            "%s is an exploration: its page is %s/report.html, its runs are the "
                            "directories in it",
                            directory, directory);
    return status_error(STATUS_INVALID,
                        "%s is no run: it has no metrics.jsonl, as `train --out` leaves it",
                        directory);
}

struct status comparison_add(struct comparison *comparison, const char *directory)
{
    struct arena *arena = comparison->arena;
    struct compared_run run = {.directory = directory, .name = directory};
    const char **seeds;
    size_t count;

    if (run_is_there(directory)) {
        RETURN_IF_ERROR(comparison_read_seed(comparison, &run, directory));
    } else {
        if (!run_is_repeated(directory))
            return no_run(arena, directory);
        RETURN_IF_ERROR(run_seeds(arena, directory, &seeds, &count));
        for (size_t i = 0; i < count; i++)
            RETURN_IF_ERROR(comparison_read_seed(comparison, &run, seeds[i]));
    }
    vector_push(&comparison->runs, arena, run);
    return status_ok();
}

/* ---- names ---- */

/* The path without slashes at its end. */
static const char *trimmed(struct arena *arena, const char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    return arena_copy_text(arena, path, length);
}

/* How much of two paths is the same, in whole folders. */
static size_t shared_folders(const char *a, const char *b, size_t most)
{
    size_t shared = 0;

    for (size_t i = 0; i < most && a[i] && a[i] == b[i]; i++)
        if (a[i] == '/')
            shared = i + 1;
    return shared;
}

void comparison_name_runs(struct comparison *comparison)
{
    struct compared_run *runs = comparison->runs.items;
    const size_t count = comparison->runs.count;

    for (size_t i = 0; i < count; i++)
        runs[i].name = trimmed(comparison->arena, runs[i].directory);
    const char *first = runs[0].name, *slash = strrchr(first, '/');
    size_t shared = slash && slash[1] ? (size_t)(slash - first) + 1 : 0;
    for (size_t i = 1; i < count; i++)
        shared = shared_folders(first, runs[i].name, shared);
    for (size_t i = 0; i < count; i++)
        runs[i].name += shared;
}

/* ---- settings and facts ---- */

static void add_known(struct arena *arena, struct compared_run *list, const char *name,
                      const char *value)
{
    const struct report_setting setting = {name, value};

    if (value)
        vector_push(&list->settings, arena, setting);
}

static const char *number_text(struct arena *arena, double number)
{
    return number > 0 ? arena_format(arena, "%.9g", number) : NULL;
}

/* All that is known of a run and may set it apart; the machine comes last. */
static struct compared_run known_of(struct arena *arena, const struct compared_run *run)
{
    const struct run_record *record = &run->seeds.items[0];
    struct compared_run known = {0};

    add_known(arena, &known, "network", record->network);
    for (size_t i = 0; i < record->arguments.count; i++)
        add_known(arena, &known, record->arguments.items[i].name, record->arguments.items[i].value);
    add_known(arena, &known, "data", record->data);
    add_known(arena, &known, "recipe", record->recipe);
    add_known(arena, &known, "epochs planned", number_text(arena, (double)record->epochs));
    add_known(arena, &known, "batch", number_text(arena, (double)record->batch));
    add_known(arena, &known, "lr", number_text(arena, record->learning_rate));
    if (record->network && run->seeds.count == 1)
        add_known(arena, &known, "seed", arena_format(arena, "%" PRId64, record->seed));
    add_known(arena, &known, "machine", record->machine);
    return known;
}

static const char *value_of(const struct compared_run *known, const char *name)
{
    for (size_t i = 0; i < known->settings.count; i++)
        if (strcmp(known->settings.items[i].name, name) == 0)
            return known->settings.items[i].value;
    return NULL;
}

static bool is_shared(const struct compared_run *known, size_t count, const char *name)
{
    const char *first = value_of(&known[0], name);

    for (size_t i = 0; i < count; i++) {
        const char *value = value_of(&known[i], name);

        if (!first || !value || strcmp(first, value) != 0)
            return false;
    }
    return true;
}

/* Whether it is a setting of one training, and some runs are several. */
static bool is_of_one_seed(const struct comparison *comparison, const char *name)
{
    bool several = false;

    for (size_t i = 0; i < comparison->runs.count; i++)
        several |= comparison->runs.items[i].seeds.count > 1;
    return several && strcmp(name, "seed") == 0;
}

static bool is_among(const struct compared_run *run, const char *name)
{
    return value_of(run, name) != NULL;
}

static struct compared_run *known_of_all(const struct comparison *comparison)
{
    const size_t count = comparison->runs.count;
    struct compared_run *known = ARENA_ARRAY(comparison->arena, struct compared_run, count);

    for (size_t i = 0; i < count; i++)
        known[i] = known_of(comparison->arena, &comparison->runs.items[i]);
    return known;
}

void comparison_find_facts(struct comparison *comparison)
{
    const size_t count = comparison->runs.count;
    const struct compared_run *known = known_of_all(comparison);

    for (size_t i = 0; i < known[0].settings.count; i++) {
        const struct report_setting setting = known[0].settings.items[i];

        if (is_shared(known, count, setting.name) &&
            !is_among(&comparison->runs.items[0], setting.name))
            vector_push(&comparison->facts, comparison->arena, setting);
    }
}

/* Gives all runs the setting `name`, empty where a run knows of none. */
static void add_setting(struct comparison *comparison, const struct compared_run *known,
                        const char *name)
{
    for (size_t i = 0; i < comparison->runs.count; i++) {
        const char *value = value_of(&known[i], name);

        add_known(comparison->arena, &comparison->runs.items[i], name, value ? value : "");
    }
}

void comparison_find_settings(struct comparison *comparison)
{
    const size_t count = comparison->runs.count;
    const struct compared_run *known = known_of_all(comparison);

    for (size_t i = 0; i < count; i++)
        add_known(comparison->arena, &comparison->runs.items[i], "run",
                  comparison->runs.items[i].name);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < known[i].settings.count; j++) {
            const char *name = known[i].settings.items[j].name;

            if (!is_shared(known, count, name) && !is_of_one_seed(comparison, name) &&
                !is_among(&comparison->runs.items[0], name))
                add_setting(comparison, known, name);
        }
}

/* ---- the page ---- */

struct report_run compared_run_report(struct arena *arena, const struct compared_run *run)
{
    const struct history **seeds = ARENA_ARRAY(arena, const struct history *, run->seeds.count);

    for (size_t i = 0; i < run->seeds.count; i++)
        seeds[i] = &run->seeds.items[i].history;
    return (struct report_run){
        .name = run->name,
        .seeds = seeds,
        .seed_count = run->seeds.count,
        .parameters = run->seeds.items[0].parameters,
        .gflops = run->seeds.items[0].gflops,
        .settings = run->settings.items,
        .setting_count = run->settings.count,
        .note = run->note,
    };
}

struct status comparison_write_page(const struct comparison *comparison, const char *path)
{
    const size_t count = comparison->runs.count;
    struct report_run *runs = ARENA_ARRAY(comparison->arena, struct report_run, count);
    const struct report_page page = {
        .title = comparison->title,
        .subtitle = comparison->subtitle,
        .facts = comparison->facts.items,
        .fact_count = comparison->facts.count,
    };

    for (size_t i = 0; i < count; i++)
        runs[i] = compared_run_report(comparison->arena, &comparison->runs.items[i]);
    return report_compare_write(path, &page, runs, count);
}
