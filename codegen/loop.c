/* Building loop programs: appending instructions, inferring their types, folding index arithmetic.
 *
 * Every operand's number is smaller than its user's, so a program is always in an order in which
 * it can be evaluated. Folding touches INT only: float arithmetic stays exactly as written. */
#include "codegen/loop.h"

#include <assert.h>

#include "base/vector.h"

const char *loop_op_name(enum loop_op op)
{
    static const char *const names[] = {
#define LOOP_OP(op, name, operands, result) name,
#include "codegen/loop.def"
#undef LOOP_OP
    };
    return names[op];
}

int loop_op_operands(enum loop_op op)
{
    static const uint8_t operands[] = {
#define LOOP_OP(op, name, operands, result) operands,
#include "codegen/loop.def"
#undef LOOP_OP
    };
    return operands[op];
}

struct loop_program *loop_program_new(struct arena *arena, const char *name, const char *schedule)
{
    struct loop_program *program = ARENA_NEW(arena, struct loop_program);
    program->arena = arena;
    program->name = name;
    program->schedule = schedule;
    return program;
}

uint32_t loop_parameter(struct loop_program *program, const char *name, enum loop_storage storage,
                        bool is_output)
{
    assert(program->parameter_count < LOOP_PARAMETERS);
    program->parameters[program->parameter_count] = (struct loop_parameter){
        .name = name,
        .storage = (uint8_t)storage,
        .is_output = is_output,
    };
    return program->parameter_count++;
}

static loop_value append(struct loop_program *program, struct loop_instruction instruction)
{
    assert(program->count < UINT32_MAX);
    program->instructions =
        vector_reserve(program->instructions, program->count, &program->capacity,
                       sizeof *program->instructions, program->arena);
    program->instructions[program->count] = instruction;
    return (loop_value)program->count++;
}

struct loop_type loop_type_of(const struct loop_program *program, loop_value value)
{
    assert(value < program->count);
    return program->instructions[value].type;
}

loop_value loop_int(struct loop_program *program, int64_t value)
{
    return append(program, (struct loop_instruction){
                               .op = LOOP_CONSTANT_INT, .type = LOOP_INT_TYPE, .integer = value});
}

loop_value loop_float(struct loop_program *program, struct loop_type type, double value)
{
    assert(type.scalar == LOOP_F32 || type.scalar == LOOP_F64);
    return append(program, (struct loop_instruction){
                               .op = LOOP_CONSTANT_FLOAT, .type = type, .number = value});
}

loop_value loop_task(struct loop_program *program)
{
    return append(program, (struct loop_instruction){.op = LOOP_TASK, .type = LOOP_INT_TYPE});
}

loop_value loop_images(struct loop_program *program)
{
    return append(program, (struct loop_instruction){.op = LOOP_IMAGES, .type = LOOP_INT_TYPE});
}

/* Whether `value` is an integer constant, and which. */
static bool constant_int(const struct loop_program *program, loop_value value, int64_t *out_value)
{
    const struct loop_instruction *instruction = &program->instructions[value];
    if (instruction->op != LOOP_CONSTANT_INT)
        return false;
    *out_value = instruction->integer;
    return true;
}

static int64_t wrapped(uint64_t bits)
{
    return (int64_t)bits;
}

/* Evaluates an operation on two constants as the interpreter would; false where it would fail or
 * the result is no INT. */
static bool fold_constants(enum loop_op op, int64_t a, int64_t b, int64_t *out_value)
{
    const bool divides = b != 0 && !(a == INT64_MIN && b == -1);
    switch (op) {
    case LOOP_ADD:
        *out_value = wrapped((uint64_t)a + (uint64_t)b);
        return true;
    case LOOP_SUBTRACT:
        *out_value = wrapped((uint64_t)a - (uint64_t)b);
        return true;
    case LOOP_MULTIPLY:
        *out_value = wrapped((uint64_t)a * (uint64_t)b);
        return true;
    case LOOP_DIVIDE:
        *out_value = divides ? a / b : 0;
        return divides;
    case LOOP_REMAINDER:
        *out_value = divides ? a % b : 0;
        return divides;
    case LOOP_MINIMUM:
        *out_value = a < b ? a : b;
        return true;
    case LOOP_MAXIMUM:
        *out_value = a > b ? a : b;
        return true;
    default:
        return false;
    }
}

/* Whether `x op constant` is x itself. */
static bool is_identity(enum loop_op op, int64_t constant)
{
    switch (op) {
    case LOOP_ADD:
    case LOOP_SUBTRACT:
        return constant == 0;
    case LOOP_MULTIPLY:
    case LOOP_DIVIDE:
        return constant == 1;
    default:
        return false;
    }
}

/* Whether `x op constant` is 0 for every x. */
static bool is_zero(enum loop_op op, int64_t constant)
{
    return (op == LOOP_MULTIPLY && constant == 0) || (op == LOOP_REMAINDER && constant == 1);
}

