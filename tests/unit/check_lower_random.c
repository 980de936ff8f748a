/* Random programs, compiled and interpreted: straight-line code of every type inside random loops
 * and branches, whose memory must come out the same, bit for bit. The seed is fixed. */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/loop_compare.h"
#include "tests/unit/suite.h"

enum {
    PROGRAMS = 300,
    VISIBLE = 512,     /* the most values to choose from */
    LOCAL_LENGTH = 64, /* elements of each program's locals */
    HALF = COMPARE_LENGTH / 2 - LOOP_LANES,
};

struct generator {
    struct loop_program *program;
    uint64_t state;
    loop_value visible[VISIBLE]; /* values of open bodies */
    int count;
    loop_value locals[LOOP_F64 + 1]; /* by scalar */
    int depth, budget;
};

static int pick(struct generator *generator, int limit)
{
    return (int)(compare_random(&generator->state) % (uint32_t)limit);
}

static loop_value offer(struct generator *generator, loop_value value)
{
    if (generator->count < VISIBLE)
        generator->visible[generator->count++] = value;
    return value;
}

static struct loop_type random_type(struct generator *generator)
{
    return (struct loop_type){(uint8_t)(LOOP_INT + pick(generator, 3)),
                              (uint8_t)(1 << pick(generator, 5))};
}

static loop_value constant(struct generator *generator, struct loop_type type)
{
    struct loop_program *program = generator->program;
    if (type.scalar == LOOP_INT)
        return loop_broadcast(program, loop_int(program, pick(generator, 41) - 20), type.lanes);
    return loop_float(program, type, 0.125 * (pick(generator, 65) - 32));
}

/* A value of this type: one that is there if a few tries find it, or a new one. */
static loop_value operand(struct generator *generator, struct loop_type type)
{
    struct loop_program *program = generator->program;
    for (int tries = 0; tries < 8 && generator->count > 0; tries++) {
        const loop_value value = generator->visible[pick(generator, generator->count)];
        const struct loop_type found = loop_type_of(program, value);
        if (found.scalar == type.scalar && found.lanes == type.lanes)
            return value;
    }
    if (type.scalar == LOOP_BOOL) {
        const struct loop_type number = {LOOP_F32, type.lanes};
        return offer(generator, loop_binary(program, LOOP_LESS, operand(generator, number),
                                            constant(generator, number)));
    }
    if (pick(generator, 3) == 0)
        return offer(generator, constant(generator, type));
    const uint32_t parameter = type.scalar == LOOP_INT ? COMPARE_LABELS : COMPARE_X;
    const loop_value index = loop_int(program, pick(generator, HALF));
    const loop_value loaded = loop_load(program, parameter, index, type.lanes);
    return offer(generator, loop_convert(program, loaded, type.scalar));
}

/* An index from 0 to 2 * reach, from a value or constant. */
static loop_value random_index(struct generator *generator, int reach)
{
    struct loop_program *program = generator->program;
    if (pick(generator, 2) == 0)
        return loop_int(program, pick(generator, 2 * reach + 1));
    const loop_value value = operand(generator, LOOP_INT_TYPE);
    const loop_value rest =
        loop_binary(program, LOOP_REMAINDER, value, loop_int(program, reach + 1));
    return loop_plus(program, rest, reach);
}

static void add_arithmetic(struct generator *generator)
{
    static const enum loop_op floats[] = {LOOP_ADD,    LOOP_SUBTRACT, LOOP_MULTIPLY,
                                          LOOP_DIVIDE, LOOP_MINIMUM,  LOOP_MAXIMUM};
    static const enum loop_op integers[] = {LOOP_ADD, LOOP_SUBTRACT, LOOP_MULTIPLY,
                                            LOOP_ADD, LOOP_MINIMUM,  LOOP_MAXIMUM};
    const struct loop_type type = random_type(generator);
    const int which = pick(generator, 6);
    const enum loop_op op = type.scalar == LOOP_INT ? integers[which] : floats[which];
    const loop_value a = operand(generator, type), b = operand(generator, type);
    offer(generator, loop_binary(generator->program, op, a, b));
}

