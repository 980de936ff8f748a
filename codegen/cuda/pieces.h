/* All loop programs that a GPU's executable has. */
#ifndef CODEGEN_CUDA_PIECES_H
#define CODEGEN_CUDA_PIECES_H

#include "codegen/loop.h"
#include "compiler/plan.h"
#include "runtime/program.h"

/* What is compiled, each a module: the kernels' programs, and then those of the functions. */
struct cuda_pieces {
    struct loop_program **programs;
    struct loop_program **copies; /* in the program's module: the copy of its filter, or NULL */
    size_t count;
    struct loop_program **functions; /* RNET_CUDA_FUNCTION_COUNT, NULL where there is none */
};

/* Adds what the kernels' programs need beside them. In the arena. */
struct cuda_pieces cuda_pieces(struct arena *arena, const struct plan *plan,
                               struct loop_program *const *programs, enum rnet_precision precision);

#endif
