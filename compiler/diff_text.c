/* A comparison for people and for programs. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "compiler/diff.h"
#include "compiler/op.h"
#include "compiler/stage_path.h"

enum { TEXT_COLUMN = 22 };

/* ---- tables ---- */

static void print_number(const char *what, int64_t a, int64_t b, FILE *stream)
{
    fprintf(stream, "%-*s %18lld %18lld", TEXT_COLUMN, what, (long long)a, (long long)b);
    if (a != b)
        fprintf(stream, " %+18lld", (long long)(b - a));
    fprintf(stream, "\n");
}

static void print_gflops(const char *what, int64_t a, int64_t b, FILE *stream)
{
    fprintf(stream, "%-*s %18.3f %18.3f", TEXT_COLUMN, what, (double)a / 1e9, (double)b / 1e9);
    if (a != b)
        fprintf(stream, " %+18.3f", (double)(b - a) / 1e9);
    fprintf(stream, "\n");
}

static void print_gates(const struct gate_counts *a, const struct gate_counts *b, FILE *stream)
{
    for (int kind = 0; kind < OP_KIND_COUNT; kind++) {
        char what[TEXT_COLUMN + 1];

        if (!op_definition((enum op_kind)kind)->is_layer || a->kinds[kind] + b->kinds[kind] == 0)
            continue;
        snprintf(what, sizeof what, "  %s", op_name((enum op_kind)kind));
        print_number(what, a->kinds[kind], b->kinds[kind], stream);
    }
}

static void print_totals(const struct diff *diff, FILE *stream)
{
    const struct report *a = diff->a, *b = diff->b;

    fprintf(stream, "%-*s %18s %18s %18s\n", TEXT_COLUMN, "", "A", "B", "B - A");
    print_number("layers", a->total.layers, b->total.layers, stream);
    print_number("parameters", a->total.parameters, b->total.parameters, stream);
    print_number("multiply-adds", a->total.macs, b->total.macs, stream);
    print_gflops("GFLOPs", a->total.work, b->total.work, stream);
    print_number("bytes of results", a->total.activation_bytes, b->total.activation_bytes, stream);
    if (a->has_memory && b->has_memory) {
        print_number("bytes for training", (int64_t)a->train_bytes, (int64_t)b->train_bytes,
                     stream);
        print_number("bytes for inference", (int64_t)a->infer_bytes, (int64_t)b->infer_bytes,
                     stream);
    }
    fprintf(stream, "main path, in stages\n");
    print_gates(&a->main_path, &b->main_path, stream);
    fprintf(stream, "main path, in all\n");
    print_gates(&a->main_path_total, &b->main_path_total, stream);
}

static const struct report_stage *find_stage(const struct report *report, const char *name)
{
    for (size_t i = 0; i < report->stages.count; i++)
        if (strcmp(report->stages.items[i].name, name) == 0)
            return &report->stages.items[i];
    return NULL;
}

static bool same_cost(const struct report_stage *a, const struct report_stage *b)
{
    return a->cost.parameters == b->cost.parameters && a->cost.work == b->cost.work &&
           a->cost.layers == b->cost.layers && a->blocks == b->blocks;
}

static void print_stage(const struct report_stage *a, const struct report_stage *b, FILE *stream)
{
    fprintf(stream, "stage %s\n", a->name);
    if (a->blocks != b->blocks)
        print_number("  blocks", a->blocks, b->blocks, stream);
    print_number("  layers", a->cost.layers, b->cost.layers, stream);
    print_number("  parameters", a->cost.parameters, b->cost.parameters, stream);
    print_gflops("  GFLOPs", a->cost.work, b->cost.work, stream);
}

static void print_stages(const struct diff *diff, FILE *stream)
{
    for (size_t i = 0; i < diff->a->stages.count; i++) {
        const struct report_stage *a = &diff->a->stages.items[i];
        const struct report_stage *b = find_stage(diff->b, a->name);

        if (b && !same_cost(a, b))
            print_stage(a, b, stream);
    }
}

/* ---- layers ---- */

