/* The line between what can be checked, drawn and reported and what can also run. */
#include "compiler/compilable.h"

#include "compiler/op.h"

static bool check_layers(const struct graph *graph, struct diagnostics *diagnostics)
{
    bool reported[OP_KIND_COUNT] = {false};
    bool passed = true;

    for (size_t i = 0; i < graph->ops.count; i++) {
        const struct op *op = &graph->ops.items[i];
        struct diagnostic *diagnostic;

        if (op_has_code((enum op_kind)op->kind) || reported[op->kind])
            continue;
        diagnostic = diagnostic_error(diagnostics, DIAGNOSTIC_NO_CODE, op->span,
                                      "`%s` can be checked and reported, but not yet compiled",
                                      op_name((enum op_kind)op->kind));
        diagnostic_label(diagnostics, diagnostic, "at %s", op->path);
        reported[op->kind] = true;
        passed = false;
    }
    return passed;
}

static void help_inference(struct diagnostics *diagnostics, struct diagnostic *diagnostic)
{
    diagnostic_help(diagnostics, diagnostic,
                    "`rnet build --inference` makes a program that does not train and whose "
                    "`forward` writes every output");
}

static bool check_outputs(const struct graph *graph, struct diagnostics *diagnostics)
{
    const struct graph_output *output = &graph->outputs.items[0];
    const struct tensor *logits = &graph->tensors.items[output->tensor];
    const struct op *producer = &graph->ops.items[logits->producer];
    struct diagnostic *diagnostic;

    if (graph_has_logits(graph))
        return true;
    if (graph->outputs.count > 1) {
        diagnostic = diagnostic_error(
            diagnostics, DIAGNOSTIC_NO_LOSS, producer->span,
            "a network with %zu outputs can be checked and reported, but there is no loss for it "
            "yet",
            graph->outputs.count);
    } else {
        diagnostic = diagnostic_error(
            diagnostics, DIAGNOSTIC_NO_LOSS, producer->span,
            "the network's output is %s, but classification needs one value a class",
            tensor_shape_text(logits, graph->arena));
        diagnostic_help(diagnostics, diagnostic,
                        "end the network with `global_avg_pool >> linear(classes)`");
    }
    help_inference(diagnostics, diagnostic);
    return false;
}

bool graph_is_compilable(const struct graph *graph, bool inference, struct diagnostics *diagnostics)
{
    const bool layers = check_layers(graph, diagnostics);

    return (inference || check_outputs(graph, diagnostics)) && layers;
}

/* ---- recipes ---- */

static bool refuse(struct diagnostics *diagnostics, struct span place, const char *what)
{
    diagnostic_error(diagnostics, DIAGNOSTIC_NO_CODE, place,
                     "%s can be checked, but not yet compiled", what);
    return false;
}

static bool refuse_without_recipe(const struct graph *graph, const struct recipe *recipe,
                                  struct diagnostics *diagnostics)
{
    struct diagnostic *diagnostic =
        diagnostic_error(diagnostics, DIAGNOSTIC_NO_RECIPE, recipe->span,
                         "network `%s` has no recipe to be trained by", graph->network);

    diagnostic_help(diagnostics, diagnostic,
                    "declare one: `train %s = NAME` or `train %s { epochs = 90 ... }`",
                    graph->network, graph->network);
    help_inference(diagnostics, diagnostic);
    return false;
}

bool recipe_is_compilable(const struct graph *graph, const struct recipe *recipe,
                          struct diagnostics *diagnostics)
{
    const struct {
        bool is_used;
        struct span place;
        const char *what;
    } lacking[] = {
        {recipe->loss == LOSS_MULTIBOX, recipe->places[SETTING_LOSS], "the loss `multibox`"},
        {recipe->clips > 1, recipe->places[SETTING_CLIPS], "`clips`"},
    };
    bool passed = true;

    if (!recipe->name)
        return refuse_without_recipe(graph, recipe, diagnostics);
    for (size_t i = 0; i < countof(lacking); i++) {
        if (lacking[i].is_used)
            passed = refuse(diagnostics, lacking[i].place, lacking[i].what);
    }
    return passed;
}
