/* From a recording to items: where statements end, which brackets belong together, which of the
 * author's breaks stay.
 *
 * A break stays behind a comma, a binary operator or the `=` of a statement, and before `then` and
 * `else`; one before an operator moves behind it, together with comments that lie there. */
#include <string.h>

#include "lang/format_item.h"
#include "lang/parser.h"

/* The state while items are collected. */
struct collector {
    struct formatting *formatting;
    bool has_ended;   /* the next item begins a statement */
    int moved_lines;  /* line ends before the operator that came last: they go behind it */
    uint32_t offset;  /* behind the item that came last */
};

static struct item *last_item(const struct formatting *formatting)
{
    return &formatting->items.items[formatting->items.count - 1];
}

/* The nearest item before `index` that is no comment, or NO_ITEM. */
static size_t token_before(const struct formatting *formatting, size_t index)
{
    while (index > 0)
        if (formatting->items.items[--index].kind != ITEM_COMMENT)
            return index;
    return NO_ITEM;
}

static bool is_opening(int kind)
{
    return kind == TOKEN_OPEN_ROUND || kind == TOKEN_OPEN_SQUARE || kind == TOKEN_OPEN_MAP ||
           kind == TOKEN_LABEL;
}

static bool is_closing(int kind)
{
    return kind == TOKEN_CLOSE_ROUND || kind == TOKEN_CLOSE_SQUARE || kind == TOKEN_CLOSE_MAP;
}

static bool ends_operand(int kind)
{
    return is_closing(kind) || kind == TOKEN_NAME || kind == TOKEN_INTEGER ||
           kind == TOKEN_NUMBER || kind == TOKEN_TRUE || kind == TOKEN_FALSE;
}

/* A sign, where `before` is the token before it. */
static bool is_sign(int kind, int before)
{
    return kind == TOKEN_MINUS && !ends_operand(before);
}

/* The rank of a break behind a token, where `before` is the one before it. */
static enum break_rank rank_behind(int kind, int before)
{
    static const unsigned char ranks[] = {
        [TOKEN_COMMA] = BREAK_ELEMENT,
        [TOKEN_OR] = BREAK_OR,
        [TOKEN_AND] = BREAK_AND,
        [TOKEN_EQUAL] = BREAK_COMPARISON,
        [TOKEN_NOT_EQUAL] = BREAK_COMPARISON,
        [TOKEN_LESS] = BREAK_COMPARISON,
        [TOKEN_LESS_EQUAL] = BREAK_COMPARISON,
        [TOKEN_GREATER] = BREAK_COMPARISON,
        [TOKEN_GREATER_EQUAL] = BREAK_COMPARISON,
        [TOKEN_PLUS] = BREAK_SUM,
        [TOKEN_MINUS] = BREAK_SUM,
        [TOKEN_TIMES] = BREAK_PRODUCT,
        [TOKEN_DIVIDE] = BREAK_PRODUCT,
        [TOKEN_REMAINDER] = BREAK_PRODUCT,
        [TOKEN_THEN_BLOCK] = BREAK_CHAIN,
    };

    if (kind < 0 || (size_t)kind >= countof(ranks) || is_sign(kind, before))
        return BREAK_NEVER;
    return (enum break_rank)ranks[kind];
}

/* Tokens that end a line rather than begin one. */
static bool is_infix(int kind, int before)
{
    return rank_behind(kind, before) != BREAK_NEVER || kind == TOKEN_ASSIGN ||
           kind == TOKEN_COLON || kind == TOKEN_POWER || kind == TOKEN_RANGE ||
           kind == TOKEN_OPEN_BODY;
}

/* ---- from tokens and comments to items ---- */

static struct item make_item(const struct formatting *formatting, int kind, struct span span)
{
    struct item item = {
        .kind = kind,
        .text = formatting->source->text + span.begin,
        .length = span.end - span.begin,
        .partner = NO_ITEM,
        .list = NO_ITEM,
    };

    while (item.length > 0 && strchr(" \t\r", item.text[item.length - 1]))
        item.length--;
    for (size_t i = 0; i < item.length; i++)
        item.width += ((unsigned char)item.text[i] & 0xc0) != 0x80;
    return item;
}

static int count_lines(const struct collector *collector, struct span span)
{
    const char *text = collector->formatting->source->text;
    int count = 0;

    for (uint32_t at = collector->offset; at < span.begin; at++)
        count += text[at] == '\n';
    return count;
}

static void begin_statement(struct formatting *formatting)
{
    struct statement statement = {.begin = formatting->items.count, .equals = NO_ITEM};

    vector_push(&formatting->statements, formatting->arena, statement);
}

static void push_item(struct formatting *formatting, struct item item)
{
    vector_push(&formatting->items, formatting->arena, item);
    formatting->statements.items[formatting->statements.count - 1].end = formatting->items.count;
}

