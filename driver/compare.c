/* rnet compare: several runs in one table and on one page. */
#include "driver/comparison.h"

#include <string.h>

#include "base/text.h"
#include "driver/commands.h"

static struct status read_runs(const struct options *options, struct comparison *comparison)
{
    for (size_t i = 0; i < options->words.count; i++)
        RETURN_IF_ERROR(comparison_add(comparison, options->words.items[i]));
    comparison_name_runs(comparison);
    comparison_find_settings(comparison);
    comparison_find_facts(comparison);
    return status_ok();
}

static void set_titles(struct comparison *comparison)
{
    const struct run_record *first = &comparison->runs.items[0].seeds.items[0];
    const size_t count = comparison->runs.count;

    comparison->title = count == 1 ? comparison->runs.items[0].name : "Runs compared";
    comparison->subtitle = count == 1 ? (first->data ? first->data : "")
                                      : arena_format(comparison->arena, "%s and %zu more",
                                                     comparison->runs.items[0].name, count - 1);
}

int command_compare(struct arena *arena, const struct options *options, char **argv)
{
    struct comparison comparison = {.arena = arena};
    struct status status = read_runs(options, &comparison);
    const char *output =
        options->output ? options->output : (options->json ? NULL : "compare.html");

    (void)argv;
    if (status_is_ok(&status) && output) {
        set_titles(&comparison);
        status = comparison_write_page(&comparison, output);
    }
    if (!status_is_ok(&status))
        return report_failure(&status);
    if (options->json) {
        comparison_print_json(&comparison, stdout);
        return 0;
    }
    comparison_print(&comparison, stdout);
    printf("\ncurves in %s\n", output);
    return 0;
}
