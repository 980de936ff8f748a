/* The interpreter of loop programs.
 *
 * A program is first decoded: constants and run-time sizes are put into their slots once, jumps
 * are resolved, and each remaining instruction becomes a step whose code is its operation together
 * with the scalar it works on, so that one dispatch decides everything. In double precision F32
 * becomes F64 while decoding; the steps themselves know of no precision.
 *
 * Threads run one after the other, each through the whole body; locals exist once a thread. Every
 * access to memory is checked: its bounds and, where there are threads, its alignment and that no
 * other thread of the body or task has to do with an element that one stores to. Locals and shared
 * arrays start each task as NaN or -1, so that reading what was never stored shows. */
#include "codegen/loop_eval.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/bfloat16.h"
#include "base/philox.h"
#include "codegen/elementary.h"

/* One value: as many lanes as its type has are in use. BOOL lies in `i`. */
union slot {
    int64_t i[LOOP_LANES];
    float f[LOOP_LANES];
    double d[LOOP_LANES];
};

/* Who has accessed an element. A period is one run of a THREADS body; they count from 1. */
struct visit {
    uint32_t stored, loaded; /* the last period in which it was */
    int32_t storer, loader;  /* by which thread then */
};

enum { SEVERAL = -1 }; /* loaders */

/* Memory that steps access: a parameter, a local or a shared array. */
struct memory {
    void *data;
    int64_t count;
    const char *name;     /* the parameter's; else NULL */
    struct visit *visits; /* of each element, where threads could meet; else NULL */
    bool is_bfloat16;     /* in memory, of what is single precision as a value */
    bool is_private;      /* each thread has `count` elements of its own */
    bool is_aligned;      /* vectors must lie at multiples of their lanes */
};

struct step {
    uint16_t code;
    uint8_t lanes;
    uint8_t scalar; /* enum loop_scalar of the result */
    union slot *out;
    const union slot *a, *b, *c;
    const struct memory *memory;
    int64_t integer;  /* a loop's step; a SPREAD's size and lane */
    uint32_t target;  /* the step that a jump goes to */
    loop_value index; /* the instruction it was made from */
};

struct machine {
    struct arena arena; /* for one call */
    const struct loop_program *program;
    enum loop_precision precision;
    union slot *slots;
    struct step *steps;
    uint32_t step_count;
    struct memory *memories; /* the parameters, then the locals and shared arrays */
    uint32_t memory_count;
    uint32_t *memory_of; /* of each LOCAL instruction */
    char *locals;
    size_t locals_size;
    int64_t images, task;
    int64_t thread;        /* the one that runs; 0 outside bodies of threads */
    uint32_t period;       /* how many such bodies were run so far */
    uint32_t first_period; /* the task's */
};

/* What made a run end early. */
struct failure {
    const struct step *step; /* NULL: nothing */
    int64_t index, lanes;
    const char *reason;
};

/* A step's code: operation and scalar. What has no scalar of its own uses LOOP_VOID. */
#define CODE(op, scalar) ((op)*8 + (scalar))

enum {
    CODE_NEXT = CODE(LOOP_OP_COUNT, LOOP_VOID),        /* the END of a FOR */
    CODE_NEXT_THREAD = CODE(LOOP_OP_COUNT, LOOP_BOOL), /* the END of THREADS */
};

/* ---- decoding ---- */

static uint8_t effective(const struct machine *machine, uint8_t scalar)
{
    return machine->precision == LOOP_DOUBLE && scalar == LOOP_F32 ? LOOP_F64 : scalar;
}

static void fill_int(union slot *slot, int64_t value)
{
    for (int k = 0; k < LOOP_LANES; k++)
        slot->i[k] = value;
}

static void fill_float(union slot *slot, uint8_t scalar, double value)
{
    for (int k = 0; k < LOOP_LANES; k++)
        if (scalar == LOOP_F32)
            slot->f[k] = (float)value;
        else
            slot->d[k] = value;
}

