/* The documents that are open: their texts, and keeping what is known of them up to date. */
#include <string.h>

#include "driver/lsp.h"

/* ---- the list ---- */

struct lsp_document *lsp_find_document(const struct lsp_server *server, const char *uri)
{
    struct lsp_document *document = server->documents;

    while (document && strcmp(document->uri, uri) != 0)
        document = document->next;
    return document;
}

struct lsp_document *lsp_find_path(const struct lsp_server *server, const char *path)
{
    struct lsp_document *document = server->documents;

    while (document && strcmp(document->path, path) != 0)
        document = document->next;
    return document;
}

static struct lsp_document *add_document(struct lsp_server *server, const char *uri)
{
    struct arena arena = {0};
    struct lsp_document *document = ARENA_NEW(&arena, struct lsp_document);

    document->uri = arena_copy_text(&arena, uri, strlen(uri));
    document->path = lsp_path_of_uri(&arena, uri);
    document->arena = arena;
    document->next = server->documents;
    server->documents = document;
    return document;
}

static void release_document(struct lsp_document *document)
{
    struct arena arena = document->arena;

    lsp_release_analysis(document->analysis);
    arena_release(&document->text_arena);
    arena_release(&arena);
}

void lsp_release_documents(struct lsp_server *server)
{
    while (server->documents) {
        struct lsp_document *document = server->documents;

        server->documents = document->next;
        release_document(document);
    }
}

/* ---- staying up to date ---- */

/* Marks the documents that use the file at `path`. */
static void mark_users(const struct lsp_server *server, const char *path)
{
    for (struct lsp_document *document = server->documents; document; document = document->next) {
        const struct lsp_analysis *analysis = document->analysis;

        for (size_t i = 0; analysis && i < analysis->sources.sources.count; i++) {
            if (strcmp(analysis->sources.sources.items[i]->path, path) == 0)
                document->is_stale = true;
        }
    }
}

static void analyze_again(const struct lsp_server *server, struct lsp_document *document,
                          struct table *files)
{
    lsp_list_files(files, document->analysis);
    lsp_release_analysis(document->analysis);
    document->analysis = lsp_analyze(server, document);
    document->is_stale = false;
    lsp_list_files(files, document->analysis);
}

void lsp_refresh(struct lsp_server *server)
{
    struct arena arena = {0};
    struct table files = {.arena = &arena};

    for (struct lsp_document *document = server->documents; document; document = document->next) {
        if (document->is_stale)
            analyze_again(server, document, &files);
    }
    lsp_publish(server, &files);
    arena_release(&arena);
}

/* ---- notifications ---- */

/* Gives the document the text of a JSON string. */
static void set_text(struct lsp_server *server, struct lsp_document *document,
                     struct json_object *text, struct json_object *identifier)
{
    arena_release(&document->text_arena);
    document->size = (size_t)json_object_get_string_len(text);
    document->text =
        arena_copy_text(&document->text_arena, json_object_get_string(text), document->size);
    document->has_version = lsp_integer_member(identifier, "version", &document->version);
    document->is_stale = true;
    mark_users(server, document->path);
}

void lsp_did_open(struct lsp_request *request)
{
    struct json_object *item = lsp_member(request->parameters, "textDocument");
    struct json_object *text = lsp_member(item, "text");
    const char *uri = lsp_text_member(item, "uri");
    struct lsp_document *document;

    if (!uri || !json_object_is_type(text, json_type_string))
        return;
    document = lsp_find_document(request->server, uri);
    if (!document)
        document = add_document(request->server, uri);
    set_text(request->server, document, text, item);
}

/* Every change holds the whole text; the last one counts. */
void lsp_did_change(struct lsp_request *request)
{
    struct json_object *item = lsp_member(request->parameters, "textDocument");
    struct json_object *changes = lsp_member(request->parameters, "contentChanges");
    const char *uri = lsp_text_member(item, "uri");
    struct lsp_document *document = uri ? lsp_find_document(request->server, uri) : NULL;
    struct json_object *change, *text;

    if (!document || !json_object_is_type(changes, json_type_array) ||
        json_object_array_length(changes) == 0)
        return;
    change = json_object_array_get_idx(changes, json_object_array_length(changes) - 1);
    text = lsp_member(change, "text");
    if (json_object_is_type(text, json_type_string) && !lsp_member(change, "range"))
        set_text(request->server, document, text, item);
}

/* Publishes that the document finds nothing any more. */
static void take_back_findings(struct lsp_server *server, struct lsp_document *document)
{
    struct arena arena = {0};
    struct table files = {.arena = &arena};

    lsp_list_files(&files, document->analysis);
    lsp_release_analysis(document->analysis);
    document->analysis = NULL;
    lsp_publish(server, &files);
    arena_release(&arena);
}

void lsp_did_close(struct lsp_request *request)
{
    struct lsp_server *server = request->server;
    const char *uri = lsp_text_member(lsp_member(request->parameters, "textDocument"), "uri");
    struct lsp_document *document = uri ? lsp_find_document(server, uri) : NULL;
    struct lsp_document **link = &server->documents;

    if (!document)
        return;
    take_back_findings(server, document);
    while (*link != document)
        link = &(*link)->next;
    *link = document->next;
    mark_users(server, document->path);
    release_document(document);
}

/* ---- requests ---- */

struct lsp_document *lsp_read_document(struct lsp_request *request)
{
    const char *uri = lsp_text_member(lsp_member(request->parameters, "textDocument"), "uri");
    struct lsp_document *document = uri ? lsp_find_document(request->server, uri) : NULL;

    if (document)
        lsp_refresh(request->server);
    else
        lsp_fail(request, LSP_INVALID_PARAMETERS, "the document is not open");
    return document;
}

bool lsp_read_place(struct lsp_request *request, struct lsp_place *out)
{
    struct json_object *position = lsp_member(request->parameters, "position");
    struct lsp_document *document = lsp_read_document(request);
    int64_t line, character;

    if (!document)
        return false;
    if (!lsp_integer_member(position, "line", &line) ||
        !lsp_integer_member(position, "character", &character)) {
        lsp_fail(request, LSP_INVALID_PARAMETERS, "there is no position");
        return false;
    }
    *out = (struct lsp_place){.document = document, .analysis = document->analysis};
    if (out->analysis->source == 0)
        return false;
    out->source = out->analysis->sources.sources.items[out->analysis->source];
    out->offset = lsp_offset(out->source, line, character);
    return true;
}
