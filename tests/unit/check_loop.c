/* The loop IR's builder and folding, what its verifier rejects, and the text of its dump. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/loop.h"
#include "tests/unit/suite.h"

static struct arena arena;

static void setup(void)
{
    arena = (struct arena){0};
}

static void teardown(void)
{
    arena_release(&arena);
}

/* An empty program with parameters x (f32), labels (i32) and y (f32, output). */
static struct loop_program *new_program(void)
{
    struct loop_program *program = loop_program_new(&arena, "sample", "naive");
    program->tasks_per_group = 1;
    loop_parameter(program, "x", LOOP_STORAGE_F32, false);
    loop_parameter(program, "labels", LOOP_STORAGE_I32, false);
    loop_parameter(program, "y", LOOP_STORAGE_F32, true);
    return program;
}

static int64_t constant_of(const struct loop_program *program, loop_value value)
{
    ck_assert_int_eq(program->instructions[value].op, LOOP_CONSTANT_INT);
    return program->instructions[value].integer;
}

static int64_t folded(enum loop_op op, int64_t a, int64_t b)
{
    struct loop_program *program = new_program();
    return constant_of(program,
                       loop_binary(program, op, loop_int(program, a), loop_int(program, b)));
}

START_TEST(test_constants_fold)
{
    ck_assert_int_eq(folded(LOOP_ADD, 3, 4), 7);
    ck_assert_int_eq(folded(LOOP_SUBTRACT, 3, 4), -1);
    ck_assert_int_eq(folded(LOOP_MULTIPLY, 3, 4), 12);
    ck_assert_int_eq(folded(LOOP_DIVIDE, -7, 2), -3);
    ck_assert_int_eq(folded(LOOP_REMAINDER, -7, 2), -1);
    ck_assert_int_eq(folded(LOOP_MINIMUM, 3, -4), -4);
    ck_assert_int_eq(folded(LOOP_MAXIMUM, 3, -4), 3);
    ck_assert_int_eq(folded(LOOP_ADD, INT64_MAX, 1), INT64_MIN);
    struct loop_program *program = new_program();
    ck_assert_int_eq(constant_of(program, loop_unary(program, LOOP_NEGATE, loop_int(program, 5))),
                     -5);
}
END_TEST

START_TEST(test_identities_fold)
{
    struct loop_program *program = new_program();
    const loop_value x = loop_task(program);
    const loop_value zero = loop_int(program, 0), one = loop_int(program, 1);
    ck_assert_uint_eq(loop_add(program, x, zero), x);
    ck_assert_uint_eq(loop_add(program, zero, x), x);
    ck_assert_uint_eq(loop_plus(program, x, 0), x);
    ck_assert_uint_eq(loop_times(program, x, 1), x);
    ck_assert_uint_eq(loop_binary(program, LOOP_MULTIPLY, one, x), x);
    ck_assert_uint_eq(loop_binary(program, LOOP_SUBTRACT, x, zero), x);
    ck_assert_uint_eq(loop_binary(program, LOOP_DIVIDE, x, one), x);
    ck_assert_int_eq(constant_of(program, loop_times(program, x, 0)), 0);
    ck_assert_int_eq(constant_of(program, loop_binary(program, LOOP_MULTIPLY, zero, x)), 0);
    ck_assert_int_eq(constant_of(program, loop_binary(program, LOOP_REMAINDER, x, one)), 0);
    ck_assert_ptr_null(loop_check(program));
}
END_TEST

START_TEST(test_what_must_not_fold)
{
    struct loop_program *program = new_program();
    const loop_value task = loop_task(program), zero = loop_int(program, 0);
    const loop_value x = loop_load(program, 0, task, 4);
    const loop_value none = loop_float(program, LOOP_F32_TYPE(4), 0.0);
    size_t count = program->count;
    loop_binary(program, LOOP_DIVIDE, zero, zero);
    ck_assert_uint_eq(program->count, ++count);
    loop_binary(program, LOOP_SUBTRACT, zero, task);
    ck_assert_uint_eq(program->count, ++count);
    loop_add(program, x, none);
    loop_binary(program, LOOP_MULTIPLY, x, none);
    ck_assert_uint_eq(program->count, count + 2);
}
END_TEST

