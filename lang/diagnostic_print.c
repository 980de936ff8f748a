/* Printing diagnostics: header, place, the source line, its underline, notes.
 *
 * A line is shown as the characters a terminal will draw (tabs as spaces, what is not printable
 * replaced), and the underline is measured in drawn columns, so that it stands under its text. Of
 * a very long line only the surroundings of the underline are shown. */
#include <stdlib.h>
#include <string.h>

#include "lang/diagnostic.h"

enum {
    TAB_WIDTH = 4,
    LONGEST_SHOWN = 160, /* columns of a source line */
    BEFORE_UNDERLINE = 60,
};

struct printer {
    const struct diagnostics *diagnostics;
    FILE *stream;
    bool color;
    int gutter; /* digits of the largest line number of this diagnostic */
};

/* One character of a source line. */
struct glyph {
    size_t size; /* bytes */
    int width;   /* columns when drawn */
    bool hidden; /* not to be sent to a terminal as it is */
};

struct range {
    uint32_t first, last;
};

static bool is_within(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* Controls, also those that reverse the direction of writing. */
static bool is_hidden(uint32_t code)
{
    static const struct range ranges[] = {
        {0, 0x1f}, {0x7f, 0x9f}, {0x200e, 0x200f}, {0x202a, 0x202e}, {0x2066, 0x2069},
    };
    return is_within(code, ranges, countof(ranges));
}

static int width_of(uint32_t code)
{
    static const struct range none[] = {{0x300, 0x36f}, {0x200b, 0x200d}, {0xfe00, 0xfe0f}};
    static const struct range two[] = {
        {0x1100, 0x115f},   {0x2e80, 0xa4cf},   {0xac00, 0xd7a3}, {0xf900, 0xfaff},
        {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
        {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };
    if (code < 0x300)
        return 1;
    if (is_within(code, none, countof(none)))
        return 0;
    return is_within(code, two, countof(two)) ? 2 : 1;
}

static struct glyph glyph_at(const char *text, size_t length)
{
    unsigned char first = (unsigned char)text[0];
    size_t size = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t code = size == 1 ? first : first & (0xffu >> (size + 1));

    if (first == '\t')
        return (struct glyph){.size = 1, .width = TAB_WIDTH};
    if (size > length)
        return (struct glyph){.size = 1, .width = 1, .hidden = true};
    for (size_t i = 1; i < size; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return (struct glyph){.size = 1, .width = 1, .hidden = true};
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    }
    if (is_hidden(code))
        return (struct glyph){.size = size, .width = 1, .hidden = true};
    return (struct glyph){.size = size, .width = width_of(code)};
}

/* The columns that the first `length` bytes take. */
static int columns(const char *text, size_t length)
{
    int width = 0;

    for (size_t i = 0; i < length;) {
        struct glyph glyph = glyph_at(text + i, length - i);
        width += glyph.width;
        i += glyph.size;
    }
    return width;
}

static void print_glyphs(FILE *stream, const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        struct glyph glyph = glyph_at(text + i, length - i);
        if (text[i] == '\t')
            fprintf(stream, "%*s", TAB_WIDTH, "");
        else if (glyph.hidden)
            fputs("\xef\xbf\xbd", stream);
        else
            fwrite(text + i, 1, glyph.size, stream);
        i += glyph.size;
    }
}

/* What is shown of a line: the bytes [begin, end), with the underline at [from, to). */
struct window {
    size_t begin, end, from, to;
};

static bool is_inside_character(const char *text, size_t at)
{
    return ((unsigned char)text[at] & 0xc0) == 0x80;
}

static struct window window_around(const char *line, size_t length, size_t from, size_t to)
{
    struct window window = {.end = length, .from = from, .to = to};

    if (length <= LONGEST_SHOWN)
        return window;
    window.begin = from > BEFORE_UNDERLINE ? from - BEFORE_UNDERLINE : 0;
    if (length - window.begin > LONGEST_SHOWN)
        window.end = window.begin + LONGEST_SHOWN;
    while (window.begin < from && is_inside_character(line, window.begin))
        window.begin++;
    while (window.end < length && is_inside_character(line, window.end))
        window.end++;
    window.to = to < window.end ? to : window.end;
    return window;
}

static const char *style(const struct printer *printer, const char *escape)
{
    return printer->color ? escape : "";
}

static const char RED[] = "\033[1;31m", YELLOW[] = "\033[1;33m", BLUE[] = "\033[1;34m",
                  BOLD[] = "\033[1m", PLAIN[] = "\033[0m";

static void print_gutter(const struct printer *printer, const char *number, const char *bar)
{
    fprintf(printer->stream, "%s %*s %s%s", style(printer, BLUE), printer->gutter, number, bar,
            style(printer, PLAIN));
}

static void print_underline(const struct printer *printer, const char *line, struct window window,
                            char mark, const char *color, const char *label)
{
    int indent = columns(line + window.begin, window.from - window.begin) + (window.begin ? 3 : 0);
    int width = columns(line + window.from, window.to - window.from);

    print_gutter(printer, "", "|");
    fprintf(printer->stream, " %*s%s", indent, "", style(printer, color));
    for (int i = 0; i < (width > 0 ? width : 1); i++)
        putc(mark, printer->stream);
    if (label)
        fprintf(printer->stream, " %s", label);
    fprintf(printer->stream, "%s\n", style(printer, PLAIN));
}

/* Place, source line and underline of one span; only the first line of a longer one. */
static void print_place(const struct printer *printer, struct span span, char mark,
                        const char *color, const char *label)
{
    const struct source *source = printer->diagnostics->sources->sources.items[span.source];
    struct position position = source_position(source, span.begin);
    size_t length;
    const char *line = source_line(source, span.begin, &length);
    size_t from = span.begin - (size_t)(line - source->text);
    size_t to = span.end - (size_t)(line - source->text);
    char number[16];

    from = from < length ? from : length;
    struct window window = window_around(line, length, from, to < length ? to : length);
    snprintf(number, sizeof number, "%u", position.line);
    fprintf(printer->stream, "%s%*s-->%s %s:%u:%u\n", style(printer, BLUE), printer->gutter + 1, "",
            style(printer, PLAIN), source->path, position.line, position.column);
    print_gutter(printer, "", "|\n");
    print_gutter(printer, number, "|");
    fprintf(printer->stream, " %s", window.begin ? "..." : "");
    print_glyphs(printer->stream, line + window.begin, window.end - window.begin);
    fprintf(printer->stream, "%s\n", window.end < length ? "..." : "");
    print_underline(printer, line, window, mark, color, label);
}

static int gutter_of(const struct diagnostics *diagnostics, struct span span)
{
    int digits = 1;

    if (span.source == 0)
        return digits;
    const struct source *source = diagnostics->sources->sources.items[span.source];
    for (uint32_t line = source_position(source, span.begin).line; line >= 10; line /= 10)
        digits++;
    return digits;
}

static void print_notes(const struct printer *printer, const struct diagnostic *diagnostic)
{
    for (size_t i = 0; i < diagnostic->notes.count; i++) {
        const struct note *note = &diagnostic->notes.items[i];
        if (note->span.source != 0)
            continue;
        print_gutter(printer, "", "=");
        fprintf(printer->stream, " %s: %s\n", note->is_help ? "help" : "note", note->text);
    }
    for (size_t i = 0; i < diagnostic->notes.count; i++) {
        const struct note *note = &diagnostic->notes.items[i];
        if (note->span.source == 0)
            continue;
        fprintf(printer->stream, "%snote%s: %s\n", style(printer, BOLD), style(printer, PLAIN),
                note->text);
        print_place(printer, note->span, '-', BLUE, NULL);
    }
}

static void print_one(struct printer *printer, const struct diagnostic *diagnostic)
{
    bool is_error = diagnostic->severity == SEVERITY_ERROR;
    const char *color = is_error ? RED : YELLOW;

    printer->gutter = gutter_of(printer->diagnostics, diagnostic->span);
    for (size_t i = 0; i < diagnostic->notes.count; i++) {
        int gutter = gutter_of(printer->diagnostics, diagnostic->notes.items[i].span);
        printer->gutter = gutter > printer->gutter ? gutter : printer->gutter;
    }
    fprintf(printer->stream, "%s%s[%s]%s: %s%s%s\n", style(printer, color),
            is_error ? "error" : "warning", diagnostic->code, style(printer, PLAIN),
            style(printer, BOLD), diagnostic->text, style(printer, PLAIN));
    if (diagnostic->span.source != 0)
        print_place(printer, diagnostic->span, '^', color, diagnostic->label);
    print_notes(printer, diagnostic);
    putc('\n', printer->stream);
}

/* A diagnostic and when it was added, which orders those of one place. */
struct placed {
    const struct diagnostic *diagnostic;
    size_t index;
};

static int compare_numbers(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_places(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;
    const struct span *s = &a->diagnostic->span, *t = &b->diagnostic->span;
    int order = compare_numbers(s->source, t->source);

    if (order == 0)
        order = compare_numbers(s->begin, t->begin);
    return order != 0 ? order : compare_numbers(a->index, b->index);
}

static void print_count(const struct diagnostics *diagnostics, size_t warnings, FILE *stream)
{
    size_t errors = diagnostics->error_count;
    size_t shown = diagnostics->items.count - warnings;

    if (errors > 0)
        fprintf(stream, "%zu error%s", errors, errors == 1 ? "" : "s");
    if (errors > shown)
        fprintf(stream, ", the first %zu shown", shown);
    if (warnings > 0)
        fprintf(stream, "%s%zu warning%s", errors > 0 ? ", " : "", warnings,
                warnings == 1 ? "" : "s");
    if (errors + warnings > 0)
        putc('\n', stream);
}

const struct diagnostic *const *diagnostics_sort(const struct diagnostics *diagnostics)
{
    size_t count = diagnostics->items.count;
    struct placed *placed = ARENA_ARRAY(diagnostics->arena, struct placed, count);
    const struct diagnostic **sorted =
        ARENA_ARRAY(diagnostics->arena, const struct diagnostic *, count);

    for (size_t i = 0; i < count; i++)
        placed[i] = (struct placed){.diagnostic = diagnostics->items.items[i], .index = i};
    qsort(placed, count, sizeof *placed, compare_places);
    for (size_t i = 0; i < count; i++)
        sorted[i] = placed[i].diagnostic;
    return sorted;
}

void diagnostics_print(const struct diagnostics *diagnostics, FILE *stream, bool color)
{
    struct printer printer = {.diagnostics = diagnostics, .stream = stream, .color = color};
    const struct diagnostic *const *sorted = diagnostics_sort(diagnostics);
    size_t warnings = 0;

    for (size_t i = 0; i < diagnostics->items.count; i++) {
        print_one(&printer, sorted[i]);
        warnings += sorted[i]->severity == SEVERITY_WARNING;
    }
    print_count(diagnostics, warnings, stream);
}
