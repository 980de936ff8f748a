/* One walk over the tokens, with the brackets and names that are open at each. */
#include "driver/lsp_outline.h"

#include <string.h>

enum { LONGEST_HEAD = 200 };

enum bracket_kind {
    BRACKET_ROUND,
    BRACKET_SQUARE,
    BRACKET_BODY,
    BRACKET_INNER, /* braces of a map or a computed label */
};

struct open_bracket {
    enum bracket_kind kind;
    size_t token;
    size_t callee; /* token before a round bracket, if that is a call; else LSP_NONE */
};

struct walk {
    struct arena *arena;
    struct lsp_outline *outline;
    VECTOR(struct open_bracket) brackets;
};

/* ---- tokens ---- */

bool lsp_token_is(const struct lsp_outline *outline, size_t token, const char *text)
{
    const struct lsp_token *found;

    if (token >= outline->tokens.count)
        return false;
    found = &outline->tokens.items[token];
    return strlen(text) == found->end - found->begin &&
           memcmp(outline->source->text + found->begin, text, strlen(text)) == 0;
}

static bool is_word(const struct lsp_outline *outline, size_t token)
{
    return token < outline->tokens.count && outline->tokens.items[token].kind == LSP_WORD;
}

size_t lsp_word_at(const struct lsp_outline *outline, uint32_t offset)
{
    for (size_t i = 0; i < outline->tokens.count; i++) {
        const struct lsp_token *token = &outline->tokens.items[i];

        if (token->begin > offset)
            break;
        if (token->kind == LSP_WORD && offset <= token->end)
            return i;
    }
    return LSP_NONE;
}

static const struct {
    const char *keyword;
    enum lsp_region region;
    enum lsp_name_kind kind;
    bool declares; /* the name behind it */
} declarations[] = {
    {"block", LSP_IN_BLOCK, LSP_BLOCK, true},
    {"stage", LSP_IN_STAGE, LSP_STAGE, true},
    {"network", LSP_IN_NETWORK, LSP_NETWORK, true},
    {"recipe", LSP_IN_RECIPE, LSP_RECIPE, true},
    {"train", LSP_IN_TRAIN, LSP_NETWORK, false},
    {"use", LSP_IN_FILE, LSP_NETWORK, false},
};

/* The declaration that a keyword begins, or countof(declarations). */
static size_t find_declaration(const struct lsp_outline *outline, size_t token)
{
    size_t i = 0;

    while (i < countof(declarations) && !lsp_token_is(outline, token, declarations[i].keyword))
        i++;
    return i;
}

/* The bracket that closes the one at `token`, or where the declaration ends. */
static size_t closing(const struct lsp_outline *outline, size_t token)
{
    int open = 0;

    for (; token < outline->tokens.count; token++) {
        const char sign = outline->source->text[outline->tokens.items[token].begin];

        if (find_declaration(outline, token) < countof(declarations))
            break;
        if (outline->tokens.items[token].kind != LSP_SIGN)
            continue;
        open += sign == '(' || sign == '[' || sign == '{';
        open -= sign == ')' || sign == ']' || sign == '}';
        if (open <= 0)
            break;
    }
    return token;
}

/* ---- names ---- */

static struct lsp_name name_at(const struct lsp_outline *outline, size_t token,
                               enum lsp_name_kind kind)
{
    const struct lsp_token *word = &outline->tokens.items[token];

    return (struct lsp_name){.kind = kind,
                             .source = outline->source,
                             .begin = word->begin,
                             .end = word->end,
                             .head_begin = word->begin,
                             .head_end = word->end};
}

/* Where the line ends that `offset` is in, without blanks and a comment; a long one is cut. */
static uint32_t end_of_line(const struct source *source, uint32_t offset)
{
    const char *text = source->text + offset;
    size_t length = 0;

    while (length < LONGEST_HEAD && text[length] && text[length] != '\n' &&
           strncmp(text + length, "//", 2) != 0)
        length++;
    while (length > 0 && strchr(" \t\r", text[length - 1]))
        length--;
    length = source_text_end(text, length); /* no piece of a character */
    return offset + (uint32_t)length;
}

