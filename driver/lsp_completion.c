/* textDocument/completion: everything that may stand at a place; the client chooses by what is
 * typed. */
#include <dirent.h>
#include <string.h>

#include "compiler/recipe_elaborate.h"
#include "driver/lsp_outline.h"

/* CompletionItemKind of the protocol. */
enum item_kind {
    ITEM_FUNCTION = 3,
    ITEM_FIELD = 5,
    ITEM_VARIABLE = 6,
    ITEM_CLASS = 7,
    ITEM_PROPERTY = 10,
    ITEM_KEYWORD = 14,
    ITEM_FILE = 17,
    ITEM_CONSTANT = 21,
    ITEM_STRUCT = 22,
};

struct completion {
    struct lsp_request *request;
    struct lsp_place place;
    const struct lsp_outline *outline; /* at the beginning of what is typed */
    struct table seen;                 /* labels; an inner name hides an outer one */
    bool is_incomplete;
};

enum { ITEM_LIMIT = 1000 };

/* ---- items ---- */

static void add_item(struct completion *completion, const char *label, enum item_kind kind,
                     const char *detail, const char *inserted)
{
    struct text_builder *out = &completion->request->result;

    if (table_find(&completion->seen, label, strlen(label)))
        return;
    completion->is_incomplete = completion->seen.count >= ITEM_LIMIT;
    if (completion->is_incomplete)
        return;
    text_add(out, "%s{\"label\":", completion->seen.count > 0 ? "," : "");
    text_add_json(out, label);
    text_add(out, ",\"kind\":%d", kind);
    if (detail) {
        text_add(out, ",\"detail\":");
        text_add_json(out, detail);
    }
    if (inserted) {
        text_add(out, ",\"insertText\":");
        text_add_json(out, inserted);
    }
    text_add(out, "}");
    table_set(&completion->seen, label, strlen(label), 0);
}

static void add_words(struct completion *completion, const char *const *words, size_t count,
                      enum item_kind kind)
{
    for (size_t i = 0; i < count; i++)
        add_item(completion, words[i], kind, NULL, NULL);
}

static const char *text_between(const struct completion *completion, const struct lsp_name *name,
                                uint32_t begin, uint32_t end)
{
    return arena_copy_text(completion->request->arena, name->source->text + begin, end - begin);
}

static void add_name(struct completion *completion, const struct lsp_name *name)
{
    static const enum item_kind kinds[] = {
        [LSP_BLOCK] = ITEM_FUNCTION,      [LSP_STAGE] = ITEM_FUNCTION,
        [LSP_NETWORK] = ITEM_CLASS,       [LSP_RECIPE] = ITEM_STRUCT,
        [LSP_LET] = ITEM_CONSTANT,        [LSP_PARAMETER] = ITEM_VARIABLE,
        [LSP_VARIABLE] = ITEM_VARIABLE,
    };

    add_item(completion, text_between(completion, name, name->begin, name->end),
             kinds[name->kind], text_between(completion, name, name->head_begin, name->head_end),
             NULL);
}

static void add_scope(struct completion *completion, const struct scope *scope,
                      enum item_kind kind)
{
    for (size_t i = 0; i < scope->bindings.count; i++) {
        const struct binding *binding = scope->bindings.items[i];

        add_item(completion, binding->name, kind,
                 lsp_builtin_head(completion->request->arena, binding), NULL);
    }
}

/* ---- what may stand where ---- */

static bool in_recipe(const struct lsp_outline *outline)
{
    return outline->region == LSP_IN_RECIPE || outline->region == LSP_IN_TRAIN;
}

static void add_declared(struct completion *completion, bool networks)
{
    struct lsp_names names = {.arena = completion->request->arena};

    lsp_declared_names(completion->place.analysis, completion->outline, &names);
    for (size_t i = 0; i < names.items.count; i++) {
        if ((names.items.items[i].kind == LSP_NETWORK) == networks)
            add_name(completion, &names.items.items[i]);
    }
}

/* Names that an expression may hold. */
static void add_expression(struct completion *completion)
{
    static const char *const words[] = {"if", "then", "else", "true", "false", "and", "or", "not",
                                        "input"};
    const struct lsp_outline *outline = completion->outline;

    for (size_t i = outline->locals.count; i > 0; i--)
        add_name(completion, &outline->locals.items[i - 1]);
    if (outline->region == LSP_IN_STAGE)
        add_item(completion, "index", ITEM_VARIABLE, "the position in the stage, from 0", NULL);
    add_declared(completion, false);
    if (in_recipe(outline))
        add_scope(completion, completion->place.analysis->builtins.words, ITEM_CONSTANT);
    add_scope(completion, completion->place.analysis->builtins.builtins, ITEM_FUNCTION);
    add_words(completion, words, countof(words), ITEM_KEYWORD);
}

static void add_declaration_words(struct completion *completion)
{
    static const char *const words[] = {"use",     "let",    "block", "stage",
                                        "network", "recipe", "train"};

    add_words(completion, words, countof(words), ITEM_KEYWORD);
}

