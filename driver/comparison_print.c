/* Runs as a table of text, and as JSON. */
#include "driver/comparison.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

/* ---- the table ---- */

/* Cells by rows; the first row are the heads. */
struct text_table {
    struct arena *arena;
    VECTOR(const char *) cells;
    size_t columns, left; /* the first `left` columns begin at the left */
};

static void add_cell(struct text_table *table, const char *text)
{
    vector_push(&table->cells, table->arena, text);
}

static void add_error(struct text_table *table, struct report_error error, size_t seeds)
{
    if (!isfinite(error.mean))
        add_cell(table, "");
    else if (seeds > 1)
        add_cell(table, arena_format(table->arena, "%.2f ± %.2f %%", error.mean, error.deviation));
    else
        add_cell(table, arena_format(table->arena, "%.2f %%", error.mean));
}

static void add_heads(struct text_table *table, const struct compared_run *run)
{
    static const char *const heads[] = {"seeds",      "epochs", "best error", "last error",
                                        "parameters", "GFLOPs", "images/s",   ""};

    for (size_t i = 0; i < run->settings.count; i++)
        add_cell(table, run->settings.items[i].name);
    for (size_t i = 0; i < countof(heads); i++)
        add_cell(table, heads[i]);
    table->left = run->settings.count;
    table->columns = table->cells.count;
}

static void add_row(struct text_table *table, const struct compared_run *run)
{
    const struct report_run report = compared_run_report(table->arena, run);

    for (size_t i = 0; i < run->settings.count; i++)
        add_cell(table, run->settings.items[i].value);
    add_cell(table, arena_format(table->arena, "%zu", run->seeds.count));
    add_cell(table, arena_format(table->arena, "%zu", report_run_epochs(&report)));
    add_error(table, report_run_best(&report), run->seeds.count);
    add_error(table, report_run_last(&report), run->seeds.count);
    add_cell(table, report_whole(table->arena, report.parameters));
    add_cell(table, report.gflops > 0 ? arena_format(table->arena, "%.3g", report.gflops) : "");
    add_cell(table, report_whole(table->arena, report_run_speed(&report)));
    add_cell(table, run->note ? run->note : "");
}

/* Characters, not bytes: none here is wider than one column. */
static int width_of(const char *text)
{
    int width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static int column_width(const struct text_table *table, size_t column)
{
    int width = 0;

    for (size_t i = column; i < table->cells.count; i += table->columns)
        if (width_of(table->cells.items[i]) > width)
            width = width_of(table->cells.items[i]);
    return width;
}

static void print_cell(const struct text_table *table, size_t row, size_t column, FILE *stream)
{
    const char *text = table->cells.items[row * table->columns + column];
    const int space = column_width(table, column) - width_of(text);

    if (column == table->columns - 1)
        fprintf(stream, "%s%s\n", *text ? "  " : "", text);
    else if (column < table->left)
        fprintf(stream, "%s%s%*s", column ? "  " : "", text, space, "");
    else
        fprintf(stream, "%s%*s%s", column ? "  " : "", space, "", text);
}

void comparison_print(const struct comparison *comparison, FILE *stream)
{
    struct text_table table = {.arena = comparison->arena};

    add_heads(&table, &comparison->runs.items[0]);
    for (size_t i = 0; i < comparison->runs.count; i++)
        add_row(&table, &comparison->runs.items[i]);
    for (size_t row = 0; row * table.columns < table.cells.count; row++)
        for (size_t column = 0; column < table.columns; column++)
            print_cell(&table, row, column, stream);
}

/* ---- JSON ---- */

static void add_json_number(struct text_builder *text, const char *name, double number)
{
    text_add(text, ",\"%s\":", name);
    text_add_json_number(text, number);
}

static void add_json_error(struct text_builder *text, const char *name, struct report_error error)
{
    add_json_number(text, arena_format(text->arena, "%s_error", name), error.mean);
    add_json_number(text, arena_format(text->arena, "%s_error_std", name), error.deviation);
    add_json_number(text, arena_format(text->arena, "%s_error_least", name), error.least);
}

static void add_json_text(struct text_builder *text, const char *name, const char *value)
{
    text_add(text, ",\"%s\":", name);
    if (value)
        text_add_json(text, value);
    else
        text_add(text, "null");
}

static void add_json_settings(struct text_builder *text, const struct compared_run *run)
{
    text_add(text, ",\"settings\":{");
    for (size_t i = 0; i < run->settings.count; i++) {
        text_add(text, "%s", i == 0 ? "" : ",");
        text_add_json(text, run->settings.items[i].name);
        text_add(text, ":");
        text_add_json(text, run->settings.items[i].value);
    }
    text_add(text, "}");
}

static double known(double number)
{
    return number > 0 ? number : (double)NAN;
}

static double seconds_of(const struct compared_run *run)
{
    double seconds = 0;

    for (size_t i = 0; i < run->seeds.count; i++)
        seconds += run->seeds.items[i].seconds;
    return seconds;
}

static void add_json_run(struct text_builder *text, const struct compared_run *run)
{
    const struct report_run report = compared_run_report(text->arena, run);
    const struct run_record *record = &run->seeds.items[0];

    text_add(text, "{\"name\":");
    text_add_json(text, run->name);
    add_json_text(text, "directory", run->directory);
    add_json_settings(text, run);
    add_json_text(text, "network", record->network);
    add_json_text(text, "data", record->data);
    add_json_text(text, "note", run->note);
    add_json_number(text, "seeds", (double)run->seeds.count);
    add_json_number(text, "epochs_planned", known((double)record->epochs));
    add_json_number(text, "epochs", (double)report_run_epochs(&report));
    add_json_error(text, "best", report_run_best(&report));
    add_json_error(text, "last", report_run_last(&report));
    add_json_number(text, "parameters", known(record->parameters));
    add_json_number(text, "macs", known(record->macs));
    add_json_number(text, "gflops", known(record->gflops));
    add_json_number(text, "images_per_second", report_run_speed(&report));
    add_json_number(text, "seconds", known(seconds_of(run)));
    text_add(text, "}");
}

void comparison_print_json(const struct comparison *comparison, FILE *stream)
{
    struct text_builder text = {.arena = comparison->arena};

    for (size_t i = 0; i < comparison->runs.count; i++) {
        text_add(&text, "%s", i == 0 ? "" : ",");
        add_json_run(&text, &comparison->runs.items[i]);
    }
    fprintf(stream, "{\"runs\":[%s]}\n", text_result(&text));
}
