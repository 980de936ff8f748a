/* The tables of an executable for NVIDIA GPUs: struct rnet_cuda (runtime/program.h) and the code.
 */
#ifndef CODEGEN_PROGRAM_CUDA_H
#define CODEGEN_PROGRAM_CUDA_H

#include "base/table.h"
#include "base/vector.h"
#include "codegen/cuda/nvrtc.h"
#include "codegen/loop.h"
#include "codegen/table_writer.h"
#include "compiler/plan.h"
#include "runtime/program.h"

/* What a program for a GPU has besides its plan and loop programs. */
struct program_cuda {
    int architecture; /* NN of sm_NN */
    enum rnet_precision precision;
    const struct nvrtc_code *code; /* of each kernel, and then of each function that there is */
    size_t code_count;
    struct loop_program *const *copies; /* of each kernel: the copy of its filter, or NULL; it is
                                           in the kernel's module */
    struct loop_program *const
        *functions; /* RNET_CUDA_FUNCTION_COUNT of them, NULL: there is none */
};

/* The chains that steps begin with, each once. Zero it, then set the arena. */
struct program_chains {
    struct arena *arena;
    VECTOR(struct rnet_cuda_chain) items;
    struct table numbers; /* bytes -> index */
};

/* What rnet_step.chain is for a call of a plan. */
uint32_t program_chains_add(struct program_chains *chains, const struct calls *calls, size_t call);

/* Writes it, under the label .Lcuda. */
void program_cuda_write(struct table_writer *writer, const struct plan *plan,
                        struct loop_program *const *programs, const struct program_cuda *cuda,
                        const struct program_chains *chains);

#endif
