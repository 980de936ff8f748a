/* The filter between lexer and grammar, and the entry points.
 *
 * A line ends a statement unless it lies inside brackets that are no body, or its last token, or
 * the next line's first, asks for more; before a keyword that begins a statement it always ends.
 * The filter makes that decision, so that the grammar sees a NEW_LINE exactly where a statement
 * ends. It also
 *   - tells a map's `{` (where an operand begins) from a body's,
 *   - closes forgotten brackets where a keyword shows that they were forgotten,
 *   - skips the rest of a statement in which there was a syntax error.
 *
 * Invariant: `brackets` holds what is open at the last token sent, whatever the grammar thinks. */
#include "lang/parse.h"

#include "lang/parser.h"

enum {
    NOTHING = -1,          /* no token is ahead */
    LONGEST_EXCERPT = 100, /* bytes of the user's text in a help line */
};

enum joining {
    JOINS_NEXT = 1,     /* a line that ends in this token goes on */
    JOINS_PREVIOUS = 2, /* a line that begins with it continues the one before */
    JOINS_BOTH = 3,
};

static enum joining joining_of(int kind)
{
    static const unsigned char joinings[] = {
        [TOKEN_END] = JOINS_PREVIOUS,
        [TOKEN_NEW_LINE] = JOINS_NEXT,
        [TOKEN_COMMA] = JOINS_BOTH,
        [TOKEN_ASSIGN] = JOINS_BOTH,
        [TOKEN_COLON] = JOINS_BOTH,
        [TOKEN_THEN_BLOCK] = JOINS_BOTH,
        [TOKEN_PLUS] = JOINS_BOTH,
        [TOKEN_MINUS] = JOINS_BOTH,
        [TOKEN_TIMES] = JOINS_BOTH,
        [TOKEN_DIVIDE] = JOINS_BOTH,
        [TOKEN_REMAINDER] = JOINS_BOTH,
        [TOKEN_POWER] = JOINS_BOTH,
        [TOKEN_EQUAL] = JOINS_BOTH,
        [TOKEN_NOT_EQUAL] = JOINS_BOTH,
        [TOKEN_LESS] = JOINS_BOTH,
        [TOKEN_LESS_EQUAL] = JOINS_BOTH,
        [TOKEN_GREATER] = JOINS_BOTH,
        [TOKEN_GREATER_EQUAL] = JOINS_BOTH,
        [TOKEN_RANGE] = JOINS_BOTH,
        [TOKEN_AND] = JOINS_BOTH,
        [TOKEN_OR] = JOINS_BOTH,
        [TOKEN_THEN] = JOINS_BOTH,
        [TOKEN_ELSE] = JOINS_BOTH,
        [TOKEN_IN] = JOINS_BOTH,
        [TOKEN_OPEN_BODY] = JOINS_BOTH,
        [TOKEN_OPEN_MAP] = JOINS_BOTH,
        [TOKEN_OPEN_ROUND] = JOINS_NEXT,
        [TOKEN_OPEN_SQUARE] = JOINS_NEXT,
        [TOKEN_LABEL] = JOINS_NEXT,
        [TOKEN_NOT] = JOINS_NEXT,
        [TOKEN_IF] = JOINS_NEXT,
        [TOKEN_LET] = JOINS_NEXT,
        [TOKEN_FOR] = JOINS_NEXT,
        [TOKEN_DOT] = JOINS_NEXT,
        [TOKEN_CLOSE_ROUND] = JOINS_PREVIOUS,
        [TOKEN_CLOSE_SQUARE] = JOINS_PREVIOUS,
        [TOKEN_CLOSE_BODY] = JOINS_PREVIOUS,
        [TOKEN_CLOSE_MAP] = JOINS_PREVIOUS,
    };
    return (size_t)kind < countof(joinings) ? (enum joining)joinings[kind] : 0;
}

/* The token that closes the bracket opened by `kind`, or NOTHING if it is no bracket. */
static int closing_of(int kind)
{
    switch (kind) {
    case TOKEN_OPEN_ROUND: return TOKEN_CLOSE_ROUND;
    case TOKEN_OPEN_SQUARE: return TOKEN_CLOSE_SQUARE;
    case TOKEN_OPEN_BODY: return TOKEN_CLOSE_BODY;
    case TOKEN_OPEN_MAP:
    case TOKEN_LABEL: return TOKEN_CLOSE_MAP;
    default: return NOTHING;
    }
}

static bool is_closing(int kind)
{
    return kind == TOKEN_CLOSE_ROUND || kind == TOKEN_CLOSE_SQUARE || kind == TOKEN_CLOSE_BODY;
}

static bool begins_declaration(int kind)
{
    return kind >= TOKEN_BLOCK && kind <= TOKEN_USE;
}