/* The scalar that decides how an instruction is executed: its operand's, or what it stores. */
static uint8_t working_scalar(const struct machine *machine,
                              const struct loop_instruction *instruction)
{
    const struct loop_instruction *all = machine->program->instructions;
    switch (instruction->op) {
    case LOOP_EQUAL:
    case LOOP_LESS:
    case LOOP_LESS_EQUAL:
    case LOOP_CONVERT:
        return effective(machine, all[instruction->a].type.scalar);
    case LOOP_STORE:
    case LOOP_STORE_STREAM:
    case LOOP_STORE_MASKED:
        return effective(machine, all[instruction->b].type.scalar);
    case LOOP_STORE_LOCAL:
        return effective(machine, all[instruction->c].type.scalar);
    case LOOP_FOR:
    case LOOP_THREADS:
    case LOOP_TASK:
        return LOOP_VOID;
    default:
        return effective(machine, instruction->type.scalar);
    }
}

/* The lanes a step works on: its own, or those of what it reduces or stores. */
static uint8_t working_lanes(const struct machine *machine,
                             const struct loop_instruction *instruction)
{
    const struct loop_instruction *all = machine->program->instructions;
    switch (instruction->op) {
    case LOOP_REDUCE_ADD:
        return all[instruction->a].type.lanes;
    case LOOP_STORE:
    case LOOP_STORE_STREAM:
    case LOOP_STORE_MASKED:
        return all[instruction->b].type.lanes;
    case LOOP_STORE_LOCAL:
        return all[instruction->c].type.lanes;
    default:
        return instruction->type.lanes;
    }
}

static const struct memory *accessed_memory(const struct machine *machine,
                                            const struct loop_instruction *instruction)
{
    switch (instruction->op) {
    case LOOP_LOAD:
    case LOOP_STORE:
    case LOOP_STORE_STREAM:
    case LOOP_LOAD_MASKED:
    case LOOP_STORE_MASKED:
        return &machine->memories[instruction->integer];
    case LOOP_LOAD_LOCAL:
    case LOOP_STORE_LOCAL:
        return &machine->memories[machine->memory_of[instruction->a]];
    default:
        return NULL;
    }
}

static struct step *append_step(struct machine *machine, loop_value index)
{
    const struct loop_instruction *instruction = &machine->program->instructions[index];
    struct step *step = &machine->steps[machine->step_count++];
    *step = (struct step){
        .code = (uint16_t)CODE(instruction->op, working_scalar(machine, instruction)),
        .lanes = working_lanes(machine, instruction),
        .scalar = effective(machine, instruction->type.scalar),
        .out = &machine->slots[index],
        .a = &machine->slots[instruction->a],
        .b = &machine->slots[instruction->b],
        .c = &machine->slots[instruction->c],
        .memory = accessed_memory(machine, instruction),
        .integer = instruction->integer,
        .index = index,
    };
    return step;
}

/* Decodes an instruction that opens or closes a body. `open` holds the steps of open bodies. */
static void decode_structure(struct machine *machine, loop_value index, uint32_t *open, int *depth)
{
    const enum loop_op op = machine->program->instructions[index].op;
    const uint32_t here = machine->step_count;
    if (op == LOOP_FOR || op == LOOP_THREADS || op == LOOP_IF) {
        append_step(machine, index);
        open[(*depth)++] = here;
        return;
    }
    struct step *opener = &machine->steps[open[*depth - 1]];
    if (op == LOOP_ELSE) {
        append_step(machine, index);
        opener->target = here + 1;
        open[*depth - 1] = here;
        return;
    }
    (*depth)--;
    const enum loop_op opened = machine->program->instructions[opener->index].op;
    if (opened == LOOP_FOR || opened == LOOP_THREADS) {
        const struct step loop = *opener;
        struct step *next = append_step(machine, index);
        *next = loop;
        next->code = opened == LOOP_FOR ? CODE_NEXT : CODE_NEXT_THREAD;
        next->target = open[*depth] + 1;
    }
    opener->target = machine->step_count;
}

