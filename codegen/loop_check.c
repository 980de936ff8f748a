/* The verifier of loop programs: what it accepts, the interpreter and every lowerer may rely on.
 *
 * One walk in program order. Each value remembers the body it was defined in, and a value can be
 * used exactly while its body is open. A rule is a function that returns NULL or what is wrong. */
#include "codegen/loop.h"

#include "base/arena.h"

static const uint32_t OUTERMOST = UINT32_MAX; /* the body that no instruction opens */

struct checker {
    const struct loop_program *program;
    uint32_t *body;              /* of each value: the instruction that opened it, or OUTERMOST */
    bool *closed;                /* of each instruction that opened a body */
    uint32_t open[LOOP_NESTING]; /* the bodies that are open, outermost first */
    int depth;
    int64_t local_bytes;
    bool in_threads; /* a THREADS body is open */
};

static const char *const operand_names[] = {"a", "b", "c"};

static bool is_float(struct loop_type type)
{
    return type.scalar == LOOP_F32 || type.scalar == LOOP_F64;
}

static bool is_number(struct loop_type type)
{
    return type.scalar == LOOP_INT || is_float(type);
}

static bool is_index(struct loop_type type)
{
    return type.scalar == LOOP_INT && type.lanes == 1;
}

static bool same_type(struct loop_type a, struct loop_type b)
{
    return a.scalar == b.scalar && a.lanes == b.lanes;
}

static bool lanes_valid(int lanes)
{
    return lanes >= 1 && lanes <= LOOP_LANES && (lanes & (lanes - 1)) == 0;
}

static struct loop_type type_of(const struct checker *checker, loop_value value)
{
    return checker->program->instructions[value].type;
}

static bool is_statement(unsigned op)
{
    static const bool statement[] = {
#define VALUE                               false
#define NONE                                true
#define LOOP_OP(op, name, operands, result) result,
#include "codegen/loop.def"
#undef LOOP_OP
#undef NONE
#undef VALUE
    };
    return statement[op];
}

/* The type an instruction has by itself: a valid one, or none for a statement. */
static const char *check_own_type(const struct loop_instruction *instruction)
{
    const struct loop_type type = instruction->type;
    if (is_statement(instruction->op))
        return type.scalar == LOOP_VOID ? NULL : "a statement has no type";
    if (type.scalar == LOOP_VOID || type.scalar > LOOP_F64)
        return "the type is not one of a value";
    if (!lanes_valid(type.lanes))
        return "the lanes are not 1, 2, 4, 8 or 16";
    return NULL;
}

static bool is_local(unsigned op)
{
    return op == LOOP_LOCAL || op == LOOP_SHARED;
}

/* Whether operand number `operand` of an operation must be a local. */
static bool takes_local(unsigned op, int operand)
{
    return operand == 0 && (op == LOOP_LOAD_LOCAL || op == LOOP_STORE_LOCAL);
}

/* Operand `operand` is defined, in a body that is still open, and is a value or a local. */
static const char *check_operand(const struct checker *checker, size_t index, int operand)
{
    const struct loop_instruction *instruction = &checker->program->instructions[index];
    const loop_value values[] = {instruction->a, instruction->b, instruction->c};
    const loop_value value = values[operand];
    const char *wrong;
    if (value >= index)
        wrong = "is not defined before";
    else if (is_statement(checker->program->instructions[value].op))
        wrong = "is not a value";
    else if (checker->body[value] != OUTERMOST && checker->closed[checker->body[value]])
        wrong = "is defined in a body that has ended";
    else if (takes_local(instruction->op, operand) !=
             is_local(checker->program->instructions[value].op))
        wrong = takes_local(instruction->op, operand) ? "is not a local" : "is a local";
    else
        return NULL;
    return arena_format(checker->program->arena, "operand %s (%%%u) %s", operand_names[operand],
                        value, wrong);
}