static void collect_comment(struct collector *collector, struct span span)
{
    struct formatting *formatting = collector->formatting;
    struct item item = make_item(formatting, ITEM_COMMENT, span);

    item.lines_before = count_lines(collector, span);
    if (formatting->items.count == 0)
        item.lines_before = 1;
    if (collector->has_ended && item.lines_before > 0)
        begin_statement(formatting);
    push_item(formatting, item);
    collector->offset = span.end;
}

/* Moves the item that was pushed last before the comments that precede it. */
static void move_before_comments(struct formatting *formatting)
{
    struct item *items = formatting->items.items;
    size_t index = formatting->items.count - 1;

    for (; index > 0 && items[index - 1].kind == ITEM_COMMENT; index--) {
        struct item moved = items[index];
        items[index] = items[index - 1];
        items[index - 1] = moved;
    }
}

/* A comma before the closing bracket that comes now is left out. */
static void drop_comma(struct formatting *formatting)
{
    size_t comma = token_before(formatting, formatting->items.count);
    struct item *items = formatting->items.items;

    if (comma == NO_ITEM || items[comma].kind != TOKEN_COMMA)
        return;
    formatting->items.count--;
    memmove(&items[comma], &items[comma + 1], (formatting->items.count - comma) * sizeof *items);
}

static int kind_at(const struct formatting *formatting, size_t index)
{
    return index == NO_ITEM ? ITEM_COMMENT : formatting->items.items[index].kind;
}

static void collect_token(struct collector *collector, int kind, struct span span)
{
    struct formatting *formatting = collector->formatting;
    struct item item = make_item(formatting, kind, span);
    size_t before = token_before(formatting, formatting->items.count);
    bool closes_empty = kind == TOKEN_CLOSE_BODY && formatting->items.count > 0 &&
                        last_item(formatting)->kind == TOKEN_OPEN_BODY;
    bool moves = !collector->has_ended && is_infix(kind, kind_at(formatting, before));

    item.lines_before = count_lines(collector, span);
    if (item.lines_before < collector->moved_lines)
        item.lines_before = collector->moved_lines;
    if (is_closing(kind))
        drop_comma(formatting);
    if (collector->has_ended && !closes_empty)
        begin_statement(formatting);
    push_item(formatting, item);
    if (moves)
        move_before_comments(formatting);
    collector->moved_lines = moves ? item.lines_before : 0;
    collector->has_ended = kind == TOKEN_OPEN_BODY || kind == TOKEN_CLOSE_BODY;
    collector->offset = span.end;
}

static void collect_items(struct formatting *formatting, const struct recording *recording)
{
    struct collector collector = {.formatting = formatting, .has_ended = true};
    size_t comment = 0;

    for (size_t i = 0; i < recording->tokens.count; i++) {
        const struct recorded_token *token = &recording->tokens.items[i];
        const bool is_end = token->kind == TOKEN_END;

        collector.has_ended |= is_end || token->kind == TOKEN_CLOSE_BODY;
        while (comment < recording->comments.count &&
               (is_end || recording->comments.items[comment].begin < token->span.begin))
            collect_comment(&collector, recording->comments.items[comment++]);
        if (token->kind == TOKEN_NEW_LINE)
            collector.has_ended = true;
        else if (!is_end)
            collect_token(&collector, token->kind, token->span);
    }
}

/* ---- what items mean to each other ---- */

static bool is_spaced(const struct item *item, const struct item *before, bool before_is_sign)
{
    switch (item->kind) {
    case TOKEN_COMMA:
    case TOKEN_COLON:
    case TOKEN_DOT:
    case TOKEN_RANGE:
    case TOKEN_CLOSE_ROUND:
    case TOKEN_CLOSE_SQUARE:
    case TOKEN_CLOSE_MAP:
    case TOKEN_CLOSE_BODY: return false;
    default: break;
    }
    return !item->is_postfix && !is_opening(before->kind) && before->kind != TOKEN_DOT &&
           before->kind != TOKEN_RANGE && !before_is_sign;
}

/* Sets what follows from the tokens before, in its statement: rank, space, what kind of bracket it
 * is. */
static void relate(struct formatting *formatting, size_t begin, size_t index)
{
    struct item *item = &formatting->items.items[index];
    size_t before = index > begin ? token_before(formatting, index) : NO_ITEM;
    int kind = kind_at(formatting, before);
    int earlier = kind_at(formatting, before != NO_ITEM && before > begin
                                          ? token_before(formatting, before)
                                          : NO_ITEM);

    item->is_postfix = (item->kind == TOKEN_OPEN_ROUND || item->kind == TOKEN_OPEN_SQUARE) &&
                       ends_operand(kind);
    item->is_list = item->kind == TOKEN_OPEN_MAP ||
                    (item->kind == TOKEN_OPEN_ROUND && item->is_postfix) ||
                    (item->kind == TOKEN_OPEN_SQUARE && !item->is_postfix);
    if (before == NO_ITEM)
        return;
    item->space = is_spaced(item, &formatting->items.items[before], is_sign(kind, earlier));
    if (item->kind == TOKEN_ELSE)
        item->rank = BREAK_ELSE;
    else if (item->kind == TOKEN_THEN)
        item->rank = BREAK_THEN;
    else if (item->kind != ITEM_COMMENT)
        item->rank = rank_behind(kind, earlier);
}