/* Reads `(a, b = 1)` from its bracket on; returns the end of what was read. */
static uint32_t read_parameters(struct walk *walk, size_t open, struct lsp_name *declaration)
{
    const struct lsp_outline *outline = walk->outline;
    const struct lsp_token *tokens = outline->tokens.items;
    const size_t close = closing(outline, open);
    VECTOR(struct lsp_name) found = {0};

    for (size_t i = open + 1; i < close; i++) {
        if (is_word(outline, i) && (i == open + 1 || lsp_token_is(outline, i - 1, ",")))
            vector_push(&found, walk->arena, name_at(outline, i, LSP_PARAMETER));
        if (strchr("([{", outline->source->text[tokens[i].begin]))
            i = closing(outline, i);
        if (found.count > 0 && i < close && !lsp_token_is(outline, i, ","))
            found.items[found.count - 1].head_end = tokens[i].end;
    }
    declaration->parameters = found.items;
    declaration->parameter_count = found.count;
    return tokens[close < outline->tokens.count ? close : close - 1].end;
}

static void declare(struct walk *walk, size_t keyword, enum lsp_name_kind kind)
{
    struct lsp_outline *outline = walk->outline;
    struct lsp_name name;

    if (!is_word(outline, keyword + 1))
        return;
    name = name_at(outline, keyword + 1, kind);
    name.head_begin = outline->tokens.items[keyword].begin;
    if (kind == LSP_LET)
        name.head_end = end_of_line(outline->source, name.begin);
    else if (lsp_token_is(outline, keyword + 2, "("))
        name.head_end = read_parameters(walk, keyword + 2, &name);
    name.depth = outline->depth;
    if (kind == LSP_LET && outline->depth > 0)
        vector_push(&outline->locals, walk->arena, name);
    else
        vector_push(&outline->declared, walk->arena, name);
    for (size_t i = 0; i < name.parameter_count; i++)
        vector_push(&outline->locals, walk->arena, name.parameters[i]);
}

static void declare_variables(struct walk *walk, size_t keyword)
{
    struct lsp_outline *outline = walk->outline;

    for (size_t i = keyword + 1; is_word(outline, i) && !lsp_token_is(outline, i, "in"); i++) {
        struct lsp_name name = name_at(outline, i, LSP_VARIABLE);

        name.head_begin = outline->tokens.items[keyword].begin;
        name.head_end = end_of_line(outline->source, name.begin);
        name.depth = outline->depth + 1;
        vector_push(&outline->locals, walk->arena, name);
        if (lsp_token_is(outline, i + 1, ","))
            i++;
    }
}

/* ---- words ---- */

static void begin_region(struct walk *walk, enum lsp_region region, size_t keyword)
{
    struct lsp_outline *outline = walk->outline;

    walk->brackets.count = 0;
    outline->locals.count = 0;
    outline->depth = 0;
    outline->region = region;
    outline->region_name = is_word(outline, keyword + 1) ? keyword + 1 : LSP_NONE;
}

/* A keyword that begins a declaration; false if it is none. */
static bool walk_declaration(struct walk *walk, size_t token)
{
    struct lsp_outline *outline = walk->outline;
    const size_t kind = find_declaration(outline, token);

    if (kind == countof(declarations))
        return false;
    begin_region(walk, declarations[kind].region, token);
    if (declarations[kind].declares)
        declare(walk, token, declarations[kind].kind);
    else if (declarations[kind].region == LSP_IN_FILE && is_word(outline, token + 1))
        vector_push(&outline->uses, walk->arena, outline->tokens.items[token + 1]);
    return true;
}

/* A statement begins: brackets in the one before are closed or forgotten. */
static void close_expressions(struct walk *walk)
{
    while (walk->brackets.count > 0 &&
           walk->brackets.items[walk->brackets.count - 1].kind != BRACKET_BODY)
        walk->brackets.count--;
}

static void walk_word(struct walk *walk, size_t token)
{
    const struct lsp_outline *outline = walk->outline;

    if (walk_declaration(walk, token))
        return;
    if (lsp_token_is(outline, token, "let")) {
        close_expressions(walk);
        if (outline->depth == 0)
            begin_region(walk, LSP_IN_FILE, token);
        declare(walk, token, LSP_LET);
    } else if (lsp_token_is(outline, token, "for")) {
        close_expressions(walk);
        declare_variables(walk, token);
    }
}

/* ---- brackets ---- */

