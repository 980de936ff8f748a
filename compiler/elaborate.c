/* The pipeline: load, check names, choose a network, run it, read its recipe. */
#include "compiler/elaborate.h"

#include "compiler/check_names.h"
#include "compiler/definition.h"
#include "compiler/evaluate.h"
#include "compiler/recipe_elaborate.h"
#include "compiler/run.h"
#include "lang/unused.h"

/* ---- choosing a network ---- */

static struct declaration *choose_named(struct context *context, const struct file_set *files,
                                        const char *name)
{
    struct declaration *network = load_find_network(files, context_intern(context, name));
    struct name_list list = {.arena = context->arena};
    struct diagnostic *diagnostic;

    if (network)
        return network;
    load_list_networks(files, &list);
    diagnostic =
        report(context, DIAGNOSTIC_NO_NETWORK, (struct span){0}, "there is no network `%s`", name);
    diagnostic_suggest(context->diagnostics, diagnostic, name, list.names.items, list.names.count);
    return NULL;
}

/* The only network of the user's file, or of the files it uses. */
static struct declaration *choose_only(struct context *context, const struct file_set *files)
{
    const struct file *file = files->items.items[0];
    struct name_list list = {.arena = context->arena};
    struct diagnostic *diagnostic;

    if (file->networks.count == 1)
        return file->networks.items[0];
    load_list_networks(files, &list);
    if (list.names.count == 1)
        return load_find_network(files, list.names.items[0]);
    if (list.names.count == 0 && diagnostics_failed(context->diagnostics))
        return NULL;
    if (list.names.count == 0) {
        report(context, DIAGNOSTIC_NO_NETWORK, (struct span){0}, "`%s` declares no network",
               file->path);
        return NULL;
    }
    diagnostic = report(context, DIAGNOSTIC_NO_NETWORK, (struct span){0},
                        "`%s` has several networks", file->path);
    diagnostic_help(context->diagnostics, diagnostic,
                    "choose one with --network, such as --network %s", list.names.items[0]);
    return NULL;
}

/* ---- the network's parameters ---- */

/* What may stand for each other: numbers and lists of them, conditions, blocks. */
static enum value_kind kind_group(enum value_kind kind)
{
    return kind == VALUE_NUMBER || kind == VALUE_LIST ? VALUE_INTEGER : kind;
}

/* An option's value, checked against the default that it replaces. */
static struct value option_value(struct context *context, const struct node *parameter,
                                 const struct argument *argument, struct value fallback)
{
    if (argument->value.kind == VALUE_POISON || fallback.kind == VALUE_POISON ||
        kind_group(argument->value.kind) == kind_group(fallback.kind) ||
        (fallback.kind == VALUE_BLOCK && value_is_join(argument->value)))
        return argument->value;
    diagnostic_note(context->diagnostics,
                    report(context, DIAGNOSTIC_WRONG_TYPE, argument->span,
                           "`%s` must be %s, not %s", parameter->name,
                           value_kind_name(fallback.kind), value_kind_name(argument->value.kind)),
                    parameter->span, "declared here");
    return value_poison();
}

static struct value parameter_value(struct context *context, struct definition_list *definitions,
                                    const struct declaration *network, size_t number,
                                    const struct scope *scope)
{
    const struct environment environment = {.input = TENSOR_NONE};
    const struct node *parameter = network->node->items[number];
    struct diagnostic *diagnostic;
    struct argument argument;

    if (definitions_take(context, definitions, parameter->name, &argument))
        return option_value(context, parameter, &argument,
                            run_default(context, scope, parameter, &environment));
    if (parameter->count == 0) {
        diagnostic = report(context, DIAGNOSTIC_MISSING_ARGUMENT, parameter->name_span,
                            "network `%s` still lacks `%s`", network->node->name, parameter->name);
        diagnostic_help(context->diagnostics, diagnostic, "give it with -D %s=VALUE",
                        parameter->name);
    }
    return run_default(context, scope, parameter, &environment);
}

static struct scope *bind_parameters(struct context *context, struct definition_list *definitions,
                                     const struct declaration *network, struct known_names *known,
                                     struct elaboration *out)
{
    const size_t count = network->signature.count;
    struct scope *scope = scope_new(context->arena, network->scope, false);
    struct network_parameter *parameters =
        ARENA_ARRAY(context->arena, struct network_parameter, count + 1);

