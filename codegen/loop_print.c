/* The dump of a loop program: one instruction a line, bodies indented.
 *
 * A value is printed as % and its instruction's number, so a line can be found by the number that
 * the verifier or the interpreter names. Nothing depends on addresses or on hashing. */
#include "codegen/loop.h"

#include <inttypes.h>

static void print_type(struct loop_type type, FILE *stream)
{
    static const char *const names[] = {"void", "bool", "int", "f32", "f64"};
    fprintf(stream, " %s", names[type.scalar]);
    if (type.lanes > 1)
        fprintf(stream, "x%u", type.lanes);
}

static void print_operands(const struct loop_instruction *instruction, int from, FILE *stream)
{
    const loop_value operands[] = {instruction->a, instruction->b, instruction->c};
    for (int i = from; i < loop_op_operands(instruction->op); i++)
        fprintf(stream, "%s%%%" PRIu32, i == from ? " " : ", ", operands[i]);
}

/* Prints "x[%3]", and then the operands after the index. */
static void print_access(const struct loop_program *program,
                         const struct loop_instruction *instruction, FILE *stream)
{
    const char *name = program->parameters[instruction->integer].name;
    fprintf(stream, " %s[%%%" PRIu32 "]", name, instruction->a);
    if (loop_op_operands(instruction->op) > 1)
        fputc(',', stream);
    print_operands(instruction, 1, stream);
}

static void print_local_access(const struct loop_instruction *instruction, FILE *stream)
{
    fprintf(stream, " %%%" PRIu32 "[%%%" PRIu32 "]", instruction->a, instruction->b);
    if (loop_op_operands(instruction->op) > 2)
        fputc(',', stream);
    print_operands(instruction, 2, stream);
}

/* Prints what stands behind the operation's name. */
static void print_details(const struct loop_program *program,
                          const struct loop_instruction *instruction, FILE *stream)
{
    switch (instruction->op) {
    case LOOP_CONSTANT_INT:
        fprintf(stream, " %" PRId64, instruction->integer);
        break;
    case LOOP_CONSTANT_FLOAT:
        print_type(instruction->type, stream);
        fprintf(stream, " %.17g", instruction->number);
        break;
    case LOOP_LOAD:
    case LOOP_LOAD_MASKED:
        print_type(instruction->type, stream);
        print_access(program, instruction, stream);
        break;
    case LOOP_STORE:
    case LOOP_STORE_STREAM:
    case LOOP_STORE_MASKED:
    case LOOP_PREFETCH:
    case LOOP_PREFETCH_FAR:
        print_access(program, instruction, stream);
        break;
    case LOOP_LOCAL:
    case LOOP_SHARED:
        print_type(instruction->type, stream);
        fprintf(stream, "[%" PRId64 "]", instruction->integer);
        break;
    case LOOP_LOAD_LOCAL:
        print_type(instruction->type, stream);
        print_local_access(instruction, stream);
        break;
    case LOOP_STORE_LOCAL:
        print_local_access(instruction, stream);
        break;
    case LOOP_FOR:
        fprintf(stream, " %%%" PRIu32 " to %%%" PRIu32 " step %" PRId64 "%s", instruction->a,
                instruction->b, instruction->integer, instruction->unrolled ? " unrolled" : "");
        break;
    case LOOP_TASK:
    case LOOP_IMAGES:
    case LOOP_THREADS:
    case LOOP_IF:
    case LOOP_ELSE:
    case LOOP_END:
        print_operands(instruction, 0, stream);
        break;
    case LOOP_SPREAD:
        print_type(instruction->type, stream);
        print_operands(instruction, 0, stream);
        fprintf(stream, " %d of %d", (int)(instruction->integer % LOOP_LANES),
                (int)(instruction->integer / LOOP_LANES));
        break;
    default:
        print_type(instruction->type, stream);
        print_operands(instruction, 0, stream);
        break;
    }
}

static const char *storage_name(uint8_t storage)
{
    static const char *const names[] = {
        [LOOP_STORAGE_F32] = "f32", [LOOP_STORAGE_I32] = "i32", [LOOP_STORAGE_BF16] = "bf16"};
    return names[storage];
}

static void print_head(const struct loop_program *program, FILE *stream)
{
    fprintf(stream, "program %s schedule %s", program->name, program->schedule);
    fprintf(stream, " images_per_task %" PRId64 " tasks_per_group %" PRId64,
            program->images_per_task, program->tasks_per_group);
    if (program->threads > 0)
        fprintf(stream, " threads %" PRId32, program->threads);
    fputc('\n', stream);
    for (uint32_t i = 0; i < program->parameter_count; i++) {
        const struct loop_parameter *parameter = &program->parameters[i];
        fprintf(stream, "parameter %s %s%s\n", parameter->name, storage_name(parameter->storage),
                parameter->is_output ? " output" : "");
    }
}

void loop_print(const struct loop_program *program, FILE *stream)
{
    print_head(program, stream);
    int depth = 1;
    for (size_t i = 0; i < program->count; i++) {
        const struct loop_instruction *instruction = &program->instructions[i];
        const bool closes = instruction->op == LOOP_END || instruction->op == LOOP_ELSE;
        const bool opens = instruction->op == LOOP_FOR || instruction->op == LOOP_IF ||
                           instruction->op == LOOP_ELSE || instruction->op == LOOP_THREADS;
        depth -= closes;
        fprintf(stream, "%*s", 4 * depth, "");
        if (instruction->type.scalar != LOOP_VOID)
            fprintf(stream, "%%%zu = ", i);
        fputs(loop_op_name(instruction->op), stream);
        print_details(program, instruction, stream);
        fputc('\n', stream);
        depth += opens;
    }
}
