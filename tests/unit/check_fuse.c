/* Fusion: fewer calls, the same numbers. */
#include <math.h>

#include "compiler/op.h"
#include "tests/ops/machine.h"
#include "tests/unit/suite.h"

enum { BATCH = 3 };

static tensor_id layer(struct graph *graph, enum op_kind kind, tensor_id input, const char *path,
                       const double *given, int count)
{
    const struct op_definition *definition = op_definition(kind);
    struct layer_value values[LAYER_ARGUMENTS] = {0};
    struct layer_error error;

    for (int i = 0; i < definition->argument_count; i++) {
        values[i].given = i < count;
        values[i].values[0] = i < count ? given[i] : definition->arguments[i].fallback;
    }
    return graph_add_layer(graph, kind, values, input, path, (struct span){0}, &error);
}

/* Two residual blocks: one that activates the sum, one that only passes it on. */
static tensor_id build(struct graph *graph)
{
    const double front[] = {3, 16}, inner[] = {3, 16}, head[] = {10};
    tensor_id x = graph_add_input(graph, 3, (int32_t[]){4, 4}, 2);
    tensor_id branch;

    x = layer(graph, OP_CONV, x, "front", front, 2);
    for (int block = 0; block < 2; block++) {
        const char *path = arena_format(graph->arena, "block%d", block);

        branch = layer(graph, OP_CONV, x, arena_format(graph->arena, "%s.conv", path), inner, 2);
        branch = layer(graph, OP_BN, branch, arena_format(graph->arena, "%s.bn", path), NULL, 0);
        if (block == 1)
            branch = layer(graph, OP_RELU, branch, "", NULL, 0);
        x = graph_add_sum(graph, (tensor_id[]){branch, x}, 2, path, (struct span){0});
        if (block == 0)
            x = layer(graph, OP_RELU, x, "", NULL, 0);
    }
    x = layer(graph, OP_GLOBAL_AVERAGE_POOL, x, "", NULL, 0);
    return layer(graph, OP_LINEAR, x, "head", head, 1);
}

static void start(struct machine *machine, struct arena *arena, bool fuse)
{
    struct graph *graph = graph_new(arena, "test");
    const struct plan *plan = &machine->compilation.plan;
    const struct recipe recipe = {.name = "test", .batch = BATCH};

    machine_init(machine, arena, graph, build(graph), &recipe, &reference_target, fuse);
    for (size_t i = 0; i < machine_weight_count(machine); i++)
        machine->regions[RNET_REGION_WEIGHTS][i] = sin((double)i);
    for (size_t i = 0; i < plan->region_bytes[RNET_REGION_INPUT] / sizeof(float); i++)
        machine->regions[RNET_REGION_INPUT][i] = cos((double)i);
    for (size_t i = 0; i < plan->region_bytes[RNET_REGION_STATISTICS] / sizeof(float); i++)
        machine->regions[RNET_REGION_STATISTICS][i] = 1 + 0.5 * sin((double)i);
    for (int n = 0; n < BATCH; n++)
        machine->labels[n] = n;
}

START_TEST(same_numbers_fewer_calls)
{
    struct arena arena = {0};
    struct machine fused, plain;

    start(&fused, &arena, true);
    start(&plain, &arena, false);
    ck_assert_uint_lt(fused.compilation.plan.train->items.count + 7,
                      plain.compilation.plan.train->items.count);
    ck_assert_uint_lt(fused.compilation.plan.infer->items.count,
                      plain.compilation.plan.infer->items.count);
    machine_run(&fused, RNET_PHASE_TRAIN, BATCH);
    machine_run(&plain, RNET_PHASE_TRAIN, BATCH);
    for (size_t i = 0; i < machine_weight_count(&plain); i++)
        ck_assert_double_eq_tol(fused.regions[RNET_REGION_GRADIENTS][i],
                                plain.regions[RNET_REGION_GRADIENTS][i], 1e-12);
    machine_run(&fused, RNET_PHASE_INFER, BATCH);
    machine_run(&plain, RNET_PHASE_INFER, BATCH);
    machine_run(&fused, RNET_PHASE_LOSS, BATCH);
    machine_run(&plain, RNET_PHASE_LOSS, BATCH);
    ck_assert_double_eq_tol(machine_loss(&fused, BATCH, false), machine_loss(&plain, BATCH, false),
                            1e-12);
    arena_release(&arena);
}
END_TEST

/* A smaller batch than planned gives the same numbers for its images, and running statistics. */
START_TEST(partial_batch)
{
    struct arena arena = {0};
    struct machine machine;
    double whole, part;

    start(&machine, &arena, true);
    machine_run(&machine, RNET_PHASE_INFER, BATCH);
    machine_run(&machine, RNET_PHASE_LOSS, BATCH);
    whole = machine_loss(&machine, 1, false);
    machine_run(&machine, RNET_PHASE_INFER, 1);
    machine_run(&machine, RNET_PHASE_LOSS, 1);
    part = machine_loss(&machine, 1, false);
    ck_assert_double_eq(whole, part);
    arena_release(&arena);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {same_numbers_fewer_calls, partial_batch};

    return run_suite("fuse", tests, countof(tests));
}