static bool begins_statement(int kind)
{
    return kind == TOKEN_LET || kind == TOKEN_REQUIRE || kind == TOKEN_FOR || kind == TOKEN_OUTPUT;
}

/* The kind of the innermost open bracket, NOTHING outside all. */
static int innermost(const struct parser *parser)
{
    size_t count = parser->brackets.count;

    return count > 0 ? parser->brackets.items[count - 1].kind : NOTHING;
}

/* The number of brackets that remain when `closing` closes its own, or SIZE_MAX if it has none.
 * A `}` of a body sees through everything, the others not beyond the body they stand in. */
static size_t depth_after(const struct parser *parser, int closing)
{
    for (size_t depth = parser->brackets.count; depth > 0; depth--) {
        int opened = parser->brackets.items[depth - 1].kind;
        int closed = closing_of(opened);
        if (closed == closing || (closed == TOKEN_CLOSE_MAP && closing == TOKEN_CLOSE_BODY))
            return depth - 1;
        if (opened == TOKEN_OPEN_BODY)
            return SIZE_MAX;
    }
    return SIZE_MAX;
}

/* How many brackets may be open at the token ahead; more were forgotten. */
static size_t depth_allowed(const struct parser *parser)
{
    const struct token *ahead = &parser->ahead;
    size_t depth = parser->brackets.count;

    if (ahead->kind == TOKEN_END || (ahead->after_line && begins_declaration(ahead->kind)))
        return 0;
    if (ahead->after_line && begins_statement(ahead->kind)) {
        while (depth > 0 && parser->brackets.items[depth - 1].kind != TOKEN_OPEN_BODY)
            depth--;
        return depth;
    }
    if (is_closing(ahead->kind)) {
        size_t after = depth_after(parser, ahead->kind);
        return after == SIZE_MAX ? depth : after + 1;
    }
    return depth;
}

static void fill(struct parser *parser)
{
    struct token *ahead = &parser->ahead;

    if (ahead->kind != NOTHING)
        return;
    lexer_next(ahead, parser);
    if (ahead->kind == TOKEN_OPEN_BODY && (joining_of(parser->sent.kind) & JOINS_NEXT))
        ahead->kind = TOKEN_OPEN_MAP;
    if (ahead->kind == TOKEN_END) {
        uint32_t end = parser->sent.span.end;
        ahead->span = (struct span){.source = parser->index, .begin = end, .end = end};
    }
}

/* A token of no width behind the last one. */
static struct token made_up(const struct parser *parser, int kind)
{
    struct span span = parser->sent.span;

    span.begin = span.end;
    return (struct token){.kind = kind, .span = span};
}

static struct token close_forgotten(struct parser *parser)
{
    report_unclosed(parser, parser->ahead.span);
    struct token token = made_up(parser, closing_of(innermost(parser)));
    token.is_virtual = true;
    parser->brackets.count--;
    return token;
}

static bool line_ends(const struct parser *parser)
{
    int inside = innermost(parser), before = parser->sent.kind, after = parser->ahead.kind;

    if (!parser->ahead.after_line || (inside != NOTHING && inside != TOKEN_OPEN_BODY))
        return false;
    if (begins_declaration(after) || begins_statement(after))
        return before != TOKEN_NEW_LINE && before != TOKEN_OPEN_BODY;
    return !(joining_of(before) & JOINS_NEXT) && !(joining_of(after) & JOINS_PREVIOUS);
}

static struct token end_line(struct parser *parser)
{
    struct token token = made_up(parser, TOKEN_NEW_LINE);

    token.after_error = parser->ahead.line_failed;
    parser->ahead.after_line = false;
    parser->ahead.line_failed = false;
    return token;
}

/* Sends the token ahead as it is, keeping account of brackets. */
static struct token take(struct parser *parser)
{
    struct token token = parser->ahead;

    parser->ahead.kind = NOTHING;
    if (closing_of(token.kind) != NOTHING) {
        struct bracket bracket = {.kind = token.kind, .span = token.span};
        vector_push(&parser->brackets, parser->sources->arena, bracket);
    } else if (is_closing(token.kind)) {
        token.is_unmatched = depth_after(parser, token.kind) == SIZE_MAX;
        if (!token.is_unmatched) {
            token.kind = closing_of(innermost(parser));
            parser->brackets.count--;
        }
    }
    return token;
}

static struct token next_token(struct parser *parser)
{
    fill(parser);
    if (parser->brackets.count > depth_allowed(parser))
        return close_forgotten(parser);
    if (line_ends(parser))
        return end_line(parser);
    return take(parser);
}

