/* What stands between the gradients of a step and the next one, as loop programs for a GPU. */
#ifndef CODEGEN_CUDA_STEP_FUNCTIONS_H
#define CODEGEN_CUDA_STEP_FUNCTIONS_H

#include "codegen/loop.h"
#include "runtime/program.h"

/* What of a recipe (compiler/recipe.h) they depend on. */
struct step_recipe {
    int64_t accumulate;
    double clip, ema;
};

/* Sets out_programs[f] to the program of function f of enum rnet_cuda_function_kind, which says
 * what it computes, or to NULL where the recipe has no use for it. In the arena. */
void step_functions(struct arena *arena, const struct step_recipe *recipe,
                    struct loop_program *out_programs[RNET_CUDA_FUNCTION_COUNT]);

#endif
