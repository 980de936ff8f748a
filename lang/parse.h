/* What the lexer, the grammar and the line-end filter share while one source is parsed.
 *
 * Tokens flow lexer.l -> parse.c (which decides where lines end statements, tells the braces of a
 * body from those of a map, and skips behind a syntax error) -> parser.y. */
#ifndef LANG_PARSE_H
#define LANG_PARSE_H

#include "lang/ast_build.h"

/* What a token stands for, if it stands for something. */
union token_value {
    const char *name;  /* NAME, LABEL, STRING: interned */
    struct node *node; /* INTEGER, NUMBER, and all nonterminals */
};

struct token {
    int kind; /* enum rnet_tokentype */
    union token_value value;
    struct span span;
    bool after_line;   /* a line end lies before it */
    bool after_error;  /* characters before it, on its line, were already reported */
    bool line_failed;  /* characters before that line end were already reported */
    bool is_virtual;   /* made up to close a bracket that was already reported */
    bool is_unmatched; /* a closing bracket that closes nothing */
};

/* Tokens as the grammar received them and comments as the lexer met them, both in the order of the
 * text: for what rewrites it. */
struct recorded_token {
    int kind; /* enum rnet_tokentype */
    struct span span;
};

struct recording {
    VECTOR(struct recorded_token) tokens;
    VECTOR(struct span) comments; /* without the line end */
};

/* A bracket that is open. */
struct bracket {
    int kind;         /* token that opened it */
    struct span span;
    bool is_reported; /* known not to be closed properly */
};

struct parser {
    struct source_set *sources;
    struct diagnostics *diagnostics;
    const struct source *source;
    uint32_t index; /* of the source */
    struct node *result;
    bool is_too_deep; /* reported */

    void *scanner;
    uint32_t offset;  /* behind the token that was scanned last */
    bool scan_failed; /* a bad character was reported since the last token or line end */

    int start;                       /* token that chooses what to parse; 0 once sent */
    struct token ahead;              /* scanned, not yet sent to the grammar; kind -1 if none */
    struct token sent, before;       /* the last token sent to the grammar, and the one before */
    VECTOR(struct bracket) brackets; /* those that are open at `sent` */
    bool is_skipping;                /* behind a syntax error, up to the end of the statement */
    size_t skip_depth;               /* brackets around that statement */
    bool is_doubtful;                /* the statement at `sent` had a bad character */
    int64_t error_end;               /* end of the last syntax error; nothing is reported twice */
    struct recording *recording;     /* NULL: nothing is recorded */
};

/* lexer.l */
bool lexer_open(struct parser *parser);
int lexer_next(struct token *token, struct parser *parser);
void lexer_close(struct parser *parser);

/* parse.c: the next token for the grammar. */
int rnet_lex(union token_value *value, struct span *span, struct parser *parser);

/* parser.y: how a token is written in the grammar: `block`, or "a name" for a class of tokens. */
const char *token_text(int kind);

/* syntax_error.c: reports the last token sent; `expected` holds the tokens that could stand there.
 * Makes the filter skip the rest of the statement. */
void report_syntax_error(struct parser *parser, const int *expected, size_t count);

/* syntax_error.c: reports the innermost open bracket, once; `missed` is where it should close. */
void report_unclosed(struct parser *parser, struct span missed);

/* parse.c: parse(), keeping the tokens and comments too; they lie in the sources' arena. */
struct node *parse_recorded(struct source_set *sources, struct diagnostics *diagnostics,
                            uint32_t source, struct recording *out);

/* chain.c: reports every `>>` that stands beside another operator without parentheses. */
void check_chains(struct parser *parser, const struct node *node);

/* parse.c: the text of a span on one line, without comments; long text is cut. */
const char *source_excerpt(struct parser *parser, struct span span);

#endif
