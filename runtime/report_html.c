/* Building report.html: style, headline numbers, charts, facts, a table of the epochs. */
#include "runtime/report_html.h"

#include <inttypes.h>
#include <math.h>

#include "base/file.h"
#include "runtime/chart.h"

enum { MINUTE = 60, HOUR = 3600 };

static const char style[] =
    ":root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1c2430;--soft:#667085;"
    "--edge:#e3e7ee;--train:#2f6fde;--validation:#e0703a;--steps:#a9c3f2;--rate:#2c9a72}\n"
    "@media (prefers-color-scheme:dark){:root{--page:#12161d;--card:#1a2029;--ink:#e6eaf0;"
    "--soft:#98a2b3;--edge:#2b3340;--train:#6ea3ff;--validation:#ff9a62;--steps:#34507f;"
    "--rate:#4cc79a}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\n"
    "main{max-width:1180px;margin:0 auto;padding:36px 24px 56px}h1{font-size:27px;margin:0;"
    "letter-spacing:-.01em}h2{font-size:16px;margin:36px 0 12px}\n"
    ".sub{color:var(--soft);margin:2px 0 26px}.cards{display:grid;gap:14px;"
    "grid-template-columns:repeat(auto-fit,minmax(160px,1fr));margin-bottom:18px}\n"
    ".card,figure,.panel{background:var(--card);border:1px solid var(--edge);border-radius:12px}"
    ".card{padding:14px 18px}.card b{display:block;font-size:25px;font-weight:650;"
    "font-variant-numeric:tabular-nums}.card span{color:var(--soft);font-size:13px}\n"
    ".charts{display:grid;gap:18px;grid-template-columns:repeat(auto-fit,minmax(440px,1fr))}"
    "figure{margin:0;padding:16px 18px 10px}figcaption{display:flex;justify-content:"
    "space-between;gap:12px;font-weight:600;margin-bottom:6px}\n"
    ".legend{font-weight:400;font-size:13px;color:var(--soft)}.key{margin-left:14px}"
    ".key::before{content:'';display:inline-block;width:14px;height:3px;border-radius:2px;"
    "margin-right:6px;vertical-align:middle;background:currentColor}\n"
    ".key.train::before{background:var(--train)}.key.validation::before{background:"
    "var(--validation)}.key.steps::before{background:var(--steps)}.key.rate::before{background:"
    "var(--rate)}\n"
    "svg{display:block;width:100%;height:auto}.grid{stroke:var(--edge)}.tick{fill:var(--soft);"
    "font-size:12px;font-variant-numeric:tabular-nums}.line{fill:none;stroke-width:2.2;"
    "stroke-linejoin:round;stroke-linecap:round}\n"
    ".line.train{stroke:var(--train)}.line.validation{stroke:var(--validation)}"
    ".line.steps{stroke:var(--steps);stroke-width:1.2}.line.rate{stroke:var(--rate)}"
    ".dot.train{fill:var(--train)}.dot.validation{fill:var(--validation)}"
    ".dot.rate{fill:var(--rate)}\n"
    ".panel{padding:6px 18px;overflow-x:auto}table{border-collapse:collapse;width:100%;"
    "font-variant-numeric:tabular-nums}td,th{padding:7px 14px 7px 0;border-bottom:1px solid "
    "var(--edge);text-align:right;white-space:nowrap}tr:last-child td{border-bottom:0}"
    "th{color:var(--soft);font-weight:500;font-size:13px}td:first-child,th:first-child"
    "{text-align:left}.facts td{white-space:normal}.facts td:first-child{color:var(--soft);"
    "width:120px}.facts td+td{text-align:left}tr.best td{font-weight:650}\n";

/* The page while it is built. */
struct page {
    struct text_builder html;
    struct arena *arena;
    const struct report_facts *facts;
    const struct history *history;
};

static const char *escaped(struct arena *arena, const char *text)
{
    struct text_builder out = {.arena = arena};
    for (; *text != '\0'; text++) {
        if (*text == '<')
            text_add(&out, "&lt;");
        else if (*text == '&')
            text_add(&out, "&amp;");
        else
            text_add_bytes(&out, text, 1);
    }
    return text_result(&out);
}

