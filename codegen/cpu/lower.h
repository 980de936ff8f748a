/* What the files that lower loop programs to LLVM IR share. */
#ifndef CODEGEN_CPU_LOWER_H
#define CODEGEN_CPU_LOWER_H

#include <llvm-c/Types.h>

#include "codegen/loop.h"

/* An open body: a loop's, or a branch of an if. */
struct lower_body {
    enum loop_op op;         /* LOOP_FOR, LOOP_IF or LOOP_ELSE */
    loop_value opener;       /* of a loop */
    LLVMBasicBlockRef block; /* a loop's first block, an if's other branch */
    LLVMBasicBlockRef after; /* where control goes afterwards; NULL in an if without else yet */
};

/* A program being lowered. */
struct lower {
    const struct loop_program *program;
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef builder;
    LLVMValueRef function; /* the inner one */
    LLVMValueRef task, images;
    LLVMValueRef *values; /* of each instruction */
    struct lower_body bodies[LOOP_NESTING];
    int depth;
};

/* Lowers a checked program to a module with one external function of its name and of the type
 * rnet_kernel_function. The module is unoptimized, has no target yet, and belongs to the caller. */
LLVMModuleRef lower_program(LLVMContextRef context, const struct loop_program *program);

/* ---- lower_operation.c ---- */

LLVMTypeRef lower_type(const struct lower *lower, struct loop_type type);
LLVMTypeRef lower_int_type(const struct lower *lower);
LLVMValueRef lower_constant(const struct lower *lower, int64_t value);
/* One lane, or a constant, in every lane. */
LLVMValueRef lower_splat(const struct lower *lower, LLVMValueRef scalar, unsigned lanes);
LLVMValueRef lower_constant_splat(LLVMValueRef scalar, unsigned lanes);
/* a b + c, rounded once. */
LLVMValueRef lower_fma(const struct lower *lower, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c);

/* Emits an instruction that opens and closes no body; returns its value, NULL for a statement. */
LLVMValueRef lower_operation(const struct lower *lower, loop_value number);

/* ---- lower_random.c ---- */

/* LOOP_RANDOM of a type; key, counter and first are INTs. */
LLVMValueRef lower_random(const struct lower *lower, struct loop_type type, LLVMValueRef key,
                          LLVMValueRef counter, LLVMValueRef first);

/* ---- lower_elementary.c ---- */

/* LOOP_EXP and LOOP_LOG of 32-bit floats. */
LLVMValueRef lower_exp(const struct lower *lower, LLVMValueRef x, unsigned lanes);
LLVMValueRef lower_log(const struct lower *lower, LLVMValueRef x, unsigned lanes);

#endif
