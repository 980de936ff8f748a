/* Every primitive's gradient against finite differences, in double precision.
 *
 * Each case is a small network that brings one primitive, in one form, before a linear layer and
 * the loss, with a convolution in front so that the primitive's data gradient matters too. The
 * interpreter runs the very loop programs that become machine code. Along a random direction d the
 * difference (L(w + e d) - L(w - e d)) / 2e must equal the product of gradient and d; where the
 * second difference shows a kink between the three points, a smaller e is tried. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vector.h"
#include "compiler/op.h"
#include "tests/ops/machine.h"

enum { BATCH = 5, DIRECTIONS = 3, ARGUMENTS = 8 };

/* One layer of a case: its kind and its arguments in the order of the definition; -1: not given. */
struct layer {
    enum op_kind kind;
    double values[ARGUMENTS];
};

#define NOT_GIVEN (-1.0)
#define CONV(k, c, s, p, d, g, b) {OP_CONV, {k, c, s, p, d, g, b}}
#define SIMPLE(k) {k, {NOT_GIVEN, NOT_GIVEN, NOT_GIVEN}}

struct network {
    const char *name;
    int rank;          /* of the grid */
    int32_t size;      /* of each axis */
    int32_t channels;  /* of the image */
    int layer_count;
    struct layer layers[4];
    enum {
        ALONE,
        SUM,
        PRODUCT,
        JOIN,
        JOIN_MANY
    } with_input; /* the layers' output; or its sum,
    product or join with their input; or a join of
    nine tensors */
};

