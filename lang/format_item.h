/* What the parts of the formatter share: a text as items (tokens and comments) in statements.
 *
 * format_item.c makes items of a recording, format_align.c pads them, format_layout.c breaks long
 * lines and indents, format.c runs these until nothing breaks any more and prints.
 * Invariant: `breaks` is set on the first item of every line that is printed. */
#ifndef LANG_FORMAT_ITEM_H
#define LANG_FORMAT_ITEM_H

#include "lang/parse.h"

enum {
    ITEM_COMMENT = -1, /* beside enum rnet_tokentype */
    INDENT = 4,
    LINE_LIMIT = 100,
};

#define NO_ITEM SIZE_MAX

/* How much a break before an item tears apart, least first; BREAK_NEVER: none may stand there. */
enum break_rank {
    BREAK_NEVER,
    BREAK_ELEMENT,
    BREAK_ELSE,
    BREAK_THEN,
    BREAK_OR,
    BREAK_AND,
    BREAK_COMPARISON,
    BREAK_SUM,
    BREAK_PRODUCT,
    BREAK_CHAIN,
    BREAK_RANK_COUNT,
};

struct item {
    int kind; /* enum rnet_tokentype or ITEM_COMMENT */
    const char *text;
    size_t length;
    int width;            /* of the text, in columns */
    int lines_before;     /* line ends before it in the source */
    enum break_rank rank; /* of a break before it */
    bool space;           /* stands off the item before, on one line */
    bool breaks;          /* begins a line */
    bool blank;           /* an empty line lies before it */
    int pad;              /* further columns before it: alignment */
    int indent;           /* column of the line that it begins */

    /* brackets */
    size_t partner; /* the other bracket, or NO_ITEM */
    size_t list;    /* the list whose last element ends with this item, or NO_ITEM */
    bool is_postfix; /* an opening bracket that touches what it is applied to */
    bool is_list;   /* opens elements with commas between: parameters, arguments, a list, a map */
    bool is_several; /* of them there are at least two */
    bool hangs;     /* opens a block of lines, closed on a line of its own */
};

struct statement {
    size_t begin, end; /* items */
    size_t equals;     /* its `=` outside all brackets, or NO_ITEM */
    int depth;         /* bodies around it */
};

struct formatting {
    struct arena *arena;
    const struct source *source;
    VECTOR(struct item) items;
    VECTOR(struct statement) statements;
    bool changed; /* a break was added since it was last cleared */
};

/* What an item adds to its line, given that it does not begin it. */
static inline int item_width(const struct formatting *formatting, size_t index)
{
    const struct item *item = &formatting->items.items[index];
    const bool has_comma =
        item->list != NO_ITEM && formatting->items.items[item->list].hangs;

    return item->space + item->pad + item->width + has_comma;
}

/* Makes items and statements of what was recorded, with the author's breaks. */
void format_collect(struct formatting *formatting, const struct recording *recording);

/* Sets every `pad` for the breaks there are. */
void format_align(struct formatting *formatting);

/* Breaks lines that are too long and sets every `indent`. */
void format_layout(struct formatting *formatting);

#endif