/* Finds the brackets of a statement and its `=`. */
static void match_brackets(struct formatting *formatting, struct statement *statement)
{
    struct item *items = formatting->items.items;
    VECTOR(size_t) open = {0};

    for (size_t i = statement->begin; i < statement->end; i++) {
        if (is_opening(items[i].kind)) {
            vector_push(&open, formatting->arena, i);
        } else if (is_closing(items[i].kind) && open.count > 0) {
            size_t partner = open.items[--open.count], last = token_before(formatting, i);
            items[i].partner = partner;
            items[partner].partner = i;
            if (items[partner].is_list && last != partner)
                items[last].list = partner;
        } else if (open.count > 0 && items[open.items[open.count - 1]].kind == TOKEN_LABEL) {
            items[i].rank = BREAK_NEVER;
        } else if (items[i].kind == TOKEN_COMMA && open.count > 0) {
            items[open.items[open.count - 1]].is_several = true;
        } else if (items[i].kind == TOKEN_ASSIGN && open.count == 0 &&
                   statement->equals == NO_ITEM) {
            statement->equals = i;
        }
    }
}

/* `for i, x in xs` does not break behind its comma. */
static void join_loop_names(struct formatting *formatting, const struct statement *statement)
{
    struct item *items = formatting->items.items;

    if (items[statement->begin].kind != TOKEN_FOR)
        return;
    for (size_t i = statement->begin; i < statement->end && items[i].kind != TOKEN_IN; i++)
        items[i].rank = BREAK_NEVER;
}

/* ---- the author's breaks ---- */

/* Whether a bracket opens a block of lines: the author broke behind it, or a comment at either end
 * leaves no other way. */
static bool is_hanging(const struct formatting *formatting, size_t index)
{
    const struct item *items = formatting->items.items, *item = &items[index];

    if (item->partner == NO_ITEM || item->partner < index || item->partner == index + 1)
        return false;
    if (items[index + 1].kind == ITEM_COMMENT || items[item->partner - 1].kind == ITEM_COMMENT)
        return true;
    return items[index + 1].lines_before > 0 && item->kind != TOKEN_LABEL &&
           (item->is_list || !item->is_postfix);
}

static bool keeps_break(const struct formatting *formatting, const struct statement *statement,
                        size_t index)
{
    const struct item *items = formatting->items.items, *item = &items[index];

    if (index == statement->begin || items[index - 1].kind == ITEM_COMMENT)
        return true;
    if (item->kind == ITEM_COMMENT)
        return item->lines_before > 0;
    if (is_opening(items[index - 1].kind) && items[index - 1].hangs)
        return true;
    if (is_closing(item->kind))
        return item->partner != NO_ITEM && items[item->partner].hangs;
    return item->lines_before > 0 &&
           (item->rank != BREAK_NEVER || index - 1 == statement->equals);
}

/* Whether an empty line before a line may stay: between statements, elements and comments, but not
 * at either end of a body or bracket. */
static bool keeps_blank(const struct formatting *formatting, const struct statement *statement,
                        size_t index)
{
    const int kind = kind_at(formatting, index);
    const int before = kind_at(formatting, index > 0 ? index - 1 : NO_ITEM);

    if (index == 0 || is_opening(before) || before == TOKEN_OPEN_BODY || is_closing(kind) ||
        kind == TOKEN_CLOSE_BODY)
        return false;
    return index == statement->begin || kind == ITEM_COMMENT || before == TOKEN_COMMA;
}

static void keep_breaks(struct formatting *formatting, const struct statement *statement)
{
    struct item *items = formatting->items.items;

    for (size_t i = statement->begin; i < statement->end; i++)
        items[i].hangs = is_hanging(formatting, i);
    for (size_t i = statement->begin; i < statement->end; i++) {
        items[i].breaks = keeps_break(formatting, statement, i);
        items[i].blank = items[i].breaks && items[i].lines_before > 1 &&
                         keeps_blank(formatting, statement, i);
    }
}

void format_collect(struct formatting *formatting, const struct recording *recording)
{
    int depth = 0;

    collect_items(formatting, recording);
    for (size_t i = 0; i < formatting->statements.count; i++) {
        struct statement *statement = &formatting->statements.items[i];
        const size_t last = token_before(formatting, statement->end);

        for (size_t j = statement->begin; j < statement->end; j++)
            relate(formatting, statement->begin, j);
        match_brackets(formatting, statement);
        join_loop_names(formatting, statement);
        keep_breaks(formatting, statement);
        depth -= formatting->items.items[statement->begin].kind == TOKEN_CLOSE_BODY;
        statement->depth = depth;
        depth += kind_at(formatting, last) == TOKEN_OPEN_BODY && last >= statement->begin;
    }
}
