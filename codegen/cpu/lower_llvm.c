/* Loop programs to LLVM IR: functions, loops and branches.
 *
 * The external function only unpacks the buffers; the work is in an internal one that takes them
 * as separate `noalias` parameters, which is how LLVM learns that outputs overlap nothing, and
 * that loops over the tasks around the program's body. */
#include "codegen/cpu/lower.h"

#include <llvm-c/Core.h>
#include <string.h>

enum {
    LOCAL_ALIGNMENT = 64,
};

static const LLVMAttributeIndex OF_FUNCTION = (LLVMAttributeIndex)LLVMAttributeFunctionIndex;

/* ---- structure ---- */

static LLVMBasicBlockRef new_block(const struct lower *lower)
{
    return LLVMAppendBasicBlockInContext(lower->context, lower->function, "");
}

static void enter_block(const struct lower *lower, LLVMBasicBlockRef block)
{
    LLVMPositionBuilderAtEnd(lower->builder, block);
}

/* Opens a loop from `begin` while less than `end`, tested once before it: the index is a phi at
 * the start of the body, its second source is added when the loop closes. */
static LLVMValueRef open_loop(const struct lower *lower, LLVMValueRef begin, LLVMValueRef end,
                              LLVMBasicBlockRef *out_block, LLVMBasicBlockRef *out_after)
{
    LLVMBasicBlockRef before = LLVMGetInsertBlock(lower->builder);
    *out_block = new_block(lower);
    *out_after = new_block(lower);
    LLVMValueRef runs = LLVMBuildICmp(lower->builder, LLVMIntSLT, begin, end, "");
    LLVMBuildCondBr(lower->builder, runs, *out_block, *out_after);
    enter_block(lower, *out_block);
    LLVMValueRef index = LLVMBuildPhi(lower->builder, lower_int_type(lower), "");
    LLVMAddIncoming(index, &begin, &before, 1);
    return index;
}

static void close_loop(const struct lower *lower, LLVMValueRef index, LLVMValueRef end,
                       int64_t step, LLVMBasicBlockRef block, LLVMBasicBlockRef after)
{
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(lower->builder);
    LLVMValueRef next = LLVMBuildNSWAdd(lower->builder, index, lower_constant(lower, step), "");
    LLVMAddIncoming(index, &next, &latch, 1);
    LLVMValueRef again = LLVMBuildICmp(lower->builder, LLVMIntSLT, next, end, "");
    LLVMBuildCondBr(lower->builder, again, block, after);
    LLVMMoveBasicBlockAfter(after, latch);
    enter_block(lower, after);
}

static LLVMValueRef lower_for(struct lower *lower, loop_value number)
{
    const struct loop_instruction *instruction = &lower->program->instructions[number];
    struct lower_body *body = &lower->bodies[lower->depth++];
    *body = (struct lower_body){.op = LOOP_FOR, .opener = number};
    return open_loop(lower, lower->values[instruction->a], lower->values[instruction->b],
                     &body->block, &body->after);
}

static void lower_if(struct lower *lower, LLVMValueRef condition)
{
    struct lower_body *body = &lower->bodies[lower->depth++];
    LLVMBasicBlockRef then = new_block(lower);
    *body = (struct lower_body){.op = LOOP_IF, .block = new_block(lower)};
    LLVMBuildCondBr(lower->builder, condition, then, body->block);
    enter_block(lower, then);
}

static void lower_else(struct lower *lower)
{
    struct lower_body *body = &lower->bodies[lower->depth - 1];
    body->op = LOOP_ELSE;
    body->after = new_block(lower);
    LLVMBuildBr(lower->builder, body->after);
    LLVMMoveBasicBlockAfter(body->block, LLVMGetInsertBlock(lower->builder));
    enter_block(lower, body->block);
}

static void lower_end(struct lower *lower)
{
    const struct lower_body *body = &lower->bodies[--lower->depth];
    if (body->op == LOOP_FOR) {
        const struct loop_instruction *loop = &lower->program->instructions[body->opener];
        close_loop(lower, lower->values[body->opener], lower->values[loop->b], loop->integer,
                   body->block, body->after);
        return;
    }
    LLVMBasicBlockRef after = body->op == LOOP_IF ? body->block : body->after;
    LLVMBuildBr(lower->builder, after);
    LLVMMoveBasicBlockAfter(after, LLVMGetInsertBlock(lower->builder));
    enter_block(lower, after);
}

/* ---- programs ---- */

/* Lowers one instruction; returns its value, or NULL for a statement. */
static LLVMValueRef lower_instruction(struct lower *lower, loop_value number)
{
    const struct loop_instruction *instruction = &lower->program->instructions[number];
    switch (instruction->op) {
    case LOOP_TASK:
        return lower->task;
    case LOOP_IMAGES:
        return lower->images;
    case LOOP_LOCAL:
        return lower->values[number];
    case LOOP_FOR:
        return lower_for(lower, number);
    case LOOP_IF:
        lower_if(lower, lower->values[instruction->a]);
        return NULL;
    case LOOP_ELSE:
        lower_else(lower);
        return NULL;
    case LOOP_END:
        lower_end(lower);
        return NULL;
    default:
        return lower_operation(lower, number);
    }
}

