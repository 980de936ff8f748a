/* textDocument/formatting: as `rnet fmt` does; a text with mistakes of syntax stays as it is. */
#include <string.h>

#include "driver/lsp.h"
#include "lang/format.h"

void lsp_formatting(struct lsp_request *request)
{
    const struct lsp_document *document = lsp_read_document(request);
    struct text_builder formatted = {.arena = request->arena};
    struct diagnostics diagnostics;
    struct source_set sources;
    uint32_t index;

    if (!document || document->analysis->source == 0)
        return;
    source_set_init(&sources, request->arena);
    diagnostics_init(&diagnostics, request->arena, &sources);
    index = source_add(&sources, document->path, document->text, document->size);
    if (!format_source(&sources, &diagnostics, index, &formatted))
        return;
    text_add(&request->result, "[");
    if (formatted.length != document->size ||
        memcmp(text_result(&formatted), document->text, document->size) != 0) {
        text_add(&request->result, "{\"range\":");
        lsp_add_range(&request->result, sources.sources.items[index], 0, (uint32_t)document->size);
        text_add(&request->result, ",\"newText\":");
        text_add_json(&request->result, text_result(&formatted));
        text_add(&request->result, "}");
    }
    text_add(&request->result, "]");
}
