/* Which recipe trains a network, and what -D options change of it. */
#include "compiler/recipe.h"

#include "base/text.h"
#include "compiler/evaluate.h"
#include "compiler/recipe_elaborate.h"
#include "compiler/run.h"

enum { DEFAULT_BATCH = 32 }; /* without a recipe: what memory is planned for */

/* A recipe being read. */
struct recipe_reader {
    struct context *context;
    struct definition_list *definitions;
    struct name_list *known;
    struct recipe *out;
    bool given[SETTING_COUNT];
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

static void report_missing(struct recipe_reader *reader, struct span span)
{
    static const struct {
        enum recipe_setting setting;
        const char *name;
    } required[] = {{SETTING_EPOCHS, "`epochs`"},
                    {SETTING_BATCH, "`batch`"},
                    {SETTING_OPTIMIZER, "`optimizer`"}};
    struct text_builder missing = {.arena = reader->context->arena};

    for (size_t i = 0; i < countof(required); i++) {
        if (!reader->given[required[i].setting])
            text_add(&missing, "%s%s", missing.length ? ", " : "", required[i].name);
    }
    if (missing.length > 0)
        report(reader->context, DIAGNOSTIC_BAD_SETTING, span, "the recipe of this network lacks %s",
               text_result(&missing));
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
        vector_push(&reader->known->names, context->arena, node->items[i]->name);
    }
    recipe_settings_read(context, &environment, node->items[node->count - 1], reader->out,
                         reader->given);
}

static void read_train(struct recipe_reader *reader, const struct node *train,
                       const struct scope *scope)
{
    const struct environment environment = {
        .scope = scope, .input = TENSOR_NONE, .in_recipe = true};
    const struct node *body = train->items[0];
    struct value value;

    reader->out->name = train->name;
    if (body->kind == NODE_BODY) {
        recipe_settings_read(reader->context, &environment, body, reader->out, reader->given);
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
    for (int setting = 0; setting < SETTING_COUNT; setting++)
        reader->given[setting] = true;
}

/* ---- scalars ---- */

static bool take(struct recipe_reader *reader, const char *name, struct argument *out)
{
    name = context_intern(reader->context, name);
    vector_push(&reader->known->names, reader->context->arena, name);
    return definitions_take(reader->context, reader->definitions, name, out);
}

static void take_count(struct recipe_reader *reader, const char *name, enum recipe_setting setting,
                       int64_t *out)
{
    struct argument argument;

    if (!take(reader, name, &argument))
        return;
    reader->given[setting] = true;
    recipe_read_count(reader->context, name, &argument, out);
}

static void take_number(struct recipe_reader *reader, const char *name, double maximum, double *out)
{
    struct argument argument;

    if (!take(reader, name, &argument) || argument.value.kind == VALUE_POISON)
        return;
    if (!value_is_numeric(argument.value))
        report(reader->context, DIAGNOSTIC_BAD_SETTING, argument.span,
               "`%s` must be a number, not %s", name, value_kind_name(argument.value.kind));
    else if (value_as_double(argument.value) < 0 || value_as_double(argument.value) > maximum)
        report(reader->context, DIAGNOSTIC_BAD_SETTING, argument.span,
               "`%s` must lie between 0 and %g", name, maximum);
    else
        *out = value_as_double(argument.value);
}

void recipe_elaborate(struct context *context, const struct file_set *files,
                      const struct declaration *network, const struct scope *parameters,
                      struct definition_list *definitions, struct name_list *known,
                      struct recipe *out)
{
    struct recipe_reader reader = {
        .context = context, .definitions = definitions, .known = known, .out = out};
    const struct file *file = NULL;
    const struct node *train = find_train(files, network->node->name, &file);

    *out = (struct recipe){.batch = DEFAULT_BATCH};
    if (train)
        read_train(&reader, train, train_scope(context, file, parameters));
    take_count(&reader, "epochs", SETTING_EPOCHS, &out->epochs);
    take_count(&reader, "batch", SETTING_BATCH, &out->batch);
    take_number(&reader, "lr", 1e9, &out->learning_rate);
    take_number(&reader, "momentum", 1, &out->momentum);
    take_number(&reader, "weight_decay", 1e9, &out->weight_decay);
    if (train)
        report_missing(&reader, train->name_span);
}