static const struct network networks[] = {
    {"conv 1x1", 2, 4, 3, 1, {CONV(1, 6, 1, 0, 1, 1, 0)}, ALONE},
    {"conv 1x1 stride 2", 2, 5, 2, 1, {CONV(1, 6, 2, 0, 1, 1, 0)}, ALONE},
    {"conv 3x3", 2, 5, 3, 1, {CONV(3, 7, 1, 1, 1, 1, 0)}, ALONE},
    {"conv 3x3 bias", 2, 4, 2, 1, {CONV(3, 5, 1, 1, 1, 1, 1)}, ALONE},
    {"conv 3x3 stride 2", 2, 6, 2, 1, {CONV(3, 5, 2, 1, 1, 1, 0)}, ALONE},
    {"conv 3x3 stride 2, odd grid", 2, 5, 2, 1, {CONV(3, 5, 2, 1, 1, 1, 0)}, ALONE},
    {"conv 3x3 stride 3 unpadded", 2, 8, 1, 1, {CONV(3, 4, 3, 0, 1, 1, 0)}, ALONE},
    {"conv 2x2 padding 1", 2, 4, 1, 1, {CONV(2, 4, 1, 1, 1, 1, 0)}, ALONE},
    {"conv 1x1 padding 1", 2, 3, 1, 1, {CONV(1, 4, 1, 1, 1, 1, 0)}, ALONE},
    {"conv 3x3 dilation 2", 2, 6, 1, 1, {CONV(3, 4, 1, 2, 2, 1, 0)}, ALONE},
    {"conv 3x3 dilation 2 stride 2", 2, 7, 1, 1, {CONV(3, 4, 2, 2, 2, 1, 0)}, ALONE},
    {"conv groups 2", 2, 4, 1, 1, {CONV(3, 6, 1, 1, 1, 2, 0)}, ALONE},
    {"conv groups 4 stride 2", 2, 5, 1, 1, {CONV(3, 8, 2, 1, 1, 4, 1)}, ALONE},
    {"conv depthwise", 2, 4, 1, 1, {CONV(3, 8, 1, 1, 1, 8, 0)}, ALONE},
    {"conv 16 to 32", 2, 4, 1, 2, {CONV(1, 16, 1, 0, 1, 1, 0), CONV(3, 32, 1, 1, 1, 1, 0)}, ALONE},
    {"conv 3-D", 3, 3, 2, 1, {CONV(3, 4, 1, 1, 1, 1, 0)}, ALONE},
    {"conv 3-D stride 2", 3, 4, 1, 1, {CONV(3, 4, 2, 1, 1, 1, 0)}, ALONE},
    {"bn", 2, 4, 2, 1, {SIMPLE(OP_BN)}, ALONE},
    {"bn relu", 2, 4, 2, 2, {SIMPLE(OP_BN), SIMPLE(OP_RELU)}, ALONE},
    {"bn relu conv",
     2,
     4,
     2,
     3,
     {SIMPLE(OP_BN), SIMPLE(OP_RELU), CONV(3, 5, 1, 1, 1, 1, 0)},
     ALONE},
    {"relu", 2, 4, 2, 1, {SIMPLE(OP_RELU)}, ALONE},
    {"sum", 2, 4, 2, 1, {CONV(1, 8, 1, 0, 1, 1, 0)}, SUM},
    {"bn relu sum", 2, 4, 2, 3, {SIMPLE(OP_BN), SIMPLE(OP_RELU), CONV(3, 8, 1, 1, 1, 1, 0)}, SUM},
    {"relu sum bn relu", 2, 3, 2, 2, {SIMPLE(OP_RELU), SIMPLE(OP_BN)}, SUM},
    {"max_pool 3 stride 2", 2, 6, 2, 1, {{OP_MAX_POOL, {3, 2, 1}}}, ALONE},
    {"max_pool 2", 2, 5, 2, 1, {{OP_MAX_POOL, {2, NOT_GIVEN, 0}}}, ALONE},
    {"max_pool 3 stride 1", 2, 4, 2, 1, {{OP_MAX_POOL, {3, 1, 1}}}, ALONE},
    {"max_pool 3-D", 3, 4, 1, 1, {{OP_MAX_POOL, {3, 2, 1}}}, ALONE},
    {"avg_pool 2", 2, 5, 2, 1, {{OP_AVERAGE_POOL, {2, 2, 0}}}, ALONE},
    {"avg_pool 3 stride 1 padding 1", 2, 4, 2, 1, {{OP_AVERAGE_POOL, {3, 1, 1}}}, ALONE},
    {"global_avg_pool", 2, 4, 2, 1, {SIMPLE(OP_GLOBAL_AVERAGE_POOL)}, ALONE},
    {"linear without bias",
     2,
     4,
     2,
     2,
     {SIMPLE(OP_GLOBAL_AVERAGE_POOL), {OP_LINEAR, {9, 0}}},
     ALONE},
    {"linear relu",
     2,
     3,
     2,
     3,
     {SIMPLE(OP_GLOBAL_AVERAGE_POOL), {OP_LINEAR, {9, 1}}, SIMPLE(OP_RELU)},
     ALONE},
    {"sigmoid", 2, 4, 2, 1, {SIMPLE(OP_SIGMOID)}, ALONE},
    {"silu", 2, 4, 2, 1, {SIMPLE(OP_SILU)}, ALONE},
    {"gelu", 2, 4, 2, 1, {SIMPLE(OP_GELU)}, ALONE},
    {"scale", 2, 4, 2, 1, {{OP_SCALE, {0.5}}}, ALONE},
    {"dropout", 2, 4, 2, 1, {{OP_DROPOUT, {0.3}}}, ALONE},
    {"dropout 0", 2, 4, 2, 1, {{OP_DROPOUT, {0}}}, ALONE},
    {"dropout 3-D", 3, 3, 1, 2, {SIMPLE(OP_RELU), {OP_DROPOUT, {0.5}}}, ALONE},
    {"drop_path", 2, 4, 2, 2, {CONV(3, 8, 1, 1, 1, 1, 0), {OP_DROP_PATH, {0.4}}}, SUM},
    {"drop_path 3-D", 3, 2, 1, 2, {SIMPLE(OP_BN), {OP_DROP_PATH, {0.4}}}, SUM},
    {"dropout of logits", 2, 4, 2, 2, {SIMPLE(OP_GLOBAL_AVERAGE_POOL), {OP_DROPOUT, {0.5}}}, ALONE},
    {"group_norm 1", 2, 4, 2, 1, {{OP_GROUP_NORM, {1, NOT_GIVEN}}}, ALONE},
    {"group_norm 2", 2, 3, 2, 2, {{OP_GROUP_NORM, {2, NOT_GIVEN}}, SIMPLE(OP_RELU)}, ALONE},
    {"group_norm 8", 2, 3, 2, 1, {{OP_GROUP_NORM, {8, 1e-3}}}, SUM},
    {"group_norm 4 of 48",
     2,
     3,
     2,
     2,
     {CONV(1, 48, 1, 0, 1, 1, 0), {OP_GROUP_NORM, {4, NOT_GIVEN}}},
     ALONE},
    {"group_norm 3-D", 3, 3, 1, 1, {{OP_GROUP_NORM, {4, NOT_GIVEN}}}, ALONE},
    {"group_norm of a point",
     2,
     3,
     2,
     2,
     {SIMPLE(OP_GLOBAL_AVERAGE_POOL), {OP_GROUP_NORM, {2, NOT_GIVEN}}},
     ALONE},
    {"layer_norm", 2, 4, 2, 1, {{OP_LAYER_NORM, {NOT_GIVEN}}}, ALONE},
    {"layer_norm of 22 gelu",
     2,
     3,
     2,
     3,
     {CONV(1, 22, 1, 0, 1, 1, 0), {OP_LAYER_NORM, {NOT_GIVEN}}, SIMPLE(OP_GELU)},
     ALONE},
    {"layer_norm of 3",
     2,
     3,
     2,
     2,
     {CONV(1, 3, 1, 0, 1, 1, 0), {OP_LAYER_NORM, {NOT_GIVEN}}},
     ALONE},
    {"layer_norm 3-D", 3, 3, 1, 1, {{OP_LAYER_NORM, {1e-2}}}, SUM},
    {"layer_norm of a point",
     2,
     3,
     2,
     2,
     {SIMPLE(OP_GLOBAL_AVERAGE_POOL), {OP_LAYER_NORM, {NOT_GIVEN}}},
     ALONE},
    {"join", 2, 4, 2, 1, {CONV(3, 5, 1, 1, 1, 1, 0)}, JOIN},
    {"join of 19 and 8", 2, 3, 2, 2, {CONV(1, 19, 1, 0, 1, 1, 0), SIMPLE(OP_RELU)}, JOIN},
    {"join 3-D", 3, 2, 1, 1, {CONV(3, 3, 1, 1, 1, 1, 0)}, JOIN},
    {"join of nine", 2, 3, 2, 1, {CONV(1, 3, 1, 0, 1, 1, 0)}, JOIN_MANY},
    {"join of nine rows", 2, 3, 2, 1, {{OP_ROWS, {2}}}, JOIN_MANY},
    {"rows 4", 2, 3, 2, 1, {{OP_ROWS, {4}}}, ALONE},
    {"rows 8", 2, 4, 2, 2, {CONV(3, 24, 1, 1, 1, 1, 1), {OP_ROWS, {8}}}, ALONE},
    {"rows 3-D", 3, 2, 1, 1, {{OP_ROWS, {2}}}, ALONE},
    {"conv of rows", 2, 3, 2, 2, {{OP_ROWS, {4}}, CONV(3, 5, 1, 1, 1, 1, 0)}, ALONE},
    {"resize 2", 2, 3, 2, 1, {{OP_RESIZE, {2}}}, ALONE},
    {"resize 3-D", 3, 2, 1, 1, {{OP_RESIZE, {2}}}, ALONE},
    {"product", 2, 4, 2, 1, {CONV(3, 8, 1, 1, 1, 1, 0)}, PRODUCT},
    {"squeeze and excitation",
     2,
     4,
     2,
     4,
     {SIMPLE(OP_GLOBAL_AVERAGE_POOL), CONV(1, 4, 1, 0, 1, 1, 1), CONV(1, 8, 1, 0, 1, 1, 1),
      SIMPLE(OP_SIGMOID)},
     PRODUCT},
};