static void decode(struct machine *machine)
{
    const struct loop_program *program = machine->program;
    uint32_t open[LOOP_NESTING];
    int depth = 0;
    for (loop_value i = 0; i < program->count; i++) {
        const struct loop_instruction *instruction = &program->instructions[i];
        switch (instruction->op) {
        case LOOP_CONSTANT_INT:
            fill_int(&machine->slots[i], instruction->integer);
            break;
        case LOOP_CONSTANT_FLOAT:
            fill_float(&machine->slots[i], effective(machine, instruction->type.scalar),
                       instruction->number);
            break;
        case LOOP_IMAGES:
            fill_int(&machine->slots[i], machine->images);
            break;
        case LOOP_LOCAL:
        case LOOP_SHARED:
        case LOOP_PREFETCH:
        case LOOP_PREFETCH_FAR:
            break;
        case LOOP_FOR:
        case LOOP_THREADS:
        case LOOP_IF:
        case LOOP_ELSE:
        case LOOP_END:
            decode_structure(machine, i, open, &depth);
            break;
        default:
            append_step(machine, i);
            break;
        }
    }
}

static bool has_memory(const struct loop_instruction *instruction)
{
    return instruction->op == LOOP_LOCAL || instruction->op == LOOP_SHARED;
}

/* How often a local or shared array exists. */
static size_t copies(const struct loop_program *program, const struct loop_instruction *instruction)
{
    return instruction->op == LOOP_LOCAL && program->threads > 0 ? (size_t)program->threads : 1;
}

static void decode_parameters(struct machine *machine, const struct loop_buffer *buffers)
{
    const struct loop_program *program = machine->program;
    for (uint32_t p = 0; p < program->parameter_count; p++) {
        const struct loop_parameter *parameter = &program->parameters[p];
        struct memory *memory = &machine->memories[machine->memory_count++];
        *memory = (struct memory){.data = buffers[p].data,
                                  .count = (int64_t)buffers[p].count,
                                  .name = parameter->name,
                                  .is_bfloat16 = parameter->storage == LOOP_STORAGE_BF16,
                                  .is_aligned = program->threads > 0};
        if (program->threads > 0 && parameter->is_output)
            memory->visits = ARENA_ARRAY(&machine->arena, struct visit, buffers[p].count + 1);
    }
}

static void decode_local(struct machine *machine, loop_value index, char *data)
{
    const struct loop_instruction *local = &machine->program->instructions[index];
    struct memory *memory = &machine->memories[machine->memory_count];
    machine->memory_of[index] = machine->memory_count++;
    *memory = (struct memory){.data = data,
                              .count = local->integer,
                              .is_private = copies(machine->program, local) > 1,
                              .is_aligned = local->op == LOOP_SHARED};
    if (local->op == LOOP_SHARED)
        memory->visits = ARENA_ARRAY(&machine->arena, struct visit, (size_t)local->integer);
}

/* Lays out the parameters and, in one block, the locals and shared arrays. */
static void decode_memories(struct machine *machine, const struct loop_buffer *buffers)
{
    const struct loop_program *program = machine->program;
    machine->memories =
        ARENA_ARRAY(&machine->arena, struct memory, program->parameter_count + program->count);
    machine->memory_of = ARENA_ARRAY(&machine->arena, uint32_t, program->count + 1);
    decode_parameters(machine, buffers);
    for (size_t i = 0; i < program->count; i++)
        if (has_memory(&program->instructions[i]))
            machine->locals_size += 8 * copies(program, &program->instructions[i]) *
                                    (size_t)program->instructions[i].integer;
    machine->locals = arena_alloc(&machine->arena, machine->locals_size + 1);
    char *free_space = machine->locals;
    for (loop_value i = 0; i < program->count; i++) {
        if (!has_memory(&program->instructions[i]))
            continue;
        decode_local(machine, i, free_space);
        free_space += 8 * copies(program, &program->instructions[i]) *
                      (size_t)program->instructions[i].integer;
    }
}

/* ---- execution ---- */

/* For every lane k of the step. */
#define LANES(statement)                                                                           \
    do {                                                                                           \
        const int lanes = step->lanes;                                                             \
        int k = 0;                                                                                 \
        do {                                                                                       \
            statement;                                                                             \
        } while (++k < lanes);                                                                     \
    } while (0)

/* Lane k of an operand or the result, as member F of its slot. */
#define A(F)   step->a->F[k]
#define B(F)   step->b->F[k]
#define C(F)   step->c->F[k]
#define OUT(F) step->out->F[k]

