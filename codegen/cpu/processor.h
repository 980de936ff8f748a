/* The processor that code is generated for, as LLVM knows it. */
#ifndef CODEGEN_CPU_PROCESSOR_H
#define CODEGEN_CPU_PROCESSOR_H

#include <llvm-c/TargetMachine.h>
#include <stdbool.h>

#include "base/status.h"

struct processor {
    LLVMTargetRef target;
    char *triple;   /* LLVM's */
    char *name;     /* LLVM's if is_host */
    char *features; /* LLVM's if is_host */
    bool is_host;
};

/* Finds out what LLVM calls `cpu` (struct cpu_target). STATUS_INVALID where it is none. Release
 * the processor in any case. */
struct status processor_find(const char *cpu, struct processor *processor);
void processor_release(struct processor *processor);

#endif
