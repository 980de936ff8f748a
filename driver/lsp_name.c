/* What names mean: looking them up, and describing them. */
#include <string.h>

#include "compiler/recipe_word.h"
#include "driver/lsp_outline.h"

/* ---- used files ---- */

const struct source *lsp_used_source(struct lsp_analysis *analysis, const char *name,
                                     const struct source *user)
{
    struct source_set *sources = &analysis->sources;
    uint32_t from = (uint32_t)sources->sources.count;
    const char *path;
    struct status status;

    while (from > 0 && sources->sources.items[from - 1] != user)
        from--;
    path = from > 0 ? source_find(sources, name, from - 1) : NULL;
    if (!path)
        return NULL;
    for (size_t i = 0; i < sources->sources.count; i++) {
        if (strcmp(sources->sources.items[i]->path, path) == 0)
            return sources->sources.items[i];
    }
    status = source_open(sources, path, &from);
    return status_is_ok(&status) ? sources->sources.items[from] : NULL;
}

/* A list of files, each once: the user's, then those that they use. */
struct file_list {
    struct arena *arena;
    VECTOR(const struct source *) items;
};

static void add_used_files(struct file_list *files, struct lsp_analysis *analysis,
                           const struct lsp_outline *outline)
{
    for (size_t i = 0; i < outline->uses.count; i++) {
        const struct lsp_token use = outline->uses.items[i];
        const char *name = arena_copy_text(files->arena, outline->source->text + use.begin,
                                           use.end - use.begin);
        const struct source *used = lsp_used_source(analysis, name, outline->source);
        bool is_known = !used;

        for (size_t file = 0; file < files->items.count; file++)
            is_known = is_known || files->items.items[file] == used;
        if (!is_known)
            vector_push(&files->items, files->arena, used);
    }
}

static void add_names(struct lsp_names *names, const struct lsp_outline *outline)
{
    for (size_t i = 0; i < outline->declared.count; i++)
        vector_push(&names->items, names->arena, outline->declared.items[i]);
}

void lsp_declared_names(struct lsp_analysis *analysis, const struct lsp_outline *outline,
                        struct lsp_names *out)
{
    struct file_list files = {.arena = out->arena};

    vector_push(&files.items, files.arena, outline->source);
    add_names(out, outline);
    add_used_files(&files, analysis, outline);
    for (size_t i = 1; i < files.items.count; i++) {
        const struct lsp_outline *used = lsp_outline_new(out->arena, files.items.items[i], 0);

        add_names(out, used);
        add_used_files(&files, analysis, used);
    }
}

/* ---- looking up ---- */

static bool same_text(const struct lsp_name *name, const struct lsp_outline *outline,
                      size_t token)
{
    const struct lsp_token word = outline->tokens.items[token];
    const uint32_t length = word.end - word.begin;

    return name->end - name->begin == length &&
           memcmp(name->source->text + name->begin, outline->source->text + word.begin, length) ==
               0;
}

const struct lsp_name *lsp_look_up(struct arena *arena, struct lsp_analysis *analysis,
                                   const struct lsp_outline *outline, size_t token,
                                   bool is_network)
{
    struct lsp_names names = {.arena = arena};

    for (size_t i = outline->locals.count; i > 0 && !is_network; i--) {
        if (same_text(&outline->locals.items[i - 1], outline, token))
            return &outline->locals.items[i - 1];
    }
    lsp_declared_names(analysis, outline, &names);
    for (size_t i = 0; i < names.items.count; i++) {
        const struct lsp_name *name = &names.items.items[i];

        if ((name->kind == LSP_NETWORK) == is_network && same_text(name, outline, token))
            return name;
    }
    return NULL;
}

const struct binding *lsp_builtin(const struct lsp_analysis *analysis,
                                  const struct lsp_outline *outline, size_t token)
{
    const struct scope *scopes[] = {analysis->builtins.words, analysis->builtins.builtins};
    const bool in_recipe =
        outline->region == LSP_IN_RECIPE || outline->region == LSP_IN_TRAIN;

    for (size_t scope = in_recipe ? 0 : 1; scope < countof(scopes); scope++) {
        for (size_t i = 0; i < scopes[scope]->bindings.count; i++) {
            if (lsp_token_is(outline, token, scopes[scope]->bindings.items[i]->name))
                return scopes[scope]->bindings.items[i];
        }
    }
    return NULL;
}