static void add_division(struct generator *generator)
{
    static const int64_t divisors[] = {2, 3, -5, 7, 16, 100};
    struct loop_program *program = generator->program;
    const struct loop_type type = {LOOP_INT, random_type(generator).lanes};
    const loop_value divisor =
        loop_broadcast(program, loop_int(program, divisors[pick(generator, 6)]), type.lanes);
    const enum loop_op op = pick(generator, 2) ? LOOP_DIVIDE : LOOP_REMAINDER;
    offer(generator, loop_binary(program, op, operand(generator, type), divisor));
}

static void add_float_function(struct generator *generator)
{
    struct loop_program *program = generator->program;
    struct loop_type type = random_type(generator);
    type.scalar = (uint8_t)(LOOP_F32 + pick(generator, 2));
    const loop_value a = operand(generator, type), b = operand(generator, type);
    if (pick(generator, 2) == 0)
        offer(generator, loop_ternary(program, LOOP_FMA, a, b, operand(generator, type)));
    else
        offer(generator, loop_unary(program, pick(generator, 2) ? LOOP_SQRT : LOOP_NEGATE, a));
}

static void add_choice(struct generator *generator)
{
    struct loop_program *program = generator->program;
    const struct loop_type type = random_type(generator);
    const struct loop_type flags = {LOOP_BOOL, type.lanes};
    const loop_value a = operand(generator, type), b = operand(generator, type);
    const enum loop_op comparison = LOOP_EQUAL + (enum loop_op)pick(generator, 3);
    loop_value flag = offer(generator, loop_binary(program, comparison, a, b));
    if (pick(generator, 2))
        flag = offer(generator, loop_binary(program, pick(generator, 2) ? LOOP_AND : LOOP_OR, flag,
                                            operand(generator, flags)));
    offer(generator, loop_ternary(program, LOOP_SELECT, flag, a, b));
}

static void add_conversion(struct generator *generator)
{
    struct loop_program *program = generator->program;
    const struct loop_type type = random_type(generator);
    const loop_value value = operand(generator, type);
    const struct loop_type one_lane = {type.scalar, 1};
    switch (pick(generator, 3)) {
    case 0:
        offer(generator, loop_convert(program, value, random_type(generator).scalar));
        break;
    case 1:
        offer(generator, loop_unary(program, LOOP_REDUCE_ADD, value));
        break;
    default:
        offer(generator,
              loop_broadcast(program, operand(generator, one_lane), random_type(generator).lanes));
        break;
    }
}

static void add_load(struct generator *generator)
{
    struct loop_program *program = generator->program;
    const struct loop_type type = random_type(generator);
    const uint32_t parameter = (uint32_t)pick(generator, 4);
    const loop_value index = random_index(generator, HALF / 2);
    if (pick(generator, 3) == 0)
        offer(generator, loop_load_masked(program, parameter, index,
                                          operand(generator, LOOP_INT_TYPE), type.lanes));
    else
        offer(generator, loop_load(program, parameter, index, type.lanes));
}

static void add_store(struct generator *generator)
{
    struct loop_program *program = generator->program;
    struct loop_type type = random_type(generator);
    type.scalar = pick(generator, 3) ? LOOP_F32 : LOOP_INT;
    const uint32_t parameter = type.scalar == LOOP_F32 ? COMPARE_Y : COMPARE_COUNTS;
    const loop_value value = operand(generator, type);
    const loop_value index = random_index(generator, HALF / 2);
    if (pick(generator, 3) == 0)
        loop_store_masked(program, parameter, index, value, operand(generator, LOOP_INT_TYPE));
    else
        loop_store(program, parameter, index, value);
}