/* Whether a token ends the statement that is being skipped; `sent` is already that token. */
static bool ends_skipping(const struct parser *parser, const struct token *token)
{
    size_t depth = parser->brackets.count;

    return token->kind == TOKEN_END ||
           (token->kind == TOKEN_NEW_LINE && depth <= parser->skip_depth) ||
           (token->kind == TOKEN_CLOSE_BODY && !token->is_unmatched &&
            depth < parser->skip_depth);
}

/* Whether a new statement begins behind a token. */
static bool begins_afresh(const struct token *token)
{
    return token->kind == TOKEN_NEW_LINE || token->kind == TOKEN_OPEN_BODY ||
           token->kind == TOKEN_CLOSE_BODY;
}

static void record_token(const struct parser *parser)
{
    struct recorded_token token = {.kind = parser->sent.kind, .span = parser->sent.span};

    if (parser->recording)
        vector_push(&parser->recording->tokens, parser->sources->arena, token);
}

int rnet_lex(union token_value *value, struct span *span, struct parser *parser)
{
    if (parser->start) {
        int start = parser->start;
        parser->start = 0;
        *span = (struct span){.source = parser->index};
        return start;
    }
    do {
        struct token token = next_token(parser);
        parser->before = parser->sent;
        parser->sent = token;
        parser->is_doubtful = (parser->is_doubtful && !begins_afresh(&parser->before)) ||
                              token.after_error || token.line_failed;
        if (parser->is_skipping && ends_skipping(parser, &token))
            parser->is_skipping = false;
    } while (parser->is_skipping);
    *value = parser->sent.value;
    *span = parser->sent.span;
    record_token(parser);
    return parser->sent.kind;
}

const char *source_excerpt(struct parser *parser, struct span span)
{
    struct text_builder text = {.arena = parser->sources->arena};
    const char *at = parser->source->text + span.begin, *end = parser->source->text + span.end;
    bool is_blank = false;

    while (at < end && text.length < LONGEST_EXCERPT) {
        if (at[0] == '/' && at[1] == '/') {
            while (at < end && *at != '\n')
                at++;
        } else if (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n') {
            is_blank = true;
            at++;
        } else {
            if (is_blank && text.length > 0)
                text_add_bytes(&text, " ", 1);
            is_blank = false;
            text_add_bytes(&text, at++, 1);
        }
    }
    if (at < end)
        text_add(&text, "...");
    return text_result(&text);
}

/* The whole of the source. */
static struct span everything(const struct parser *parser)
{
    return (struct span){.source = parser->index, .end = (uint32_t)parser->source->size};
}

static bool is_text(struct parser *parser)
{
    size_t end = source_text_end(parser->source->text, parser->source->size);

    if (end == parser->source->size)
        return true;
    struct span span = {
        .source = parser->index,
        .begin = (uint32_t)end,
        .end = (uint32_t)end + 1,
    };
    diagnostic_error(parser->diagnostics, DIAGNOSTIC_UNREADABLE, span, "this is not UTF-8 text");
    return false;
}

/* Runs the grammar from `start`; NULL if nothing came of it. */
static struct node *run(struct parser *parser, int start)
{
    *parser = (struct parser){
        .sources = parser->sources,
        .diagnostics = parser->diagnostics,
        .source = parser->sources->sources.items[parser->index],
        .index = parser->index,
        .start = start,
        .ahead = {.kind = NOTHING},
        .sent = {.kind = TOKEN_NEW_LINE, .span = {.source = parser->index}},
        .error_end = -1,
        .recording = parser->recording,
    };
    if (!is_text(parser) || !lexer_open(parser))
        return NULL;
    if (rnet_parse(parser) != 0)
        parser->result = NULL;
    lexer_close(parser);
    if (parser->result)
        check_chains(parser, parser->result);
    return parser->result;
}

struct node *parse_recorded(struct source_set *sources, struct diagnostics *diagnostics,
                            uint32_t source, struct recording *out)
{
    struct parser parser = {
        .sources = sources,
        .diagnostics = diagnostics,
        .index = source,
        .recording = out,
    };
    struct node *declarations = run(&parser, TOKEN_START_FILE);

    return build_group(&parser, NODE_FILE, everything(&parser), declarations);
}

struct node *parse(struct source_set *sources, struct diagnostics *diagnostics, uint32_t source)
{
    return parse_recorded(sources, diagnostics, source, NULL);
}

struct node *parse_expression(struct source_set *sources, struct diagnostics *diagnostics,
                              uint32_t source)
{
    struct parser parser = {.sources = sources, .diagnostics = diagnostics, .index = source};
    struct node *expression = run(&parser, TOKEN_START_EXPRESSION);

    return expression ? expression : build_poison(&parser, everything(&parser));
}