START_TEST(test_types_follow)
{
    struct loop_program *program = new_program();
    const loop_value index = loop_task(program);
    const loop_value x = loop_load(program, 0, index, 8);
    const loop_value label = loop_load(program, 1, index, 8);
    const loop_value less = loop_binary(program, LOOP_LESS, x, x);
    ck_assert_int_eq(loop_type_of(program, x).scalar, LOOP_F32);
    ck_assert_int_eq(loop_type_of(program, label).scalar, LOOP_INT);
    ck_assert_int_eq(loop_type_of(program, less).scalar, LOOP_BOOL);
    ck_assert_int_eq(loop_type_of(program, less).lanes, 8);
    const loop_value chosen = loop_ternary(program, LOOP_SELECT, less, label, label);
    ck_assert_int_eq(loop_type_of(program, chosen).scalar, LOOP_INT);
    const loop_value sum = loop_unary(program, LOOP_REDUCE_ADD, x);
    ck_assert_int_eq(loop_type_of(program, sum).lanes, 1);
    ck_assert_int_eq(loop_type_of(program, loop_broadcast(program, sum, 16)).lanes, 16);
    ck_assert_uint_eq(loop_broadcast(program, sum, 1), sum);
    ck_assert_uint_eq(loop_convert(program, sum, LOOP_F32), sum);
    ck_assert_int_eq(loop_type_of(program, loop_convert(program, x, LOOP_F64)).scalar, LOOP_F64);
    ck_assert_ptr_null(loop_check(program));
}
END_TEST

START_TEST(test_task_count)
{
    struct loop_program *program = new_program();
    program->tasks_per_group = 6;
    ck_assert_int_eq(loop_task_count(program, 100), 6);
    program->images_per_task = 4;
    ck_assert_int_eq(loop_task_count(program, 8), 12);
    ck_assert_int_eq(loop_task_count(program, 9), 18);
    ck_assert_int_eq(loop_task_count(program, 0), 0);
}
END_TEST

/* ---- the verifier: each row spoils a good program, and says what the message must contain ---- */

/* Values of a program with everything in it. */
struct sample {
    struct loop_program *program;
    loop_value zero, ten, x, x4, label, flag, local, loop, inner, body_x;
};

static struct sample new_sample(void)
{
    struct sample s = {.program = new_program()};
    s.zero = loop_int(s.program, 0);
    s.ten = loop_int(s.program, 10);
    s.x = loop_load(s.program, 0, s.zero, 1);
    s.x4 = loop_load(s.program, 0, s.zero, 4);
    s.label = loop_load(s.program, 1, s.zero, 1);
    s.flag = loop_binary(s.program, LOOP_LESS, s.x, s.x);
    s.local = loop_local(s.program, LOOP_F32, 16);
    s.loop = loop_for(s.program, s.zero, s.ten, 1);
    s.body_x = loop_load(s.program, 0, s.loop, 1);
    loop_end(s.program);
    return s;
}

static loop_value add(struct sample *s, struct loop_instruction instruction)
{
    const loop_value number = loop_task(s->program);
    s->program->instructions[number] = instruction;
    return number;
}

#define ADD(...) add(s, (struct loop_instruction){__VA_ARGS__})

