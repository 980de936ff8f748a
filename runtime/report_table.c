/* Runs in rows, and choices in strips. See report_table.h. */
#include "runtime/report_table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *run_style(struct arena *arena, size_t number)
{
    return arena_format(arena, "run%zu%s", number % PAGE_RUN_COLOURS,
                        number / PAGE_RUN_COLOURS % 2 == 1 ? " dashed" : "");
}

/* ---- runs ---- */

static void error_cell(struct page *page, struct report_error error, size_t seeds)
{
    text_add(&page->html, "<td>");
    if (isfinite(error.mean))
        text_add(&page->html, "%.2f", error.mean);
    if (isfinite(error.mean) && seeds > 1)
        text_add(&page->html, " ± %.2f", error.deviation);
    text_add(&page->html, isfinite(error.mean) ? " %%</td>" : "</td>");
}

static bool has_seeds(const struct report_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (runs[i].seed_count > 1)
            return true;
    return false;
}

static void heads_add(struct page *page, const struct report_run *runs, size_t count)
{
    text_add(&page->html, "<tr>");
    for (size_t i = 0; i < runs[0].setting_count; i++)
        text_add(&page->html, "<th class=\"name\">%s</th>",
                 page_escaped(page->arena, runs[0].settings[i].name));
    text_add(&page->html, runs[0].setting_count == 0 ? "<th class=\"name\">run</th>" : "");
    text_add(&page->html, has_seeds(runs, count) ? "<th>seeds</th>" : "");
    text_add(&page->html, "<th>epochs</th><th>best top-1 error</th><th>last top-1 error</th>"
                          "<th>parameters</th><th>GFLOPs</th><th>images/s</th><th></th></tr>\n");
}

/* The cells that say which run it is; the key of its colour is in the first. */
static void name_cells(struct page *page, const struct report_run *run, size_t number)
{
    const char *style = run_style(page->arena, number);
    size_t cells = run->setting_count > 0 ? run->setting_count : 1;
    for (size_t i = 0; i < cells; i++) {
        const char *value = run->setting_count > 0 ? run->settings[i].value : run->name;
        text_add(&page->html, "<td class=\"name\">");
        if (i == 0)
            text_add(&page->html, "<span class=\"key %s\"></span>", style);
        text_add(&page->html, "%s</td>", page_escaped(page->arena, value));
    }
}

static void row_add(struct page *page, const struct report_run *run, size_t number, bool best,
                    bool seeds)
{
    text_add(&page->html, "<tr class=\"%s%s\">", run_style(page->arena, number),
             best ? " best" : "");
    name_cells(page, run, number);
    if (seeds)
        text_add(&page->html, "<td>%zu</td>", run->seed_count);
    text_add(&page->html, "<td>%zu</td>", report_run_epochs(run));
    error_cell(page, report_run_best(run), run->seed_count);
    error_cell(page, report_run_last(run), run->seed_count);
    text_add(&page->html, "<td>%s</td><td>", report_whole(page->arena, run->parameters));
    if (run->gflops > 0)
        text_add(&page->html, "%.3g", run->gflops);
    text_add(&page->html, "</td><td>%s</td>", report_whole(page->arena, report_run_speed(run)));
    text_add(&page->html, "<td class=\"note\">%s</td></tr>\n",
             run->note != NULL ? page_escaped(page->arena, run->note) : "");
}

void report_runs_add(struct page *page, const struct report_run *runs, size_t count)
{
    size_t best = report_best_run(runs, count);
    bool seeds = has_seeds(runs, count);
    text_add(&page->html, "<div class=\"panel\"><table class=\"runs\">");
    heads_add(page, runs, count);
    for (size_t i = 0; i < count; i++)
        row_add(page, &runs[i], i, count > 1 && i == best, seeds);
    text_add(&page->html, "</table></div>\n");
}

/* ---- choices ---- */

