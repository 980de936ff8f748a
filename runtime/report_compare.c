/* Several runs on a page. See report_compare.h. */
#include "runtime/report_compare.h"

#include <math.h>

#include "runtime/chart.h"
#include "runtime/page.h"
#include "runtime/report_table.h"

/* How a curve reads a value out of an epoch. */
typedef double epoch_value(const struct epoch_record *record);

static double validation_error(const struct epoch_record *record)
{
    return 100 - record->validation_top1;
}

static double train_error(const struct epoch_record *record)
{
    return 100 - record->train_top1;
}

static double validation_loss(const struct epoch_record *record)
{
    return record->validation_loss;
}

static double train_loss(const struct epoch_record *record)
{
    return record->train_loss;
}

/* The mean of the seeds in each epoch that all of them have, between the least and the greatest. */
static struct chart_series run_series(struct page *page, const struct report_run *run,
                                      size_t number, epoch_value *value)
{
    size_t count = report_run_epochs(run);
    struct chart_point *points = ARENA_ARRAY(page->arena, struct chart_point, count + 1);
    double *low = ARENA_ARRAY(page->arena, double, count + 1);
    double *high = ARENA_ARRAY(page->arena, double, count + 1);
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        low[i] = INFINITY;
        high[i] = -INFINITY;
        for (size_t seed = 0; seed < run->seed_count; seed++) {
            double one = value(&run->seeds[seed]->epochs.items[i]);
            sum += one;
            low[i] = fmin(low[i], one);
            high[i] = fmax(high[i], one);
        }
        points[i] = (struct chart_point){(double)(i + 1), sum / (double)run->seed_count};
    }
    bool banded = run->seed_count > 1;
    return (struct chart_series){
        .name = page_escaped(page->arena, run->name),
        .style = run_style(page->arena, number),
        .points = points,
        .count = count,
        .marked = true,
        .low = banded ? low : NULL,
        .high = banded ? high : NULL,
    };
}

static void chart_of_runs(struct page *page, const char *title, const char *unit,
                          epoch_value *value, const struct report_run *runs, size_t count)
{
    struct chart_series *series = ARENA_ARRAY(page->arena, struct chart_series, count);
    double end = 1;
    for (size_t i = 0; i < count; i++) {
        series[i] = run_series(page, &runs[i], i, value);
        end = fmax(end, (double)series[i].count);
    }
    struct chart chart = {
        .title = title,
        .unit = unit,
        .x_begin = end > 1 ? 1 : 0,
        .x_end = end,
        .without_legend = true,
        .series = series,
        .count = count,
    };
    chart_add(&page->html, &chart);
}

static void charts_add(struct page *page, const struct report_run *runs, size_t count)
{
    text_add(&page->html, "<div class=\"charts several\">\n");
    chart_of_runs(page, "Validation top-1 error in %", " %", validation_error, runs, count);
    chart_of_runs(page, "Training top-1 error in %", " %", train_error, runs, count);
    chart_of_runs(page, "Validation loss", "", validation_loss, runs, count);
    chart_of_runs(page, "Training loss", "", train_loss, runs, count);
    text_add(&page->html, "</div>\n");
}

/* Of runs that are alike, the mean; of others, how far they lie apart. */
static void spread_card(struct page *page, const struct report_run *runs, size_t count,
                        bool differ_in_seed)
{
    double *best = ARENA_ARRAY(page->arena, double, count), mean, deviation;
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        best[i] = report_run_best(&runs[i]).mean;
        least = fmin(least, best[i]);
        most = fmax(most, best[i]);
    }
    mean_and_deviation(best, count, &mean, &deviation);
    if (differ_in_seed && isfinite(mean))
        page_card(page, arena_format(page->arena, "%.2f ± %.2f %%", mean, deviation),
                  "best top-1 error of a run, mean ± deviation");
    else if (!differ_in_seed && count > 1 && most >= least)
        page_card(page, arena_format(page->arena, "%.2f %%", most - least),
                  "between the best and the worst run");
}

static void cards_add(struct page *page, const struct report_run *runs, size_t count,
                      bool differ_in_seed)
{
    size_t best = report_best_run(runs, count), epochs = 0;
    for (size_t i = 0; i < count; i++)
        epochs = report_run_epochs(&runs[i]) > epochs ? report_run_epochs(&runs[i]) : epochs;
    text_add(&page->html, "<div class=\"cards\">\n");
    if (best < count)
        page_card(page, arena_format(page->arena, "%.2f %%", report_run_best(&runs[best]).mean),
                  arena_format(page->arena, "best top-1 error: %s",
                               page_escaped(page->arena, runs[best].name)));
    spread_card(page, runs, count, differ_in_seed);
    page_card(page, arena_format(page->arena, "%zu", count), count == 1 ? "run" : "runs");
    page_card(page, arena_format(page->arena, "%zu", epochs), "epochs, at most");
    text_add(&page->html, "</div>\n");
}

static void facts_add(struct page *page, const struct report_page *what)
{
    if (what->fact_count == 0)
        return;
    text_add(&page->html, "<h2>The same for all</h2>\n<div class=\"panel shared\">");
    for (size_t i = 0; i < what->fact_count; i++)
        text_add(&page->html, "<div><span>%s</span> %s</div>",
                 page_escaped(page->arena, what->facts[i].name),
                 page_escaped(page->arena, what->facts[i].value));
    text_add(&page->html, "</div>\n");
}

struct status report_compare_write(const char *path, const struct report_page *what,
                                   const struct report_run *runs, size_t count)
{
    struct arena arena = {0};
    struct page page;
    page_begin(&page, &arena, what->title, what->subtitle);
    cards_add(&page, runs, count, what->differ_in_seed);
    report_runs_add(&page, runs, count);
    charts_add(&page, runs, count);
    report_choices_add(&page, runs, count);
    facts_add(&page, what);
    struct status status = page_write(&page, path);
    arena_release(&arena);
    return status;
}