/* ---- building a case ---- */

static tensor_id add_layer(struct graph *graph, const struct layer *layer, tensor_id input,
                           const char *path)
{
    const struct op_definition *definition = op_definition(layer->kind);
    struct layer_value values[LAYER_ARGUMENTS] = {0};
    struct layer_error error;
    tensor_id output;

    for (int i = 0; i < definition->argument_count; i++) {
        values[i].given = layer->values[i] >= 0;
        values[i].values[0] =
            values[i].given ? layer->values[i] : definition->arguments[i].fallback;
    }
    output = graph_add_layer(graph, layer->kind, values, input, path, (struct span){0}, &error);
    if (output == TENSOR_NONE) {
        fprintf(stderr, "%s: %s\n", path, error.text);
        exit(1);
    }
    return output;
}

static tensor_id build(struct graph *graph, const struct network *network)
{
    const struct layer front = CONV(1, 8, 1, 0, 1, 1, 1);
    const struct layer pool = SIMPLE(OP_GLOBAL_AVERAGE_POOL);
    const struct layer head = {OP_LINEAR, {10, 1}};
    const int32_t grid[] = {network->size, network->size, network->size};
    tensor_id tensor = graph_add_input(graph, network->channels, grid, network->rank);
    tensor_id input;

    input = tensor = add_layer(graph, &front, tensor, "front");
    for (int i = 0; i < network->layer_count; i++)
        tensor = add_layer(graph, &network->layers[i], tensor,
                           arena_format(graph->arena, "layer%d", i));
    if (network->with_input == SUM)
        tensor = graph_add_sum(graph, (tensor_id[]){tensor, input}, 2, "sum", (struct span){0});
    if (network->with_input == PRODUCT)
        tensor = graph_add_product(graph, (tensor_id[]){input, tensor}, 2, "product",
                                   (struct span){0});
    if (network->with_input == JOIN)
        tensor = graph_add_join(graph, (tensor_id[]){input, tensor}, 2, "join", (struct span){0});
    if (network->with_input == JOIN_MANY) {
        tensor_id parts[9];

        for (size_t i = 0; i < countof(parts); i++)
            parts[i] = i % 3 == 0 ? tensor
                                  : add_layer(graph, &network->layers[0], input,
                                              arena_format(graph->arena, "part%zu", i));
        tensor = graph_add_join(graph, parts, countof(parts), "join", (struct span){0});
    }
    tensor = add_layer(graph, &pool, tensor, "pool");
    return add_layer(graph, &head, tensor, "head");
}