/* Returns whether a op b needs no instruction of its own; then `out_value` is its value. */
static bool fold(struct loop_program *program, enum loop_op op, loop_value a, loop_value b,
                 loop_value *out_value)
{
    int64_t left = 0, right = 0, result;
    const bool left_known = constant_int(program, a, &left);
    const bool right_known = constant_int(program, b, &right);
    const bool commutes = op == LOOP_ADD || op == LOOP_MULTIPLY;

    if (left_known && right_known && fold_constants(op, left, right, &result))
        *out_value = loop_int(program, result);
    else if (right_known && is_identity(op, right))
        *out_value = a;
    else if (left_known && commutes && is_identity(op, left))
        *out_value = b;
    else if ((right_known && is_zero(op, right)) || (left_known && commutes && is_zero(op, left)))
        *out_value = loop_int(program, 0);
    else
        return false;
    return true;
}

loop_value loop_unary(struct loop_program *program, enum loop_op op, loop_value a)
{
    assert(op != LOOP_CONVERT && op != LOOP_BROADCAST && op != LOOP_SPREAD);
    struct loop_type type = loop_type_of(program, a);
    int64_t constant;
    if (op == LOOP_NEGATE && constant_int(program, a, &constant))
        return loop_int(program, wrapped(-(uint64_t)constant));
    if (op == LOOP_REDUCE_ADD)
        type.lanes = 1;
    return append(program, (struct loop_instruction){.op = (uint8_t)op, .type = type, .a = a});
}

static bool is_comparison(enum loop_op op)
{
    return op == LOOP_EQUAL || op == LOOP_LESS || op == LOOP_LESS_EQUAL;
}

loop_value loop_binary(struct loop_program *program, enum loop_op op, loop_value a, loop_value b)
{
    struct loop_type type = loop_type_of(program, a);
    loop_value folded;
    assert(b < program->count);
    if (type.scalar == LOOP_INT && fold(program, op, a, b, &folded))
        return folded;
    if (is_comparison(op))
        type.scalar = LOOP_BOOL;
    return append(program,
                  (struct loop_instruction){.op = (uint8_t)op, .type = type, .a = a, .b = b});
}

loop_value loop_ternary(struct loop_program *program, enum loop_op op, loop_value a, loop_value b,
                        loop_value c)
{
    assert(op == LOOP_FMA || op == LOOP_SELECT);
    assert(a < program->count && c < program->count);
    return append(program,
                  (struct loop_instruction){
                      .op = (uint8_t)op, .type = loop_type_of(program, b), .a = a, .b = b, .c = c});
}

loop_value loop_add(struct loop_program *program, loop_value a, loop_value b)
{
    return loop_binary(program, LOOP_ADD, a, b);
}

/* Integer arithmetic with a constant that is not worth an instruction if it folds away. */
static loop_value with_constant(struct loop_program *program, enum loop_op op, loop_value a,
                                int64_t constant)
{
    if (is_identity(op, constant))
        return a;
    return loop_binary(program, op, a, loop_int(program, constant));
}

loop_value loop_times(struct loop_program *program, loop_value a, int64_t factor)
{
    return with_constant(program, LOOP_MULTIPLY, a, factor);
}

loop_value loop_plus(struct loop_program *program, loop_value a, int64_t summand)
{
    return with_constant(program, LOOP_ADD, a, summand);
}

loop_value loop_convert(struct loop_program *program, loop_value a, enum loop_scalar scalar)
{
    const struct loop_type from = loop_type_of(program, a);
    const struct loop_type to = {(uint8_t)scalar, from.lanes};
    if (from.scalar == scalar)
        return a;
    return append(program, (struct loop_instruction){.op = LOOP_CONVERT, .type = to, .a = a});
}

loop_value loop_broadcast(struct loop_program *program, loop_value a, int lanes)
{
    const struct loop_type type = {loop_type_of(program, a).scalar, (uint8_t)lanes};
    if (lanes == 1)
        return a;
    return append(program, (struct loop_instruction){.op = LOOP_BROADCAST, .type = type, .a = a});
}

loop_value loop_spread(struct loop_program *program, loop_value a, int size, int first)
{
    if (size == 1)
        return a;
    return append(program, (struct loop_instruction){.op = LOOP_SPREAD,
                                                     .type = loop_type_of(program, a),
                                                     .a = a,
                                                     .integer = size * LOOP_LANES + first});
}

loop_value loop_random(struct loop_program *program, struct loop_type type, loop_value key,
                       loop_value counter, loop_value first)
{
    assert(type.scalar == LOOP_F32 || type.scalar == LOOP_F64);
    return append(program,
                  (struct loop_instruction){
                      .op = LOOP_RANDOM, .type = type, .a = key, .b = counter, .c = first});
}

static struct loop_type parameter_type(const struct loop_program *program, uint32_t parameter,
                                       int lanes)
{
    assert(parameter < program->parameter_count);
    const bool is_int = program->parameters[parameter].storage == LOOP_STORAGE_I32;
    return (struct loop_type){is_int ? LOOP_INT : LOOP_F32, (uint8_t)lanes};
}

