/* textDocument/documentSymbol: what a file declares, and the labels and outputs inside. */
#include "driver/lsp.h"

/* SymbolKind of the protocol. */
enum symbol_kind {
    SYMBOL_MODULE = 2,
    SYMBOL_CLASS = 5,
    SYMBOL_PROPERTY = 7,
    SYMBOL_FIELD = 8,
    SYMBOL_FUNCTION = 12,
    SYMBOL_CONSTANT = 14,
    SYMBOL_STRUCT = 23,
    SYMBOL_EVENT = 24,
};

/* 0 for nodes that are no symbol themselves. */
static enum symbol_kind symbol_kind(const struct node *node)
{
    switch (node->kind) {
    case NODE_USE: return SYMBOL_MODULE;
    case NODE_LET: return SYMBOL_CONSTANT;
    case NODE_BLOCK: return SYMBOL_FUNCTION;
    case NODE_STAGE: return SYMBOL_FUNCTION;
    case NODE_NETWORK: return SYMBOL_CLASS;
    case NODE_RECIPE: return SYMBOL_STRUCT;
    case NODE_TRAIN: return SYMBOL_EVENT;
    case NODE_SETTING: return SYMBOL_PROPERTY;
    case NODE_OUTPUT: return SYMBOL_PROPERTY;
    case NODE_LABEL: return SYMBOL_FIELD;
    default: return (enum symbol_kind)0;
    }
}

static void add_symbols(struct text_builder *out, const struct source *source,
                        const struct node *node);

static void add_symbol(struct text_builder *out, const struct source *source,
                       const struct node *node)
{
    const struct span name = node->name_span;

    text_add(out, "%s{\"name\":", out->data[out->length - 1] == '[' ? "" : ",");
    text_add_json(out, node->name);
    text_add(out, ",\"kind\":%d,\"range\":", symbol_kind(node));
    lsp_add_range(out, source, node->span.begin, node->span.end);
    text_add(out, ",\"selectionRange\":");
    lsp_add_range(out, source, name.begin, name.end);
    text_add(out, ",\"children\":[");
    for (size_t i = 0; i < node->count && node->kind != NODE_USE; i++)
        add_symbols(out, source, node->items[i]);
    text_add(out, "]}");
}

/* Adds the symbols in a tree; expressions are searched for labels. Trees are at most as deep as the
 * parser allows. */
static void add_symbols(struct text_builder *out, const struct source *source,
                        const struct node *node)
{
    if (symbol_kind(node) && node->name && *node->name) {
        add_symbol(out, source, node);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        add_symbols(out, source, node->items[i]);
}

void lsp_symbols(struct lsp_request *request)
{
    const struct lsp_document *document = lsp_read_document(request);
    struct text_builder *out = &request->result;
    const struct lsp_analysis *analysis;

    if (!document)
        return;
    analysis = document->analysis;
    text_add(out, "[");
    for (size_t i = 0; analysis->tree && i < analysis->tree->count; i++)
        add_symbols(out, analysis->sources.sources.items[analysis->source],
                    analysis->tree->items[i]);
    text_add(out, "]");
}
