/* Which recipe trains a network, and what -D options change of it. */
#include "compiler/recipe.h"

#include <string.h>

#include "base/text.h"
#include "compiler/evaluate.h"
#include "compiler/recipe_elaborate.h"
#include "compiler/recipe_word.h"
#include "compiler/run.h"

enum { DEFAULT_BATCH = 32 }; /* without a recipe: what memory is planned for */

/* A recipe being read. */
struct recipe_reader {
    struct context *context;
    struct definition_list *definitions;
    struct known_names *known;
    struct recipe *out;
};

static const struct node *find_train(const struct file_set *files, const char *network,
                                     const struct file **out_file)
{
    for (size_t i = 0; i < files->items.count; i++) {
        const struct file *file = files->items.items[i];

        for (size_t train = 0; train < file->trains.count; train++) {
            *out_file = file;
            if (file->trains.items[train]->name == network)
                return file->trains.items[train];
        }
    }
    return NULL;
}

/* The names that a `train` declaration sees: its file's, and the network's parameters. */
static struct scope *train_scope(struct context *context, const struct file *file,
                                 const struct scope *parameters)
{
    struct scope *scope = scope_new(context->arena, file->scope, false);

    for (size_t i = 0; i < parameters->bindings.count; i++)
        scope_share(scope, context->arena, parameters->bindings.items[i]);
    return scope;
}

static void report_missing(struct recipe_reader *reader)
{
    static const enum recipe_setting required[] = {SETTING_EPOCHS, SETTING_BATCH,
                                                   SETTING_OPTIMIZER};
    struct text_builder missing = {.arena = reader->context->arena};

    for (size_t i = 0; i < countof(required); i++) {
        if (reader->out->places[required[i]].source == 0)
            text_add(&missing, "%s`%s`", missing.length ? ", " : "",
                     recipe_setting_name(required[i]));
    }
    if (missing.length > 0)
        report(reader->context, DIAGNOSTIC_BAD_SETTING, reader->out->span,
               "the recipe of this network lacks %s", text_result(&missing));
}

/* ---- a recipe with parameters ---- */

/* The value of one parameter: an option's, the call's, or its default. */
static struct value parameter_value(struct recipe_reader *reader, const struct recipe_value *recipe,
                                    size_t number, const struct scope *scope)
{
    const struct environment environment = {.input = TENSOR_NONE, .in_recipe = true};
    const struct node *parameter = recipe->declaration->node->items[number];
    struct argument argument = recipe->application.arguments[number];

    definitions_take(reader->context, reader->definitions, parameter->name, &argument);
    if (argument.value.kind != VALUE_UNBOUND)
        return argument.value;
    if (parameter->count == 0)
        report(reader->context, DIAGNOSTIC_MISSING_ARGUMENT, recipe->span, "`%s` still lacks `%s`",
               recipe->application.signature->name, parameter->name);
    return run_default(reader->context, scope, parameter, &environment);
}

static void read_declared(struct recipe_reader *reader, const struct recipe_value *recipe)
{
    const struct node *node = recipe->declaration->node;
    struct context *context = reader->context;
    struct scope *scope = scope_new(context->arena, recipe->declaration->scope, false);
    const struct environment environment = {
        .scope = scope, .input = TENSOR_NONE, .in_recipe = true};

    reader->out->name = node->name;
    for (size_t i = 0; i + 1 < node->count; i++) {
        scope_add(scope, context->arena, node->items[i]->name, node->items[i]->name_span,
                  parameter_value(reader, recipe, i, scope));
        vector_push(&reader->known->list.names, context->arena, node->items[i]->name);
    }
    recipe_settings_read(context, &environment, node->items[node->count - 1], reader->out);
}

/* What is wrong already is not missing too. */
static void silence_missing(struct recipe_reader *reader, struct span span)
{
    for (int setting = 0; setting < SETTING_COUNT; setting++)
        reader->out->places[setting] = span;
}

static void read_train(struct recipe_reader *reader, const struct node *train,
                       const struct scope *scope)
{
    const struct environment environment = {
        .scope = scope, .input = TENSOR_NONE, .in_recipe = true};
    const struct node *body = train->items[0];
    struct value value;

    reader->out->name = train->name;
    reader->out->span = train->name_span;
    if (body->kind == NODE_BODY) {
        recipe_settings_read(reader->context, &environment, body, reader->out);
        return;
    }
    value = evaluate(reader->context, &environment, body);
    if (value.kind == VALUE_RECIPE) {
        read_declared(reader, value.recipe);
        return;
    }
    if (value.kind != VALUE_POISON)
        report(reader->context, DIAGNOSTIC_WRONG_TYPE, body->span,
               "a recipe is required here, not %s", value_kind_name(value.kind));
    silence_missing(reader, body->span);
}

/* ---- options ---- */