/* What begins a statement of the body at the place. */
static void add_statement_words(struct completion *completion)
{
    static const char *const words[] = {"let", "for", "in", "require", "output"};
    static const char *const arms[] = {"start", "middle", "end"};
    const struct lsp_outline *outline = completion->outline;

    if (outline->depth > 0 && in_recipe(outline)) {
        for (int setting = 0; setting < SETTING_COUNT; setting++)
            add_item(completion, recipe_setting_name((enum recipe_setting)setting), ITEM_PROPERTY,
                     "setting of a recipe", NULL);
        return;
    }
    if (outline->depth > 0 && outline->region == LSP_IN_STAGE)
        add_words(completion, arms, countof(arms), ITEM_PROPERTY);
    add_words(completion, words, countof(words), ITEM_KEYWORD);
}

/* ---- arguments ---- */

static void add_parameter(struct completion *completion, const char *name, const char *detail)
{
    add_item(completion, arena_format(completion->request->arena, "%s =", name), ITEM_FIELD,
             detail, arena_format(completion->request->arena, "%s = ", name));
}

/* Names of the parameters of what is called around the place. */
static void add_parameters(struct completion *completion)
{
    const struct lsp_outline *outline = completion->outline;
    struct arena *arena = completion->request->arena;
    const struct lsp_name *callee =
        lsp_look_up(arena, completion->place.analysis, outline, outline->callee, false);
    const struct binding *builtin;

    for (size_t i = 0; callee && i < callee->parameter_count; i++) {
        const struct lsp_name *parameter = &callee->parameters[i];

        add_parameter(
            completion, text_between(completion, parameter, parameter->begin, parameter->end),
            text_between(completion, parameter, parameter->head_begin, parameter->head_end));
    }
    if (callee)
        return;
    builtin = lsp_builtin(completion->place.analysis, outline, outline->callee);
    for (size_t i = 0; builtin && builtin->signature && i < builtin->signature->count; i++)
        add_parameter(completion, builtin->signature->parameters[i],
                      builtin->value.kind == VALUE_BLOCK
                          ? lsp_layer_parameter(arena, builtin->value.block->op, (int)i)
                          : NULL);
}

/* ---- files ---- */

static void add_files(struct completion *completion, const char *folder)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        const size_t length = strlen(entry->d_name);

        if (length > 5 && strcmp(entry->d_name + length - 5, ".rnet") == 0)
            add_item(completion,
                     arena_copy_text(completion->request->arena, entry->d_name, length - 5),
                     ITEM_FILE, folder, NULL);
    }
    if (directory)
        closedir(directory);
}

static void add_usable_files(struct completion *completion)
{
    const char *path = completion->place.document->path;
    const char *slash = strrchr(path, '/');

    if (slash)
        add_files(completion, arena_copy_text(completion->request->arena, path,
                                              (size_t)(slash - path)));
    for (size_t i = 0; i < completion->request->server->include_paths.count; i++)
        add_files(completion, completion->request->server->include_paths.items[i]);
}

/* ---- the place ---- */

static bool is_behind(const struct lsp_outline *outline, const char *text)
{
    return outline->here > 0 && lsp_token_is(outline, outline->here - 1, text);
}

/* Whether the place begins an argument: right behind the bracket or a comma. */
static bool begins_argument(const struct lsp_outline *outline)
{
    return outline->callee != LSP_NONE &&
           (outline->here == outline->arguments || is_behind(outline, ","));
}

static void complete(struct completion *completion)
{
    static const char *const fields[] = {"channels", "size"};
    static const char *const inputs[] = {"image", "video"};
    const struct lsp_outline *outline = completion->outline;

    if (is_behind(outline, ".") && outline->here > 1 &&
        lsp_token_is(outline, outline->here - 2, "input")) {
        add_words(completion, fields, countof(fields), ITEM_FIELD);
    } else if (is_behind(outline, "use")) {
        add_usable_files(completion);
    } else if (is_behind(outline, "train")) {
        add_declared(completion, true);
    } else if (is_behind(outline, "input")) {
        add_words(completion, inputs, countof(inputs), ITEM_KEYWORD);
    } else {
        if (begins_argument(outline))
            add_parameters(completion);
        add_expression(completion);
        add_statement_words(completion);
        if (outline->depth == 0)
            add_declaration_words(completion);
    }
}

void lsp_completion(struct lsp_request *request)
{
    struct completion completion = {.request = request, .seen = {.arena = request->arena}};
    size_t word;
    uint32_t begin;

    if (!lsp_read_place(request, &completion.place))
        return;
    begin = completion.place.offset;
    completion.outline = lsp_outline_new(request->arena, completion.place.source, begin);
    word = lsp_word_at(completion.outline, begin);
    if (word != LSP_NONE)
        begin = completion.outline->tokens.items[word].begin;
    text_add(&request->result, "{\"items\":[");
    if (!completion.outline->is_in_comment) {
        completion.outline = lsp_outline_new(request->arena, completion.place.source, begin);
        complete(&completion);
    }
    text_add(&request->result, "],\"isIncomplete\":%s}",
             completion.is_incomplete ? "true" : "false");
}