static void use_before(struct sample *s)
{
    ADD(.op = LOOP_NEGATE, .type = LOOP_F32_TYPE(1), .a = 1000);
}
static void use_itself(struct sample *s)
{
    const loop_value self = (loop_value)s->program->count;
    ADD(.op = LOOP_NEGATE, .type = LOOP_F32_TYPE(1), .a = self);
}
static void use_after_end(struct sample *s)
{
    loop_unary(s->program, LOOP_NEGATE, s->body_x);
}
static void use_index_after_end(struct sample *s)
{
    loop_plus(s->program, s->loop, 1);
}
static void use_across_else(struct sample *s)
{
    loop_if(s->program, s->flag);
    const loop_value inside = loop_load(s->program, 0, s->zero, 1);
    loop_else(s->program);
    loop_unary(s->program, LOOP_NEGATE, inside);
    loop_end(s->program);
}
static void use_statement(struct sample *s)
{
    const loop_value statement = (loop_value)s->program->count;
    loop_store(s->program, 2, s->zero, s->x);
    ADD(.op = LOOP_NEGATE, .type = LOOP_F32_TYPE(1), .a = statement);
}
static void local_as_value(struct sample *s)
{
    loop_unary(s->program, LOOP_NEGATE, s->local);
}
static void value_as_local(struct sample *s)
{
    loop_load_local(s->program, s->x, s->zero, 1);
}
static void mixed_types(struct sample *s)
{
    loop_binary(s->program, LOOP_ADD, s->x, s->label);
}
static void mixed_lanes(struct sample *s)
{
    loop_binary(s->program, LOOP_ADD, s->x4, s->x);
}
static void float_remainder(struct sample *s)
{
    loop_binary(s->program, LOOP_REMAINDER, s->x, s->x);
}
static void int_sqrt(struct sample *s)
{
    loop_unary(s->program, LOOP_SQRT, s->label);
}
static void int_fma(struct sample *s)
{
    loop_ternary(s->program, LOOP_FMA, s->label, s->label, s->label);
}
static void and_of_numbers(struct sample *s)
{
    loop_binary(s->program, LOOP_AND, s->x, s->x);
}
static void compare_bools(struct sample *s)
{
    loop_binary(s->program, LOOP_EQUAL, s->flag, s->flag);
}
static void comparison_type(struct sample *s)
{
    ADD(.op = LOOP_LESS, .type = LOOP_INT_TYPE, .a = s->x, .b = s->x);
}
static void select_lanes(struct sample *s)
{
    loop_ternary(s->program, LOOP_SELECT, s->flag, s->x4, s->x4);
}
static void select_choices(struct sample *s)
{
    loop_ternary(s->program, LOOP_SELECT, s->flag, s->x, s->label);
}
static void convert_bool(struct sample *s)
{
    loop_convert(s->program, s->flag, LOOP_F32);
}
static void broadcast_vector(struct sample *s)
{
    loop_broadcast(s->program, s->x4, 8);
}
static void reduce_type(struct sample *s)
{
    ADD(.op = LOOP_REDUCE_ADD, .type = LOOP_F32_TYPE(4), .a = s->x4);
}
static void odd_lanes(struct sample *s)
{
    loop_load(s->program, 0, s->zero, 3);
}
static void many_lanes(struct sample *s)
{
    loop_load(s->program, 0, s->zero, 32);
}
static void no_type(struct sample *s)
{
    ADD(.op = LOOP_TASK);
}
static void constant_type(struct sample *s)
{
    ADD(.op = LOOP_CONSTANT_FLOAT, .type = LOOP_INT_TYPE);
}
static void leaf_lanes(struct sample *s)
{
    ADD(.op = LOOP_CONSTANT_INT, .type = {LOOP_INT, 4});
}
static void statement_type(struct sample *s)
{
    ADD(.op = LOOP_STORE, .type = LOOP_F32_TYPE(1), .a = s->zero, .b = s->x, .integer = 2);
}
static void no_parameter(struct sample *s)
{
    ADD(.op = LOOP_LOAD, .type = LOOP_F32_TYPE(1), .a = s->zero, .integer = 3);
}
static void store_to_input(struct sample *s)
{
    loop_store(s->program, 0, s->zero, s->x);
}
static void float_index(struct sample *s)
{
    loop_load(s->program, 0, s->x, 1);
}
static void stored_type(struct sample *s)
{
    loop_store(s->program, 2, s->zero, s->label);
}
static void float_mask(struct sample *s)
{
    loop_load_masked(s->program, 0, s->zero, s->x, 4);
}
static void float_store_mask(struct sample *s)
{
    loop_store_masked(s->program, 2, s->zero, s->x4, s->x);
}
static void bool_local(struct sample *s)
{
    loop_local(s->program, LOOP_BOOL, 4);
}
static void empty_local(struct sample *s)
{
    loop_local(s->program, LOOP_F32, 0);
}
static void large_locals(struct sample *s)
{
    loop_local(s->program, LOOP_F64, LOOP_LOCAL_BYTES / 8);
}
static void local_stored_type(struct sample *s)
{
    loop_store_local(s->program, s->local, s->zero, s->label);
}
static void local_float_index(struct sample *s)
{
    loop_load_local(s->program, s->local, s->x, 1);
}
static void float_range(struct sample *s)
{
    loop_for(s->program, s->zero, s->x, 1);
    loop_end(s->program);
}
static void zero_step(struct sample *s)
{
    loop_for(s->program, s->zero, s->ten, 0);
    loop_end(s->program);
}
static void int_condition(struct sample *s)
{
    loop_if(s->program, s->zero);
    loop_end(s->program);
}
static void lone_else(struct sample *s)
{
    loop_else(s->program);
}
static void second_else(struct sample *s)
{
    loop_if(s->program, s->flag);
    loop_else(s->program);
    loop_else(s->program);
    loop_end(s->program);
}
static void else_of_for(struct sample *s)
{
    loop_for(s->program, s->zero, s->ten, 1);
    loop_else(s->program);
    loop_end(s->program);
}
static void lone_end(struct sample *s)
{
    loop_end(s->program);
}
static void no_end(struct sample *s)
{
    loop_if(s->program, s->flag);
}
static void deep_nesting(struct sample *s)
{
    for (int i = 0; i <= LOOP_NESTING; i++)
        loop_if(s->program, s->flag);
    for (int i = 0; i <= LOOP_NESTING; i++)
        loop_end(s->program);
}
static void unknown_op(struct sample *s)
{
    ADD(.op = LOOP_OP_COUNT);
}

