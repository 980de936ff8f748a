/* Several runs on a page. See report_compare.h. */
#include "runtime/report_compare.h"

#include <inttypes.h>
#include <math.h>

#include "runtime/chart.h"
#include "runtime/page.h"

double report_run_best(const struct report_run *run)
{
    const struct epoch_record *best = history_best(run->history);
    return best != NULL ? 100 - best->validation_top1 : (double)NAN;
}

double report_run_last(const struct report_run *run)
{
    size_t count = run->history->epochs.count;
    return count > 0 ? 100 - run->history->epochs.items[count - 1].validation_top1 : (double)NAN;
}

void mean_and_deviation(const double *numbers, size_t count, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        sum += numbers[i];
    *mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (numbers[i] - *mean) * (numbers[i] - *mean);
    *deviation = count > 1 ? sqrt(squares / (double)(count - 1)) : 0;
}

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

static struct chart_series run_series(struct page *page, const struct report_run *run,
                                      size_t index, epoch_value *value)
{
    size_t count = run->history->epochs.count;
    struct chart_point *points = ARENA_ARRAY(page->arena, struct chart_point, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct epoch_record *record = &run->history->epochs.items[i];
        points[i] = (struct chart_point){(double)(record->epoch + 1), value(record)};
    }
    return (struct chart_series){
        page_escaped(page->arena, run->name),
        arena_format(page->arena, "run%zu", index % PAGE_RUN_COLOURS),
        points,
        count,
        true,
    };
}

static void chart_of_runs(struct page *page, const char *title, const char *unit,
                          epoch_value *value, const struct report_run *runs, size_t count)
{
    struct chart_series *series = ARENA_ARRAY(page->arena, struct chart_series, count);
    double end = 1;
    for (size_t i = 0; i < count; i++) {
        series[i] = run_series(page, &runs[i], i, value);
        end = fmax(end, (double)runs[i].history->epochs.count);
    }
    struct chart chart = {title, unit, end, false, true, series, count};
    chart_add(&page->html, &chart);
}

static double images_per_second(const struct history *history)
{
    double sum = 0;
    for (size_t i = 0; i < history->epochs.count; i++)
        sum += history->epochs.items[i].images_per_second;
    return sum / (double)history->epochs.count;
}

static void number_cell(struct page *page, double value, int decimals, const char *unit)
{
    text_add(&page->html, "<td>");
    if (isfinite(value) && value > 0)
        text_add(&page->html, "%.*f%s", decimals, value, unit);
    text_add(&page->html, "</td>");
}

static void table_add(struct page *page, const struct report_run *runs, size_t count)
{
    text_add(&page->html,
             "<h2>Runs</h2>\n<div class=\"panel\"><table><tr><th>run</th><th>epochs</th>"
             "<th>best top-1 error</th><th>last top-1 error</th><th>M parameters</th>"
             "<th>GFLOPs</th><th>images/s</th></tr>\n");
    for (size_t i = 0; i < count; i++) {
        text_add(&page->html, "<tr><td>%s</td><td>%zu</td>",
                 page_escaped(page->arena, runs[i].name), runs[i].history->epochs.count);
        number_cell(page, report_run_best(&runs[i]), 2, " %");
        number_cell(page, report_run_last(&runs[i]), 2, " %");
        number_cell(page, runs[i].parameters / 1e6, 3, "");
        number_cell(page, runs[i].gflops, 3, "");
        number_cell(page, images_per_second(runs[i].history), 0, "");
        text_add(&page->html, "</tr>\n");
    }
    text_add(&page->html, "</table></div>\n");
}

static void cards_add(struct page *page, const struct report_run *runs, size_t count)
{
    double *best = ARENA_ARRAY(page->arena, double, count), mean, deviation;
    for (size_t i = 0; i < count; i++)
        best[i] = report_run_best(&runs[i]);
    mean_and_deviation(best, count, &mean, &deviation);
    text_add(&page->html, "<div class=\"cards\">\n");
    page_card(page, arena_format(page->arena, "%zu", count), "runs");
    if (isfinite(mean)) {
        double least = best[0];
        for (size_t i = 1; i < count; i++)
            least = fmin(least, best[i]);
        page_card(page, arena_format(page->arena, "%.2f %%", least), "best top-1 error");
        page_card(page, arena_format(page->arena, "%.2f ± %.2f %%", mean, deviation),
                  "best top-1 error of a run, mean ± deviation");
    }
    text_add(&page->html, "</div>\n");
}

struct status report_compare_write(const char *path, const char *title, const char *subtitle,
                                   const struct report_run *runs, size_t count)
{
    struct arena arena = {0};
    struct page page;
    page_begin(&page, &arena, title, subtitle);
    cards_add(&page, runs, count);
    text_add(&page.html, "<div class=\"charts\">\n");
    chart_of_runs(&page, "Validation top-1 error in %", " %", validation_error, runs, count);
    chart_of_runs(&page, "Training top-1 error in %", " %", train_error, runs, count);
    chart_of_runs(&page, "Validation loss", "", validation_loss, runs, count);
    chart_of_runs(&page, "Training loss", "", train_loss, runs, count);
    text_add(&page.html, "</div>\n");
    table_add(&page, runs, count);
    struct status status = page_write(&page, path);
    arena_release(&arena);
    return status;
}
