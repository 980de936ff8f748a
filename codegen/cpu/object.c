/* Compiling loop programs: one LLVM context, module and machine for each, so that programs are
 * compiled in parallel and a program's bytes depend on nothing but itself and the target. */
#include "codegen/cpu/lower_llvm.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "codegen/cpu/lower.h"
#include "codegen/cpu/processor.h"

/* What became of one program. */
struct piece {
    LLVMMemoryBufferRef buffer; /* of an object or assembly */
    char *text;                 /* of LLVM IR; LLVM's */
    struct status status;
};

/* What all threads share; each piece is written by one thread. */
struct compilation {
    const struct processor *processor;
    struct loop_program *const *programs;
    size_t count;
    enum cpu_output output;
    struct piece *pieces;
    atomic_size_t next; /* the first program that no thread has taken */
};

/* ---- one program ---- */

/* Whether the schedule has vectorized the program itself. Its loops are then as they should be:
 * unrolling them again would only spill the tiles it keeps in registers. */
static bool uses_vectors(const struct loop_program *program)
{
    for (size_t i = 0; i < program->count; i++)
        if (program->instructions[i].type.lanes > 1)
            return true;
    return false;
}

/* Moves an LLVM error into a status about a program. */
static struct status error_status(const struct loop_program *program, LLVMErrorRef error)
{
    if (!error)
        return status_ok();
    char *message = LLVMGetErrorMessage(error);
    const struct status status =
        status_error(STATUS_INVALID, "kernel %s cannot be compiled: %s", program->name, message);
    LLVMDisposeErrorMessage(message);
    return status;
}

/* The same for a message that LLVM handed out when `failed`. */
static struct status message_status(const struct loop_program *program, bool failed, char *message)
{
    struct status status = status_ok();
    if (failed)
        status = status_error(STATUS_INVALID, "kernel %s cannot be compiled: %s", program->name,
                              message ? message : "LLVM gives no reason");
    LLVMDisposeMessage(message);
    return status;
}

static struct status optimize(const struct loop_program *program, LLVMModuleRef module,
                              LLVMTargetMachineRef machine)
{
    const bool by_llvm = !uses_vectors(program);
    char *message = NULL;
    const bool broken = LLVMVerifyModule(module, LLVMReturnStatusAction, &message);
    RETURN_IF_ERROR(message_status(program, broken, message));

    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMPassBuilderOptionsSetLoopVectorization(options, by_llvm);
    LLVMPassBuilderOptionsSetSLPVectorization(options, by_llvm);
    LLVMPassBuilderOptionsSetLoopInterleaving(options, by_llvm);
    LLVMPassBuilderOptionsSetLoopUnrolling(options, by_llvm);
    LLVMErrorRef error = LLVMRunPasses(module, "default<O2>", machine, options);
    LLVMDisposePassBuilderOptions(options);
    return error_status(program, error);
}

static struct status emit(const struct loop_program *program, LLVMModuleRef module,
                          LLVMTargetMachineRef machine, enum cpu_output output, struct piece *piece)
{
    char *message = NULL;
    if (output == CPU_LLVM) {
        piece->text = LLVMPrintModuleToString(module);
        return status_ok();
    }
    const LLVMCodeGenFileType type = output == CPU_OBJECT ? LLVMObjectFile : LLVMAssemblyFile;
    const bool failed =
        LLVMTargetMachineEmitToMemoryBuffer(machine, module, type, &message, &piece->buffer);
    return message_status(program, failed, message);
}

/* Keeps the first error that LLVM reports on the side instead of letting it end the process. */
static void note_diagnostic(LLVMDiagnosticInfoRef diagnostic, void *closure)
{
    struct status *status = closure;
    char *text = LLVMGetDiagInfoDescription(diagnostic);
    if (LLVMGetDiagInfoSeverity(diagnostic) == LLVMDSError && status_is_ok(status))
        *status = status_error(STATUS_INVALID, "%s", text);
    LLVMDisposeMessage(text);
}