static const char *check_operands(const struct checker *checker, size_t index)
{
    const int count = loop_op_operands(checker->program->instructions[index].op);
    for (int i = 0; i < count; i++) {
        const char *wrong = check_operand(checker, index, i);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static const char *require(bool condition, const char *otherwise)
{
    return condition ? NULL : otherwise;
}

static const char *check_leaf(const struct loop_instruction *instruction)
{
    if (instruction->op == LOOP_CONSTANT_FLOAT)
        return require(is_float(instruction->type), "the type is not a float");
    return require(is_index(instruction->type), "the type is not one INT");
}

/* Operations whose operands and result have one type. */
static const char *check_arithmetic(const struct checker *checker,
                                    const struct loop_instruction *instruction)
{
    const struct loop_type type = instruction->type;
    const int operands = loop_op_operands(instruction->op);
    bool allowed;
    switch (instruction->op) {
    case LOOP_REMAINDER:
        allowed = type.scalar == LOOP_INT;
        break;
    case LOOP_FMA:
    case LOOP_SQRT:
    case LOOP_EXP:
    case LOOP_LOG:
        allowed = is_float(type);
        break;
    case LOOP_AND:
    case LOOP_OR:
        allowed = type.scalar == LOOP_BOOL;
        break;
    default:
        allowed = is_number(type);
        break;
    }
    if (!allowed)
        return "the operation does not exist for this type";
    const loop_value values[] = {instruction->a, instruction->b, instruction->c};
    for (int i = 0; i < operands; i++)
        if (!same_type(type_of(checker, values[i]), type))
            return "the operands do not have the type of the result";
    return NULL;
}

static const char *check_comparison(const struct checker *checker,
                                    const struct loop_instruction *instruction)
{
    const struct loop_type a = type_of(checker, instruction->a);
    const struct loop_type result = {LOOP_BOOL, a.lanes};
    if (!is_number(a) || !same_type(a, type_of(checker, instruction->b)))
        return "the operands are not two numbers of one type";
    return require(same_type(instruction->type, result), "the result is not BOOL of as many lanes");
}

static const char *check_select(const struct checker *checker,
                                const struct loop_instruction *instruction)
{
    const struct loop_type type = instruction->type;
    const struct loop_type condition = {LOOP_BOOL, type.lanes};
    if (!same_type(type_of(checker, instruction->a), condition))
        return "the condition is not BOOL of as many lanes";
    return require(same_type(type_of(checker, instruction->b), type) &&
                       same_type(type_of(checker, instruction->c), type),
                   "the choices do not have the type of the result");
}

static const char *check_spread(struct loop_type from, struct loop_type to, int64_t integer)
{
    const int64_t size = integer / LOOP_LANES;
    if (from.scalar != LOOP_F32 || !same_type(from, to))
        return "the operand and result are not F32 of as many lanes";
    return require(size > 0 && to.lanes % size == 0 && integer % LOOP_LANES < size,
                   "no lane of a part that divides them is named");
}

static const char *check_conversion(const struct checker *checker,
                                    const struct loop_instruction *instruction)
{
    const struct loop_type from = type_of(checker, instruction->a), to = instruction->type;
    switch (instruction->op) {
    case LOOP_CONVERT:
        return require(is_number(from) && is_number(to) && from.lanes == to.lanes,
                       "the types are not two numbers of as many lanes");
    case LOOP_BROADCAST:
        return require(from.lanes == 1 && from.scalar == to.scalar,
                       "the operand is not one lane of the result");
    case LOOP_SPREAD:
        return check_spread(from, to, instruction->integer);
    default: /* LOOP_REDUCE_ADD */
        return require(is_number(from) && to.lanes == 1 && from.scalar == to.scalar,
                       "the result is not one lane of the operand");
    }
}

static const char *check_random(const struct checker *checker,
                                const struct loop_instruction *instruction)
{
    if (!is_float(instruction->type))
        return "the result is not a float";
    return require(is_index(type_of(checker, instruction->a)) &&
                       is_index(type_of(checker, instruction->b)) &&
                       is_index(type_of(checker, instruction->c)),
                   "the key and the counters are not one INT each");
}

static bool fits_storage(struct loop_type type, uint8_t storage)
{
    return type.scalar == (storage == LOOP_STORAGE_I32 ? LOOP_INT : LOOP_F32);
}

/* Threads that are not one in a THREADS body would all do the same. */
static const char *check_threads_access(const struct checker *checker)
{
    return require(checker->program->threads == 0 || checker->in_threads,
                   "memory is accessed outside a body of threads");
}

static const char *check_access(const struct checker *checker,
                                const struct loop_instruction *instruction)
{
    const struct loop_program *program = checker->program;
    const bool stores = is_statement(instruction->op);
    if (instruction->integer < 0 || instruction->integer >= program->parameter_count)
        return "there is no such parameter";
    const struct loop_parameter *parameter = &program->parameters[instruction->integer];
    if (stores && !parameter->is_output)
        return "the parameter is not an output";
    if (!is_index(type_of(checker, instruction->a)))
        return "the index is not one INT";
    if (!fits_storage(stores ? type_of(checker, instruction->b) : instruction->type,
                      parameter->storage))
        return "the value does not have the type of the parameter";
    if (instruction->op == LOOP_LOAD_MASKED && !is_index(type_of(checker, instruction->b)))
        return "the mask is not one INT";
    if (instruction->op == LOOP_STORE_MASKED && !is_index(type_of(checker, instruction->c)))
        return "the mask is not one INT";
    return check_threads_access(checker);
}

static const char *check_prefetch(const struct checker *checker,
                                  const struct loop_instruction *instruction)
{
    if (instruction->integer < 0 || instruction->integer >= checker->program->parameter_count)
        return "there is no such parameter";
    return require(is_index(type_of(checker, instruction->a)), "the index is not one INT");
}

static const char *check_local(struct checker *checker, const struct loop_instruction *instruction)
{
    if (!is_number(instruction->type) || instruction->type.lanes != 1)
        return "a local is not made of this type";
    if (instruction->integer < 1 || instruction->integer > LOOP_LOCAL_BYTES)
        return "a local has no such length";
    checker->local_bytes += instruction->integer * (instruction->type.scalar == LOOP_F32 ? 4 : 8);
    return require(checker->local_bytes <= LOOP_LOCAL_BYTES, "the locals are too large together");
}

static const char *check_shared(const struct checker *checker,
                                const struct loop_instruction *instruction)
{
    if (checker->program->threads == 0 || checker->in_threads)
        return "a shared array stands outside threads, in a program that has some";
    if (!is_number(instruction->type) || instruction->type.lanes != 1)
        return "a shared array is not made of this type";
    if (instruction->integer < 1 || instruction->integer > LOOP_SHARED_BYTES)
        return "a shared array has no such length";
    return require(loop_shared_bytes(checker->program) <= LOOP_SHARED_BYTES,
                   "the shared arrays are too large together");
}

static const char *check_local_access(const struct checker *checker,
                                      const struct loop_instruction *instruction)
{
    const struct loop_type value =
        instruction->op == LOOP_STORE_LOCAL ? type_of(checker, instruction->c) : instruction->type;
    if (!is_index(type_of(checker, instruction->b)))
        return "the index is not one INT";
    if (value.scalar != type_of(checker, instruction->a).scalar)
        return "the value does not have the type of the local";
    return check_threads_access(checker);
}

static const char *open_body(struct checker *checker, uint32_t index)
{
    if (checker->depth == LOOP_NESTING)
        return "too many bodies inside each other";
    checker->open[checker->depth++] = index;
    return NULL;
}

static bool is_constant(const struct checker *checker, loop_value value)
{
    return checker->program->instructions[value].op == LOOP_CONSTANT_INT;
}

static const char *check_for(struct checker *checker, const struct loop_instruction *instruction,
                             uint32_t index)
{
    if (!is_index(instruction->type) || !is_index(type_of(checker, instruction->a)) ||
        !is_index(type_of(checker, instruction->b)))
        return "the range is not of INT";
    if (instruction->integer < 1)
        return "the step is not positive";
    if (instruction->unrolled &&
        !(is_constant(checker, instruction->a) && is_constant(checker, instruction->b)))
        return "a loop to be unrolled has bounds that are not constant";
    return open_body(checker, index);
}

static const char *check_threads(struct checker *checker, uint32_t index)
{
    if (checker->program->threads < 1 || checker->program->threads > LOOP_THREADS_MOST)
        return "the program has no such number of threads";
    if (checker->in_threads)
        return "threads stand in a body of threads";
    checker->in_threads = true;
    return open_body(checker, index);
}

static const char *check_if(struct checker *checker, const struct loop_instruction *instruction,
                            uint32_t index)
{
    if (!same_type(type_of(checker, instruction->a), LOOP_BOOL_TYPE))
        return "the condition is not one BOOL";
    return open_body(checker, index);
}

static const char *check_else(struct checker *checker, uint32_t index)
{
    const uint32_t opener = checker->depth > 0 ? checker->open[checker->depth - 1] : OUTERMOST;
    if (opener == OUTERMOST || checker->program->instructions[opener].op != LOOP_IF)
        return "there is no if to which it belongs";
    checker->closed[opener] = true;
    checker->open[checker->depth - 1] = index;
    return NULL;
}

static const char *check_end(struct checker *checker)
{
    if (checker->depth == 0)
        return "there is no body to end";
    const uint32_t opener = checker->open[--checker->depth];
    checker->closed[opener] = true;
    if (checker->program->instructions[opener].op == LOOP_THREADS)
        checker->in_threads = false;
    return NULL;
}

/* What is particular to each operation; operands were found to be there. */
static const char *check_rule(struct checker *checker, uint32_t index)
{
    const struct loop_instruction *instruction = &checker->program->instructions[index];
    switch (instruction->op) {
    case LOOP_CONSTANT_INT:
    case LOOP_CONSTANT_FLOAT:
    case LOOP_TASK:
    case LOOP_IMAGES:
        return check_leaf(instruction);
    case LOOP_EQUAL:
    case LOOP_LESS:
    case LOOP_LESS_EQUAL:
        return check_comparison(checker, instruction);
    case LOOP_SELECT:
        return check_select(checker, instruction);
    case LOOP_CONVERT:
    case LOOP_BROADCAST:
    case LOOP_SPREAD:
    case LOOP_REDUCE_ADD:
        return check_conversion(checker, instruction);
    case LOOP_RANDOM:
        return check_random(checker, instruction);
    case LOOP_LOAD:
    case LOOP_STORE:
    case LOOP_STORE_STREAM:
    case LOOP_LOAD_MASKED:
    case LOOP_STORE_MASKED:
        return check_access(checker, instruction);
    case LOOP_PREFETCH:
    case LOOP_PREFETCH_FAR:
        return check_prefetch(checker, instruction);
    case LOOP_LOCAL:
        return check_local(checker, instruction);
    case LOOP_SHARED:
        return check_shared(checker, instruction);
    case LOOP_LOAD_LOCAL:
    case LOOP_STORE_LOCAL:
        return check_local_access(checker, instruction);
    case LOOP_THREADS:
        return check_threads(checker, index);
    case LOOP_FOR:
        return check_for(checker, instruction, index);
    case LOOP_IF:
        return check_if(checker, instruction, index);
    case LOOP_ELSE:
        return check_else(checker, index);
    case LOOP_END:
        return check_end(checker);
    default:
        return check_arithmetic(checker, instruction);
    }
}

static const char *check_instruction(struct checker *checker, uint32_t index)
{
    const struct loop_instruction *instruction = &checker->program->instructions[index];
    if (instruction->op >= LOOP_OP_COUNT)
        return "there is no such operation";
    const char *wrong = check_own_type(instruction);
    if (!wrong)
        wrong = check_operands(checker, index);
    if (!wrong)
        wrong = check_rule(checker, index);
    checker->body[index] = checker->depth > 0 ? checker->open[checker->depth - 1] : OUTERMOST;
    return wrong;
}

const char *loop_check(const struct loop_program *program)
{
    struct arena scratch = {0};
    struct checker checker = {
        .program = program,
        .body = ARENA_ARRAY(&scratch, uint32_t, program->count + 1),
        .closed = ARENA_ARRAY(&scratch, bool, program->count + 1),
    };
    const char *message = NULL;
    for (uint32_t i = 0; i < program->count && !message; i++) {
        const unsigned op = program->instructions[i].op;
        const char *wrong = check_instruction(&checker, i);
        if (wrong)
            message = arena_format(program->arena, "%s: instruction %u (%s): %s", program->name, i,
                                   op < LOOP_OP_COUNT ? loop_op_name(op) : "unknown", wrong);
    }
    if (!message && checker.depth > 0) {
        const uint32_t opener = checker.open[checker.depth - 1];
        message =
            arena_format(program->arena, "%s: instruction %u (%s): its body does not end",
                         program->name, opener, loop_op_name(program->instructions[opener].op));
    }
    arena_release(&scratch);
    return message;
}
