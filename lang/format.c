/* The formatter's order of work, and printing.
 *
 * Aligning may make a line too long, and breaking it changes what is aligned: both are repeated
 * until nothing breaks any more. Breaks are only ever added, so this ends. */
#include "lang/format.h"

#include <string.h>

#include "lang/format_item.h"
#include "lang/parser.h"

enum { COMMENT_DISTANCE = 3 }; /* blanks between code and a comment behind it */

/* A line as it will be printed. */
struct printed_line {
    struct text_builder text; /* without the comment behind it */
    const struct item *comment;
    int indent, width;
    bool blank; /* an empty line before it */
};

struct printing {
    const struct formatting *formatting;
    VECTOR(struct printed_line) lines;
};

static void begin_line(struct printing *printing, const struct item *item)
{
    struct arena *arena = printing->formatting->arena;
    struct printed_line line = {
        .text = {.arena = arena},
        .indent = item->indent,
        .width = item->indent,
        .blank = item->blank,
    };

    text_add(&line.text, "%*s", item->indent, "");
    vector_push(&printing->lines, arena, line);
}

static void print_item(struct printing *printing, size_t index)
{
    const struct formatting *formatting = printing->formatting;
    const struct item *item = &formatting->items.items[index];
    struct printed_line *line;

    if (item->breaks)
        begin_line(printing, item);
    line = &printing->lines.items[printing->lines.count - 1];
    if (item->kind == ITEM_COMMENT && !item->breaks) {
        line->comment = item;
        return;
    }
    if (!item->breaks)
        text_add(&line->text, "%*s", item->space + item->pad, "");
    text_add_bytes(&line->text, item->text, item->length);
    if (item->list != NO_ITEM && formatting->items.items[item->list].hangs)
        text_add(&line->text, ",");
    line->width += item->breaks ? item->width : item_width(formatting, index);
}

/* Whether the comment behind line `index` aligns with that behind `first`, all between doing so:
 * lines of one indentation without an empty one between. */
static bool continues_comments(const struct printing *printing, size_t first, size_t index)
{
    const struct printed_line *line = &printing->lines.items[index];

    return line->comment && line->indent == printing->lines.items[first].indent &&
           (index == first || !line->blank);
}

/* The width of the widest of the lines from `first` on that have comments behind them. */
static int widest_commented(const struct printing *printing, size_t first)
{
    int widest = 0;

    for (size_t i = first; i < printing->lines.count; i++) {
        const struct printed_line *line = &printing->lines.items[i];
        if (!continues_comments(printing, first, i))
            break;
        widest = line->width > widest ? line->width : widest;
    }
    return widest;
}

static void write_lines(const struct printing *printing, struct text_builder *out)
{
    size_t first = 0; /* line of the group of comments at hand */
    int widest = 0;

    for (size_t i = 0; i < printing->lines.count; i++) {
        const struct printed_line *line = &printing->lines.items[i];
        if (widest == 0 || !continues_comments(printing, first, i)) {
            first = i;
            widest = widest_commented(printing, i);
        }
        text_add(out, line->blank ? "\n" : "");
        text_add_bytes(out, line->text.data, line->text.length);
        if (line->comment) {
            text_add(out, "%*s", widest - line->width + COMMENT_DISTANCE, "");
            text_add_bytes(out, line->comment->text, line->comment->length);
        }
        text_add(out, "\n");
    }
}

bool format_source(struct source_set *sources, struct diagnostics *diagnostics, uint32_t source,
                   struct text_builder *out)
{
    struct formatting formatting = {
        .arena = sources->arena,
        .source = sources->sources.items[source],
    };
    struct printing printing = {.formatting = &formatting};
    struct recording recording = {0};
    const size_t errors = diagnostics->error_count;

    parse_recorded(sources, diagnostics, source, &recording);
    if (diagnostics->error_count > errors)
        return false;
    format_collect(&formatting, &recording);
    do {
        formatting.changed = false;
        format_align(&formatting);
        format_layout(&formatting);
    } while (formatting.changed);
    for (size_t i = 0; i < formatting.items.count; i++)
        print_item(&printing, i);
    write_lines(&printing, out);
    return true;
}