static void add_local_access(struct generator *generator)
{
    struct loop_program *program = generator->program;
    const struct loop_type type = random_type(generator);
    const loop_value local = generator->locals[type.scalar];
    const loop_value index = random_index(generator, (LOCAL_LENGTH - LOOP_LANES) / 2);
    if (pick(generator, 2))
        loop_store_local(program, local, index, operand(generator, type));
    else
        offer(generator, loop_load_local(program, local, index, type.lanes));
}

static void add_body(struct generator *generator);

static void add_loop(struct generator *generator)
{
    struct loop_program *program = generator->program;
    const int count = generator->count;
    const loop_value begin = loop_int(program, pick(generator, 3));
    const loop_value end =
        pick(generator, 2) ? loop_images(program) : loop_int(program, pick(generator, 9));
    offer(generator, loop_for(program, begin, end, 1 + pick(generator, 3)));
    add_body(generator);
    loop_end(program);
    generator->count = count;
}

static void add_branch(struct generator *generator)
{
    struct loop_program *program = generator->program;
    const loop_value condition = operand(generator, LOOP_BOOL_TYPE);
    const int count = generator->count;
    loop_if(program, condition);
    add_body(generator);
    generator->count = count;
    if (pick(generator, 2)) {
        loop_else(program);
        add_body(generator);
        generator->count = count;
    }
    loop_end(program);
}

static void add_anything(struct generator *generator)
{
    static void (*const adds[])(struct generator *) = {
        add_arithmetic,   add_arithmetic, add_division, add_float_function,
        add_choice,       add_conversion, add_load,     add_store,
        add_local_access, add_loop,       add_branch,
    };
    adds[pick(generator, generator->depth < 4 ? 11 : 9)](generator);
}

static void add_body(struct generator *generator)
{
    const int length = 2 + pick(generator, 8);
    generator->depth++;
    for (int i = 0; i < length && generator->budget > 0; i++, generator->budget--)
        add_anything(generator);
    add_store(generator);
    generator->depth--;
}

static void add_locals(struct generator *generator)
{
    struct loop_program *program = generator->program;
    for (enum loop_scalar scalar = LOOP_INT; scalar <= LOOP_F64; scalar++) {
        const struct loop_type type = {(uint8_t)scalar, LOOP_LANES};
        generator->locals[scalar] = loop_local(program, scalar, LOCAL_LENGTH);
        for (int i = 0; i < LOCAL_LENGTH; i += LOOP_LANES)
            loop_store_local(program, generator->locals[scalar], loop_int(program, i),
                             operand(generator, type));
    }
}

static struct loop_program *random_program(struct arena *arena, int number)
{
    struct generator generator = {
        .program = compare_program_new(arena, arena_format(arena, "random_%d", number)),
        .state = 0x9e3779b97f4a7c15u * (uint64_t)(number + 1),
        .budget = 30,
    };
    offer(&generator, loop_task(generator.program));
    add_locals(&generator);
    while (generator.budget > 0)
        add_body(&generator);
    return generator.program;
}

START_TEST(test_random_programs)
{
    struct arena arena = {0};
    struct loop_program *programs[PROGRAMS];
    cpu_function *functions[PROGRAMS];
    struct cpu_jit *jit;
    for (int i = 0; i < PROGRAMS; i++) {
        programs[i] = random_program(&arena, i);
        const char *wrong = loop_check(programs[i]);
        ck_assert_msg(!wrong, "%s", wrong);
    }
    const struct status status = cpu_jit_new(programs, PROGRAMS, &jit, functions);
    ck_assert_msg(status_is_ok(&status), "%s", status.message);
    for (int i = 0; i < PROGRAMS; i++) {
        const char *message = compare_run(programs[i], functions[i], 2, (uint64_t)i);
        if (message)
            loop_print(programs[i], stdout);
        ck_assert_msg(!message, "%s", message);
    }
    cpu_jit_free(jit);
    arena_release(&arena);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("lower_random");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, test_random_programs);
    return run_case("lower_random", cases);
}