static const char *duration_text(struct arena *arena, double seconds)
{
    int64_t whole = (int64_t)seconds;
    if (whole >= HOUR)
        return arena_format(arena, "%" PRId64 " h %02d min", whole / HOUR,
                            (int)(whole / MINUTE % MINUTE));
    if (whole >= MINUTE)
        return arena_format(arena, "%d min %02d s", (int)(whole / MINUTE), (int)(whole % MINUTE));
    return arena_format(arena, "%.1f s", seconds);
}

static void card_add(struct page *page, const char *value, const char *label)
{
    text_add(&page->html, "<div class=\"card\"><b>%s</b><span>%s</span></div>\n", value, label);
}

static void cards_add(struct page *page)
{
    const struct epoch_record *best = history_best(page->history);
    size_t count = page->history->epochs.count;
    text_add(&page->html, "<div class=\"cards\">\n");
    if (best != NULL) {
        const struct epoch_record *last = &page->history->epochs.items[count - 1];
        card_add(page, arena_format(page->arena, "%.2f %%", best->validation_top1),
                 arena_format(page->arena, "best validation top-1, epoch %" PRId64,
                              best->epoch + 1));
        card_add(page, arena_format(page->arena, "%.2f %%", last->validation_top5),
                 "validation top-5, last epoch");
        card_add(page, arena_format(page->arena, "%.4f", last->train_loss),
                 "training loss, last epoch");
        card_add(page, arena_format(page->arena, "%.0f", last->images_per_second),
                 "training images a second");
    }
    card_add(page, arena_format(page->arena, "%zu of %" PRId64, count, page->facts->epochs),
             "epochs");
    card_add(page, duration_text(page->arena, page->facts->seconds), "so far");
    text_add(&page->html, "</div>\n");
}

/* How a curve reads a value out of an epoch. */
typedef double epoch_value(const struct epoch_record *record);

static double train_loss(const struct epoch_record *record)
{
    return record->train_loss;
}

static double validation_loss(const struct epoch_record *record)
{
    return record->validation_loss;
}

static double train_error(const struct epoch_record *record)
{
    return 100 - record->train_top1;
}

static double validation_error(const struct epoch_record *record)
{
    return 100 - record->validation_top1;
}

static double epoch_rate(const struct epoch_record *record)
{
    return record->learning_rate;
}

static struct chart_series epoch_series(struct page *page, const char *name, const char *line,
                                        epoch_value *value)
{
    size_t count = page->history->epochs.count;
    struct chart_point *points = ARENA_ARRAY(page->arena, struct chart_point, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct epoch_record *record = &page->history->epochs.items[i];
        points[i] = (struct chart_point){(double)(record->epoch + 1), value(record)};
    }
    return (struct chart_series){name, line, points, count, true};
}

static struct chart_series step_series(struct page *page)
{
    const struct step_series *steps = &page->history->steps;
    struct chart_point *points =
        ARENA_ARRAY(page->arena, struct chart_point, steps->count + 1);
    for (int64_t i = 0; i < steps->count; i++) {
        double step = ((double)i + 0.5) * (double)steps->span;
        points[i].x = step / (double)page->facts->steps_per_epoch;
        points[i].y = steps->points[i];
    }
    return (struct chart_series){"training step", "steps", points, (size_t)steps->count, false};
}

static double epochs_shown(const struct page *page)
{
    double done = (double)page->facts->steps / (double)page->facts->steps_per_epoch;
    return fmax(done, 1.0 / (double)page->facts->steps_per_epoch);
}

/* Begins the grid of charts; facts_add ends it. */
static void charts_add(struct page *page)
{
    struct chart_series losses[] = {
        step_series(page),
        epoch_series(page, "training", "train", train_loss),
        epoch_series(page, "validation", "validation", validation_loss),
    };
    struct chart_series errors[] = {
        epoch_series(page, "training", "train", train_error),
        epoch_series(page, "validation", "validation", validation_error),
    };
    struct chart_series rates[] = {epoch_series(page, "learning rate", "rate", epoch_rate)};
    double end = epochs_shown(page);
    struct chart charts[] = {
        {"Loss", "", end, false, true, losses, sizeof losses / sizeof *losses},
        {"Top-1 error in %", " %", end, false, true, errors, sizeof errors / sizeof *errors},
        {"Learning rate", "", end, true, false, rates, sizeof rates / sizeof *rates},
    };
    text_add(&page->html, "<div class=\"charts\">\n");
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++)
        chart_add(&page->html, &charts[i]);
}

