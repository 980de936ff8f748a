/* The update of the parameters against its formulas, for each way that a recipe can ask for it; and
 * the label-smoothed loss against finite differences. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/vector.h"
#include "compiler/op.h"
#include "tests/ops/machine.h"

enum { BATCH = 4, STEPS = 3 };

static const double rate = 0.1, momentum = 0.9, decay = 0.05, scale = 0.25;

static const struct recipe recipes[] = {
    {.name = "plain", .batch = BATCH},
    {.name = "nesterov", .batch = BATCH, .nesterov = true},
    {.name = "decay of weights only", .batch = BATCH, .decays_weights_only = true},
    {.name = "clipped", .batch = BATCH, .clip = 1},
    {.name = "accumulated, nesterov", .batch = BATCH, .accumulate = 4, .nesterov = true},
    {.name = "label smoothing", .batch = BATCH, .label_smoothing = 0.1},
};

static tensor_id add_layer(struct graph *graph, enum op_kind kind, tensor_id input,
                           const char *path, double kernel, double channels)
{
    const struct op_definition *definition = op_definition(kind);
    const double given[] = {kernel, channels};
    struct layer_value values[LAYER_ARGUMENTS] = {0};
    struct layer_error error;
    int count = 0;

    for (int i = 0; i < definition->argument_count; i++) {
        const bool is_given = definition->arguments[i].required;

        values[i].given = is_given;
        values[i].values[0] =
            is_given ? given[kind == OP_LINEAR ? 1 : count++] : definition->arguments[i].fallback;
    }
    return graph_add_layer(graph, kind, values, input, path, (struct span){0}, &error);
}

static tensor_id build(struct graph *graph)
{
    tensor_id x = graph_add_input(graph, 3, (int32_t[]){3, 3}, 2);

    x = add_layer(graph, OP_CONV, x, "conv", 3, 6);
    x = add_layer(graph, OP_BN, x, "bn", 0, 0);
    x = add_layer(graph, OP_GLOBAL_AVERAGE_POOL, x, "", 0, 0);
    return add_layer(graph, OP_LINEAR, x, "head", 0, 7);
}

static void fill(struct machine *machine)
{
    const struct plan *plan = &machine->compilation.plan;
    const bool *mask = machine_weight_mask(machine);
    double *scalars = machine->regions[RNET_REGION_SCALARS];

    for (size_t i = 0; i < machine_weight_count(machine); i++)
        machine->regions[RNET_REGION_WEIGHTS][i] = mask[i] ? sin(3.0 * (double)i) : 0;
    for (size_t i = 0; i < plan->region_bytes[RNET_REGION_INPUT] / sizeof(float); i++)
        machine->regions[RNET_REGION_INPUT][i] = cos(5.0 * (double)i);
    for (int n = 0; n < BATCH; n++)
        machine->labels[n] = n;
    scalars[RNET_SCALAR_LEARNING_RATE] = rate;
    scalars[RNET_SCALAR_MOMENTUM] = momentum;
    scalars[RNET_SCALAR_WEIGHT_DECAY] = decay;
    scalars[RNET_SCALAR_GRADIENT_SCALE] = scale;
}

/* Whether weight i of the region decays: found from the parameter that it belongs to. */
static bool decays(const struct machine *machine, const struct recipe *recipe, size_t i)
{
    const struct plan *plan = &machine->compilation.plan;
    bool is_weight = false;

    for (size_t t = 0; t < plan->graph->tensors.count; t++) {
        const struct tensor *tensor = &plan->graph->tensors.items[t];
        size_t size = (size_t)vector_stride(tensor->channels);

        for (int axis = 1; axis < tensor->rank; axis++)
            size *= (size_t)tensor->shape[axis];
        if (tensor->kind == TENSOR_PARAMETER && i >= plan->layout.offsets[t] / sizeof(float) &&
            i < plan->layout.offsets[t] / sizeof(float) + size)
            is_weight = tensor->rank > 1;
    }
    return is_weight || !recipe->decays_weights_only;
}

