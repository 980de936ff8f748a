/* The passes' entries: how each is run, checked and shown. */
#include "compiler/pass.h"

#include "base/vector.h"
#include "compiler/chain.h"
#include "compiler/fuse.h"
#include "compiler/gradient.h"
#include "compiler/memory.h"

/* ---- graphs ---- */

static void run_loss(struct compilation *compilation)
{
    if (graph_has_logits(compilation->elaboration.graph))
        graph_add_loss(compilation->elaboration.graph);
}

static void run_gradient(struct compilation *compilation)
{
    if (!compilation->inference)
        graph_add_gradients(compilation->elaboration.graph);
}

static const char *check_loss(const struct compilation *compilation)
{
    return graph_check(compilation->elaboration.graph);
}

static const char *check_gradient(const struct compilation *compilation)
{
    return graph_check(compilation->elaboration.graph);
}

static void print_loss(const struct compilation *compilation, FILE *stream)
{
    graph_print(compilation->elaboration.graph, compilation->sources, stream);
}

static void print_gradient(const struct compilation *compilation, FILE *stream)
{
    graph_print(compilation->elaboration.graph, compilation->sources, stream);
}

/* ---- calls ---- */

static void run_lower(struct compilation *compilation)
{
    struct plan *plan = &compilation->plan;
    const struct lower_target target = {compilation->keeps_convolutions, compilation->precision};

    plan->graph = compilation->elaboration.graph;
    plan->recipe = &compilation->elaboration.recipe;
    plan->batch = plan->recipe->batch;
    plan->layout = parameter_layout(plan->graph, plan->recipe, compilation->keeps_convolutions,
                                    compilation->arena);
    plan->train = lower_graph(compilation->arena, plan->graph, plan->recipe, &plan->layout,
                              compilation->inference ? LOWER_NOTHING : LOWER_TRAINING, target);
    plan->infer = lower_graph(compilation->arena, plan->graph, plan->recipe, &plan->layout,
                              LOWER_INFERENCE, target);
}

static void run_fuse(struct compilation *compilation)
{
    fuse_calls(compilation->plan.train, compilation->keeps_convolutions);
    fuse_calls(compilation->plan.infer, compilation->keeps_convolutions);
    if (!compilation->keeps_convolutions)
        return;
    compilation->plan.train->has_chains = compilation->plan.infer->has_chains = true;
    chain_make_way(compilation->plan.infer);
}

static const char *check_both(const struct compilation *compilation)
{
    const char *problem = calls_check(compilation->plan.train);

    return problem ? problem : calls_check(compilation->plan.infer);
}

static const char *check_lower(const struct compilation *compilation)
{
    return check_both(compilation);
}

static const char *check_fuse(const struct compilation *compilation)
{
    return check_both(compilation);
}

static void print_lower(const struct compilation *compilation, FILE *stream)
{
    calls_print(compilation->plan.train, stream);
    calls_print(compilation->plan.infer, stream);
}

static void print_fuse(const struct compilation *compilation, FILE *stream)
{
    print_lower(compilation, stream);
}

/* ---- the plan ---- */

static void run_memory(struct compilation *compilation)
{
    struct plan *plan = &compilation->plan;

    compilation->train_workspace = memory_plan(plan->train);
    compilation->infer_workspace = memory_plan(plan->infer);
    plan_finish(plan, compilation->train_workspace, compilation->infer_workspace);
}

static const char *check_memory(const struct compilation *compilation)
{
    const char *problem = memory_check(compilation->plan.train, compilation->train_workspace);

    return problem ? problem : memory_check(compilation->plan.infer, compilation->infer_workspace);
}

static void print_memory(const struct compilation *compilation, FILE *stream)
{
    plan_print(&compilation->plan, stream);
}

/* ---- the limit ---- */

struct program_memory compilation_training_memory(const struct compilation *compilation,
                                                  uint64_t workspace)
{
    const uint64_t inference = compilation->infer_workspace;

    return program_memory(&compilation->plan, workspace > inference ? workspace : inference, true,
                          compilation->keeps_convolutions);
}

static uint64_t limited_bytes(const struct compilation *compilation, uint64_t workspace)
{
    const struct program_memory memory = compilation_training_memory(compilation, workspace);

    return program_memory_sum(&memory) + memory.data;
}

bool compilation_is_within_limit(const struct compilation *compilation)
{
    return compilation->memory_limit == 0 || compilation->inference ||
           limited_bytes(compilation, compilation->train_workspace) <= compilation->memory_limit;
}

/* What the rest of the program leaves to the workspace. Each step that is repeated needs a place in
 * the tables too, at most as many as there are. */
static uint64_t workspace_limit(const struct compilation *compilation)
{
    const uint64_t rest =
        limited_bytes(compilation, 0) - compilation->infer_workspace +
        program_memory_repeated(&compilation->plan, compilation->keeps_convolutions);

    return compilation->memory_limit > rest ? compilation->memory_limit - rest : 0;
}

static void run_recompute(struct compilation *compilation)
{
    struct plan *plan = &compilation->plan;

    if (compilation->memory_limit == 0 || compilation_is_within_limit(compilation))
        return;
    compilation->recomputation = recompute_calls(plan->train, workspace_limit(compilation));
    compilation->train_workspace = compilation->recomputation.workspace;
    plan->region_bytes[RNET_REGION_WORKSPACE] =
        compilation->train_workspace > compilation->infer_workspace ? compilation->train_workspace
                                                                    : compilation->infer_workspace;
}

static const char *check_recompute(const struct compilation *compilation)
{
    const char *problem = compilation->memory_limit ? calls_check(compilation->plan.train) : NULL;

    return problem ? problem : check_memory(compilation);
}

static void print_recompute(const struct compilation *compilation, FILE *stream)
{
    plan_print(&compilation->plan, stream);
}

const struct pass *compiler_passes(size_t *out_count)
{
    static const struct pass passes[] = {
#define PASS(name, purpose) {#name, purpose, run_##name, check_##name, print_##name},
#include "compiler/pass.def"
#undef PASS
    };

    *out_count = countof(passes);
    return passes;
}