static void fact_add(struct page *page, const char *name, const char *value)
{
    text_add(&page->html, "<tr><td>%s</td><td>%s</td></tr>\n", name, escaped(page->arena, value));
}

/* Fills the last place of the charts' grid and ends it. */
static void facts_add(struct page *page)
{
    const struct report_facts *facts = page->facts;
    const struct rnet_recipe *recipe = &facts->program->recipe;
    struct arena *arena = page->arena;
    text_add(&page->html, "<figure><figcaption>The run</figcaption><table class=\"facts\">\n");
    fact_add(page, "Data", arena_format(arena, "%s: %" PRId64 " training, %" PRId64
                                        " validation images", facts->data, facts->train_images,
                                        facts->validation_images));
    fact_add(page, "Recipe",
             arena_format(arena, "%s: learning rate %g, momentum %g, weight decay %g",
                          recipe->name, facts->learning_rate, recipe->momentum,
                          recipe->weight_decay));
    fact_add(page, "Order", arena_format(arena, "%s, %s, seed %" PRId64,
                                         facts->shuffled ? "shuffled" : "as in the files",
                                         facts->augmented ? "augmented" : "not augmented",
                                         facts->seed));
    fact_add(page, "Steps", arena_format(arena, "%" PRId64 " done, %" PRId64
                                         " an epoch, at most %" PRId64 " images each",
                                         facts->steps, facts->steps_per_epoch,
                                         facts->program->batch));
    if (facts->init != NULL)
        fact_add(page, "Started from", facts->init);
    fact_add(page, "Threads", arena_format(arena, "%d", facts->threads));
    fact_add(page, "Compiled", facts->program->compiled);
    text_add(&page->html, "</table></figure></div>\n");
}

static void epochs_add(struct page *page)
{
    const struct epoch_record *best = history_best(page->history);
    if (best == NULL)
        return;
    text_add(&page->html,
             "<h2>Epochs</h2>\n<div class=\"panel\"><table><tr><th>epoch</th><th>learning rate"
             "</th><th>training loss</th><th>training top-1</th><th>validation loss</th>"
             "<th>validation top-1</th><th>validation top-5</th><th>images/s</th></tr>\n");
    for (size_t i = 0; i < page->history->epochs.count; i++) {
        const struct epoch_record *record = &page->history->epochs.items[i];
        text_add(&page->html,
                 "<tr%s><td>%" PRId64 "</td><td>%.4g</td><td>%.4f</td><td>%.2f %%</td>"
                 "<td>%.4f</td><td>%.2f %%</td><td>%.2f %%</td><td>%.0f</td></tr>\n",
                 record == best ? " class=\"best\"" : "", record->epoch + 1,
                 record->learning_rate, record->train_loss, record->train_top1,
                 record->validation_loss, record->validation_top1, record->validation_top5,
                 record->images_per_second);
    }
    text_add(&page->html, "</table></div>\n");
}

struct status report_html_write(const char *path, const struct report_facts *facts,
                                const struct history *history)
{
    struct arena arena = {0};
    struct page page = {{.arena = &arena}, &arena, facts, history};
    const char *network = escaped(&arena, facts->program->network);
    text_add(&page.html,
             "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
             "<title>Training of %s</title>\n<style>\n%s</style></head>\n<body><main>\n"
             "<h1>%s</h1>\n<p class=\"sub\">Training on %s</p>\n",
             network, style, network, escaped(&arena, facts->data));
    cards_add(&page);
    charts_add(&page);
    facts_add(&page);
    epochs_add(&page);
    text_add(&page.html, "</main></body></html>\n");
    struct status status = file_write(path, text_result(&page.html), page.html.length);
    arena_release(&arena);
    return status;
}
