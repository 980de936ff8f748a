/* A walk over the trees with scopes that hold names and no values. Trees are at most as deep as the
 * parser allows. */
#include "compiler/check_names.h"

#include "compiler/recipe_elaborate.h"
#include "compiler/recipe_word.h"

enum { LET_DEPTH = 16 }; /* of a `let` whose value is another's, and so on */

struct checker {
    struct context *context;
    const struct file_set *files;
    bool in_recipe, names_network;
};

static void check_expression(struct checker *checker, const struct scope *scope,
                             const struct node *node);

static void declare(struct checker *checker, struct scope *scope, const char *name,
                    struct span span)
{
    scope_add(scope, checker->context->arena, name, span, value_poison());
}

static struct scope *inner_scope(struct checker *checker, const struct scope *outer)
{
    return scope_new(checker->context->arena, outer, false);
}

/* Declares a name that must be new in its scope. */
static void declare_new(struct checker *checker, struct scope *scope, const struct node *node)
{
    const struct binding *first = scope_find_here(scope, node->name);
    struct diagnostics *diagnostics = checker->context->diagnostics;
    struct diagnostic *diagnostic;

    if (first) {
        diagnostic = report(checker->context, DIAGNOSTIC_DUPLICATE_NAME, node->name_span,
                            "`%s` is declared twice", node->name);
        diagnostic_note(diagnostics, diagnostic, first->span, "first declared here");
    }
    declare(checker, scope, node->name, node->name_span);
}

/* ---- expressions ---- */

static void check_name(struct checker *checker, const struct scope *scope, const struct node *node)
{
    if (!checker->names_network &&
        !context_find(checker->context, scope, checker->in_recipe, node->name))
        report_unknown(checker->context, scope, checker->in_recipe, node->name, node->span);
}

/* The parameters that an expression's value certainly has, or NULL: a name's, or those of what a
 * call binds arguments of. */
static const struct signature *signature_of(struct checker *checker, const struct scope *scope,
                                            const struct node *node, int depth)
{
    const struct binding *binding;

    while (node->kind == NODE_CALL || node->kind == NODE_PARENTHESES)
        node = node->items[0];
    if (node->kind != NODE_NAME || depth == LET_DEPTH)
        return NULL;
    binding = context_find(checker->context, scope, checker->in_recipe, node->name);
    if (!binding || binding->signature || !binding->pending)
        return binding ? binding->signature : NULL;
    return signature_of(checker, binding->home, binding->pending, depth + 1);
}

/* Checks a call of something whose parameters are known from its declaration. */
static void check_arguments(struct checker *checker, const struct scope *scope,
                            const struct node *call)
{
    const struct signature *signature = signature_of(checker, scope, call->items[0], 0);
    size_t positional = 0;

    if (!signature)
        return;
    for (size_t i = 1; i < call->count; i++) {
        const struct node *argument = call->items[i];

        if (!argument->name && ++positional > signature->count)
            report_too_many_arguments(checker->context, signature, argument->span);
        if (argument->name && signature_find(signature, argument->name) < 0)
            report_unknown_argument(checker->context, signature, argument->name,
                                    argument->name_span);
    }
}

static void check_keys(struct checker *checker, const struct node *map)
{
    struct table keys = {.arena = checker->context->arena};

    for (size_t i = 0; i < map->count; i++) {
        const struct node *key = map->items[i]->count > 0 ? map->items[i]->items[0] : NULL;

        if (!key || key->kind != NODE_INTEGER)
            continue;
        if (table_find(&keys, &key->integer, sizeof key->integer))
            report(checker->context, DIAGNOSTIC_DUPLICATE_NAME, key->span,
                   "the key %lld is there twice", (long long)key->integer);
        table_set(&keys, &key->integer, sizeof key->integer, i);
    }
}

/* Whether the arguments of a call are names that the network gives. */
static bool call_names_network(struct checker *checker, const struct scope *scope,
                               const struct node *node)
{
    const struct binding *binding;

    if (node->kind != NODE_CALL || node->items[0]->kind != NODE_NAME || !checker->in_recipe)
        return false;
    binding = context_find(checker->context, scope, true, node->items[0]->name);
    return binding && binding->value.kind == VALUE_WORDS &&
           recipe_word_names_network(binding->value.words->items[0].definition);
}

static void check_expression(struct checker *checker, const struct scope *scope,
                             const struct node *node)
{
    const bool names_network = checker->names_network;

    if (node->kind == NODE_NAME)
        check_name(checker, scope, node);
    if (node->kind == NODE_CALL)
        check_arguments(checker, scope, node);
    if (node->kind == NODE_MAP)
        check_keys(checker, node);
    for (size_t i = 0; i < node->count; i++) {
        checker->names_network =
            names_network || (i > 0 && call_names_network(checker, scope, node));
        check_expression(checker, scope, node->items[i]);
    }
    checker->names_network = names_network;
}

