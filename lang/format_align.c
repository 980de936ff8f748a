/* Alignment of what stands on lines below each other:
 *
 *   - the `=` of settings, arms, lets and outputs, and of arguments that have a line each;
 *   - the `>>` of lines of a chain that have equally many;
 *   - `then` and what follows `else` in an `if` of several cases, a line each. */
#include "lang/format_item.h"
#include "lang/parser.h"

/* A line of a statement, outside all brackets from end to end. */
struct table_line {
    size_t begin, end;  /* without its comment */
    int chain_count;    /* `>>` inside the line; -1 if it holds other operators too */
    size_t then;        /* its first `then`, or NO_ITEM */
    bool is_outside;    /* begins and ends outside all brackets */
};

static int width_between(const struct formatting *formatting, size_t begin, size_t end)
{
    int width = begin < end ? formatting->items.items[begin].width : 0;

    for (size_t i = begin + 1; i < end; i++)
        width += item_width(formatting, i);
    return width;
}

static bool is_opener(const struct item *items, size_t index)
{
    return items[index].partner != NO_ITEM && items[index].partner > index;
}

/* ---- the `=` of statements ---- */

/* Statements align with those of their kind. */
static int kind_of(const struct formatting *formatting, const struct statement *statement)
{
    int kind = formatting->items.items[statement->begin].kind;

    return kind == TOKEN_LET || kind == TOKEN_OUTPUT || kind == TOKEN_NAME ? kind : ITEM_COMMENT;
}

/* Whether a statement's `=` may align: its line does not end in `=` or in an open bracket. */
static bool can_align(const struct formatting *formatting, const struct statement *statement)
{
    const struct item *items = formatting->items.items;

    if (statement->equals == NO_ITEM || kind_of(formatting, statement) == ITEM_COMMENT ||
        items[statement->equals + 1].breaks ||
        items[statement->equals + 1].kind == ITEM_COMMENT)
        return false;
    for (size_t i = statement->begin + 1; i < statement->end; i++) {
        if (items[i].breaks)
            return i > statement->equals;
        if (items[i].hangs)
            return false;
    }
    return true;
}

static bool is_comment(const struct formatting *formatting, const struct statement *statement)
{
    return formatting->items.items[statement->begin].kind == ITEM_COMMENT;
}

/* The end of the group that the statement `first` begins; comments may lie between. */
static size_t group_end(const struct formatting *formatting, size_t first)
{
    const struct statement *statements = formatting->statements.items;
    size_t end = first + 1;

    for (size_t i = end; i < formatting->statements.count; i++) {
        if (formatting->items.items[statements[i].begin].blank)
            break;
        if (is_comment(formatting, &statements[i]))
            continue;
        if (!can_align(formatting, &statements[i]) ||
            kind_of(formatting, &statements[i]) != kind_of(formatting, &statements[first]))
            break;
        end = i + 1;
    }
    return end;
}

static void align_statements(struct formatting *formatting)
{
    const struct statement *statements = formatting->statements.items;
    size_t end;

    for (size_t first = 0; first < formatting->statements.count; first = end) {
        int widest = 0;
        end = first + 1;
        if (!can_align(formatting, &statements[first]))
            continue;
        end = group_end(formatting, first);
        for (size_t i = first; i < end; i++) {
            int width = is_comment(formatting, &statements[i])
                            ? 0
                            : width_between(formatting, statements[i].begin, statements[i].equals);
            widest = width > widest ? width : widest;
        }
        for (size_t i = first; i < end; i++)
            if (!is_comment(formatting, &statements[i]))
                formatting->items.items[statements[i].equals].pad =
                    widest - width_between(formatting, statements[i].begin, statements[i].equals);
    }
}

/* ---- the `=` of arguments ---- */

/* The end of the element at `index`: its comma, or the bracket that closes the list. */
static size_t element_end(const struct formatting *formatting, size_t index, size_t close)
{
    const struct item *items = formatting->items.items;

    while (index < close && items[index].kind != TOKEN_COMMA)
        index = is_opener(items, index) ? items[index].partner + 1 : index + 1;
    return index;
}

