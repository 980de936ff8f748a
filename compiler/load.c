/* Following `use`, and declaring what files hold. */
#include "compiler/load.h"

#include <string.h>

#include "compiler/evaluate.h"

enum { USE_DEPTH_LIMIT = 64 };

/* A file whose `use` lines are being followed. On the C stack. */
struct loading {
    const struct loading *outer;
    const struct file *file;
    struct span use; /* the line that is being followed */
    int depth;
};

/* ---- declarations ---- */

static struct signature signature_of(struct context *context, const struct node *node)
{
    const size_t count = node->count - 1;
    const char **names = ARENA_ARRAY(context->arena, const char *, count + 1);
    bool *required = ARENA_ARRAY(context->arena, bool, count + 1);

    for (size_t i = 0; i < count; i++) {
        names[i] = node->items[i]->name;
        required[i] = node->items[i]->count == 0;
    }
    return (struct signature){node->name, names, required, count};
}

static struct declaration *declaration_new(struct context *context, const struct file *file,
                                           const struct node *node)
{
    struct declaration *declaration = ARENA_NEW(context->arena, struct declaration);

    declaration->node = node;
    declaration->scope = file->scope;
    declaration->signature = signature_of(context, node);
    return declaration;
}

static struct value declared_value(struct context *context, const struct declaration *declaration)
{
    const struct application application = {
        &declaration->signature,
        ARENA_ARRAY(context->arena, struct argument, declaration->signature.count + 1)};
    struct recipe_value *recipe;
    struct block *block;

    if (declaration->node->kind == NODE_RECIPE) {
        recipe = ARENA_NEW(context->arena, struct recipe_value);
        *recipe = (struct recipe_value){declaration, application, declaration->node->name_span};
        return (struct value){.kind = VALUE_RECIPE, .recipe = recipe};
    }
    block = ARENA_NEW(context->arena, struct block);
    *block = (struct block){
        .kind = declaration->node->kind == NODE_STAGE ? BLOCK_STAGE : BLOCK_DECLARED,
        .application = application,
        .declaration = declaration,
    };
    return value_block(block);
}

static void report_duplicate(struct context *context, const char *name, struct span span,
                             struct span first)
{
    struct diagnostic *diagnostic =
        report(context, DIAGNOSTIC_DUPLICATE_NAME, span, "`%s` is declared twice", name);

    diagnostic_note(context->diagnostics, diagnostic, first, "first declared here");
}

static void declare_name(struct context *context, struct file *file, const struct node *node)
{
    const struct binding *first = scope_find_here(file->scope, node->name);
    const struct declaration *declaration;
    struct binding *binding;

    if (first) {
        report_duplicate(context, node->name, node->name_span, first->span);
        return;
    }
    binding = scope_add(file->scope, context->arena, node->name, node->name_span, value_poison());
    if (node->kind == NODE_LET) {
        binding->pending = node->items[0];
        binding->home = file->scope;
        return;
    }
    declaration = declaration_new(context, file, node);
    binding->value = declared_value(context, declaration);
    binding->signature = &declaration->signature;
}

static void declare_network(struct context *context, struct file *file, const struct node *node)
{
    for (size_t i = 0; i < file->networks.count; i++) {
        const struct node *first = file->networks.items[i]->node;

        if (first->name == node->name) {
            report_duplicate(context, node->name, node->name_span, first->name_span);
            return;
        }
    }
    vector_push(&file->networks, context->arena, declaration_new(context, file, node));
}

static void declare_train(struct context *context, struct file *file, const struct node *node)
{
    for (size_t i = 0; i < file->trains.count; i++) {
        const struct node *first = file->trains.items[i];

        if (first->name == node->name) {
            report_duplicate(context, node->name, node->name_span, first->name_span);
            return;
        }
    }
    vector_push(&file->trains, context->arena, node);
}

static void declare_all(struct context *context, struct file *file)
{
    for (size_t i = 0; i < file->tree->count; i++) {
        const struct node *node = file->tree->items[i];

        switch (node->kind) {
        case NODE_LET:
        case NODE_BLOCK:
        case NODE_STAGE:
        case NODE_RECIPE:
            declare_name(context, file, node);
            break;
        case NODE_NETWORK:
            declare_network(context, file, node);
            break;
        case NODE_TRAIN:
            declare_train(context, file, node);
            break;
        default:
            break;
        }
    }
}

/* ---- use ---- */

static void import_name(struct context *context, struct file *file, struct binding *binding,
                        const struct node *use)
{
    const struct binding *present = scope_find_here(file->imports, binding->name);
    struct diagnostic *diagnostic;

    if (!present) {
        scope_share(file->imports, context->arena, binding);
        return;
    }
    if (present == binding)
        return;
    diagnostic = report(context, DIAGNOSTIC_DUPLICATE_NAME, use->name_span,
                        "`%s` comes from two used files", binding->name);
    diagnostic_note(context->diagnostics, diagnostic, present->span, "one is declared here");
    diagnostic_note(context->diagnostics, diagnostic, binding->span, "the other here");
}