bool lsp_is_argument_name(const struct lsp_outline *outline, size_t token)
{
    return outline->callee != LSP_NONE && token > 0 && token >= outline->arguments &&
           lsp_token_is(outline, token + 1, "=") && !lsp_token_is(outline, token + 2, "=") &&
           (token == outline->arguments || lsp_token_is(outline, token - 1, ","));
}

const struct lsp_name *lsp_argument(struct arena *arena, struct lsp_analysis *analysis,
                                    const struct lsp_outline *outline, size_t token)
{
    const struct lsp_name *callee;

    if (!lsp_is_argument_name(outline, token))
        return NULL;
    callee = lsp_look_up(arena, analysis, outline, outline->callee, false);
    for (size_t i = 0; callee && i < callee->parameter_count; i++) {
        if (same_text(&callee->parameters[i], outline, token))
            return &callee->parameters[i];
    }
    return NULL;
}

bool lsp_names_network(const struct lsp_outline *outline, size_t token)
{
    return token > 0 && (lsp_token_is(outline, token - 1, "network") ||
                         lsp_token_is(outline, token - 1, "train"));
}

/* ---- describing ---- */

/* Where the line before the one that begins at `begin` begins; false if that is the first. */
static bool line_before(const struct source *source, uint32_t begin, uint32_t *out)
{
    if (begin == 0)
        return false;
    *out = begin - 1;
    while (*out > 0 && source->text[*out - 1] != '\n')
        --*out;
    return true;
}

const char *lsp_comment_above(struct arena *arena, const struct lsp_name *name)
{
    const struct source *source = name->source;
    struct text_builder text = {.arena = arena};
    uint32_t first = source->lines[source_position(source, name->head_begin).line - 1];
    const uint32_t end = first;
    uint32_t line;
    size_t length;

    while (line_before(source, first, &line) &&
           strncmp(source->text + line + strspn(source->text + line, " \t"), "//", 2) == 0)
        first = line;
    for (line = first; line < end; line += (uint32_t)strcspn(source->text + line, "\n") + 1) {
        const char *at = source_line(source, line, &length), *stop = at + length;

        at += strspn(at, " \t") + 2;
        at += *at == ' ';
        text_add_bytes(&text, at, (size_t)(stop - at));
        text_add(&text, "\n");
    }
    return text_result(&text);
}

const char *lsp_layer_parameter(struct arena *arena, enum op_kind kind, int index)
{
    const struct layer_argument *argument = &op_definition(kind)->arguments[index];

    if (argument->required)
        return argument->name;
    if (argument->type == ARGUMENT_BOOLEAN)
        return arena_format(arena, "%s = %s", argument->name,
                            argument->fallback != 0 ? "true" : "false");
    if (argument->type == ARGUMENT_AXES && argument->fallback == 0)
        return arena_format(arena, "%s = ...", argument->name); /* the shape rule knows better */
    return arena_format(arena, "%s = %g", argument->name, argument->fallback);
}

static const char *word_parameter(struct arena *arena, const struct word_definition *word,
                                  size_t index)
{
    const struct word_parameter *parameter = &word->parameters[index];

    if (parameter->required)
        return parameter->name;
    if (parameter->type == WORD_FLAG)
        return arena_format(arena, "%s = %s", parameter->name,
                            parameter->fallback != 0 ? "true" : "false");
    if (parameter->type == WORD_CHOICE)
        return arena_format(arena, "%s = ...", parameter->name);
    return arena_format(arena, "%s = %g", parameter->name, parameter->fallback);
}

const char *lsp_builtin_head(struct arena *arena, const struct binding *binding)
{
    struct text_builder text = {.arena = arena};

    text_add(&text, "%s", binding->name);
    for (size_t i = 0; binding->signature && i < binding->signature->count; i++) {
        text_add(&text, i == 0 ? "(" : ", ");
        if (binding->value.kind == VALUE_BLOCK)
            text_add(&text, "%s", lsp_layer_parameter(arena, binding->value.block->op, (int)i));
        else if (binding->value.kind == VALUE_WORDS)
            text_add(&text, "%s",
                     word_parameter(arena, binding->value.words->items[0].definition, i));
    }
    if (binding->signature && binding->signature->count > 0)
        text_add(&text, ")");
    return text_result(&text);
}
