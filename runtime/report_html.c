/* Building report.html: style, headline numbers, charts, facts, a table of the epochs. */
#include "runtime/report_html.h"

#include <inttypes.h>
#include <math.h>

#include "runtime/chart.h"
#include "runtime/environment.h"
#include "runtime/page.h"
#include "runtime/report_mistakes.h"
#include "runtime/report_network.h"

/* The page of one run while it is built. */
struct report {
    struct page page;
    struct arena *arena;
    const struct report_facts *facts;
    const struct history *history;
};

static void cards_add(struct report *report)
{
    const struct epoch_record *best = history_best(report->history);
    size_t count = report->history->epochs.count;
    text_add(&report->page.html, "<div class=\"cards\">\n");
    if (best != NULL) {
        const struct epoch_record *last = &report->history->epochs.items[count - 1];
        page_card(
            &report->page, arena_format(report->arena, "%.2f %%", best->validation_top1),
            arena_format(report->arena, "best validation top-1, epoch %" PRId64, best->epoch + 1));
        page_card(&report->page, arena_format(report->arena, "%.2f %%", last->validation_top5),
                  "validation top-5, last epoch");
        page_card(&report->page, arena_format(report->arena, "%.4f", last->train_loss),
                  "training loss, last epoch");
        page_card(&report->page, arena_format(report->arena, "%.0f", last->images_per_second),
                  "training images a second");
    }
    page_card(&report->page,
              arena_format(report->arena, "%zu of %" PRId64, count, report->facts->epochs),
              "epochs");
    page_card(&report->page, page_duration(report->arena, report->facts->seconds), "so far");
    text_add(&report->page.html, "</div>\n");
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

static double validation_error5(const struct epoch_record *record)
{
    return 100 - record->validation_top5;
}

static double epoch_rate(const struct epoch_record *record)
{
    return record->learning_rate;
}

static struct chart_series epoch_series(struct report *report, const char *name, const char *line,
                                        epoch_value *value)
{
    size_t count = report->history->epochs.count;
    struct chart_point *points = ARENA_ARRAY(report->arena, struct chart_point, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct epoch_record *record = &report->history->epochs.items[i];
        points[i] = (struct chart_point){(double)(record->epoch + 1), value(record)};
    }
    return (struct chart_series){
        .name = name, .style = line, .points = points, .count = count, .marked = true};
}

static struct chart_series step_series(struct report *report)
{
    const struct step_series *steps = &report->history->steps;
    struct chart_point *points = ARENA_ARRAY(report->arena, struct chart_point, steps->count + 1);
    for (int64_t i = 0; i < steps->count; i++) {
        double step = ((double)i + 0.5) * (double)steps->span;
        points[i].x = step / (double)report->facts->steps_per_epoch;
        points[i].y = steps->points[i];
    }
    return (struct chart_series){.name = "training step",
                                 .style = "steps",
                                 .points = points,
                                 .count = (size_t)steps->count};
}

static double epochs_shown(const struct report *report)
{
    double done = (double)report->facts->steps / (double)report->facts->steps_per_epoch;
    return fmax(done, 1.0 / (double)report->facts->steps_per_epoch);
}

/* Begins the grid of charts; facts_add ends it. */
static void charts_add(struct report *report)
{
    struct chart_series losses[] = {
        step_series(report),
        epoch_series(report, "training", "train", train_loss),
        epoch_series(report, "validation", "validation", validation_loss),
    };
    struct chart_series errors[] = {
        epoch_series(report, "training", "train", train_error),
        epoch_series(report, "validation", "validation", validation_error),
        epoch_series(report, "validation, top-5", "rate", validation_error5),
    };
    struct chart_series rates[] = {epoch_series(report, "learning rate", "rate", epoch_rate)};
    double end = epochs_shown(report);
    struct chart charts[] = {
        {"Loss", "", 0, end, false, true, false, losses, sizeof losses / sizeof *losses},
        {"Error in %", " %", 0, end, false, true, false, errors, sizeof errors / sizeof *errors},
        {"Learning rate", "", 0, end, true, false, false, rates, sizeof rates / sizeof *rates},
    };
    text_add(&report->page.html, "<div class=\"charts\">\n");
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++)
        chart_add(&report->page.html, &charts[i]);
}