/* A line of the list: one difference, or an equal one of several blocks of a stage. */
struct line {
    const char *stage;  /* NULL outside of stages */
    const char *text;   /* without the block's name */
    const char *blocks; /* "0, 2-5" */
    char sign;
    long run_begin, run_end; /* blocks that `blocks` does not say yet */
};

/* "conv1: 3x3, 64", "gate linear: 10", "relu after bn1": the kind is said unless the name does. */
static const char *line_text(const struct difference *difference, size_t prefix,
                             struct arena *arena)
{
    const char *rest = difference->place + prefix + (difference->place[prefix] == '.');
    const char *last = strrchr(rest, '.');
    bool says_kind;

    if (difference->is_block)
        return "the whole block";
    last = last ? last + 1 : rest;
    says_kind =
        strstr(rest, " after ") || strncmp(last, difference->op, strlen(difference->op)) == 0;
    return arena_format(arena, "%s%s%s%s%s", rest, says_kind ? "" : " ",
                        says_kind ? "" : difference->op, *difference->detail ? ": " : "",
                        difference->detail);
}

static void end_run(struct line *line, struct arena *arena)
{
    const char *range = line->run_begin == line->run_end
                            ? arena_format(arena, "%ld", line->run_begin)
                            : arena_format(arena, "%ld-%ld", line->run_begin, line->run_end);

    line->blocks = line->blocks ? arena_format(arena, "%s, %s", line->blocks, range) : range;
}

/* Lines by what they say of which stage, in the order of the first. */
struct lines {
    struct arena arena;
    struct table numbers;
    VECTOR(struct line) items;
};

static void add_line(struct lines *lines, const struct difference *difference)
{
    static const char signs[] = {
        [DIFFERENCE_ONLY_A] = '-', [DIFFERENCE_ONLY_B] = '+', [DIFFERENCE_CHANGED] = '~'};
    struct arena *arena = &lines->arena;
    struct line line = {.sign = signs[difference->kind]};
    struct stage_path place = {0};
    const bool in_block = stage_path_read(
        difference->is_block ? arena_format(arena, "%s.", difference->name) : difference->name,
        &place);
    const struct table_entry *entry;
    const char *key;

    if (in_block) {
        const size_t skipped = place.stage > 0 ? place.stage + 1 : 0;

        line.stage = arena_copy_text(arena, difference->name, place.stage);
        line.run_begin = line.run_end = strtol(difference->name + skipped, NULL, 10);
    }
    line.text = line_text(difference, in_block ? place.block : 0, arena);
    key = arena_format(arena, "%c%s\n%s", line.sign, line.stage ? line.stage : "", line.text);
    entry = table_find(&lines->numbers, key, strlen(key));
    if (!entry || !in_block) {
        table_set(&lines->numbers, key, strlen(key), lines->items.count);
        vector_push(&lines->items, arena, line);
    } else if (lines->items.items[entry->value].run_end + 1 == line.run_begin) {
        lines->items.items[entry->value].run_end++;
    } else {
        end_run(&lines->items.items[entry->value], arena);
        lines->items.items[entry->value].run_begin = line.run_begin;
        lines->items.items[entry->value].run_end = line.run_end;
    }
}

static void print_lines(struct lines *lines, FILE *stream)
{
    for (size_t i = 0; i < lines->items.count; i++) {
        struct line *line = &lines->items.items[i];

        if (line->stage) {
            end_run(line, &lines->arena);
            fprintf(stream, "%c %s%s%s  %s\n", line->sign, line->stage, *line->stage ? "." : "",
                    line->blocks, line->text);
        } else {
            fprintf(stream, "%c %s\n", line->sign, line->text);
        }
    }
}

void diff_print(const struct diff *diff, const char *name_a, const char *name_b, FILE *stream)
{
    struct lines lines = {0};

    fprintf(stream, "A  %s\nB  %s\n\n", name_a, name_b);
    print_totals(diff, stream);
    print_stages(diff, stream);
    lines.numbers.arena = &lines.arena;
    for (size_t i = 0; i < diff->items.count; i++)
        add_line(&lines, &diff->items.items[i]);
    fprintf(stream, diff->items.count > 0 ? "\n" : "\nno layer differs\n");
    print_lines(&lines, stream);
    arena_release(&lines.arena);
}
