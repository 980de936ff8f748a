/* The plan as constant data: the executable's `rnet_program`, in assembly text.
 *
 * Assembly rather than C or LLVM: the data are tables of numbers and addresses, which the
 * assembler reads tens of times faster than a compiler would, and no target needs another way. */
#ifndef CODEGEN_PROGRAM_H
#define CODEGEN_PROGRAM_H

#include <stdio.h>

#include "codegen/loop.h"
#include "codegen/program_cuda.h"
#include "compiler/pass.h"

/* How an executable is built. */
struct program_facts {
    const char *compiled;         /* for its reader */
    const char *instruction_sets; /* rnet_program.instruction_sets; "" for a GPU */
};

/* Writes rnet_program (runtime/program.h). `programs` are the loop programs of the plan's kernels,
 * in the plan's order; their names are the symbols called. `cuda` is NULL for the processor. */
void program_write(const struct compilation *compilation, struct loop_program *const *programs,
                   const struct program_facts *built, const struct program_cuda *cuda,
                   FILE *stream);

#endif
