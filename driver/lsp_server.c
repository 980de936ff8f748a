/* The server's loop: messages in, one answer to each request.
 *
 * A text is analyzed when no message is waiting, or when a request asks about it, so that fast
 * typing costs one analysis and not one a key. */
#include <string.h>

#include "config.h"
#include "driver/lsp.h"

enum { DEEPEST_JSON = 64 };

struct method {
    const char *name;
    bool is_request; /* it is answered */
    enum lsp_phase phase;
    void (*run)(struct lsp_request *request);
};

void lsp_fail(struct lsp_request *request, enum lsp_error error, const char *text)
{
    request->error = error;
    request->error_text = text;
}

/* ---- the server's life ---- */

/* {"initializationOptions": {"includePaths": [...]}} */
static void read_include_paths(struct lsp_server *server, struct json_object *parameters)
{
    struct json_object *options = lsp_member(parameters, "initializationOptions");
    struct json_object *paths = lsp_member(options, "includePaths");
    const char *const *standard = server->include_paths.items;
    const size_t standard_count = server->include_paths.count;

    if (!json_object_is_type(paths, json_type_array))
        return;
    memset(&server->include_paths, 0, sizeof server->include_paths);
    for (size_t i = 0; i < json_object_array_length(paths); i++) {
        struct json_object *path = json_object_array_get_idx(paths, i);
        const char *text = json_object_get_string(path);

        if (json_object_is_type(path, json_type_string))
            vector_push(&server->include_paths, &server->arena,
                        arena_copy_text(&server->arena, text, strlen(text)));
    }
    for (size_t i = 0; i < standard_count; i++)
        vector_push(&server->include_paths, &server->arena, standard[i]);
}

static void initialize(struct lsp_request *request)
{
    read_include_paths(request->server, request->parameters);
    request->server->phase = LSP_RUNNING;
    text_add(&request->result,
             "{\"capabilities\":{\"positionEncoding\":\"utf-16\","
             "\"textDocumentSync\":{\"openClose\":true,\"change\":1},"
             "\"hoverProvider\":true,"
             "\"completionProvider\":{\"triggerCharacters\":[\"(\",\".\"]},"
             "\"definitionProvider\":true,"
             "\"documentSymbolProvider\":true,"
             "\"documentFormattingProvider\":true},"
             "\"serverInfo\":{\"name\":\"rnet\",\"version\":\"" PACKAGE_VERSION "\"}}");
}

static void shut_down(struct lsp_request *request)
{
    request->server->phase = LSP_SHUT_DOWN;
}

static void ignore(struct lsp_request *request)
{
    (void)request;
}

static const struct method methods[] = {
    {"initialize", true, LSP_NEW, initialize},
    {"initialized", false, LSP_RUNNING, ignore},
    {"shutdown", true, LSP_RUNNING, shut_down},
    {"textDocument/didOpen", false, LSP_RUNNING, lsp_did_open},
    {"textDocument/didChange", false, LSP_RUNNING, lsp_did_change},
    {"textDocument/didClose", false, LSP_RUNNING, lsp_did_close},
    {"textDocument/hover", true, LSP_RUNNING, lsp_hover},
    {"textDocument/completion", true, LSP_RUNNING, lsp_completion},
    {"textDocument/definition", true, LSP_RUNNING, lsp_definition},
    {"textDocument/documentSymbol", true, LSP_RUNNING, lsp_symbols},
    {"textDocument/formatting", true, LSP_RUNNING, lsp_formatting},
};

/* ---- messages ---- */

static void send_answer(struct lsp_request *request, struct json_object *id)
{
    struct text_builder out = {.arena = request->arena};

    text_add(&out, "{\"jsonrpc\":\"2.0\",\"id\":");
    text_add(&out, "%s", json_object_to_json_string_ext(id, JSON_C_TO_STRING_PLAIN));
    if (request->error != 0) {
        text_add(&out, ",\"error\":{\"code\":%d,\"message\":", request->error);
        text_add_json(&out, request->error_text);
        text_add(&out, "}}");
    } else {
        text_add(&out, ",\"result\":");
        if (request->result.length > 0)
            text_add_bytes(&out, request->result.data, request->result.length);
        else
            text_add(&out, "null");
        text_add(&out, "}");
    }
    lsp_send(&request->server->transport, out.data, out.length);
}