static const char *recipe_text(const struct report *report)
{
    const struct rnet_recipe *recipe = &report->facts->program->recipe;
    struct text_builder text = {.arena = report->arena};
    text_add(&text, "%s: learning rate %g, momentum %g%s, weight decay %g%s", recipe->name,
             report->facts->learning_rate, recipe->momentum, recipe->nesterov ? " (Nesterov)" : "",
             recipe->weight_decay, recipe->decays_weights_only ? " (of weights alone)" : "");
    if (recipe->label_smoothing > 0)
        text_add(&text, ", label smoothing %g", recipe->label_smoothing);
    if (recipe->accumulate > 1)
        text_add(&text, ", %" PRId64 " batches an update", recipe->accumulate);
    if (recipe->clip > 0)
        text_add(&text, ", gradients limited to a norm of %g", recipe->clip);
    if (recipe->ema > 0)
        text_add(&text, ", validated with weights averaged by %g", recipe->ema);
    return text_result(&text);
}

/* Fills the last place of the charts' grid and ends it. */
static void facts_add(struct report *report)
{
    const struct report_facts *facts = report->facts;
    struct arena *arena = report->arena;
    text_add(&report->page.html,
             "<figure><figcaption>The run</figcaption><table class=\"facts\">\n");
    page_fact(&report->page, "Data",
              arena_format(arena, "%s: %" PRId64 " training, %" PRId64 " validation images",
                           facts->data, facts->train_images, facts->validation_images));
    page_fact(&report->page, "Recipe", recipe_text(report));
    page_fact(&report->page, "Order",
              arena_format(arena, "%s, %s, seed %" PRId64,
                           facts->shuffled ? "shuffled" : "as in the files",
                           facts->augmented ? "augmented" : "not augmented", facts->seed));
    page_fact(&report->page, "Steps",
              arena_format(
                  arena, "%" PRId64 " done, %" PRId64 " an epoch, at most %" PRId64 " images each",
                  facts->steps, facts->steps_per_epoch,
                  facts->program->batch * facts->program->recipe.accumulate));
    if (facts->init != NULL)
        page_fact(&report->page, "Started from", facts->init);
    page_fact(&report->page, "Compiled", facts->program->compiled);
    page_fact(&report->page, "Machine",
              arena_format(arena, "%s; %d threads", environment_machine(arena), facts->threads));
    page_fact(&report->page, "System", environment_system(arena));
    page_fact(&report->page, "Written", environment_time(arena));
    text_add(&report->page.html, "</table></figure></div>\n");
}

static void epochs_add(struct report *report)
{
    const struct epoch_record *best = history_best(report->history);
    if (best == NULL)
        return;
    text_add(&report->page.html,
             "<h2>Epochs</h2>\n<div class=\"panel\"><table><tr><th>epoch</th><th>learning rate"
             "</th><th>training loss</th><th>training top-1</th><th>validation loss</th>"
             "<th>validation top-1</th><th>validation top-5</th><th>images/s</th>"
             "<th>waiting</th></tr>\n");
    for (size_t i = 0; i < report->history->epochs.count; i++) {
        const struct epoch_record *record = &report->history->epochs.items[i];
        text_add(&report->page.html,
                 "<tr%s><td>%" PRId64 "</td><td>%.4g</td><td>%.4f</td><td>%.2f %%</td>"
                 "<td>%.4f</td><td>%.2f %%</td><td>%.2f %%</td><td>%.0f</td><td>%.1f %%</td>"
                 "</tr>\n",
                 record == best ? " class=\"best\"" : "", record->epoch + 1, record->learning_rate,
                 record->train_loss, record->train_top1, record->validation_loss,
                 record->validation_top1, record->validation_top5, record->images_per_second,
                 100 * record->waiting);
    }
    text_add(&report->page.html, "</table></div>\n");
}

struct status report_html_write(const char *path, const struct report_facts *facts,
                                const struct history *history, const struct mistakes *mistakes,
                                const struct data_set *data)
{
    struct arena arena = {0};
    struct report report = {.arena = &arena, .facts = facts, .history = history};
    page_begin(&report.page, &arena, facts->program->network,
               arena_format(&arena, "Training on %s", facts->data));
    cards_add(&report);
    charts_add(&report);
    facts_add(&report);
    report_network_add(&report.page, facts->program);
    report_mistakes_add(&report.page, mistakes, data);
    epochs_add(&report);
    struct status status = page_write(&report.page, path);
    arena_release(&arena);
    return status;
}