/* ---- numbers ---- */

static double uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0 * 2 - 1;
}

static void fill(struct machine *machine, uint64_t *state)
{
    const struct plan *plan = &machine->compilation.plan;
    const size_t image_count = plan->region_bytes[RNET_REGION_INPUT] / sizeof(float);

    const bool *mask = machine_weight_mask(machine);

    for (size_t i = 0; i < machine_weight_count(machine); i++)
        machine->regions[RNET_REGION_WEIGHTS][i] = mask[i] ? uniform(state) : 0;
    for (size_t i = 0; i < image_count; i++)
        machine->regions[RNET_REGION_INPUT][i] = uniform(state);
    for (size_t i = 0; i < plan->region_bytes[RNET_REGION_KEYS] / sizeof *machine->keys; i++)
        machine->keys[i] = (int32_t)(uniform(state) * 0x1p31);
    for (int n = 0; n < BATCH; n++)
        machine->labels[n] = (int32_t)((uint64_t)n * 7 % 10);
}

static double loss_along(struct machine *machine, const double *weights, const double *direction,
                         double step)
{
    for (size_t i = 0; i < machine_weight_count(machine); i++)
        machine->regions[RNET_REGION_WEIGHTS][i] = weights[i] + step * direction[i];
    machine_run(machine, RNET_PHASE_TRAIN, BATCH);
    return machine_loss(machine, BATCH, true);
}

/* The relative error of the gradient along one direction; smaller steps where there is a kink. */
static double direction_error(struct machine *machine, const double *weights, uint64_t *state)
{
    const size_t count = machine_weight_count(machine);
    const double *gradient = machine->regions[RNET_REGION_GRADIENTS];
    double *direction = ARENA_ARRAY(machine->arena, double, count);
    const bool *mask = machine_weight_mask(machine);
    double slope = 0, scale = 0, best = INFINITY;
    double middle;

    for (size_t i = 0; i < count; i++)
        direction[i] = mask[i] ? uniform(state) : 0;
    middle = loss_along(machine, weights, direction, 0);
    for (size_t i = 0; i < count; i++) {
        if (!mask[i])
            continue;
        slope += gradient[i] * direction[i];
        scale += fabs(gradient[i] * direction[i]);
    }
    for (double step = 1e-4; step >= 1e-7; step /= 10) {
        const double above = loss_along(machine, weights, direction, step);
        const double below = loss_along(machine, weights, direction, -step);
        const double error = fabs((above - below) / (2 * step) - slope) / (scale + 1e-12);
        const double second = fabs(above + below - 2 * middle) / step / (scale + 1e-12);

        if (error < best)
            best = error;
        if (second < 1e-2) /* smooth here: what was measured counts */
            break;
    }
    return best;
}

static bool check(const struct network *network, const struct target *target, bool fuse)
{
    struct arena arena = {0};
    struct graph *graph = graph_new(&arena, "case");
    const struct recipe recipe = {.name = "test", .batch = BATCH};
    struct machine machine;
    uint64_t state = 88172645463325252u;
    double worst = 0;
    double *weights;
    bool passed;

    machine_init(&machine, &arena, graph, build(graph, network), &recipe, target, fuse);
    fill(&machine, &state);
    weights = arena_copy(&arena, machine.regions[RNET_REGION_WEIGHTS],
                         machine_weight_count(&machine) * sizeof *weights);
    for (int i = 0; i < DIRECTIONS; i++)
        worst = fmax(worst, direction_error(&machine, weights, &state));
    passed = worst < 1e-5;
    printf("%s gradient of %s (%s%s): %.1e\n", passed ? "ok  " : "FAIL", network->name,
           target->name, fuse ? ", fused" : "", worst);
    arena_release(&arena);
    return passed;
}

int main(void)
{
    int failures = 0;

    for (size_t i = 0; i < countof(networks); i++) {
        failures += !check(&networks[i], &reference_target, false);
        failures += !check(&networks[i], &cpu_target, true);
    }
    printf("%zu networks, %d failures\n", countof(networks), failures);
    return failures != 0;
}