/* Which lane of its operand lane `lane` of a SPREAD is. */
static int spread_lane(int64_t integer, int lane)
{
    const int size = (int)(integer / LOOP_LANES);
    return lane / size * size + (int)(integer % LOOP_LANES);
}

static int64_t wrap(uint64_t bits)
{
    return (int64_t)bits;
}

/* Rounds toward zero; what does not fit gives the nearest that does, and NaN gives 0. */
static int64_t to_int(double value)
{
    if (isnan(value))
        return 0;
    if (value >= 0x1p63)
        return INT64_MAX;
    if (value < -0x1p63)
        return INT64_MIN;
    return (int64_t)value;
}

static void convert(const struct step *step)
{
    const uint8_t from = (uint8_t)(step->code % 8);
    for (int k = 0; k < step->lanes; k++) {
        if (step->scalar == from)
            *step->out = *step->a;
        else if (step->scalar == LOOP_INT)
            OUT(i) = to_int(from == LOOP_F32 ? (double)A(f) : A(d));
        else if (step->scalar == LOOP_F32)
            OUT(f) = from == LOOP_INT ? (float)A(i) : (float)A(d);
        else
            OUT(d) = from == LOOP_INT ? (double)A(i) : (double)A(f);
    }
}

static void reduce_add(const struct step *step)
{
    union slot sum = *step->a;
    for (int k = 1; k < step->lanes; k++) {
        if (step->scalar == LOOP_INT)
            sum.i[0] = wrap((uint64_t)sum.i[0] + (uint64_t)A(i));
        else if (step->scalar == LOOP_F32)
            sum.f[0] += A(f);
        else
            sum.d[0] += A(d);
    }
    *step->out = sum;
}

/* Lane k is the number at counter (c + k, b) of key a. */
static void draw(const struct step *step)
{
    for (int k = 0; k < step->lanes; k++) {
        const uint32_t first = (uint32_t)step->c->i[0] + (uint32_t)k;
        const double value =
            philox2_uniform(philox2((uint32_t)step->a->i[0], first, (uint32_t)step->b->i[0]));
        if (step->scalar == LOOP_F32)
            OUT(f) = (float)value;
        else
            OUT(d) = value;
    }
}

/* INT division; false where it is undefined. */
static bool divide_int(const struct step *step)
{
    const bool remainder = step->code == CODE(LOOP_REMAINDER, LOOP_INT);
    for (int k = 0; k < step->lanes; k++) {
        const int64_t a = A(i), b = B(i);
        if (b == 0 || (b == -1 && a == INT64_MIN))
            return false;
        OUT(i) = remainder ? a % b : a / b;
    }
    return true;
}

/* How many of a step's lanes a mask leaves active. */
static int64_t active_lanes(const struct step *step, int64_t mask)
{
    return mask < 0 ? 0 : mask < step->lanes ? mask : step->lanes;
}

static bool in_bounds(const struct memory *memory, int64_t index, int64_t lanes)
{
    return lanes == 0 || (index >= 0 && lanes <= memory->count && index <= memory->count - lanes);
}

static void load_floats(const struct memory *memory, float *out, int64_t index, int64_t count)
{
    if (!memory->is_bfloat16)
        memcpy(out, (const float *)memory->data + index, (size_t)count * sizeof(float));
    else
        for (int64_t k = 0; k < count; k++)
            out[k] = bfloat16_value(((const uint16_t *)memory->data)[index + k]);
}

static void store_floats(const struct memory *memory, const float *values, int64_t index,
                         int64_t count)
{
    if (!memory->is_bfloat16)
        memcpy((float *)memory->data + index, values, (size_t)count * sizeof(float));
    else
        for (int64_t k = 0; k < count; k++)
            ((uint16_t *)memory->data)[index + k] = bfloat16_of(values[k]);
}