loop_value loop_load(struct loop_program *program, uint32_t parameter, loop_value index, int lanes)
{
    return append(program,
                  (struct loop_instruction){.op = LOOP_LOAD,
                                            .type = parameter_type(program, parameter, lanes),
                                            .a = index,
                                            .integer = parameter});
}

loop_value loop_load_masked(struct loop_program *program, uint32_t parameter, loop_value index,
                            loop_value active, int lanes)
{
    return append(program,
                  (struct loop_instruction){.op = LOOP_LOAD_MASKED,
                                            .type = parameter_type(program, parameter, lanes),
                                            .a = index,
                                            .b = active,
                                            .integer = parameter});
}

void loop_store(struct loop_program *program, uint32_t parameter, loop_value index,
                loop_value value)
{
    append(program, (struct loop_instruction){
                        .op = LOOP_STORE, .a = index, .b = value, .integer = parameter});
}

void loop_store_aligned(struct loop_program *program, uint32_t parameter, loop_value index,
                        loop_value value, bool streams)
{
    append(program, (struct loop_instruction){.op = streams ? LOOP_STORE_STREAM : LOOP_STORE,
                                              .a = index,
                                              .b = value,
                                              .integer = parameter});
}

void loop_prefetch(struct loop_program *program, uint32_t parameter, loop_value index, bool far)
{
    append(program, (struct loop_instruction){.op = far ? LOOP_PREFETCH_FAR : LOOP_PREFETCH,
                                              .a = index,
                                              .integer = parameter});
}

void loop_store_masked(struct loop_program *program, uint32_t parameter, loop_value index,
                       loop_value value, loop_value active)
{
    append(program,
           (struct loop_instruction){
               .op = LOOP_STORE_MASKED, .a = index, .b = value, .c = active, .integer = parameter});
}

bool loop_is_store(enum loop_op op)
{
    return op == LOOP_STORE || op == LOOP_STORE_STREAM || op == LOOP_STORE_MASKED;
}

loop_value loop_local(struct loop_program *program, enum loop_scalar scalar, int64_t length)
{
    return append(program, (struct loop_instruction){
                               .op = LOOP_LOCAL, .type = {(uint8_t)scalar, 1}, .integer = length});
}

loop_value loop_shared(struct loop_program *program, enum loop_scalar scalar, int64_t length)
{
    return append(program, (struct loop_instruction){
                               .op = LOOP_SHARED, .type = {(uint8_t)scalar, 1}, .integer = length});
}

loop_value loop_load_local(struct loop_program *program, loop_value local, loop_value index,
                           int lanes)
{
    const struct loop_type type = {loop_type_of(program, local).scalar, (uint8_t)lanes};
    return append(program, (struct loop_instruction){
                               .op = LOOP_LOAD_LOCAL, .type = type, .a = local, .b = index});
}

void loop_store_local(struct loop_program *program, loop_value local, loop_value index,
                      loop_value value)
{
    append(program,
           (struct loop_instruction){.op = LOOP_STORE_LOCAL, .a = local, .b = index, .c = value});
}

loop_value loop_for(struct loop_program *program, loop_value begin, loop_value end, int64_t step)
{
    return append(
        program, (struct loop_instruction){
                     .op = LOOP_FOR, .type = LOOP_INT_TYPE, .a = begin, .b = end, .integer = step});
}

loop_value loop_for_unrolled(struct loop_program *program, int64_t end, int64_t step)
{
    loop_value index = loop_for(program, loop_int(program, 0), loop_int(program, end), step);
    program->instructions[index].unrolled = true;
    return index;
}

loop_value loop_threads(struct loop_program *program)
{
    return append(program, (struct loop_instruction){.op = LOOP_THREADS, .type = LOOP_INT_TYPE});
}

void loop_if(struct loop_program *program, loop_value condition)
{
    append(program, (struct loop_instruction){.op = LOOP_IF, .a = condition});
}

void loop_else(struct loop_program *program)
{
    append(program, (struct loop_instruction){.op = LOOP_ELSE});
}

void loop_end(struct loop_program *program)
{
    append(program, (struct loop_instruction){.op = LOOP_END});
}

static int64_t shared_bytes(const struct loop_instruction *shared)
{
    const int64_t bytes = shared->integer * (shared->type.scalar == LOOP_F32 ? 4 : 8);
    return (bytes + 15) / 16 * 16;
}

int64_t loop_shared_offset(const struct loop_program *program, loop_value shared)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < shared; i++)
        if (program->instructions[i].op == LOOP_SHARED)
            bytes += shared_bytes(&program->instructions[i]);
    return bytes;
}

int64_t loop_shared_bytes(const struct loop_program *program)
{
    return loop_shared_offset(program, (loop_value)program->count);
}

int64_t loop_task_count(const struct loop_program *program, int64_t images)
{
    const int64_t per_task = program->images_per_task;
    if (per_task == 0)
        return program->tasks_per_group;
    return (images + per_task - 1) / per_task * program->tasks_per_group;
}
