/* Compiled kernels in this process: the very objects that an executable would contain, linked by
 * LLVM's ORC. */
#include "codegen/cpu/lower_llvm.h"

#include <llvm-c/Core.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <stdlib.h>
#include <string.h>

struct cpu_jit {
    LLVMOrcLLJITRef engine;
};

static struct status error_status(LLVMErrorRef error)
{
    if (!error)
        return status_ok();
    char *message = LLVMGetErrorMessage(error);
    const struct status status =
        status_error(STATUS_INVALID, "a kernel cannot be run here: %s", message);
    LLVMDisposeErrorMessage(message);
    return status;
}

/* Starts ORC; kernels find the C library's functions in this process. */
static struct status engine_new(LLVMOrcLLJITRef *out_engine)
{
    LLVMOrcDefinitionGeneratorRef process;
    RETURN_IF_ERROR(error_status(LLVMOrcCreateLLJIT(out_engine, NULL)));
    const char prefix = LLVMOrcLLJITGetGlobalPrefix(*out_engine);
    RETURN_IF_ERROR(error_status(
        LLVMOrcCreateDynamicLibrarySearchGeneratorForProcess(&process, prefix, NULL, NULL)));
    LLVMOrcJITDylibAddGenerator(LLVMOrcLLJITGetMainJITDylib(*out_engine), process);
    return status_ok();
}

static struct status add_object(LLVMOrcLLJITRef engine, const struct cpu_code *code,
                                const char *name)
{
    LLVMMemoryBufferRef buffer =
        LLVMCreateMemoryBufferWithMemoryRangeCopy(code->bytes, code->size, name);
    return error_status(
        LLVMOrcLLJITAddObjectFile(engine, LLVMOrcLLJITGetMainJITDylib(engine), buffer));
}

static struct status find_function(LLVMOrcLLJITRef engine, const char *name,
                                   cpu_function **out_function)
{
    LLVMOrcExecutorAddress address = 0;
    RETURN_IF_ERROR(error_status(LLVMOrcLLJITLookup(engine, &address, name)));
    *out_function = (cpu_function *)(uintptr_t)address;
    return status_ok();
}

static struct status link_all(LLVMOrcLLJITRef engine, struct loop_program *const *programs,
                              const struct cpu_code *code, size_t count,
                              cpu_function **out_functions)
{
    for (size_t i = 0; i < count; i++)
        RETURN_IF_ERROR(add_object(engine, &code[i], programs[i]->name));
    for (size_t i = 0; i < count; i++)
        RETURN_IF_ERROR(find_function(engine, programs[i]->name, &out_functions[i]));
    return status_ok();
}

struct status cpu_jit_new_for(const struct cpu_target *target, struct loop_program *const *programs,
                              size_t count, struct cpu_jit **out_jit, cpu_function **out_functions)
{
    struct arena scratch = {0};
    struct cpu_code *code = ARENA_ARRAY(&scratch, struct cpu_code, count);
    struct cpu_jit *jit = NULL;
    struct status status = cpu_compile(&scratch, target, programs, count, CPU_OBJECT, code);
    if (status_is_ok(&status)) {
        jit = calloc(1, sizeof *jit);
        status = jit ? engine_new(&jit->engine)
                     : status_error(STATUS_MEMORY, "There is no memory for compiled kernels.");
    }
    if (status_is_ok(&status))
        status = link_all(jit->engine, programs, code, count, out_functions);
    if (!status_is_ok(&status)) {
        cpu_jit_free(jit);
        jit = NULL;
    }
    *out_jit = jit;
    arena_release(&scratch);
    return status;
}

struct status cpu_jit_new(struct loop_program *const *programs, size_t count,
                          struct cpu_jit **out_jit, cpu_function **out_functions)
{
    const struct cpu_target target = {.cpu = "native", .threads = 0};
    return cpu_jit_new_for(&target, programs, count, out_jit, out_functions);
}

void cpu_jit_free(struct cpu_jit *jit)
{
    if (!jit)
        return;
    if (jit->engine)
        LLVMConsumeError(LLVMOrcDisposeLLJIT(jit->engine));
    free(jit);
}