/* Loads `active` lanes of a parameter (as INT from int32_t), or of a local; others become 0. */
static void load(const struct step *step, int64_t index, int64_t active)
{
    const void *data = step->memory->data;
    union slot *out = step->out;
    if (active < step->lanes)
        *out = (union slot){{0}};
    if (step->scalar == LOOP_F32)
        load_floats(step->memory, out->f, index, active);
    else if (step->scalar == LOOP_F64 || !step->memory->name)
        memcpy(out->d, (const double *)data + index, (size_t)active * sizeof(double));
    else
        for (int64_t k = 0; k < active; k++)
            out->i[k] = ((const int32_t *)data)[index + k];
}

/* Stores `active` lanes of a value of the step's scalar. */
static void store(const struct step *step, const union slot *value, int64_t index, int64_t active)
{
    void *data = step->memory->data;
    const uint8_t scalar = (uint8_t)(step->code % 8);
    if (scalar == LOOP_F32)
        store_floats(step->memory, value->f, index, active);
    else if (scalar == LOOP_F64 || !step->memory->name)
        memcpy((double *)data + index, value->d, (size_t)active * sizeof(double));
    else
        for (int64_t k = 0; k < active; k++)
            ((int32_t *)data)[index + k] = (int32_t)value->i[k];
}

static bool is_of_other_task(const struct machine *machine, const struct memory *memory,
                             const struct visit *visit)
{
    return memory->name && visit->stored > 0 && visit->stored < machine->first_period;
}

/* Notes that the machine's thread loads or stores elements; NULL, or whom it meets. */
static const char *note_access(const struct machine *machine, const struct memory *memory,
                               int64_t index, int64_t count, bool is_store)
{
    const int32_t thread = (int32_t)machine->thread;
    struct visit *const first = memory->visits + index;
    for (struct visit *visit = first; visit < first + count; visit++) {
        const bool others_load = visit->loaded == machine->period && visit->loader != thread;
        if (is_of_other_task(machine, memory, visit))
            return "was stored by another task";
        if (visit->stored == machine->period && visit->storer != thread)
            return "is stored by another thread at the same time";
        if (is_store && others_load)
            return "is loaded by another thread at the same time";
        if (is_store) {
            visit->stored = machine->period;
            visit->storer = thread;
        } else {
            visit->loaded = machine->period;
            visit->loader = others_load ? SEVERAL : thread;
        }
    }
    return NULL;
}

/* What is wrong with accessing `active` elements from `index` on; NULL: nothing. */
static const char *access_problem(const struct machine *machine, const struct step *step,
                                  int64_t index, int64_t active)
{
    const struct memory *memory = step->memory;
    const enum loop_op op = step->code / 8;
    if (!in_bounds(memory, index, active))
        return "is out of bounds";
    const bool is_aligned = memory->is_aligned || op == LOOP_STORE_STREAM;
    if (is_aligned && active > 0 && index % step->lanes != 0)
        return "is no multiple of the lanes";
    if (!memory->visits || active == 0)
        return NULL;
    return note_access(machine, memory, index, active, loop_is_store(op) || op == LOOP_STORE_LOCAL);
}

/* Executes an access to memory; returns whether it may be made. */
static bool access_memory(const struct machine *machine, const struct step *step,
                          struct failure *failure)
{
    const enum loop_op op = step->code / 8;
    const bool is_local = op == LOOP_LOAD_LOCAL || op == LOOP_STORE_LOCAL;
    int64_t index = is_local ? step->b->i[0] : step->a->i[0];
    int64_t active = step->lanes;
    if (op == LOOP_LOAD_MASKED)
        active = active_lanes(step, step->b->i[0]);
    else if (op == LOOP_STORE_MASKED)
        active = active_lanes(step, step->c->i[0]);
    const char *problem = access_problem(machine, step, index, active);
    if (problem) {
        *failure = (struct failure){step, index, active, problem};
        return false;
    }
    if (step->memory->is_private)
        index += machine->thread * step->memory->count;
    if (loop_is_store(op))
        store(step, step->b, active > 0 ? index : 0, active);
    else if (op == LOOP_STORE_LOCAL)
        store(step, step->c, index, active);
    else
        load(step, active > 0 ? index : 0, active);
    return true;
}

