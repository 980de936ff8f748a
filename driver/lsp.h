/* What the parts of the language server (rnet lsp) share.
 *
 * The server owns the documents that are open; each owns its text and the last analysis of it, each
 * in an arena of its own. A request reads the analysis and writes JSON; it keeps nothing. */
#ifndef DRIVER_LSP_H
#define DRIVER_LSP_H

#include <json-c/json.h>

#include "base/text.h"
#include "compiler/context.h"
#include "compiler/elaborate.h"
#include "driver/lsp_transport.h"
#include "lang/ast.h"

/* ---- documents ---- */

/* A diagnostic at the file that it is shown in. */
struct lsp_finding {
    const char *path;
    const struct diagnostic *diagnostic;
    struct span span; /* the diagnostic's, or of the use that led to it */
};

/* What is known of a document's text. Everything lies in `arena`, itself too. */
struct lsp_analysis {
    struct arena arena;
    struct source_set sources;
    struct diagnostics diagnostics;
    struct context builtins;  /* names of layers, functions and recipe words */
    uint32_t source;          /* the document's text; 0: it is not text */
    const struct node *tree;
    VECTOR(struct elaboration) networks; /* each network of the document that has a graph */
    VECTOR(struct lsp_finding) findings;
};

struct lsp_document {
    struct lsp_document *next;
    struct arena arena;      /* the document itself, and its names */
    const char *uri, *path;
    bool has_version;
    int64_t version;
    struct arena text_arena; /* `text` */
    const char *text;
    size_t size;
    bool is_stale;           /* the analysis is of an earlier text */
    struct lsp_analysis *analysis; /* NULL: none yet */
};

enum lsp_phase { LSP_NEW, LSP_RUNNING, LSP_SHUT_DOWN, LSP_EXITED, LSP_EXITED_EARLY };

struct lsp_server {
    struct arena arena; /* lives as long as the server */
    struct lsp_transport transport;
    enum lsp_phase phase;
    VECTOR(const char *) include_paths;
    struct lsp_document *documents;
};

/* Serves until `exit` or the end of the input; returns the process's exit status. The caller fills
 * the transport's descriptors and the include paths; all else is zero. */
int lsp_serve(struct lsp_server *server);

/* ---- requests ---- */

/* Error codes of JSON-RPC and of the protocol. */
enum lsp_error {
    LSP_PARSE_ERROR = -32700,
    LSP_INVALID_REQUEST = -32600,
    LSP_UNKNOWN_METHOD = -32601,
    LSP_INVALID_PARAMETERS = -32602,
    LSP_NOT_INITIALIZED = -32002,
};

struct lsp_request {
    struct lsp_server *server;
    struct arena *arena;            /* lives as long as the request */
    struct json_object *parameters; /* any JSON value, or NULL */
    enum lsp_error error;           /* 0: none */
    const char *error_text;
    struct text_builder result;     /* JSON; empty for null */
};

void lsp_fail(struct lsp_request *request, enum lsp_error error, const char *text);

/* A place in a document: what most requests are about. */
struct lsp_place {
    struct lsp_document *document;
    struct lsp_analysis *analysis;
    const struct source *source;
    uint32_t offset;
};

/* Finds the document of the request and brings its analysis up to date; NULL, with the request
 * failed, if it is not open. */
struct lsp_document *lsp_read_document(struct lsp_request *request);

/* The same with a position. False where nothing can be said, with or without an error. */
bool lsp_read_place(struct lsp_request *request, struct lsp_place *out);

/* One a method; each reads the parameters and fills the result. */
void lsp_hover(struct lsp_request *request);
void lsp_completion(struct lsp_request *request);
void lsp_definition(struct lsp_request *request);
void lsp_symbols(struct lsp_request *request);
void lsp_formatting(struct lsp_request *request);
void lsp_did_open(struct lsp_request *request);
void lsp_did_change(struct lsp_request *request);
void lsp_did_close(struct lsp_request *request);

/* ---- lsp_document.c ---- */

struct lsp_document *lsp_find_document(const struct lsp_server *server, const char *uri);
struct lsp_document *lsp_find_path(const struct lsp_server *server, const char *path);

/* Analyzes what changed and publishes its diagnostics. */
void lsp_refresh(struct lsp_server *server);
void lsp_release_documents(struct lsp_server *server);

/* ---- lsp_analysis.c ---- */

struct lsp_analysis *lsp_analyze(const struct lsp_server *server,
                                 const struct lsp_document *document);
void lsp_release_analysis(struct lsp_analysis *analysis); /* may be NULL */

/* ---- lsp_diagnostics.c ---- */

/* Adds the paths of the files that an analysis (or NULL) speaks of, each with its NUL. */
void lsp_list_files(struct table *files, const struct lsp_analysis *analysis);

/* Publishes what all documents find wrong with each file of the list. */
void lsp_publish(struct lsp_server *server, const struct table *files);

/* ---- lsp_json.c ---- */

/* Members of a JSON object; NULL or false where it is none or has none of that type. */
struct json_object *lsp_member(struct json_object *object, const char *name);
const char *lsp_text_member(struct json_object *object, const char *name);
bool lsp_integer_member(struct json_object *object, const char *name, int64_t *out);

/* {"line":0,"character":0}: lines from 0, characters in UTF-16 units. */
void lsp_add_position(struct text_builder *out, const struct source *source, uint32_t offset);
void lsp_add_range(struct text_builder *out, const struct source *source, uint32_t begin,
                   uint32_t end);
/* {"uri":...,"range":...} */
void lsp_add_location(struct text_builder *out, const struct lsp_server *server,
                      const struct source *source, uint32_t begin, uint32_t end);

/* The offset of a position; beyond a line or the text it is that one's end. */
uint32_t lsp_offset(const struct source *source, int64_t line, int64_t character);

/* A file's path of its URI and back. The path of a URI that is no file is the URI. */
const char *lsp_path_of_uri(struct arena *arena, const char *uri);
void lsp_add_uri(struct text_builder *out, const struct lsp_server *server, const char *path);

#endif