static const struct {
    void (*spoil)(struct sample *sample);
    const char *message;
} bad_programs[] = {
    {use_before, "(negate): operand a (%1000) is not defined before"},
    {use_itself, "is not defined before"},
    {use_after_end, "(negate): operand a (%8) is defined in a body that has ended"},
    {use_index_after_end, "operand a (%7) is defined in a body that has ended"},
    {use_across_else, "is defined in a body that has ended"},
    {use_statement, "is not a value"},
    {local_as_value, "is a local"},
    {value_as_local, "is not a local"},
    {mixed_types, "(add): the operands do not have the type of the result"},
    {mixed_lanes, "the operands do not have the type of the result"},
    {float_remainder, "(remainder): the operation does not exist for this type"},
    {int_sqrt, "(sqrt): the operation does not exist for this type"},
    {int_fma, "(fma): the operation does not exist for this type"},
    {and_of_numbers, "(and): the operation does not exist for this type"},
    {compare_bools, "the operands are not two numbers of one type"},
    {comparison_type, "the result is not BOOL"},
    {select_lanes, "the condition is not BOOL of as many lanes"},
    {select_choices, "the choices do not have the type of the result"},
    {convert_bool, "the types are not two numbers"},
    {broadcast_vector, "the operand is not one lane"},
    {reduce_type, "the result is not one lane"},
    {odd_lanes, "the lanes are not"},
    {many_lanes, "the lanes are not"},
    {no_type, "the type is not one of a value"},
    {constant_type, "the type is not a float"},
    {leaf_lanes, "the type is not one INT"},
    {statement_type, "a statement has no type"},
    {no_parameter, "there is no such parameter"},
    {store_to_input, "the parameter is not an output"},
    {float_index, "the index is not one INT"},
    {stored_type, "the value does not have the type of the parameter"},
    {float_mask, "the mask is not one INT"},
    {float_store_mask, "the mask is not one INT"},
    {bool_local, "a local is not made of this type"},
    {empty_local, "a local has no such length"},
    {large_locals, "the locals are too large together"},
    {local_stored_type, "the value does not have the type of the local"},
    {local_float_index, "the index is not one INT"},
    {float_range, "the range is not of INT"},
    {zero_step, "the step is not positive"},
    {int_condition, "the condition is not one BOOL"},
    {lone_else, "there is no if to which it belongs"},
    {second_else, "there is no if to which it belongs"},
    {else_of_for, "there is no if to which it belongs"},
    {lone_end, "there is no body to end"},
    {no_end, "(if): its body does not end"},
    {deep_nesting, "too many bodies inside each other"},
    {unknown_op, "there is no such operation"},
};