#define CASE_FLOATS(op, expression_f, expression_d)                                                \
    case CODE(op, LOOP_F32):                                                                       \
        LANES(OUT(f) = (expression_f));                                                            \
        break;                                                                                     \
    case CODE(op, LOOP_F64):                                                                       \
        LANES(OUT(d) = (expression_d));                                                            \
        break;

#define CASE_INT(op, expression)                                                                   \
    case CODE(op, LOOP_INT):                                                                       \
        LANES(OUT(i) = (expression));                                                              \
        break;

#define CASE_NUMBERS(op, OPERATION)                                                                \
    CASE_FLOATS(op, OPERATION(f), OPERATION(d))                                                    \
    CASE_INT(op, OPERATION(i))

#define CASE_COMPARISON(op, relation)                                                              \
    case CODE(op, LOOP_INT):                                                                       \
        LANES(OUT(i) = A(i) relation B(i));                                                        \
        break;                                                                                     \
    case CODE(op, LOOP_F32):                                                                       \
        LANES(OUT(i) = A(f) relation B(f));                                                        \
        break;                                                                                     \
    case CODE(op, LOOP_F64):                                                                       \
        LANES(OUT(i) = A(d) relation B(d));                                                        \
        break;

#define MINIMUM(F)    (A(F) < B(F) ? A(F) : B(F))
#define MAXIMUM(F)    (A(F) > B(F) ? A(F) : B(F))
#define CHOICE(F)     (A(i) ? B(F) : C(F))
#define FIRST_LANE(F) (step->a->F[0])
#define SPREAD(F)     (step->a->F[spread_lane(step->integer, k)])

/* Runs the steps once, as the machine's task. */
static struct failure run_task(struct machine *machine)
{
    const struct step *const steps = machine->steps, *const end = steps + machine->step_count;
    struct failure failure = {0};
    for (const struct step *step = steps; step < end; step++) {
        switch (step->code) {
        case CODE(LOOP_TASK, LOOP_VOID):
            step->out->i[0] = machine->task;
            break;
            CASE_FLOATS(LOOP_ADD, A(f) + B(f), A(d) + B(d))
            CASE_FLOATS(LOOP_SUBTRACT, A(f) - B(f), A(d) - B(d))
            CASE_FLOATS(LOOP_MULTIPLY, A(f) * B(f), A(d) * B(d))
            CASE_FLOATS(LOOP_DIVIDE, A(f) / B(f), A(d) / B(d))
            CASE_FLOATS(LOOP_FMA, fmaf(A(f), B(f), C(f)), fma(A(d), B(d), C(d)))
            CASE_FLOATS(LOOP_NEGATE, -A(f), -A(d))
            CASE_FLOATS(LOOP_SQRT, sqrtf(A(f)), sqrt(A(d)))
            CASE_FLOATS(LOOP_EXP, elementary_exp(A(f)), exp(A(d)))
            CASE_FLOATS(LOOP_LOG, elementary_log(A(f)), log(A(d)))
            CASE_INT(LOOP_ADD, wrap((uint64_t)A(i) + (uint64_t)B(i)))
            CASE_INT(LOOP_SUBTRACT, wrap((uint64_t)A(i) - (uint64_t)B(i)))
            CASE_INT(LOOP_MULTIPLY, wrap((uint64_t)A(i) * (uint64_t)B(i)))
            CASE_INT(LOOP_NEGATE, wrap(-(uint64_t)A(i)))
            CASE_NUMBERS(LOOP_MINIMUM, MINIMUM)
            CASE_NUMBERS(LOOP_MAXIMUM, MAXIMUM)
            CASE_NUMBERS(LOOP_SELECT, CHOICE)
            CASE_NUMBERS(LOOP_BROADCAST, FIRST_LANE)
            CASE_COMPARISON(LOOP_EQUAL, ==)
            CASE_COMPARISON(LOOP_LESS, <)
            CASE_COMPARISON(LOOP_LESS_EQUAL, <=)
        case CODE(LOOP_AND, LOOP_BOOL):
            LANES(OUT(i) = A(i) & B(i));
            break;
        case CODE(LOOP_OR, LOOP_BOOL):
            LANES(OUT(i) = A(i) | B(i));
            break;
        case CODE(LOOP_SELECT, LOOP_BOOL):
            LANES(OUT(i) = CHOICE(i));
            break;
            CASE_FLOATS(LOOP_SPREAD, SPREAD(f), SPREAD(d))
        case CODE(LOOP_BROADCAST, LOOP_BOOL):
            LANES(OUT(i) = FIRST_LANE(i));
            break;
        case CODE(LOOP_DIVIDE, LOOP_INT):
        case CODE(LOOP_REMAINDER, LOOP_INT):
            if (!divide_int(step))
                return (struct failure){.step = step};
            break;
        case CODE(LOOP_CONVERT, LOOP_INT):
        case CODE(LOOP_CONVERT, LOOP_F32):
        case CODE(LOOP_CONVERT, LOOP_F64):
            convert(step);
            break;
        case CODE(LOOP_REDUCE_ADD, LOOP_INT):
        case CODE(LOOP_REDUCE_ADD, LOOP_F32):
        case CODE(LOOP_REDUCE_ADD, LOOP_F64):
            reduce_add(step);
            break;
        case CODE(LOOP_RANDOM, LOOP_F32):
        case CODE(LOOP_RANDOM, LOOP_F64):
            draw(step);
            break;
        case CODE(LOOP_FOR, LOOP_VOID):
            step->out->i[0] = step->a->i[0];
            if (step->a->i[0] >= step->b->i[0])
                step = steps + step->target - 1;
            break;
        case CODE_NEXT:
            if ((uint64_t)step->b->i[0] - (uint64_t)step->out->i[0] > (uint64_t)step->integer) {
                step->out->i[0] += step->integer;
                step = steps + step->target - 1;
            }
            break;
        case CODE(LOOP_THREADS, LOOP_VOID):
            step->out->i[0] = 0;
            machine->period++;
            break;
        case CODE_NEXT_THREAD:
            machine->thread = (machine->thread + 1) % machine->program->threads;
            step->out->i[0] = machine->thread;
            if (machine->thread > 0)
                step = steps + step->target - 1;
            break;
        case CODE(LOOP_IF, LOOP_VOID):
            if (!step->a->i[0])
                step = steps + step->target - 1;
            break;
        case CODE(LOOP_ELSE, LOOP_VOID):
            step = steps + step->target - 1;
            break;
        default:
            if (!access_memory(machine, step, &failure))
                return failure;
            break;
        }
    }
    return failure;
}

