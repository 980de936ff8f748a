/* Breaks lines that are too long, and indents.
 *
 * Inside brackets a line begins below the first thing in them, or, if the bracket hangs, four
 * columns right of the line that opened it; outside, four columns right of its statement. A line
 * that is too long breaks where that tears apart least: behind the `=` of a statement, else at the
 * outermost place, there at the loosest operator, there as late as fits. Elements that would not
 * fit below each other make their bracket hang. */
#include "lang/format_item.h"
#include "lang/parser.h"

/* An open bracket. */
struct frame {
    size_t open;
    int base;   /* column of what stands in it, unless it hangs */
    int indent; /* of the line that opened it */
};

struct layout {
    struct formatting *formatting;
    const struct item *items;
    const struct statement *statement;
    VECTOR(struct frame) frames; /* those open where the line begins */
};

/* A place where a line may break, and how good it is. */
struct candidate {
    size_t index;
    int depth; /* of brackets, relative to the beginning of the line */
    enum break_rank rank;
};

/* The part of a line that fits. */
struct prefix {
    struct candidate best; /* index NO_ITEM if there is none */
    struct candidate open; /* the outermost bracket that could hang */
    bool overflows;        /* the line goes on behind it */
};

/* ---- indentation ---- */

/* The first item from `index` on that is no comment. */
static size_t token_at(const struct layout *layout, size_t index)
{
    while (index < layout->statement->end && layout->items[index].kind == ITEM_COMMENT)
        index++;
    return index < layout->statement->end ? index : NO_ITEM;
}

/* Whether a line that begins with `index` goes on with an element of the list `open`. */
static bool continues_element(const struct layout *layout, size_t open, size_t index)
{
    const struct item *items = layout->items;
    size_t token = token_at(layout, index), before = index - 1;

    if (!items[open].is_several || token == items[open].partner)
        return false;
    while (before > open && items[before].kind == ITEM_COMMENT)
        before--;
    return before != open && items[before].kind != TOKEN_COMMA;
}

static int indent_outside(const struct layout *layout, size_t index)
{
    const struct statement *statement = layout->statement;
    const size_t token = token_at(layout, index);
    int indent = statement->depth * INDENT;

    if (index == statement->begin)
        return indent;
    if (token != NO_ITEM && layout->items[statement->begin].kind == TOKEN_IF &&
        (layout->items[token].kind == TOKEN_THEN || layout->items[token].kind == TOKEN_ELSE))
        return indent;
    return indent + INDENT;
}

static int indent_of(const struct layout *layout, size_t index)
{
    const struct frame *frame;
    int indent;

    if (layout->frames.count == 0)
        return indent_outside(layout, index);
    frame = &layout->frames.items[layout->frames.count - 1];
    if (index == layout->items[frame->open].partner)
        return frame->indent;
    indent = layout->items[frame->open].hangs ? frame->indent + INDENT : frame->base;
    return continues_element(layout, frame->open, index) ? indent + INDENT : indent;
}

/* ---- breaking ---- */

static bool is_better(const struct candidate *a, const struct candidate *b)
{
    if (b->index == NO_ITEM || a->depth != b->depth)
        return b->index == NO_ITEM || a->depth < b->depth;
    return a->rank <= b->rank;
}

static bool is_opener(const struct item *item, size_t index)
{
    return item->partner != NO_ITEM && item->partner > index;
}

static bool can_hang(const struct item *item, size_t index)
{
    return is_opener(item, index) && !item->hangs && item->kind != TOKEN_LABEL &&
           (item->is_list || !item->is_postfix) && item->partner > index + 1;
}

static struct prefix find_prefix(const struct layout *layout, size_t begin, int column)
{
    struct prefix prefix = {.best.index = NO_ITEM, .open.index = NO_ITEM};
    int depth = 0;

    for (size_t i = begin; i < layout->statement->end; i++) {
        const struct item *item = &layout->items[i];
        const struct candidate here = {.index = i, .depth = depth, .rank = item->rank};
        if (i > begin && (item->breaks || item->kind == ITEM_COMMENT))
            return prefix;
        if (i > begin && item->rank != BREAK_NEVER && is_better(&here, &prefix.best))
            prefix.best = here;
        column += i == begin ? item->width : item_width(layout->formatting, i);
        if (column > LINE_LIMIT) {
            prefix.overflows = true;
            return prefix;
        }
        if (can_hang(item, i) && (prefix.open.index == NO_ITEM || depth < prefix.open.depth))
            prefix.open = here;
        depth += is_opener(item, i);
        depth -= item->partner != NO_ITEM && item->partner < i;
    }
    return prefix;
}

static void add_break(struct layout *layout, size_t index)
{
    layout->formatting->items.items[index].breaks = true;
    layout->formatting->changed = true;
}

static void hang(struct layout *layout, size_t open)
{
    layout->formatting->items.items[open].hangs = true;
    add_break(layout, open + 1);
    add_break(layout, layout->items[open].partner);
}

/* Whether the value behind the statement's `=` has an operator outside all brackets. */
static bool has_operator(const struct layout *layout)
{
    for (size_t i = layout->statement->equals + 1; i < layout->statement->end; i++) {
        if (layout->items[i].rank != BREAK_NEVER)
            return true;
        if (is_opener(&layout->items[i], i))
            i = layout->items[i].partner;
    }
    return false;
}

