/* Loop programs to object code for the processor, through LLVM. The only folder that sees LLVM. */
#ifndef CODEGEN_CPU_LOWER_LLVM_H
#define CODEGEN_CPU_LOWER_LLVM_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"
#include "codegen/loop.h"

/* What to generate code for. */
struct cpu_target {
    const char *cpu; /* "native", "x86-64-v2", "x86-64-v3", "x86-64-v4" or a name LLVM knows */
    int threads;     /* how many programs to compile at a time; 0: one a processor */
};

enum cpu_output {
    CPU_OBJECT,   /* relocatable object */
    CPU_ASSEMBLY, /* text */
    CPU_LLVM,     /* LLVM IR as text, after optimization */
};

/* What one piece of the compilation gave: an object or a text. A program's function has its name
 * and the type rnet_kernel_function (runtime/program.h). */
struct cpu_code {
    char *bytes; /* in the arena given to cpu_compile */
    size_t size;
};

/* Compiles `count` checked programs, in parallel, into as many pieces. The same programs and
 * target give the same bytes, whatever the number of threads. STATUS_INVALID for an unknown cpu;
 * what LLVM itself refuses is reported with the program's name. */
struct status cpu_compile(struct arena *arena, const struct cpu_target *target,
                          struct loop_program *const *programs, size_t count,
                          enum cpu_output output, struct cpu_code *out_code);

/* Sets the instruction sets that code for `cpu` may use, as LLVM names them, separated by spaces.
 * STATUS_INVALID for an unknown cpu. */
struct status cpu_features(struct arena *arena, const char *cpu, const char **out_features);

/* A compiled kernel in this process, for tests. */
typedef void cpu_function(void *const *buffers, int64_t images, int64_t first, int64_t last);
struct cpu_jit;

/* Compiles programs, whose names differ, into this process; `out_functions` are valid until
 * cpu_jit_free. The second takes a target that this processor must be able to run. */
struct status cpu_jit_new(struct loop_program *const *programs, size_t count,
                          struct cpu_jit **out_jit, cpu_function **out_functions);
struct status cpu_jit_new_for(const struct cpu_target *target,
                              struct loop_program *const *programs, size_t count,
                              struct cpu_jit **out_jit, cpu_function **out_functions);
void cpu_jit_free(struct cpu_jit *jit);

#endif