/* Whether a brace opens a map, `{50: ...}`, or belongs to a computed label, `name{...}:`. */
static bool is_inner_brace(const struct lsp_outline *outline, size_t token)
{
    const struct lsp_token *tokens = outline->tokens.items;
    const char *text = outline->source->text + tokens[token].end;

    if (token + 2 < outline->tokens.count && tokens[token + 1].kind == LSP_NUMBER &&
        lsp_token_is(outline, token + 2, ":"))
        return true;
    text += strcspn(text, "{}\n");
    if (token == 0 || tokens[token - 1].end != tokens[token].begin || *text != '}')
        return false;
    text++;
    return text[strspn(text, " \t")] == ':';
}

static void open_bracket(struct walk *walk, size_t token, char sign)
{
    struct lsp_outline *outline = walk->outline;
    struct open_bracket bracket = {.token = token, .callee = LSP_NONE};

    bracket.kind = sign == '(' ? BRACKET_ROUND : sign == '[' ? BRACKET_SQUARE : BRACKET_BODY;
    if (sign == '(' && token > 0 && is_word(outline, token - 1) &&
        outline->region_name != token - 1)
        bracket.callee = token - 1;
    if (sign == '{' && is_inner_brace(outline, token))
        bracket.kind = BRACKET_INNER;
    outline->depth += bracket.kind == BRACKET_BODY;
    vector_push(&walk->brackets, walk->arena, bracket);
}

static void leave_body(struct lsp_outline *outline)
{
    outline->depth--;
    while (outline->locals.count > 0 &&
           outline->locals.items[outline->locals.count - 1].depth > outline->depth)
        outline->locals.count--;
}

static bool closes(char sign, enum bracket_kind kind)
{
    switch (kind) {
    case BRACKET_ROUND: return sign == ')';
    case BRACKET_SQUARE: return sign == ']';
    default: return sign == '}';
    }
}

/* Closes the innermost bracket that fits, and those inside it. */
static void close_bracket(struct walk *walk, char sign)
{
    size_t count = walk->brackets.count;

    while (count > 0 && !closes(sign, walk->brackets.items[count - 1].kind)) {
        if (walk->brackets.items[count - 1].kind == BRACKET_BODY)
            return;
        count--;
    }
    if (count > 0 && walk->brackets.items[count - 1].kind == BRACKET_BODY)
        leave_body(walk->outline);
    walk->brackets.count = count > 0 ? count - 1 : 0;
}

static void walk_token(struct walk *walk, size_t token)
{
    const struct lsp_token *at = &walk->outline->tokens.items[token];
    const char sign = walk->outline->source->text[at->begin];

    if (at->kind == LSP_WORD)
        walk_word(walk, token);
    if (at->kind != LSP_SIGN)
        return;
    if (sign == '(' || sign == '[' || sign == '{')
        open_bracket(walk, token, sign);
    else if (sign == ')' || sign == ']' || sign == '}')
        close_bracket(walk, sign);
}

/* ---- the place ---- */

/* Fills what the outline says of the place, from the walk up to there. */
static void note_place(const struct walk *walk, size_t token)
{
    struct lsp_outline *outline = walk->outline;
    const struct open_bracket *bracket =
        walk->brackets.count > 0 ? &walk->brackets.items[walk->brackets.count - 1] : NULL;

    outline->here = token;
    outline->callee = LSP_NONE;
    if (!bracket)
        return;
    outline->callee = bracket->callee;
    outline->arguments = bracket->token + 1;
}

struct lsp_outline *lsp_outline_new(struct arena *arena, const struct source *source,
                                    uint32_t offset)
{
    struct lsp_outline *outline = ARENA_NEW(arena, struct lsp_outline), after;
    struct walk walk = {.arena = arena, .outline = outline};
    size_t token = 0;

    outline->source = source;
    outline->region_name = LSP_NONE;
    lsp_scan(arena, source, outline, offset);
    for (; token < outline->tokens.count && outline->tokens.items[token].begin < offset; token++)
        walk_token(&walk, token);
    note_place(&walk, token);
    after = *outline; /* the rest is read for what the file declares alone */
    memset(&after.locals, 0, sizeof after.locals);
    walk.outline = &after;
    for (; token < after.tokens.count; token++)
        walk_token(&walk, token);
    memcpy(&outline->declared, &after.declared, sizeof outline->declared);
    memcpy(&outline->uses, &after.uses, sizeof outline->uses);
    return outline;
}