/* Whether the items [begin, end) are an argument `name = value` on a line of its own. */
static bool is_argument_line(const struct formatting *formatting, size_t begin, size_t end)
{
    const struct item *items = formatting->items.items;

    if (!items[begin].breaks || items[begin].kind != TOKEN_NAME ||
        items[begin + 1].kind != TOKEN_ASSIGN)
        return false;
    for (size_t i = begin + 1; i < end; i++)
        if (items[i].breaks)
            return false;
    end += items[end].kind == TOKEN_COMMA;
    return items[end].breaks ||
           (items[end].kind == ITEM_COMMENT && items[end].lines_before == 0);
}

/* Pads the `=` of the argument lines [first, end), which begin at `starts`. */
static void pad_arguments(struct formatting *formatting, const size_t *starts, size_t count)
{
    struct item *items = formatting->items.items;
    int widest = 0;

    for (size_t i = 0; i < count; i++)
        widest = items[starts[i]].width > widest ? items[starts[i]].width : widest;
    for (size_t i = 0; i < count; i++)
        items[starts[i] + 1].pad = widest - items[starts[i]].width;
}

static void align_arguments(struct formatting *formatting, size_t open)
{
    const struct item *items = formatting->items.items;
    const size_t close = items[open].partner;
    VECTOR(size_t) starts = {0};

    for (size_t begin = open + 1; begin < close;) {
        if (items[begin].kind == ITEM_COMMENT) {
            begin++;
            continue;
        }
        size_t end = element_end(formatting, begin, close);
        bool is_line = is_argument_line(formatting, begin, end);
        if (!is_line || items[begin].blank) {
            pad_arguments(formatting, starts.items, starts.count);
            starts.count = 0;
        }
        if (is_line)
            vector_push(&starts, formatting->arena, begin);
        begin = end + 1;
    }
    pad_arguments(formatting, starts.items, starts.count);
}

/* ---- tables in a statement ---- */

static struct table_line read_line(const struct formatting *formatting,
                                   const struct statement *statement, size_t begin, int *depth)
{
    const struct item *items = formatting->items.items;
    struct table_line line = {.begin = begin, .end = begin, .then = NO_ITEM};

    line.is_outside = *depth == 0;
    for (size_t i = begin; i < statement->end && (i == begin || !items[i].breaks); i++) {
        if (items[i].kind == ITEM_COMMENT)
            break;
        *depth += is_opener(items, i);
        *depth -= items[i].partner != NO_ITEM && items[i].partner < i;
        line.end = i + 1;
        if (*depth > 0 || i == begin)
            continue;
        if (items[i].kind == TOKEN_THEN && line.then == NO_ITEM)
            line.then = i;
        if (items[i].rank == BREAK_CHAIN && line.chain_count >= 0)
            line.chain_count++;
        else if (items[i].rank != BREAK_NEVER || items[i].kind == TOKEN_ASSIGN)
            line.chain_count = -1;
    }
    line.is_outside &= *depth == 0;
    return line;
}

/* The item after the `>>` that is number `count` (from 1) of those outside brackets, and not the
 * last of the line; NO_ITEM if there is none. */
static size_t chain_cell(const struct formatting *formatting, const struct table_line *line,
                         int count)
{
    const struct item *items = formatting->items.items;

    for (size_t i = line->begin; i < line->end; i++) {
        if (i > line->begin && items[i].rank == BREAK_CHAIN && --count == 0)
            return i;
        if (is_opener(items, i))
            i = items[i].partner;
    }
    return NO_ITEM;
}

/* Pads the `>>` number `column` of all lines to the same column. */
static void pad_chains(struct formatting *formatting, const struct table_line *lines, size_t count,
                       int column)
{
    int widest = 0;

    for (size_t i = 0; i < count; i++) {
        size_t behind = chain_cell(formatting, &lines[i], column);
        int width = width_between(formatting, lines[i].begin, behind);
        widest = width > widest ? width : widest;
    }
    for (size_t i = 0; i < count; i++) {
        size_t behind = chain_cell(formatting, &lines[i], column);
        formatting->items.items[behind - 1].pad =
            widest - width_between(formatting, lines[i].begin, behind);
    }
}

