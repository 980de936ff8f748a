/* From a document's text to its tree, its networks and what is wrong with it.
 *
 * Every network of the document is elaborated with the defaults of its parameters; without one, the
 * names and types in it are still checked. */
#include <string.h>

#include "driver/lsp.h"

enum {
    LARGEST_TEXT = 16 << 20, /* as for files (lang/source.c) */
    NETWORKS_ANALYZED = 64,
};

static void open_sources(const struct lsp_server *server, struct lsp_analysis *analysis)
{
    const struct lsp_document *other;

    source_set_init(&analysis->sources, &analysis->arena);
    for (size_t i = 0; i < server->include_paths.count; i++)
        vector_push(&analysis->sources.include_paths, &analysis->arena,
                    server->include_paths.items[i]);
    for (other = server->documents; other; other = other->next) {
        const struct unsaved_file file = {other->path, other->text, other->size};

        vector_push(&analysis->sources.unsaved, &analysis->arena, file);
    }
    diagnostics_init(&analysis->diagnostics, &analysis->arena, &analysis->sources);
    context_init(&analysis->builtins, &analysis->arena, &analysis->sources,
                 &analysis->diagnostics);
}

/* ---- networks ---- */

static size_t elaborate_networks(struct lsp_analysis *analysis)
{
    size_t count = 0;

    for (size_t i = 0; i < analysis->tree->count && count < NETWORKS_ANALYZED; i++) {
        const struct node *node = analysis->tree->items[i];
        const struct elaborate_options options = {.network = node->name};
        struct elaboration elaboration;

        if (node->kind != NODE_NETWORK)
            continue;
        count++;
        elaborate_source(&analysis->arena, &analysis->sources, &analysis->diagnostics,
                         analysis->source, &options, &elaboration);
        if (elaboration.graph)
            vector_push(&analysis->networks, &analysis->arena, elaboration);
    }
    return count;
}

/* ---- findings ---- */

static const char *path_at(const struct lsp_analysis *analysis, struct span span)
{
    return analysis->sources.sources.items[span.source]->path;
}

static bool is_in(const struct lsp_analysis *analysis, struct span span,
                  const struct lsp_document *document)
{
    return span.source != 0 && strcmp(path_at(analysis, span), document->path) == 0;
}

static void add_finding(struct lsp_analysis *analysis, const char *path,
                        const struct diagnostic *diagnostic, struct span span)
{
    const struct lsp_finding finding = {path, diagnostic, span};

    vector_push(&analysis->findings, &analysis->arena, finding);
}

/* Whether `path` is the file NAME.rnet. */
static bool is_file_of(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    const size_t length = strlen(name);

    return strncmp(file, name, length) == 0 && strcmp(file + length, ".rnet") == 0;
}

/* The `use` of a file, or the first one. */
static struct span use_of(const struct lsp_analysis *analysis, const char *path)
{
    struct span first = {.source = analysis->source};
    bool has_first = false;

    for (size_t i = 0; i < analysis->tree->count; i++) {
        const struct node *node = analysis->tree->items[i];

        if (node->kind != NODE_USE)
            continue;
        if (is_file_of(path, node->name))
            return node->span;
        if (!has_first)
            first = node->span;
        has_first = true;
    }
    return first;
}

/* Where the document itself led to a mistake in a used file: the outermost use there. */
static struct span use_that_led(const struct lsp_analysis *analysis,
                                const struct lsp_document *document,
                                const struct diagnostic *diagnostic)
{
    for (size_t i = diagnostic->notes.count; i > 0; i--) {
        const struct note *note = &diagnostic->notes.items[i - 1];

        if (is_in(analysis, note->span, document))
            return note->span;
    }
    return use_of(analysis, path_at(analysis, diagnostic->span));
}

static void find(struct lsp_analysis *analysis, const struct lsp_document *document,
                 const struct diagnostic *diagnostic, bool has_networks)
{
    const struct span span = diagnostic->span;

    if (span.source == 0) {
        if (has_networks || !analysis->tree)
            add_finding(analysis, document->path, diagnostic, span);
        return;
    }
    add_finding(analysis, path_at(analysis, span), diagnostic, span);
    if (!is_in(analysis, span, document))
        add_finding(analysis, document->path, diagnostic,
                    use_that_led(analysis, document, diagnostic));
}

static bool is_text(const struct lsp_document *document)
{
    return document->size <= LARGEST_TEXT &&
           source_text_end(document->text, document->size) == document->size;
}

static bool parse_document(struct lsp_analysis *analysis, const struct lsp_document *document)
{
    struct diagnostics discarded; /* elaboration parses again and reports */

    diagnostics_init(&discarded, &analysis->arena, &analysis->sources);
    analysis->source =
        source_add(&analysis->sources, document->path, document->text, document->size);
    analysis->tree = parse(&analysis->sources, &discarded, analysis->source);
    return elaborate_networks(analysis) > 0;
}

struct lsp_analysis *lsp_analyze(const struct lsp_server *server,
                                 const struct lsp_document *document)
{
    struct arena arena = {0};
    struct lsp_analysis *analysis = ARENA_NEW(&arena, struct lsp_analysis);
    bool has_networks = false;

    analysis->arena = arena;
    open_sources(server, analysis);
    if (is_text(document))
        has_networks = parse_document(analysis, document);
    else
        diagnostic_error(&analysis->diagnostics, DIAGNOSTIC_UNREADABLE, (struct span){0},
                         "this is not a text, or one of more than 16 MiB");
    if (analysis->source != 0 && !has_networks) {
        struct elaboration elaboration;

        elaborate_source(&analysis->arena, &analysis->sources, &analysis->diagnostics,
                         analysis->source, &(struct elaborate_options){0}, &elaboration);
    }
    for (size_t i = 0; i < analysis->diagnostics.items.count; i++)
        find(analysis, document, analysis->diagnostics.items.items[i], has_networks);
    return analysis;
}

void lsp_release_analysis(struct lsp_analysis *analysis)
{
    struct arena arena = {0};

    if (analysis)
        arena = analysis->arena;
    arena_release(&arena);
}