static const struct method *find_method(const char *name)
{
    for (size_t i = 0; i < countof(methods); i++) {
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    }
    return NULL;
}

static void run_method(struct lsp_request *request, const struct method *method, bool is_request)
{
    const enum lsp_phase phase = request->server->phase;

    if (!method)
        lsp_fail(request, LSP_UNKNOWN_METHOD, "there is no such method");
    else if (phase == LSP_NEW && method->phase != LSP_NEW)
        lsp_fail(request, LSP_NOT_INITIALIZED, "`initialize` comes first");
    else if (phase != method->phase || method->is_request != is_request)
        lsp_fail(request, LSP_INVALID_REQUEST,
                 phase == LSP_SHUT_DOWN ? "the server was shut down" : "this can't come here");
    else
        method->run(request);
}

/* A message is a request, a notification (without `id`) or an answer (without `method`). */
static void handle(struct lsp_request *request, struct json_object *message)
{
    struct json_object *id = NULL;
    const bool is_object = json_object_is_type(message, json_type_object);
    const bool has_id = is_object && json_object_object_get_ex(message, "id", &id);
    const char *name = lsp_text_member(message, "method");

    request->parameters = lsp_member(message, "params");
    if (!name) {
        lsp_fail(request, LSP_INVALID_REQUEST, "this is no message");
        if (!is_object || (!lsp_member(message, "result") && !lsp_member(message, "error")))
            send_answer(request, id);
        return;
    }
    if (strcmp(name, "exit") == 0 && !has_id) {
        request->server->phase =
            request->server->phase == LSP_SHUT_DOWN ? LSP_EXITED : LSP_EXITED_EARLY;
        return;
    }
    run_method(request, find_method(name), has_id);
    if (has_id)
        send_answer(request, id);
}

/* NULL if the bytes are not one JSON value. */
static struct json_object *parse_json(const char *bytes, size_t size)
{
    struct json_tokener *tokener = json_tokener_new_ex(DEEPEST_JSON);
    struct json_object *message;

    if (!tokener)
        return NULL;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    message = json_tokener_parse_ex(tokener, bytes, (int)size + 1);
    /* A NUL inside ends the parse early. */
    if (json_tokener_get_error(tokener) != json_tokener_success ||
        json_tokener_get_parse_end(tokener) < size) {
        json_object_put(message);
        message = NULL;
    }
    json_tokener_free(tokener);
    return message;
}

/* Receives and handles one message; false when there are no more. */
static bool serve_one(struct lsp_server *server, struct arena *arena)
{
    struct lsp_request request = {.server = server, .arena = arena, .result = {.arena = arena}};
    struct json_object *message;
    const char *bytes;
    size_t size;

    switch (lsp_receive(&server->transport, arena, &bytes, &size)) {
    case LSP_END:
        return false;
    case LSP_TOO_LARGE:
        lsp_fail(&request, LSP_INVALID_REQUEST, "this message is too large");
        send_answer(&request, NULL);
        return true;
    case LSP_MESSAGE:
        break;
    }
    message = parse_json(bytes, size);
    if (message) {
        handle(&request, message);
    } else {
        lsp_fail(&request, LSP_PARSE_ERROR, "this is not JSON");
        send_answer(&request, NULL);
    }
    json_object_put(message);
    return server->phase < LSP_EXITED && !server->transport.failed;
}

int lsp_serve(struct lsp_server *server)
{
    bool goes_on = true;

    while (goes_on) {
        struct arena arena = {0};

        goes_on = serve_one(server, &arena);
        arena_release(&arena);
        if (goes_on && !lsp_is_waiting(&server->transport))
            lsp_refresh(server);
    }
    lsp_release_documents(server);
    arena_release(&server->arena);
    return server->phase == LSP_EXITED ? 0 : 1;
}
