/* The loop IR: what a schedule makes of a kernel, for any target.
 *
 * A program is one flat array of instructions in program order; FOR, IF and ELSE open a body that
 * the matching END closes. An instruction's value is its index, defined once, usable later in the
 * same body and in bodies inside it. The program is the body of ONE task: a kernel's tasks are
 * independent, and which thread runs which is not its business. The interpreter (loop_eval.h)
 * is the definition of what all this means; lowerers must agree with it.
 *
 * Tasks of many threads, as GPUs run them. A program whose `threads` is not 0 says what so many
 * threads do together. Memory is accessed in THREADS bodies alone, each of which every thread runs
 * once, in any order or at the same time, and which all have left before what follows begins: the
 * end of such a body is the barrier. What stands outside holds for the task and is the same for all
 * threads, so that a barrier cannot stand in a branch that some threads do not take. Within one
 * body no thread may access an element of a SHARED array or of an output that another one stores
 * to. A LOCAL is each thread's own; one from outside a THREADS body keeps its values from body to
 * body. Vectors of several lanes are accessed at multiples of their lanes. */
#ifndef CODEGEN_LOOP_H
#define CODEGEN_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"

enum loop_op {
#define LOOP_OP(op, name, operands, result) LOOP_##op,
#include "codegen/loop.def"
#undef LOOP_OP
    LOOP_OP_COUNT
};

enum loop_scalar {
    LOOP_VOID,
    LOOP_BOOL,
    LOOP_INT, /* 64 bits, signed */
    LOOP_F32,
    LOOP_F64,
};

struct loop_type {
    uint8_t scalar; /* enum loop_scalar */
    uint8_t lanes;  /* 1, 2, 4, 8 or 16 */
};

typedef uint32_t loop_value; /* index of the instruction that defines it */

struct loop_instruction {
    uint8_t op; /* enum loop_op */
    struct loop_type type;
    loop_value a, b, c;
    int64_t integer; /* constant, parameter, local's length or loop's step */
    double number;   /* CONSTANT_FLOAT */
    bool unrolled;   /* FOR with constant bounds: lowerers should leave no loop; means nothing */
};

/* How a parameter's elements lie in memory. */
enum loop_storage {
    LOOP_STORAGE_F32,  /* loaded as F32 */
    LOOP_STORAGE_I32,  /* loaded as INT */
    LOOP_STORAGE_BF16, /* loaded as F32; a store rounds as base/bfloat16.h says */
};

enum {
    LOOP_PARAMETERS = 24,         /* the most a kernel takes */
    LOOP_NESTING = 32,            /* the most bodies inside each other */
    LOOP_LANES = 16,              /* the most of a value */
    LOOP_LOCAL_BYTES = 4 << 20,   /* the most that a task's locals take: they lie on the stack,
                                     of which runtime/threads.h has twice as much */
    LOOP_THREADS_MOST = 1024,     /* the most threads of a task */
    LOOP_SHARED_BYTES = 48 << 10, /* the most that a task's shared arrays take */
};

struct loop_parameter {
    const char *name; /* for dumps: "x", "weight" */
    uint8_t storage;  /* enum loop_storage */
    bool is_output;   /* it is stored to (and may be loaded from) */
};

struct loop_program {
    struct arena *arena;
    const char *name;     /* the kernel's symbol; letters, digits and _ */
    const char *schedule; /* which schedule made it */
    struct loop_parameter parameters[LOOP_PARAMETERS];
    uint32_t parameter_count;
    /* tasks = ceil(images / images_per_task) * tasks_per_group; tasks_per_group alone if
     * images_per_task is 0 */
    int64_t images_per_task, tasks_per_group;
    int32_t threads; /* of a task; 0: the task is one thread's, THREADS does not occur */
    struct loop_instruction *instructions;
    size_t count, capacity;
};

#define LOOP_INT_TYPE        ((struct loop_type){LOOP_INT, 1})
#define LOOP_BOOL_TYPE       ((struct loop_type){LOOP_BOOL, 1})
#define LOOP_F32_TYPE(lanes) ((struct loop_type){LOOP_F32, (uint8_t)(lanes)})
#define LOOP_F64_TYPE(lanes) ((struct loop_type){LOOP_F64, (uint8_t)(lanes)})

/* ---- building: each appends an instruction and returns its value. Operands must be defined in an
 * open body. Constant integer arithmetic is folded, x+0, x*1 and x*0 too. ---- */

struct loop_program *loop_program_new(struct arena *arena, const char *name, const char *schedule);
/* Declares the next parameter; returns its number. */
uint32_t loop_parameter(struct loop_program *program, const char *name, enum loop_storage storage,
                        bool is_output);