/* One step by the formulas, on copies. */
static void expect_step(const struct machine *machine, const struct recipe *recipe,
                        double *weights, double *velocities)
{
    const bool is_scaled = recipe->clip > 0 || recipe->accumulate > 1;

    for (size_t i = 0; i < machine_weight_count(machine); i++) {
        double gradient = machine->regions[RNET_REGION_GRADIENTS][i] * (is_scaled ? scale : 1);

        if (decays(machine, recipe, i))
            gradient += decay * weights[i];
        velocities[i] = momentum * velocities[i] + gradient;
        weights[i] -=
            rate * (recipe->nesterov ? gradient + momentum * velocities[i] : velocities[i]);
    }
}

static double largest_difference(const struct machine *machine, const double *weights)
{
    const bool *mask = machine_weight_mask(machine);
    double largest = 0;

    for (size_t i = 0; i < machine_weight_count(machine); i++)
        if (mask[i])
            largest = fmax(largest, fabs(weights[i] - machine->regions[RNET_REGION_WEIGHTS][i]));
    return largest;
}

static bool check_update(const struct recipe *recipe, const struct target *target)
{
    struct arena arena = {0};
    struct graph *graph = graph_new(&arena, "test");
    struct machine machine;
    double *weights, *velocities;
    double error = 0;

    machine_init(&machine, &arena, graph, build(graph), recipe, target, true);
    fill(&machine);
    weights = arena_copy(&arena, machine.regions[RNET_REGION_WEIGHTS],
                         machine_weight_count(&machine) * sizeof *weights);
    velocities = ARENA_ARRAY(&arena, double, machine_weight_count(&machine));
    for (int step = 0; step < STEPS; step++) {
        machine_run(&machine, RNET_PHASE_TRAIN, BATCH);
        expect_step(&machine, recipe, weights, velocities);
        machine_run(&machine, RNET_PHASE_UPDATE, BATCH);
        error = fmax(error, largest_difference(&machine, weights));
    }
    printf("%s update: %s (%s): %.1e\n", error < 1e-12 ? "ok  " : "FAIL", recipe->name,
           target->name, error);
    arena_release(&arena);
    return error < 1e-12;
}

/* The gradient of the smoothed loss along the steepest direction. */
static bool check_smoothed(const struct target *target)
{
    const struct recipe *recipe = &recipes[countof(recipes) - 1];
    const double step = 1e-5;
    struct arena arena = {0};
    struct graph *graph = graph_new(&arena, "test");
    struct machine machine;
    double square = 0, losses[2];
    double *weights, *gradient;
    bool passed;

    machine_init(&machine, &arena, graph, build(graph), recipe, target, true);
    fill(&machine);
    machine_run(&machine, RNET_PHASE_TRAIN, BATCH);
    weights = arena_copy(&arena, machine.regions[RNET_REGION_WEIGHTS],
                         machine_weight_count(&machine) * sizeof *weights);
    gradient = arena_copy(&arena, machine.regions[RNET_REGION_GRADIENTS],
                          machine_weight_count(&machine) * sizeof *gradient);
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < machine_weight_count(&machine); i++)
            machine.regions[RNET_REGION_WEIGHTS][i] =
                weights[i] + (side ? -step : step) * gradient[i];
        machine_run(&machine, RNET_PHASE_TRAIN, BATCH);
        losses[side] = machine_loss(&machine, BATCH, true);
    }
    for (size_t i = 0; i < machine_weight_count(&machine); i++)
        square += machine_weight_mask(&machine)[i] ? gradient[i] * gradient[i] : 0;
    passed = fabs((losses[0] - losses[1]) / (2 * step) - square) < 1e-7 * square;
    printf("%s gradient of the smoothed loss (%s)\n", passed ? "ok  " : "FAIL", target->name);
    arena_release(&arena);
    return passed;
}

int main(void)
{
    const struct target *const targets[] = {&reference_target, &cpu_target};
    int failures = 0;

    for (size_t t = 0; t < countof(targets); t++) {
        for (size_t r = 0; r < countof(recipes); r++)
            failures += !check_update(&recipes[r], targets[t]);
        failures += !check_smoothed(targets[t]);
    }
    printf("%d failures\n", failures);
    return failures != 0;
}