static bool take(struct recipe_reader *reader, const char *name, struct argument *out)
{
    name = context_intern(reader->context, name);
    vector_push(&reader->known->list.names, reader->context->arena, name);
    return definitions_take(reader->context, reader->definitions, name, out);
}

static void take_settings(struct recipe_reader *reader)
{
    const struct word_definition *optimizer = recipe_word_find("sgd");
    struct argument argument;

    for (int setting = 0; setting < SETTING_COUNT; setting++) {
        if (take(reader, recipe_setting_name((enum recipe_setting)setting), &argument))
            recipe_setting_read(reader->context, (enum recipe_setting)setting, &argument,
                                reader->out);
    }
    for (size_t i = 0; i < optimizer->parameter_count; i++) {
        if (take(reader, optimizer->parameters[i].name, &argument))
            recipe_optimizer_read(reader->context, i, &argument, reader->out);
    }
}

/* ---- what settings say together ---- */

static void check_together(struct recipe_reader *reader)
{
    const struct recipe *recipe = reader->out;

    if (recipe->nesterov && recipe->momentum == 0)
        report(reader->context, DIAGNOSTIC_BAD_SETTING, recipe->nesterov_place,
               "`nesterov` changes how momentum is applied, but there is no `momentum`");
    if (recipe->places[SETTING_LABEL_SMOOTHING].source != 0 && recipe->loss == LOSS_MULTIBOX)
        report(reader->context, DIAGNOSTIC_BAD_SETTING, recipe->places[SETTING_LABEL_SMOOTHING],
               "`label_smoothing` is for `cross_entropy`, not for `multibox`");
}

void recipe_elaborate(struct context *context, const struct file_set *files,
                      const struct declaration *network, const struct scope *parameters,
                      struct definition_list *definitions, struct known_names *known,
                      struct recipe *out)
{
    struct recipe_reader reader = {
        .context = context, .definitions = definitions, .known = known, .out = out};
    const struct file *file = NULL;
    const struct node *train = find_train(files, network->node->name, &file);

    *out =
        (struct recipe){.span = network->node->name_span, .batch = DEFAULT_BATCH, .accumulate = 1};
    if (train)
        read_train(&reader, train, train_scope(context, file, parameters));
    take_settings(&reader);
    if (train)
        report_missing(&reader);
    check_together(&reader);
}

/* ---- names that the network gives ---- */

static void check_outputs(struct context *context, const struct recipe *recipe)
{
    struct name_list known = {.arena = context->arena};
    struct diagnostic *diagnostic;

    for (size_t i = 0; i < context->graph->outputs.count; i++)
        vector_push(&known.names, context->arena, context->graph->outputs.items[i].name);
    for (size_t i = 0; i < recipe->loss_outputs.count; i++) {
        const struct recipe_name *name = &recipe->loss_outputs.items[i];
        bool found = false;

        for (size_t output = 0; output < known.names.count; output++)
            found = found || strcmp(known.names.items[output], name->name) == 0;
        if (found)
            continue;
        diagnostic = report(context, DIAGNOSTIC_UNKNOWN_NAME, name->span,
                            "the network has no output `%s`", name->name);
        diagnostic_suggest(context->diagnostics, diagnostic, name->name, known.names.items,
                           known.names.count);
    }
}

/* The label that ends a layer's path. */
static const char *last_label(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot ? dot + 1 : path;
}

static bool has_weights(const struct op *op)
{
    return op_definition((enum op_kind)op->kind)->parameters != NULL;
}

static void list_labels(const struct graph *graph, struct name_list *list)
{
    for (size_t i = 0; i < graph->ops.count; i++) {
        if (has_weights(&graph->ops.items[i]))
            vector_push(&list->names, list->arena, last_label(graph->ops.items[i].path));
    }
}

static bool has_label(const struct graph *graph, const char *label)
{
    for (size_t i = 0; i < graph->ops.count; i++) {
        if (has_weights(&graph->ops.items[i]) &&
            strcmp(last_label(graph->ops.items[i].path), label) == 0)
            return true;
    }
    return false;
}

static void check_labels(struct context *context, const struct recipe *recipe)
{
    const struct graph *graph = context->graph;
    struct name_list known = {.arena = context->arena};
    struct diagnostic *diagnostic;

    for (size_t i = 0; i < recipe->zero_init.count; i++) {
        const struct recipe_name *name = &recipe->zero_init.items[i];

        if (has_label(graph, name->name))
            continue;
        if (known.names.count == 0)
            list_labels(graph, &known);
        diagnostic = report(context, DIAGNOSTIC_UNKNOWN_NAME, name->span,
                            "no layer with weights is labelled `%s`", name->name);
        diagnostic_suggest(context->diagnostics, diagnostic, name->name, known.names.items,
                           known.names.count);
    }
}

void recipe_check_graph(struct context *context, const struct recipe *recipe)
{
    if (diagnostics_failed(context->diagnostics))
        return;
    check_outputs(context, recipe);
    check_labels(context, recipe);
}