/* Whether the line from `begin` breaks best behind the `=`. */
static bool breaks_at_equals(const struct layout *layout, size_t begin)
{
    const struct statement *statement = layout->statement;
    const size_t value = statement->equals + 1;

    if (begin != statement->begin || statement->equals == NO_ITEM || value >= statement->end ||
        layout->items[value].breaks || layout->items[value].kind == ITEM_COMMENT)
        return false;
    for (size_t i = begin + 1; i < value; i++)
        if (layout->items[i].breaks)
            return false;
    return layout->items[begin].kind == TOKEN_BLOCK || has_operator(layout);
}

/* The column behind `open` in the line from `begin`. */
static int column_behind(const struct layout *layout, size_t begin, int indent, size_t open)
{
    int column = indent + layout->items[begin].width;

    for (size_t i = begin + 1; i <= open; i++)
        column += item_width(layout->formatting, i);
    return column;
}

/* Whether the elements of `open` from `index` on fit, each on a line from `column`. */
static bool elements_fit(const struct layout *layout, size_t open, size_t index, int column)
{
    const size_t close = layout->items[open].partner;
    int depth = 0, width = 0;

    for (size_t i = index; i < close; i++) {
        const struct item *item = &layout->items[i];
        const bool begins = item->breaks || (depth == 0 && item->rank == BREAK_ELEMENT);
        width = begins || i == index ? item->width : width + item_width(layout->formatting, i);
        if (column + width > LINE_LIMIT)
            return false;
        depth += is_opener(item, i);
        depth -= item->partner != NO_ITEM && item->partner < i;
    }
    return true;
}

/* The bracket around `index` that was opened in the line from `begin`, or NO_ITEM. */
static size_t enclosing(const struct layout *layout, size_t begin, size_t index)
{
    while (index-- > begin) {
        const struct item *item = &layout->items[index];
        if (is_opener(item, index))
            return index;
        if (item->partner == NO_ITEM)
            continue;
        if (item->partner < begin)
            return NO_ITEM;
        index = item->partner;
    }
    return NO_ITEM;
}

/* The outermost list around `index` that was opened in the line and could hang, if the bracket
 * right around `index` is another; else NO_ITEM. */
static size_t outer_list(const struct layout *layout, size_t begin, size_t index)
{
    const size_t innermost = enclosing(layout, begin, index);
    size_t found = NO_ITEM;

    for (size_t open = innermost; open != NO_ITEM; open = enclosing(layout, begin, open))
        if (layout->items[open].is_list && can_hang(&layout->items[open], open))
            found = open;
    return found == innermost ? NO_ITEM : found;
}

/* Whether what follows a break fits below what its bracket holds before it; elements that do not
 * make the bracket hang. */
static bool stays_aligned(const struct layout *layout, size_t begin, int indent,
                          const struct candidate *candidate)
{
    const size_t open = enclosing(layout, begin, candidate->index);

    if (candidate->rank != BREAK_ELEMENT || open == NO_ITEM ||
        !can_hang(&layout->items[open], open))
        return true;
    return elements_fit(layout, open, candidate->index,
                        column_behind(layout, begin, indent, open));
}

/* Breaks the line from `begin` once; false if it fits or can't be broken. */
static bool split(struct layout *layout, size_t begin, int indent)
{
    const struct prefix prefix = find_prefix(layout, begin, indent);
    const size_t best = prefix.best.index;
    size_t open;

    if (!prefix.overflows)
        return false;
    if (breaks_at_equals(layout, begin)) {
        add_break(layout, layout->statement->equals + 1);
        return true;
    }
    if (best == NO_ITEM) {
        open = prefix.open.index;
    } else {
        open = outer_list(layout, begin, best);
        if (open == NO_ITEM && !stays_aligned(layout, begin, indent, &prefix.best))
            open = enclosing(layout, begin, best);
    }
    if (open != NO_ITEM)
        hang(layout, open);
    else if (best != NO_ITEM)
        add_break(layout, best);
    return open != NO_ITEM || best != NO_ITEM;
}

/* ---- walking ---- */

/* Takes account of the brackets in a line; returns the item behind it. */
static size_t finish_line(struct layout *layout, size_t begin, int indent)
{
    int column = indent;
    size_t i = begin;

    do {
        const struct item *item = &layout->items[i];
        column += i == begin ? item->width : item_width(layout->formatting, i);
        if (is_opener(item, i)) {
            struct frame frame = {.open = i, .base = column, .indent = indent};
            vector_push(&layout->frames, layout->formatting->arena, frame);
        } else if (item->partner != NO_ITEM) {
            layout->frames.count--;
        }
        i++;
    } while (i < layout->statement->end && !layout->items[i].breaks);
    return i;
}

static void lay_out_statement(struct formatting *formatting, const struct statement *statement)
{
    struct layout layout = {
        .formatting = formatting,
        .items = formatting->items.items,
        .statement = statement,
    };

    for (size_t i = statement->begin; i < statement->end;) {
        int indent = indent_of(&layout, i);
        formatting->items.items[i].indent = indent;
        while (split(&layout, i, indent))
            continue;
        i = finish_line(&layout, i, indent);
    }
}

void format_layout(struct formatting *formatting)
{
    for (size_t i = 0; i < formatting->statements.count; i++)
        lay_out_statement(formatting, &formatting->statements.items[i]);
}