START_TEST(test_verifier_rejects)
{
    struct sample sample = new_sample();
    ck_assert_ptr_null(loop_check(sample.program));
    bad_programs[_i].spoil(&sample);
    const char *message = loop_check(sample.program);
    ck_assert_ptr_nonnull(message);
    ck_assert_msg(strstr(message, bad_programs[_i].message), "row %d: %s", _i, message);
    ck_assert_msg(strstr(message, "sample: instruction "), "row %d: %s", _i, message);
}
END_TEST

/* ---- the dump ---- */

static void build_printed(struct loop_program *program)
{
    const loop_value zero = loop_int(program, 0), images = loop_images(program);
    const loop_value four = loop_int(program, 4), task = loop_task(program);
    const loop_value scale = loop_float(program, LOOP_F32_TYPE(16), 0.5);
    const loop_value tile = loop_local(program, LOOP_F64, 8);
    const loop_value i = loop_for(program, zero, images, 2);
    const loop_value x = loop_load(program, 0, i, 16);
    const loop_value tail = loop_load_masked(program, 0, i, four, 16);
    const loop_value scaled = loop_ternary(program, LOOP_FMA, x, scale, tail);
    const loop_value d =
        loop_convert(program, loop_unary(program, LOOP_REDUCE_ADD, scaled), LOOP_F64);
    loop_store_local(program, tile, zero, d);
    loop_if(program, loop_binary(program, LOOP_LESS, i, task));
    loop_store(program, 2, i, scaled);
    loop_else(program);
    loop_store_masked(program, 2, i, scaled, four);
    loop_end(program);
    loop_end(program);
    loop_load_local(program, tile, zero, 1);
}

static const char printed[] = "program sample schedule naive images_per_task 0 tasks_per_group 1\n"
                              "parameter x f32\n"
                              "parameter labels i32\n"
                              "parameter y f32 output\n"
                              "    %0 = int 0\n"
                              "    %1 = images\n"
                              "    %2 = int 4\n"
                              "    %3 = task\n"
                              "    %4 = float f32x16 0.5\n"
                              "    %5 = local f64[8]\n"
                              "    %6 = for %0 to %1 step 2\n"
                              "        %7 = load f32x16 x[%6]\n"
                              "        %8 = load_masked f32x16 x[%6], %2\n"
                              "        %9 = fma f32x16 %7, %4, %8\n"
                              "        %10 = reduce_add f32 %9\n"
                              "        %11 = convert f64 %10\n"
                              "        store_local %5[%0], %11\n"
                              "        %13 = less bool %6, %3\n"
                              "        if %13\n"
                              "            store y[%6], %9\n"
                              "        else\n"
                              "            store_masked y[%6], %9, %2\n"
                              "        end\n"
                              "    end\n"
                              "    %20 = load_local f64 %5[%0]\n";

START_TEST(test_print)
{
    struct loop_program *program = new_program();
    build_printed(program);
    ck_assert_ptr_null(loop_check(program));
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(stream);
    loop_print(program, stream);
    fclose(stream);
    ck_assert_str_eq(text, printed);
    free(text);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("loop");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, test_constants_fold);
    tcase_add_test(cases, test_identities_fold);
    tcase_add_test(cases, test_what_must_not_fold);
    tcase_add_test(cases, test_types_follow);
    tcase_add_test(cases, test_task_count);
    tcase_add_loop_test(cases, test_verifier_rejects, 0,
                        (int)(sizeof bad_programs / sizeof *bad_programs));
    tcase_add_test(cases, test_print);
    return run_case("loop", cases);
}