static const char *failure_message(const struct machine *machine, const struct failure *failure)
{
    const struct step *step = failure->step;
    const struct loop_program *program = machine->program;
    const char *op = loop_op_name(program->instructions[step->index].op);
    if (!step->memory)
        return arena_format(program->arena,
                            "%s: instruction %u (%s): the quotient is undefined in task %" PRId64,
                            program->name, step->index, op, machine->task);
    return arena_format(
        program->arena,
        "%s: instruction %u (%s): index %" PRId64 " with %" PRId64
        " lanes %s of %s, which has %" PRId64 " elements, in task %" PRId64 "%s",
        program->name, step->index, op, failure->index, failure->lanes, failure->reason,
        step->memory->name ? step->memory->name : "the local", step->memory->count, machine->task,
        program->threads > 0 ? arena_format(program->arena, ", thread %" PRId64, machine->thread)
                             : "");
}

const char *loop_eval(const struct loop_program *program, const struct loop_buffer *buffers,
                      int64_t images, int64_t first, int64_t last, enum loop_precision precision)
{
    struct machine machine = {.program = program, .precision = precision, .images = images};
    machine.slots = ARENA_ARRAY(&machine.arena, union slot, program->count + 1);
    machine.steps = ARENA_ARRAY(&machine.arena, struct step, program->count + 1);
    decode_memories(&machine, buffers);
    decode(&machine);

    const char *message = NULL;
    for (machine.task = first; machine.task < last && !message; machine.task++) {
        memset(machine.locals, 0xff, machine.locals_size);
        machine.thread = 0;
        machine.first_period = machine.period + 1;
        const struct failure failure = run_task(&machine);
        if (failure.step)
            message = failure_message(&machine, &failure);
    }
    arena_release(&machine.arena);
    return message;
}
