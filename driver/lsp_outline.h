/* The names of a text and what lies around a place in it, read from its tokens and not from its
 * tree: a text that is being typed seldom parses.
 *
 * A keyword that begins a declaration ends what came before, whatever brackets are still open. */
#ifndef DRIVER_LSP_OUTLINE_H
#define DRIVER_LSP_OUTLINE_H

#include "driver/lsp.h"

enum lsp_token_kind { LSP_WORD, LSP_NUMBER, LSP_STRING, LSP_COMMENT, LSP_SIGN };

struct lsp_token {
    enum lsp_token_kind kind;
    uint32_t begin, end;
};

enum lsp_name_kind {
    LSP_BLOCK,
    LSP_STAGE,
    LSP_NETWORK,
    LSP_RECIPE,
    LSP_LET,
    LSP_PARAMETER,
    LSP_VARIABLE, /* of `for` */
};

/* A name that a text declares. */
struct lsp_name {
    enum lsp_name_kind kind;
    const struct source *source;
    uint32_t begin, end;           /* the name */
    uint32_t head_begin, head_end; /* `block b(out, stride = 1)`, `let x = 3`, `stride = 1` */
    const struct lsp_name *parameters;
    size_t parameter_count;
    int depth; /* bodies around what can see it; 0: all of the declaration, or the file */
};

/* What kind of declaration lies around a place. */
enum lsp_region {
    LSP_IN_FILE,
    LSP_IN_BLOCK,
    LSP_IN_STAGE,
    LSP_IN_NETWORK,
    LSP_IN_RECIPE,
    LSP_IN_TRAIN,
};

#define LSP_NONE SIZE_MAX

struct lsp_outline {
    const struct source *source;
    VECTOR(struct lsp_token) tokens; /* without comments */
    VECTOR(struct lsp_name) declared; /* by the file, in order */
    VECTOR(struct lsp_token) uses;    /* names behind `use` */
    /* at the place */
    VECTOR(struct lsp_name) locals;   /* the innermost last */
    enum lsp_region region;
    size_t region_name; /* token: the declaration's name; LSP_NONE: none */
    int depth;          /* bodies around it */
    size_t callee;      /* token: what is called by the innermost bracket; LSP_NONE: no call */
    size_t arguments;   /* token: the first behind that bracket */
    size_t here;        /* token: the first at or behind the place */
    bool is_in_comment;
};

/* Reads the whole text; `offset` is the place. Everything is in the arena. */
struct lsp_outline *lsp_outline_new(struct arena *arena, const struct source *source,
                                    uint32_t offset);

/* Whether a token is written so. */
bool lsp_token_is(const struct lsp_outline *outline, size_t token, const char *text);

/* The word at or right before `offset`: its token, or LSP_NONE. */
size_t lsp_word_at(const struct lsp_outline *outline, uint32_t offset);

/* lsp_token.c: fills the tokens, and whether the place lies in a comment or a string. */
void lsp_scan(struct arena *arena, const struct source *source, struct lsp_outline *out,
              uint32_t offset);

/* ---- lsp_name.c ---- */

/* The names that a file and those it uses declare; the file's own come first. */
struct lsp_names {
    struct arena *arena;
    VECTOR(struct lsp_name) items;
};
void lsp_declared_names(struct lsp_analysis *analysis, const struct lsp_outline *outline,
                        struct lsp_names *out);

/* The path of a used file as a source of the analysis; NULL if there is none. */
const struct source *lsp_used_source(struct lsp_analysis *analysis, const char *name,
                                     const struct source *user);

/* What a token, a word, means at the outline's place: a local name, one that a file declares
 * (`is_network`: among networks alone); NULL for all others. In the arena. */
const struct lsp_name *lsp_look_up(struct arena *arena, struct lsp_analysis *analysis,
                                   const struct lsp_outline *outline, size_t token,
                                   bool is_network);

/* A layer, function or recipe word; NULL if it is none. */
const struct binding *lsp_builtin(const struct lsp_analysis *analysis,
                                  const struct lsp_outline *outline, size_t token);

/* Whether a token names an argument of the call around it: `stride` in `conv(3, 8, stride = 2)`. */
bool lsp_is_argument_name(const struct lsp_outline *outline, size_t token);

/* The parameter that an argument's name means; NULL for those of layers and for other tokens. */
const struct lsp_name *lsp_argument(struct arena *arena, struct lsp_analysis *analysis,
                                    const struct lsp_outline *outline, size_t token);

/* Whether a token stands where a network is named: behind `network` or `train`. */
bool lsp_names_network(const struct lsp_outline *outline, size_t token);

/* The comment lines above a declaration, without their `//`; "" if there are none. */
const char *lsp_comment_above(struct arena *arena, const struct lsp_name *name);

/* The `index`th parameter of a layer as the language would declare it: "stride = 1". */
const char *lsp_layer_parameter(struct arena *arena, enum op_kind kind, int index);
/* "conv(kernel, channels, stride = 1, ...)": a built-in name with its parameters. */
const char *lsp_builtin_head(struct arena *arena, const struct binding *binding);

#endif