loop_value loop_int(struct loop_program *program, int64_t value);
loop_value loop_float(struct loop_program *program, struct loop_type type, double value);
loop_value loop_task(struct loop_program *program);
loop_value loop_images(struct loop_program *program);

/* Any operation with one, two or three operands whose type follows from them. */
loop_value loop_unary(struct loop_program *program, enum loop_op op, loop_value a);
loop_value loop_binary(struct loop_program *program, enum loop_op op, loop_value a, loop_value b);
loop_value loop_ternary(struct loop_program *program, enum loop_op op, loop_value a, loop_value b,
                        loop_value c);
/* Shorthands for integer indices: a + b, a * constant, a + constant. */
loop_value loop_add(struct loop_program *program, loop_value a, loop_value b);
loop_value loop_times(struct loop_program *program, loop_value a, int64_t factor);
loop_value loop_plus(struct loop_program *program, loop_value a, int64_t summand);

loop_value loop_convert(struct loop_program *program, loop_value a, enum loop_scalar scalar);
loop_value loop_broadcast(struct loop_program *program, loop_value a, int lanes);
/* Lane `first` of every `size` lanes into all of those: loop.def, SPREAD. */
loop_value loop_spread(struct loop_program *program, loop_value a, int size, int first);
/* Uniform numbers of the float type `type` from the key and counters; see LOOP_RANDOM. */
loop_value loop_random(struct loop_program *program, struct loop_type type, loop_value key,
                       loop_value counter, loop_value first);
struct loop_type loop_type_of(const struct loop_program *program, loop_value value);

loop_value loop_load(struct loop_program *program, uint32_t parameter, loop_value index, int lanes);
loop_value loop_load_masked(struct loop_program *program, uint32_t parameter, loop_value index,
                            loop_value active, int lanes);
void loop_store(struct loop_program *program, uint32_t parameter, loop_value index,
                loop_value value);
/* As loop_store, at a multiple of the lanes; `streams`: with a hint that caches need not keep it.
 */
void loop_store_aligned(struct loop_program *program, uint32_t parameter, loop_value index,
                        loop_value value, bool streams);
void loop_store_masked(struct loop_program *program, uint32_t parameter, loop_value index,
                       loop_value value, loop_value active);
/* Whether an operation is one of these: it stores its value b to a parameter at index a. */
bool loop_is_store(enum loop_op op);

/* A hint that the cache line of an element is wanted: at once, or (far) in a while. */
void loop_prefetch(struct loop_program *program, uint32_t parameter, loop_value index, bool far);

loop_value loop_local(struct loop_program *program, enum loop_scalar scalar, int64_t length);
loop_value loop_load_local(struct loop_program *program, loop_value local, loop_value index,
                           int lanes);
void loop_store_local(struct loop_program *program, loop_value local, loop_value index,
                      loop_value value);

loop_value loop_shared(struct loop_program *program, enum loop_scalar scalar, int64_t length);

/* Opens a loop; the value is the running index. The second goes from 0 to `end` and is to be
 * unrolled. */
loop_value loop_for(struct loop_program *program, loop_value begin, loop_value end, int64_t step);
loop_value loop_for_unrolled(struct loop_program *program, int64_t end, int64_t step);
/* Opens a body that every thread runs; the value is the thread's number. */
loop_value loop_threads(struct loop_program *program);
void loop_if(struct loop_program *program, loop_value condition);
void loop_else(struct loop_program *program);
void loop_end(struct loop_program *program);

/* An operation's printed name, and how many of a, b, c are values. */
const char *loop_op_name(enum loop_op op);
int loop_op_operands(enum loop_op op);

/* The number of tasks for this many images. */
int64_t loop_task_count(const struct loop_program *program, int64_t images);

/* The bytes of the program's SHARED arrays, and where that of instruction `shared` begins: they
 * follow each other, each at a multiple of 16 bytes. */
int64_t loop_shared_bytes(const struct loop_program *program);
int64_t loop_shared_offset(const struct loop_program *program, loop_value shared);

/* ---- loop_check.c: the verifier ---- */

/* Checks types, definitions before use within open bodies, nesting, parameters, lanes and where
 * threads may do what. Returns NULL, or a message that names the first bad instruction, in the
 * program's arena. */
const char *loop_check(const struct loop_program *program);

/* ---- loop_print.c: the dump ---- */

/* Prints the program, one instruction a line, bodies indented. Deterministic. */
void loop_print(const struct loop_program *program, FILE *stream);

#endif