static void import_all(struct context *context, struct file *file, const struct file *used,
                       const struct node *use)
{
    for (size_t i = 0; i < used->imports->bindings.count; i++) {
        struct binding *binding = used->imports->bindings.items[i];

        if (!scope_find_here(used->scope, binding->name))
            import_name(context, file, binding, use);
    }
    for (size_t i = 0; i < used->scope->bindings.count; i++)
        import_name(context, file, used->scope->bindings.items[i], use);
}

static void report_circle(struct context *context, const struct loading *loading,
                          const struct file *again, const struct node *use)
{
    struct diagnostic *diagnostic =
        report(context, DIAGNOSTIC_USE_CYCLE, use->span, "`%s` is used by itself", again->path);

    for (; loading && loading->file != again; loading = loading->outer)
        diagnostic_note(context->diagnostics, diagnostic, loading->outer->use, "`%s` is used here",
                        loading->file->path);
}

/* "./a.rnet" and "a.rnet" are one file. */
static const char *plain_path(const char *path)
{
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    return path;
}

static struct file *load(struct context *context, struct file_set *files, uint32_t source,
                         const struct loading *outer);

static struct file *load_used(struct context *context, struct file_set *files,
                              const struct loading *loading, const struct node *use)
{
    const char *path = source_find(context->sources, use->name, loading->file->source);
    struct diagnostic *diagnostic;
    struct status status;
    uint32_t source;

    if (!path) {
        diagnostic = report(context, DIAGNOSTIC_USE_NOT_FOUND, use->name_span,
                            "there is no file `%s.rnet`", use->name);
        diagnostic_help(context->diagnostics, diagnostic,
                        "it is looked for beside this file, in the folders given with -I and in "
                        "the standard library");
        return NULL;
    }
    for (size_t i = 0; i < files->items.count; i++) {
        if (strcmp(plain_path(files->items.items[i]->path), plain_path(path)) == 0)
            return files->items.items[i];
    }
    status = source_open(context->sources, path, &source);
    if (status_is_ok(&status))
        return load(context, files, source, loading);
    report(context, DIAGNOSTIC_UNREADABLE, use->name_span, "%s", status.message);
    return NULL;
}

static void follow_uses(struct context *context, struct file_set *files, struct loading *loading,
                        struct file *file)
{
    for (size_t i = 0; i < file->tree->count; i++) {
        const struct node *node = file->tree->items[i];
        struct file *used;

        if (node->kind != NODE_USE)
            continue;
        loading->use = node->span;
        if (loading->depth >= USE_DEPTH_LIMIT) {
            report(context, DIAGNOSTIC_TOO_DEEP, node->span,
                   "files use each other more than %d deep", USE_DEPTH_LIMIT);
            context->unreadable = true;
            return;
        }
        used = load_used(context, files, loading, node);
        if (used && used->loading) {
            report_circle(context, loading, used, node);
            used = NULL;
        }
        if (!used) {
            context->unreadable = true;
            continue;
        }
        import_all(context, file, used, node);
    }
}

static struct file *load(struct context *context, struct file_set *files, uint32_t source,
                         const struct loading *outer)
{
    struct file *file = ARENA_NEW(context->arena, struct file);
    const size_t errors = context->diagnostics->error_count;
    struct loading loading = {.outer = outer, .file = file, .depth = outer ? outer->depth + 1 : 0};

    file->source = source;
    file->path = context->sources->sources.items[source]->path;
    file->tree = parse(context->sources, context->diagnostics, source);
    if (context->diagnostics->error_count > errors)
        context->unreadable = true;
    file->imports = scope_new(context->arena, NULL, true);
    file->scope = scope_new(context->arena, file->imports, true);
    vector_push(&files->items, context->arena, file);
    file->loading = true;
    follow_uses(context, files, &loading, file);
    file->loading = false;
    declare_all(context, file);
    return file;
}

struct file *load_source(struct context *context, struct file_set *files, uint32_t source)
{
    return load(context, files, source, NULL);
}

void load_finish(struct context *context, const struct file_set *files)
{
    for (size_t i = 0; i < files->items.count; i++) {
        const struct scope *scope = files->items.items[i]->scope;

        for (size_t name = 0; name < scope->bindings.count; name++)
            evaluate_pending(context, scope->bindings.items[name],
                             scope->bindings.items[name]->span);
    }
}

/* ---- networks ---- */

struct declaration *load_find_network(const struct file_set *files, const char *name)
{
    for (size_t i = 0; i < files->items.count; i++) {
        const struct file *file = files->items.items[i];

        for (size_t network = 0; network < file->networks.count; network++) {
            if (file->networks.items[network]->node->name == name)
                return file->networks.items[network];
        }
    }
    return NULL;
}

void load_list_networks(const struct file_set *files, struct name_list *list)
{
    for (size_t i = 0; i < files->items.count; i++) {
        const struct file *file = files->items.items[i];

        for (size_t network = 0; network < file->networks.count; network++)
            vector_push(&list->names, list->arena, file->networks.items[network]->node->name);
    }
}