/* ---- statements ---- */

static void declare_let(struct checker *checker, struct scope *scope, const struct node *node)
{
    const struct signature *signature = signature_of(checker, scope, node->items[0], 0);

    declare_new(checker, scope, node);
    scope_find_here(scope, node->name)->signature = signature;
}

enum place {
    IN_BLOCK,
    IN_NETWORK,
    IN_LOOP,
};

/* Returns how many `input` statements the body has. */
static size_t check_body(struct checker *checker, const struct scope *outer,
                         const struct node *body, enum place place);

static void check_for(struct checker *checker, const struct scope *scope, const struct node *node)
{
    struct scope *inner = inner_scope(checker, scope);

    check_expression(checker, scope, node->items[0]);
    if (node->name2)
        declare(checker, inner, node->name2, node->name_span);
    declare(checker, inner, node->name, node->name_span);
    check_body(checker, inner, node->items[1], IN_LOOP);
}

static void check_input(struct checker *checker, const struct scope *scope, const struct node *node,
                        enum place place, bool is_first)
{
    if (place != IN_NETWORK)
        report(checker->context, DIAGNOSTIC_NO_INPUT, node->span,
               "`input` stands in a network alone, outside of `for`");
    else if (!is_first)
        report(checker->context, DIAGNOSTIC_NO_INPUT, node->span,
               "a network has one `input`, and this is another");
    for (size_t i = 0; i < node->count; i++)
        check_expression(checker, scope, node->items[i]);
}

static void check_statement(struct checker *checker, struct scope *scope, const struct node *node)
{
    switch (node->kind) {
    case NODE_LET:
        check_expression(checker, scope, node->items[0]);
        declare_let(checker, scope, node);
        break;
    case NODE_FOR:
        check_for(checker, scope, node);
        break;
    default:
        for (size_t i = 0; i < node->count; i++)
            check_expression(checker, scope, node->items[i]);
    }
}

static size_t check_body(struct checker *checker, const struct scope *outer,
                         const struct node *body, enum place place)
{
    struct scope *scope = inner_scope(checker, outer);
    size_t inputs = 0;

    for (size_t i = 0; i < body->count; i++) {
        const struct node *node = body->items[i];

        if (node->kind == NODE_INPUT)
            check_input(checker, scope, node, place, inputs++ == 0);
        else
            check_statement(checker, scope, node);
    }
    return inputs;
}

/* ---- stages ---- */

static void check_arm(struct checker *checker, const struct node *arm, const struct node **first)
{
    static const char *const names[] = {"start", "middle", "end"};
    struct context *context = checker->context;
    struct diagnostic *diagnostic;

    for (size_t i = 0; i < countof(names); i++) {
        if (arm->name != context_intern(context, names[i]))
            continue;
        if (first[i]) {
            diagnostic = report(context, DIAGNOSTIC_DUPLICATE_NAME, arm->name_span,
                                "the arm `%s` is there twice", arm->name);
            diagnostic_note(context->diagnostics, diagnostic, first[i]->name_span,
                            "first declared here");
        }
        first[i] = arm;
        return;
    }
    diagnostic = report(context, DIAGNOSTIC_MISSING_ARM, arm->name_span, "a stage has no arm `%s`",
                        arm->name);
    diagnostic_suggest(context->diagnostics, diagnostic, arm->name, names, countof(names));
    diagnostic_help(context->diagnostics, diagnostic,
                    "the arms are `start`, `middle` and `end`; another name needs `let`");
}

static void check_stage_head(struct checker *checker, const struct node *stage,
                             const struct node *const *arms)
{
    struct context *context = checker->context;
    struct diagnostic *diagnostic;
    bool has_count = false;

    for (size_t i = 0; i + 1 < stage->count; i++)
        has_count = has_count || stage->items[i]->name == context_intern(context, "count");
    if (!has_count) {
        diagnostic = report(context, DIAGNOSTIC_STAGE_COUNT, stage->name_span,
                            "stage `%s` has no parameter `count`", stage->name);
        diagnostic_help(context->diagnostics, diagnostic,
                        "it says how many blocks the stage has: `stage %s(count, ...)`",
                        stage->name);
    }
    if (!arms[0] || !arms[1])
        report(context, DIAGNOSTIC_MISSING_ARM, stage->name_span, "stage `%s` has no arm `%s`",
               stage->name, arms[0] ? "middle" : "start");
}