static bool lines_fit(const struct formatting *formatting, const struct table_line *lines,
                      size_t count, int indent)
{
    for (size_t i = 0; i < count; i++)
        if (indent + width_between(formatting, lines[i].begin, lines[i].end) > LINE_LIMIT)
            return false;
    return true;
}

static void clear_pads(struct formatting *formatting, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        formatting->items.items[i].pad = 0;
}

/* Aligns the chain lines [first, ...) that are alike; returns the line behind them. */
static size_t align_chain(struct formatting *formatting, const struct table_line *lines,
                          size_t first, size_t count, int indent)
{
    size_t end = first;

    while (end < count && lines[end].is_outside &&
           lines[end].chain_count == lines[first].chain_count)
        end++;
    if (end < first + 2 || lines[first].chain_count < 1)
        return end > first ? end : first + 1;
    for (int column = 1; column <= lines[first].chain_count; column++)
        pad_chains(formatting, &lines[first], end - first, column);
    if (!lines_fit(formatting, &lines[first], end - first, indent))
        clear_pads(formatting, lines[first].begin, lines[end - 1].end);
    return end;
}

static bool begins_with(const struct formatting *formatting, const struct table_line *line,
                        int kind)
{
    return line->is_outside && formatting->items.items[line->begin].kind == kind;
}

/* Aligns the cases of an `if` that begins at the line `first`; returns the line behind it. */
static size_t align_cases(struct formatting *formatting, const struct table_line *lines,
                          size_t first, size_t count, int indent)
{
    struct item *items = formatting->items.items;
    size_t last = first + 1;
    int widest = 0;

    if (!begins_with(formatting, &lines[first], TOKEN_IF) || lines[first].then == NO_ITEM)
        return first + 1;
    while (last < count && begins_with(formatting, &lines[last], TOKEN_ELSE) &&
           items[lines[last].begin + 1].kind == TOKEN_IF && lines[last].then != NO_ITEM)
        last++;
    if (last == first + 1 || last == count || !begins_with(formatting, &lines[last], TOKEN_ELSE) ||
        items[lines[last].begin + 1].kind == TOKEN_IF || lines[last].end < lines[last].begin + 2)
        return last;
    for (size_t i = first; i < last; i++) {
        int width = width_between(formatting, lines[i].begin, lines[i].then);
        widest = width > widest ? width : widest;
    }
    for (size_t i = first; i < last; i++)
        items[lines[i].then].pad =
            widest - width_between(formatting, lines[i].begin, lines[i].then);
    items[lines[last].begin + 1].pad =
        widest + 1 + items[lines[first].then].width - items[lines[last].begin].width;
    if (!lines_fit(formatting, &lines[first], last + 1 - first, indent))
        clear_pads(formatting, lines[first].begin, lines[last].end);
    return last + 1;
}

static void align_lines(struct formatting *formatting, const struct statement *statement)
{
    const struct item *items = formatting->items.items;
    const int indent = (statement->depth + 1) * INDENT;
    VECTOR(struct table_line) lines = {0};
    int depth = 0;

    for (size_t i = statement->begin; i < statement->end; i++) {
        if (!items[i].breaks)
            continue;
        struct table_line line = read_line(formatting, statement, i, &depth);
        if (items[line.begin].kind != ITEM_COMMENT)
            vector_push(&lines, formatting->arena, line);
    }
    for (size_t i = 0; i < lines.count;)
        i = align_cases(formatting, lines.items, i, lines.count, indent);
    for (size_t i = 1; i < lines.count;)
        i = align_chain(formatting, lines.items, i, lines.count, indent);
}

void format_align(struct formatting *formatting)
{
    clear_pads(formatting, 0, formatting->items.count);
    align_statements(formatting);
    for (size_t i = 0; i < formatting->items.count; i++)
        if (formatting->items.items[i].hangs)
            align_arguments(formatting, i);
    for (size_t i = 0; i < formatting->statements.count; i++)
        align_lines(formatting, &formatting->statements.items[i]);
}