/* Whether an earlier run has this value of the setting. */
static bool is_repeated(const struct report_run *runs, size_t run, size_t setting)
{
    for (size_t i = 0; i < run; i++)
        if (strcmp(runs[i].settings[setting].value, runs[run].settings[setting].value) == 0)
            return true;
    return false;
}

static size_t values_of(const struct report_run *runs, size_t count, size_t setting)
{
    size_t values = 0;
    for (size_t i = 0; i < count; i++)
        values += !is_repeated(runs, i, setting);
    return values;
}

/* Whether the runs are as many as there are combinations, with at least two choices among them,
 * and all have an error. */
static bool are_all_combinations(const struct report_run *runs, size_t count)
{
    size_t product = 1, choices = 0;
    for (size_t i = 0; i < runs[0].setting_count && product <= count; i++) {
        size_t values = values_of(runs, count, i);
        product *= values;
        choices += values > 1;
    }
    for (size_t i = 0; i < count; i++)
        if (!isfinite(report_run_best(&runs[i]).mean))
            return false;
    return product == count && choices >= 2;
}

/* The scale of the strips: a little more than what the errors span. */
struct scale {
    double low, high;
};

static double place_on(struct scale scale, double error)
{
    return 100 * (error - scale.low) / (scale.high - scale.low);
}

static struct scale scale_fit(const struct report_run *runs, size_t count)
{
    struct scale scale = {INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i++) {
        double error = report_run_best(&runs[i]).mean;
        scale.low = fmin(scale.low, error);
        scale.high = fmax(scale.high, error);
    }
    double margin = fmax(0.06 * (scale.high - scale.low), 0.01);
    return (struct scale){scale.low - margin, scale.high + margin};
}

/* A row for one value: the mean, and where each run with it lies. */
static void value_add(struct page *page, const struct report_run *runs, size_t count,
                      size_t setting, size_t first, struct scale scale)
{
    const struct report_setting *chosen = &runs[first].settings[setting];
    struct text_builder dots = {.arena = page->arena};
    double sum = 0;
    size_t with = 0;
    for (size_t i = first; i < count; i++) {
        if (strcmp(runs[i].settings[setting].value, chosen->value) != 0)
            continue;
        double error = report_run_best(&runs[i]).mean;
        text_add(&dots, "<i class=\"mark run%zu\" style=\"left:%.1f%%\" title=\"%s: %.2f %%\"></i>",
                 i % PAGE_RUN_COLOURS, place_on(scale, error),
                 page_escaped(page->arena, runs[i].name), error);
        sum += error;
        with++;
    }
    double mean = sum / (double)with;
    text_add(&page->html,
             "<tr><td>%s</td><td class=\"name\">%s</td><td>%zu</td><td>%.2f %%</td>"
             "<td class=\"strip\"><div><b style=\"left:%.1f%%\"></b>%s</div></td></tr>\n",
             page_escaped(page->arena, chosen->name), page_escaped(page->arena, chosen->value),
             with, mean, place_on(scale, mean), text_result(&dots));
}

void report_choices_add(struct page *page, const struct report_run *runs, size_t count)
{
    if (!are_all_combinations(runs, count))
        return;
    struct scale scale = scale_fit(runs, count);
    text_add(&page->html,
             "<h2>What each choice comes to, on average over the others</h2>\n"
             "<div class=\"panel\"><table class=\"choices\"><tr><th>choice</th><th>value</th>"
             "<th>runs</th><th>best top-1 error</th><th class=\"ends\"><span>%.2f %%</span>"
             "<span>%.2f %%</span></th></tr>\n",
             scale.low, scale.high);
    for (size_t setting = 0; setting < runs[0].setting_count; setting++)
        for (size_t i = 0; i < count; i++)
            if (values_of(runs, count, setting) > 1 && !is_repeated(runs, i, setting))
                value_add(page, runs, count, setting, i, scale);
    text_add(&page->html, "</table></div>\n");
}