/* Every `let` of a stage comes before its arms, wherever it is written. */
static void check_stage(struct checker *checker, const struct scope *outer,
                        const struct node *stage)
{
    const struct node *body = stage->items[stage->count - 1];
    struct scope *scope = inner_scope(checker, outer);
    const struct node *arms[3] = {0};

    declare(checker, scope, context_intern(checker->context, "index"), (struct span){0});
    for (size_t i = 0; i < body->count; i++) {
        if (body->items[i]->kind != NODE_SETTING)
            check_statement(checker, scope, body->items[i]);
    }
    for (size_t i = 0; i < body->count; i++) {
        if (body->items[i]->kind != NODE_SETTING)
            continue;
        check_arm(checker, body->items[i], arms);
        check_expression(checker, scope, body->items[i]->items[0]);
    }
    check_stage_head(checker, stage, arms);
}

/* ---- recipes ---- */

static void check_settings(struct checker *checker, const struct scope *scope,
                           const struct node *body)
{
    struct table seen = {.arena = checker->context->arena};

    for (size_t i = 0; i < body->count; i++) {
        const struct node *setting = body->items[i];

        if (setting->kind != NODE_SETTING)
            continue;
        recipe_setting_check_name(checker->context, setting);
        if (table_find(&seen, &setting->name, sizeof setting->name))
            report(checker->context, DIAGNOSTIC_DUPLICATE_NAME, setting->name_span,
                   "`%s` is set twice", setting->name);
        table_set(&seen, &setting->name, sizeof setting->name, i);
        checker->names_network = recipe_setting_names_network(setting->name);
        check_expression(checker, scope, setting->items[0]);
        checker->names_network = false;
    }
}

static void check_train(struct checker *checker, const struct file *file, const struct node *node)
{
    struct context *context = checker->context;
    const struct declaration *network = load_find_network(checker->files, node->name);
    struct scope *scope = inner_scope(checker, file->scope);
    struct name_list list = {.arena = context->arena};
    struct diagnostic *diagnostic;

    if (!network) {
        load_list_networks(checker->files, &list);
        diagnostic = report(context, DIAGNOSTIC_UNKNOWN_NAME, node->name_span,
                            "unknown network `%s`", node->name);
        diagnostic_suggest(context->diagnostics, diagnostic, node->name, list.names.items,
                           list.names.count);
        return;
    }
    for (size_t i = 0; i < network->signature.count; i++)
        declare(checker, scope, network->signature.parameters[i], network->node->name_span);
    if (node->items[0]->kind == NODE_BODY)
        check_settings(checker, scope, node->items[0]);
    else
        check_expression(checker, scope, node->items[0]);
}

/* ---- declarations ---- */

static struct scope *check_parameters(struct checker *checker, const struct scope *outer,
                                      const struct node *node)
{
    struct scope *scope = inner_scope(checker, outer);

    for (size_t i = 0; i + 1 < node->count; i++) {
        const struct node *parameter = node->items[i];

        if (parameter->count > 0)
            check_expression(checker, scope, parameter->items[0]);
        declare_new(checker, scope, parameter);
    }
    return scope;
}

static void check_network(struct checker *checker, const struct scope *scope,
                          const struct node *node)
{
    if (check_body(checker, scope, node->items[node->count - 1], IN_NETWORK) == 0)
        report(checker->context, DIAGNOSTIC_NO_INPUT, node->name_span,
               "network `%s` has no `input`", node->name);
}

static void check_declaration(struct checker *checker, const struct file *file,
                              const struct node *node)
{
    const struct node *last = node->count > 0 ? node->items[node->count - 1] : NULL;
    const struct scope *scope;

    checker->in_recipe = node->kind == NODE_RECIPE || node->kind == NODE_TRAIN;
    if (node->kind == NODE_LET)
        check_expression(checker, file->scope, last);
    if (node->kind == NODE_TRAIN)
        check_train(checker, file, node);
    if (node->kind != NODE_BLOCK && node->kind != NODE_STAGE && node->kind != NODE_NETWORK &&
        node->kind != NODE_RECIPE)
        return;
    scope = check_parameters(checker, file->scope, node);
    if (node->kind == NODE_STAGE)
        check_stage(checker, scope, node);
    else if (node->kind == NODE_RECIPE)
        check_settings(checker, scope, last);
    else if (node->kind == NODE_NETWORK)
        check_network(checker, scope, node);
    else if (last->kind == NODE_BODY)
        check_body(checker, scope, last, IN_BLOCK);
    else
        check_expression(checker, scope, last);
}

void check_names(struct context *context, const struct file_set *files)
{
    struct checker checker = {.context = context, .files = files};

    for (size_t i = 0; i < files->items.count; i++) {
        const struct file *file = files->items.items[i];

        for (size_t item = 0; item < file->tree->count; item++)
            check_declaration(&checker, file, file->tree->items[item]);
    }
}

void check_names_of_expression(struct context *context, const struct file *file,
                               const struct node *expression, bool names_network)
{
    struct checker checker = {
        .context = context, .in_recipe = true, .names_network = names_network};

    check_expression(&checker, file->scope, expression);
}
