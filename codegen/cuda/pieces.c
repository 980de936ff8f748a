/* Collecting them. See pieces.h. */
#include "codegen/cuda/pieces.h"

#include "codegen/cuda/convolution_facts.h"
#include "codegen/cuda/filter_copy.h"
#include "codegen/cuda/filter_tables.h"
#include "codegen/cuda/step_functions.h"

/* Whether a library may compute the kernel, and is worth asking. */
static bool is_for_library(const struct kernel *kernel)
{
    struct rnet_cuda_convolution facts;

    return convolution_facts(kernel, &facts) && facts.loads_plainly && facts.stores_plainly &&
           facts.is_only_output &&
           kernel_suits_library(kernel, facts.is_bfloat16 ? KERNEL_BF16 : KERNEL_F32);
}

/* Whether there is any; sets the copies of their filters. */
static bool set_copies(struct arena *arena, const struct plan *plan, struct cuda_pieces *pieces)
{
    bool found = false;

    for (size_t k = 0; k < plan->kernels.items.count; k++)
        if (is_for_library(plan->kernels.items.items[k])) {
            pieces->copies[k] = filter_copy(arena, plan->kernels.items.items[k]);
            found = true;
        }
    return found;
}

struct cuda_pieces cuda_pieces(struct arena *arena, const struct plan *plan,
                               struct loop_program *const *programs, enum rnet_precision precision)
{
    const size_t kernels = plan->kernels.items.count, most = kernels + RNET_CUDA_FUNCTION_COUNT;
    const struct step_recipe recipe = {.accumulate = plan->recipe->accumulate,
                                       .clip = plan->recipe->clip,
                                       .ema = plan->recipe->ema};
    struct cuda_pieces pieces = {
        .programs = ARENA_ARRAY(arena, struct loop_program *, most),
        .copies = ARENA_ARRAY(arena, struct loop_program *, most),
        .functions = ARENA_ARRAY(arena, struct loop_program *, RNET_CUDA_FUNCTION_COUNT),
        .count = kernels,
    };

    for (size_t k = 0; k < kernels; k++)
        pieces.programs[k] = programs[k];
    if (plan->train->items.count > 0)
        step_functions(arena, &recipe, pieces.functions);
    if (set_copies(arena, plan, &pieces))
        filter_tables(arena, precision, pieces.functions);
    for (int f = 0; f < RNET_CUDA_FUNCTION_COUNT; f++)
        if (pieces.functions[f])
            pieces.programs[pieces.count++] = pieces.functions[f];
    return pieces;
}