    for (size_t i = 0; i < count; i++) {
        const struct node *parameter = network->node->items[i];
        const struct value value = parameter_value(context, definitions, network, i, scope);

        scope_add(scope, context->arena, parameter->name, parameter->name_span, value);
        vector_push(&known->list.names, context->arena, parameter->name);
        parameters[i] = (struct network_parameter){
            parameter->name, value_text(value, context->arena), value_is_numeric(value)};
    }
    known->network_count = count;
    out->parameters = parameters;
    out->parameter_count = count;
    return scope;
}

/* ---- running it ---- */

/* Without `input`, which was reported, everything runs on the tensor after a mistake. */
static bool has_input(const struct node *body)
{
    for (size_t i = 0; i < body->count; i++) {
        if (body->items[i]->kind == NODE_INPUT)
            return true;
    }
    return false;
}

static void run_network(struct context *context, const struct declaration *network,
                        const struct scope *parameters)
{
    const struct node *body = network->node->items[network->node->count - 1];
    struct naming naming = {"", 0};
    struct graph_output output = {.name = "logits"};

    context->graph = graph_new(context->arena, network->node->name);
    context->naming = &naming;
    context->has_input = !has_input(body);
    output.tensor = run_body(context, parameters, body, TENSOR_NONE);
    context->naming = NULL;
    run_join_outputs(context);
    if (context->graph->outputs.count == 0)
        vector_push(&context->graph->outputs, context->arena, output);
}

static void elaborate_network(struct context *context, const struct file_set *files,
                              const struct declaration *network,
                              struct definition_list *definitions, struct elaboration *out)
{
    struct known_names known = {.list = {.arena = context->arena}};
    const struct scope *parameters = bind_parameters(context, definitions, network, &known, out);

    recipe_elaborate(context, files, network, parameters, definitions, &known, &out->recipe);
    definitions_report(context, definitions, &known);
    run_network(context, network, parameters);
    recipe_check_graph(context, &out->recipe);
    out->graph = context->graph;
}

/* Text that can't be read leaves too many names unknown to go on. */
static bool load_all(struct context *context, struct file_set *files, uint32_t source)
{
    load_source(context, files, source);
    if (context->unreadable)
        return false;
    check_names(context, files);
    load_finish(context, files);
    return true;
}

bool elaborate_source(struct arena *arena, struct source_set *sources,
                      struct diagnostics *diagnostics, uint32_t source,
                      const struct elaborate_options *options, struct elaboration *out)
{
    struct context context;
    struct file_set files = {0};
    struct definition_list definitions = {0};
    struct declaration *network;

    *out = (struct elaboration){0};
    context_init(&context, arena, sources, diagnostics);
    if (options->layer_limit > 0)
        context.layer_limit = options->layer_limit;
    if (!load_all(&context, &files, source))
        return false;
    definitions.file = files.items.items[0];
    definitions_parse(&context, &definitions, options);
    network = options->network ? choose_named(&context, &files, options->network)
                               : choose_only(&context, &files);
    if (network)
        elaborate_network(&context, &files, network, &definitions, out);
    if (diagnostics_failed(diagnostics))
        return false;
    unused_report(diagnostics, definitions.file->tree);
    return true;
}

bool elaborate(struct arena *arena, struct source_set *sources, struct diagnostics *diagnostics,
               const char *path, const struct elaborate_options *options, struct elaboration *out)
{
    uint32_t source;
    const struct status status = source_open(sources, path, &source);

    *out = (struct elaboration){0};
    if (status_is_ok(&status))
        return elaborate_source(arena, sources, diagnostics, source, options, out);
    diagnostic_error(diagnostics, DIAGNOSTIC_UNREADABLE, (struct span){0}, "%s", status.message);
    return false;
}

struct node *elaborate_parse(struct source_set *sources, struct diagnostics *diagnostics,
                             const char *path)
{
    uint32_t source;
    const struct status status = source_open(sources, path, &source);

    if (status_is_ok(&status))
        return parse(sources, diagnostics, source);
    diagnostic_error(diagnostics, DIAGNOSTIC_UNREADABLE, (struct span){0}, "%s", status.message);
    return NULL;
}