/* Locals are allocated in the entry block, where those accessed at constants become registers. */
static void lower_locals(const struct lower *lower)
{
    const struct loop_program *program = lower->program;
    for (size_t i = 0; i < program->count; i++) {
        const struct loop_instruction *local = &program->instructions[i];
        if (local->op != LOOP_LOCAL)
            continue;
        LLVMTypeRef type = LLVMArrayType2(lower_type(lower, local->type), (uint64_t)local->integer);
        lower->values[i] = LLVMBuildAlloca(lower->builder, type, "");
        LLVMSetAlignment(lower->values[i], LOCAL_ALIGNMENT);
    }
}

static void add_attribute(const struct lower *lower, LLVMValueRef function,
                          LLVMAttributeIndex index, const char *name)
{
    const unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddAttributeAtIndex(function, index, LLVMCreateEnumAttribute(lower->context, kind, 0));
}

static void add_text_attribute(const struct lower *lower, LLVMValueRef function, const char *name,
                               const char *value)
{
    LLVMAddAttributeAtIndex(function, OF_FUNCTION,
                            LLVMCreateStringAttribute(lower->context, name, (unsigned)strlen(name),
                                                      value, (unsigned)strlen(value)));
}

/* Adds a function whose parameters are `pointers` pointers and `integers` integers. */
static LLVMValueRef add_function(const struct lower *lower, const char *name, unsigned pointers,
                                 unsigned integers)
{
    LLVMTypeRef types[LOOP_PARAMETERS + 3];
    for (unsigned i = 0; i < pointers + integers; i++)
        types[i] =
            i < pointers ? LLVMPointerTypeInContext(lower->context, 0) : lower_int_type(lower);
    LLVMTypeRef type =
        LLVMFunctionType(LLVMVoidTypeInContext(lower->context), types, pointers + integers, false);
    LLVMValueRef function = LLVMAddFunction(lower->module, name, type);
    add_attribute(lower, function, OF_FUNCTION, "nounwind");
    add_text_attribute(lower, function, "prefer-vector-width", "512");
    return function;
}

/* The inner function: (parameters..., images, first, last). A program's name has no dot. */
static void lower_inner(struct lower *lower, struct arena *scratch)
{
    const struct loop_program *program = lower->program;
    const uint32_t parameters = program->parameter_count;
    const char *name = arena_format(scratch, "%s.tasks", program->name);
    lower->function = add_function(lower, name, parameters, 3);
    LLVMSetLinkage(lower->function, LLVMInternalLinkage);
    add_attribute(lower, lower->function, OF_FUNCTION, "noinline");
    for (uint32_t p = 0; p < parameters; p++) {
        add_attribute(lower, lower->function, p + 1, "noalias");
        if (!program->parameters[p].is_output)
            add_attribute(lower, lower->function, p + 1, "readonly");
    }
    lower->images = LLVMGetParam(lower->function, parameters);
    LLVMValueRef first = LLVMGetParam(lower->function, parameters + 1);
    LLVMValueRef last = LLVMGetParam(lower->function, parameters + 2);

    LLVMBasicBlockRef block, after;
    enter_block(lower, new_block(lower));
    lower_locals(lower);
    lower->task = open_loop(lower, first, last, &block, &after);
    for (loop_value i = 0; i < program->count; i++)
        lower->values[i] = lower_instruction(lower, i);
    close_loop(lower, lower->task, last, 1, block, after);
    LLVMBuildRetVoid(lower->builder);
}

/* The external function: loads the pointers and calls the inner one. */
static void lower_outer(struct lower *lower)
{
    const uint32_t parameters = lower->program->parameter_count;
    LLVMTypeRef pointer = LLVMPointerTypeInContext(lower->context, 0);
    LLVMValueRef arguments[LOOP_PARAMETERS + 3];
    LLVMValueRef inner = lower->function;

    lower->function = add_function(lower, lower->program->name, 1, 3);
    enter_block(lower, new_block(lower));
    for (uint32_t p = 0; p < parameters; p++) {
        LLVMValueRef index = lower_constant(lower, p);
        LLVMValueRef address =
            LLVMBuildGEP2(lower->builder, pointer, LLVMGetParam(lower->function, 0), &index, 1, "");
        arguments[p] = LLVMBuildLoad2(lower->builder, pointer, address, "");
    }
    for (uint32_t i = 0; i < 3; i++)
        arguments[parameters + i] = LLVMGetParam(lower->function, 1 + i);
    LLVMBuildCall2(lower->builder, LLVMGlobalGetValueType(inner), inner, arguments, parameters + 3,
                   "");
    LLVMBuildRetVoid(lower->builder);
}

LLVMModuleRef lower_program(LLVMContextRef context, const struct loop_program *program)
{
    struct arena scratch = {0};
    struct lower lower = {
        .program = program,
        .context = context,
        .module = LLVMModuleCreateWithNameInContext(program->name, context),
        .builder = LLVMCreateBuilderInContext(context),
        .values = ARENA_ARRAY(&scratch, LLVMValueRef, program->count + 1),
    };
    lower_inner(&lower, &scratch);
    lower_outer(&lower);
    LLVMDisposeBuilder(lower.builder);
    arena_release(&scratch);
    return lower.module;
}