static struct status compile(const struct compilation *compilation,
                             const struct loop_program *program, LLVMContextRef context,
                             struct piece *piece)
{
    const struct processor *processor = compilation->processor;
    LLVMModuleRef module = lower_program(context, program);
    LLVMTargetMachineRef machine = LLVMCreateTargetMachine(
        processor->target, processor->triple, processor->name, processor->features,
        LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelDefault);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    LLVMSetTarget(module, processor->triple);
    LLVMSetModuleDataLayout(module, layout);
    LLVMDisposeTargetData(layout);

    struct status status = optimize(program, module, machine);
    if (status_is_ok(&status))
        status = emit(program, module, machine, compilation->output, piece);
    LLVMDisposeTargetMachine(machine);
    LLVMDisposeModule(module);
    return status;
}

static void compile_piece(const struct compilation *compilation, size_t index)
{
    const struct loop_program *program = compilation->programs[index];
    struct piece *piece = &compilation->pieces[index];
    struct status reported = status_ok();
    LLVMContextRef context = LLVMContextCreate();
    LLVMContextSetDiagnosticHandler(context, note_diagnostic, &reported);
    piece->status = compile(compilation, program, context, piece);
    LLVMContextDispose(context);
    if (status_is_ok(&piece->status) && !status_is_ok(&reported))
        piece->status = status_error(reported.code, "kernel %s cannot be compiled: %.300s",
                                     program->name, reported.message);
}

/* ---- all programs ---- */

static void *compile_some(void *closure)
{
    struct compilation *compilation = closure;
    size_t index;
    while ((index = atomic_fetch_add(&compilation->next, 1)) < compilation->count)
        compile_piece(compilation, index);
    return NULL;
}

static size_t thread_count(int wanted, size_t programs)
{
    const long processors = wanted > 0 ? wanted : sysconf(_SC_NPROCESSORS_ONLN);
    const size_t count = processors > 0 ? (size_t)processors : 1;
    return count < programs ? count : programs;
}

/* Runs threads beside this one; where none can be had, this one does all. */
static void compile_all(struct compilation *compilation, struct arena *scratch, int threads)
{
    const size_t wanted = thread_count(threads, compilation->count);
    pthread_t *others = ARENA_ARRAY(scratch, pthread_t, wanted + 1);
    size_t started = 0;
    while (started + 1 < wanted &&
           pthread_create(&others[started], NULL, compile_some, compilation) == 0)
        started++;
    compile_some(compilation);
    for (size_t i = 0; i < started; i++)
        pthread_join(others[i], NULL);
}

static void piece_collect(struct arena *arena, struct piece *piece, struct cpu_code *out_code)
{
    *out_code = (struct cpu_code){0};
    if (piece->text) {
        out_code->size = strlen(piece->text);
        out_code->bytes = arena_copy_text(arena, piece->text, out_code->size);
        LLVMDisposeMessage(piece->text);
    }
    if (piece->buffer) {
        out_code->size = LLVMGetBufferSize(piece->buffer);
        out_code->bytes = arena_copy(arena, LLVMGetBufferStart(piece->buffer), out_code->size);
        LLVMDisposeMemoryBuffer(piece->buffer);
    }
}

struct status cpu_compile(struct arena *arena, const struct cpu_target *target,
                          struct loop_program *const *programs, size_t count,
                          enum cpu_output output, struct cpu_code *out_code)
{
    struct processor processor;
    struct arena scratch = {0};
    struct status status = processor_find(target->cpu, &processor);
    struct compilation compilation = {
        .processor = &processor,
        .programs = programs,
        .count = count,
        .output = output,
        .pieces = ARENA_ARRAY(&scratch, struct piece, count),
    };
    if (status_is_ok(&status)) {
        compile_all(&compilation, &scratch, target->threads);
        for (size_t i = 0; i < count; i++) {
            piece_collect(arena, &compilation.pieces[i], &out_code[i]);
            if (status_is_ok(&status))
                status = compilation.pieces[i].status;
        }
    }
    processor_release(&processor);
    arena_release(&scratch);
    return status;
}
