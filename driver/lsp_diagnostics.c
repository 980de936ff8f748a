/* textDocument/publishDiagnostics. A file may be used by several documents: what is published for
 * it is the union of what their analyses found, each mistake once. */
#include <string.h>

#include "driver/lsp.h"

struct publication {
    struct lsp_server *server;
    struct arena arena;
    struct text_builder out;
    struct table seen; /* what is already in `out`, as JSON */
};

/* Adds text as a JSON string; bytes that are not UTF-8 (of a path) become question marks. */
static void add_text(struct publication *publication, struct text_builder *out, const char *text)
{
    char *copy = arena_copy_text(&publication->arena, text, strlen(text));
    const size_t size = strlen(copy);

    for (size_t end = source_text_end(copy, size); end < size;
         end += source_text_end(copy + end, size - end))
        copy[end] = '?';
    text_add_json(out, copy);
}

static const struct source *source_of(const struct lsp_analysis *analysis, struct span span)
{
    return analysis->sources.sources.items[span.source];
}

/* ---- one diagnostic ---- */

static const char *message(struct publication *publication, const struct diagnostic *diagnostic)
{
    struct text_builder text = {.arena = &publication->arena};

    text_add(&text, "%s", diagnostic->text);
    if (diagnostic->label)
        text_add(&text, "\n%s", diagnostic->label);
    for (size_t i = 0; i < diagnostic->notes.count; i++) {
        const struct note *note = &diagnostic->notes.items[i];

        if (note->span.source == 0)
            text_add(&text, "\n%s: %s", note->is_help ? "help" : "note", note->text);
    }
    return text_result(&text);
}

static void add_related(struct publication *publication, struct text_builder *out,
                        const struct lsp_analysis *analysis, struct span span, const char *text)
{
    text_add(out, out->data[out->length - 1] == '[' ? "" : ",");
    text_add(out, "{\"location\":");
    lsp_add_location(out, publication->server, source_of(analysis, span), span.begin, span.end);
    text_add(out, ",\"message\":");
    add_text(publication, out, text);
    text_add(out, "}");
}

static bool is_moved(const struct lsp_finding *finding)
{
    const struct span a = finding->span, b = finding->diagnostic->span;

    return a.source != b.source || a.begin != b.begin || a.end != b.end;
}

static const char *describe(struct publication *publication, const struct lsp_analysis *analysis,
                            const struct lsp_finding *finding)
{
    const struct diagnostic *diagnostic = finding->diagnostic;
    struct text_builder out = {.arena = &publication->arena};

    text_add(&out, "{\"range\":");
    lsp_add_range(&out, source_of(analysis, finding->span), finding->span.begin,
                  finding->span.end);
    text_add(&out, ",\"severity\":%d,\"code\":\"%s\",\"source\":\"rnet\",\"message\":",
             diagnostic->severity == SEVERITY_ERROR ? 1 : 2, diagnostic->code);
    add_text(publication, &out, message(publication, diagnostic));
    text_add(&out, ",\"relatedInformation\":[");
    if (is_moved(finding) && diagnostic->span.source != 0)
        add_related(publication, &out, analysis, diagnostic->span, "the mistake shows here");
    for (size_t i = 0; i < diagnostic->notes.count; i++) {
        const struct note *note = &diagnostic->notes.items[i];

        if (note->span.source != 0)
            add_related(publication, &out, analysis, note->span, note->text);
    }
    text_add(&out, "]}");
    return text_result(&out);
}

/* ---- one file ---- */

static void add_findings(struct publication *publication, const struct lsp_analysis *analysis,
                         const char *path)
{
    for (size_t i = 0; i < analysis->findings.count; i++) {
        const struct lsp_finding *finding = &analysis->findings.items[i];
        const char *text;

        if (strcmp(finding->path, path) != 0)
            continue;
        text = describe(publication, analysis, finding);
        if (table_find(&publication->seen, text, strlen(text)))
            continue;
        text_add(&publication->out, "%s", publication->seen.count > 0 ? "," : "");
        text_add(&publication->out, "%s", text);
        table_set(&publication->seen, text, strlen(text), 0);
    }
}

static void publish_file(struct lsp_server *server, const char *path)
{
    struct publication publication = {.server = server};
    const struct lsp_document *document = lsp_find_path(server, path);
    struct text_builder *out = &publication.out;

    out->arena = &publication.arena;
    publication.seen.arena = &publication.arena;
    text_add(out, "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/publishDiagnostics\","
                  "\"params\":{\"uri\":");
    lsp_add_uri(out, server, path);
    if (document && document->has_version)
        text_add(out, ",\"version\":%lld", (long long)document->version);
    text_add(out, ",\"diagnostics\":[");
    for (document = server->documents; document; document = document->next) {
        if (document->analysis)
            add_findings(&publication, document->analysis, path);
    }
    text_add(out, "]}}");
    lsp_send(&server->transport, out->data, out->length);
    arena_release(&publication.arena);
}

/* ---- all that changed ---- */

static void list_file(struct table *files, const char *path)
{
    table_set(files, path, strlen(path) + 1, 0);
}

void lsp_list_files(struct table *files, const struct lsp_analysis *analysis)
{
    if (!analysis)
        return;
    if (analysis->source != 0)
        list_file(files, analysis->sources.sources.items[analysis->source]->path);
    for (size_t i = 0; i < analysis->findings.count; i++)
        list_file(files, analysis->findings.items[i].path);
}

void lsp_publish(struct lsp_server *server, const struct table *files)
{
    for (size_t i = 0; i < files->count; i++)
        publish_file(server, files->entries[i].key);
}
