/* textDocument/definition: where a name, a used file or an argument's parameter is declared. */
#include "driver/lsp_outline.h"

static void add_file(struct lsp_request *request, const struct lsp_place *place,
                     const struct lsp_outline *outline, size_t token)
{
    const struct lsp_token word = outline->tokens.items[token];
    const char *name =
        arena_copy_text(request->arena, place->source->text + word.begin, word.end - word.begin);
    const struct source *used = lsp_used_source(place->analysis, name, place->source);

    if (used)
        lsp_add_location(&request->result, request->server, used, 0, 0);
}

void lsp_definition(struct lsp_request *request)
{
    const struct lsp_outline *outline;
    const struct lsp_name *name;
    struct lsp_place place;
    size_t token;

    if (!lsp_read_place(request, &place))
        return;
    outline = lsp_outline_new(request->arena, place.source, place.offset);
    token = lsp_word_at(outline, place.offset);
    if (token == LSP_NONE || outline->is_in_comment)
        return;
    outline = lsp_outline_new(request->arena, place.source, outline->tokens.items[token].begin);
    if (token > 0 && lsp_token_is(outline, token - 1, "use")) {
        add_file(request, &place, outline, token);
        return;
    }
    name = lsp_argument(request->arena, place.analysis, outline, token);
    if (!name && !lsp_is_argument_name(outline, token) && !lsp_token_is(outline, token + 1, ":"))
        name = lsp_look_up(request->arena, place.analysis, outline, token,
                           lsp_names_network(outline, token));
    if (name)
        lsp_add_location(&request->result, request->server, name->source, name->begin, name->end);
}
