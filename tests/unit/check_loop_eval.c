/* The interpreter: what each operation means, in both precisions, and every error it reports. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/bfloat16.h"
#include "codegen/loop_eval.h"
#include "tests/unit/suite.h"

enum {
    LENGTH = 64, /* elements of every buffer */
};

static struct arena arena;
static float x[LENGTH], y[LENGTH];
static int32_t labels[LENGTH], counts[LENGTH];

static void setup(void)
{
    arena = (struct arena){0};
    for (int i = 0; i < LENGTH; i++) {
        x[i] = 0.25f * (float)(i + 1);
        y[i] = -1.0f;
        labels[i] = i - 3;
        counts[i] = -1;
    }
}

static void teardown(void)
{
    arena_release(&arena);
}

/* Parameters 0 x, 1 labels, 2 y (output), 3 counts (output). */
static struct loop_program *new_program(void)
{
    struct loop_program *program = loop_program_new(&arena, "sample", "naive");
    program->tasks_per_group = 1;
    loop_parameter(program, "x", LOOP_STORAGE_F32, false);
    loop_parameter(program, "labels", LOOP_STORAGE_I32, false);
    loop_parameter(program, "y", LOOP_STORAGE_F32, true);
    loop_parameter(program, "counts", LOOP_STORAGE_I32, true);
    return program;
}

static const char *run_tasks(const struct loop_program *program, int64_t first, int64_t last)
{
    const struct loop_buffer buffers[] = {
        {x, LENGTH}, {labels, LENGTH}, {y, LENGTH}, {counts, LENGTH}};
    ck_assert_ptr_null(loop_check(program));
    return loop_eval(program, buffers, 7, first, last, LOOP_SINGLE);
}

static void run(const struct loop_program *program)
{
    const char *message = run_tasks(program, 0, 1);
    ck_assert_msg(!message, "%s", message);
}

/* ---- arithmetic ---- */

/* The result of a float operation on three numbers, in F32 or F64, in all of 4 lanes. */
static double float_result(enum loop_op op, enum loop_scalar scalar, double a, double b, double c)
{
    struct loop_program *program = new_program();
    const struct loop_type type = {(uint8_t)scalar, 4};
    const loop_value zero = loop_int(program, 0);
    const loop_value values[] = {loop_float(program, type, a), loop_float(program, type, b),
                                 loop_float(program, type, c)};
    const int operands = loop_op_operands(op);
    loop_value result = operands == 1 ? loop_unary(program, op, values[0])
                        : operands == 2
                            ? loop_binary(program, op, values[0], values[1])
                            : loop_ternary(program, op, values[0], values[1], values[2]);
    if (loop_type_of(program, result).scalar == LOOP_BOOL)
        result =
            loop_ternary(program, LOOP_SELECT, result, loop_float(program, LOOP_F32_TYPE(4), 1.0),
                         loop_float(program, LOOP_F32_TYPE(4), 0.0));
    loop_store(program, 2, zero, loop_convert(program, result, LOOP_F32));
    run(program);
    for (int k = 1; k < 4; k++)
        ck_assert(memcmp(&y[0], &y[k], sizeof y[0]) == 0);
    return (double)y[0];
}

static const struct {
    enum loop_op op;
    double a, b, c, result;
} float_rows[] = {
    {LOOP_ADD, 1.5, 2.0, 0, 3.5},         {LOOP_SUBTRACT, 1.5, 2.0, 0, -0.5},
    {LOOP_MULTIPLY, 1.5, 2.0, 0, 3.0},    {LOOP_DIVIDE, 1.5, 2.0, 0, 0.75},
    {LOOP_DIVIDE, 1.0, 0.0, 0, INFINITY}, {LOOP_MINIMUM, 1.5, 2.0, 0, 1.5},
    {LOOP_MINIMUM, NAN, 2.0, 0, 2.0},     {LOOP_MINIMUM, 2.0, NAN, 0, NAN},
    {LOOP_MAXIMUM, 1.5, 2.0, 0, 2.0},     {LOOP_MAXIMUM, NAN, 2.0, 0, 2.0},
    {LOOP_FMA, 1.5, 2.0, 0.25, 3.25},     {LOOP_NEGATE, 1.5, 0, 0, -1.5},
    {LOOP_SQRT, 2.25, 0, 0, 1.5},         {LOOP_SQRT, -1.0, 0, 0, NAN},
    {LOOP_EXP, 0.0, 0, 0, 1.0},           {LOOP_LOG, 1.0, 0, 0, 0.0},
    {LOOP_EQUAL, 2.0, 2.0, 0, 1.0},       {LOOP_EQUAL, NAN, NAN, 0, 0.0},
    {LOOP_LESS, 1.0, 2.0, 0, 1.0},        {LOOP_LESS, 2.0, 2.0, 0, 0.0},
    {LOOP_LESS, NAN, 2.0, 0, 0.0},        {LOOP_LESS_EQUAL, 2.0, 2.0, 0, 1.0},
    {LOOP_LESS_EQUAL, 2.0, NAN, 0, 0.0},
};

START_TEST(test_float_operations)
{
    const double wanted = float_rows[_i].result;
    for (enum loop_scalar scalar = LOOP_F32; scalar <= LOOP_F64; scalar++) {
        const double result = float_result(float_rows[_i].op, scalar, float_rows[_i].a,
                                           float_rows[_i].b, float_rows[_i].c);
        if (isnan(wanted))
            ck_assert_msg(isnan(result), "row %d: %g", _i, result);
        else
            ck_assert_msg(result == wanted, "row %d: %g is not %g", _i, result, wanted);
    }
}
END_TEST

START_TEST(test_single_rounds_once)
{
    const float a = 1.0f + FLT_EPSILON;
    const double product = float_result(LOOP_MULTIPLY, LOOP_F32, (double)a, (double)a, 0);
    ck_assert(product == (double)(a * a));
    const double rest = float_result(LOOP_FMA, LOOP_F32, (double)a, (double)a, -product);
    ck_assert(rest == (double)fmaf(a, a, -(float)product));
    ck_assert(rest != 0.0);
    ck_assert(float_result(LOOP_EXP, LOOP_F32, 1.0, 0, 0) == (double)expf(1.0f));
    ck_assert(float_result(LOOP_LOG, LOOP_F32, 3.0, 0, 0) == (double)logf(3.0f));
}
END_TEST

/* The result of an integer operation, on constants that the builder cannot see through. */
static int64_t int_result(enum loop_op op, int64_t a, int64_t b)
{
    struct loop_program *program = new_program();
    const loop_value zero = loop_int(program, 0), one = loop_int(program, 1);
    labels[0] = (int32_t)a;
    labels[1] = (int32_t)b;
    const loop_value left = loop_load(program, 1, zero, 1), right = loop_load(program, 1, one, 1);
    loop_value result = loop_op_operands(op) == 1 ? loop_unary(program, op, left)
                                                  : loop_binary(program, op, left, right);
    if (loop_type_of(program, result).scalar == LOOP_BOOL)
        result = loop_ternary(program, LOOP_SELECT, result, one, zero);
    loop_store(program, 3, zero, result);
    run(program);
    return counts[0];
}

START_TEST(test_int_operations)
{
    ck_assert_int_eq(int_result(LOOP_ADD, 5, -7), -2);
    ck_assert_int_eq(int_result(LOOP_SUBTRACT, 5, -7), 12);
    ck_assert_int_eq(int_result(LOOP_MULTIPLY, 5, -7), -35);
    ck_assert_int_eq(int_result(LOOP_DIVIDE, -7, 2), -3);
    ck_assert_int_eq(int_result(LOOP_REMAINDER, -7, 2), -1);
    ck_assert_int_eq(int_result(LOOP_MINIMUM, 5, -7), -7);
    ck_assert_int_eq(int_result(LOOP_MAXIMUM, 5, -7), 5);
    ck_assert_int_eq(int_result(LOOP_NEGATE, 5, 0), -5);
    ck_assert_int_eq(int_result(LOOP_EQUAL, 5, 5), 1);
    ck_assert_int_eq(int_result(LOOP_LESS, 5, 5), 0);
    ck_assert_int_eq(int_result(LOOP_LESS_EQUAL, 5, 5), 1);
}
END_TEST

START_TEST(test_logic)
{
    struct loop_program *program = new_program();
    const loop_value zero = loop_int(program, 0);
    const loop_value label = loop_load(program, 1, zero, 8); /* -3 ... 4 */
    const loop_value low = loop_broadcast(program, loop_int(program, -1), 8);
    const loop_value high = loop_broadcast(program, loop_int(program, 2), 8);
    const loop_value above = loop_binary(program, LOOP_LESS, low, label);
    const loop_value below = loop_binary(program, LOOP_LESS, label, high);
    const loop_value both = loop_binary(program, LOOP_AND, above, below);
    const loop_value either = loop_binary(program, LOOP_OR, above, below);
    loop_store(program, 3, zero, loop_ternary(program, LOOP_SELECT, both, label, low));
    loop_store(program, 3, loop_int(program, 8),
               loop_ternary(program, LOOP_SELECT, either, label, low));
    run(program);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(counts[i], labels[i] > -1 && labels[i] < 2 ? labels[i] : -1);
        ck_assert_int_eq(counts[8 + i], labels[i]);
    }
}
END_TEST

/* What converting `number` to INT gives, saturated to the 32 bits of storage. */
static int64_t converted(double number)
{
    struct loop_program *program = new_program();
    const loop_value zero = loop_int(program, 0);
    const loop_value value =
        loop_convert(program, loop_float(program, LOOP_F64_TYPE(1), number), LOOP_INT);
    const loop_value limited =
        loop_binary(program, LOOP_MINIMUM,
                    loop_binary(program, LOOP_MAXIMUM, value, loop_int(program, INT32_MIN)),
                    loop_int(program, INT32_MAX));
    loop_store(program, 3, zero, limited);
    run(program);
    return counts[0];
}

START_TEST(test_conversion)
{
    ck_assert_int_eq(converted(2.9), 2);
    ck_assert_int_eq(converted(-2.9), -2);
    ck_assert_int_eq(converted(NAN), 0);
    ck_assert_int_eq(converted(1e300), INT32_MAX);
    ck_assert_int_eq(converted(-INFINITY), INT32_MIN);

    struct loop_program *program = new_program();
    const loop_value zero = loop_int(program, 0);
    const loop_value label = loop_load(program, 1, zero, 4);
    const loop_value wide = loop_convert(program, label, LOOP_F64);
    loop_store(program, 2, zero, loop_convert(program, wide, LOOP_F32));
    loop_store(program, 2, loop_int(program, 4), loop_convert(program, label, LOOP_F32));
    run(program);
    for (int i = 0; i < 4; i++)
        ck_assert(y[i] == (float)labels[i] && y[4 + i] == (float)labels[i]);
}
END_TEST

START_TEST(test_reduction_is_in_order)
{
    struct loop_program *program = new_program();
    const loop_value zero = loop_int(program, 0);
    float sum = 0.0f;
    for (int i = 0; i < 16; i++)
        x[i] = i == 3 ? 1e8f : 1.7f * (float)i;
    for (int i = 0; i < 16; i++)
        sum += x[i];
    loop_store(program, 2, zero,
               loop_unary(program, LOOP_REDUCE_ADD, loop_load(program, 0, zero, 16)));
    loop_store(program, 3, zero,
               loop_unary(program, LOOP_REDUCE_ADD, loop_load(program, 1, zero, 8)));
    run(program);
    ck_assert(y[0] == sum);
    ck_assert_int_eq(counts[0], 4);
}
END_TEST

START_TEST(test_spread_gives_a_lane_to_its_part)
{
    struct loop_program *program = new_program();
    const loop_value zero = loop_int(program, 0);
    for (int i = 0; i < 16; i++)
        x[i] = (float)i;
    loop_store(program, 2, zero, loop_spread(program, loop_load(program, 0, zero, 16), 4, 2));
    loop_store(program, 2, loop_int(program, 16),
               loop_spread(program, loop_load(program, 0, zero, 8), 1, 0));
    run(program);
    for (int i = 0; i < 16; i++)
        ck_assert(y[i] == (float)(i / 4 * 4 + 2));
    for (int i = 0; i < 8; i++)
        ck_assert(y[16 + i] == (float)i);
}
END_TEST

/* ---- memory ---- */

START_TEST(test_masks)
{
    static const int64_t actives[] = {-5, 0, 1, 3, 8, 100};
    struct loop_program *program = new_program();
    const loop_value zero = loop_int(program, 0);
    const loop_value active = loop_int(program, actives[_i]);
    const loop_value value = loop_load_masked(program, 0, zero, active, 8);
    loop_store(program, 2, zero, value);
    loop_store_masked(program, 2, loop_int(program, 16), loop_load(program, 0, zero, 8), active);
    run(program);
    for (int i = 0; i < 8; i++) {
        ck_assert(y[i] == (i < actives[_i] ? x[i] : 0.0f));
        ck_assert(y[16 + i] == (i < actives[_i] ? x[i] : -1.0f));
    }
}
END_TEST

START_TEST(test_masked_lanes_reach_no_memory)
{
    struct loop_program *program = new_program();
    const loop_value edge = loop_int(program, LENGTH - 3), three = loop_int(program, 3);
    const loop_value value = loop_load_masked(program, 0, edge, three, 16);
    loop_store_masked(program, 2, edge, value, three);
    loop_store_masked(program, 2, loop_int(program, 1 << 20), value, loop_int(program, 0));
    run(program);
    ck_assert(y[LENGTH - 1] == x[LENGTH - 1] && y[LENGTH - 4] == -1.0f);
}
END_TEST

START_TEST(test_locals)
{
    struct loop_program *program = new_program();
    const loop_value zero = loop_int(program, 0), four = loop_int(program, 4);
    const loop_value floats = loop_local(program, LOOP_F32, 8);
    const loop_value integers = loop_local(program, LOOP_INT, 4);
    loop_store_local(program, floats, four, loop_load(program, 0, zero, 4));
    loop_store_local(program, integers, zero, loop_load(program, 1, zero, 4));
    loop_store(program, 2, zero, loop_load_local(program, floats, loop_int(program, 6), 2));
    loop_store(program, 2, four, loop_load_local(program, floats, zero, 1));
    loop_store(program, 3, zero, loop_load_local(program, integers, zero, 4));
    run(program);
    ck_assert(y[0] == x[2] && y[1] == x[3]);
    ck_assert(isnan(y[4]));
    ck_assert(memcmp(counts, labels, 4 * sizeof labels[0]) == 0);
}
END_TEST

/* Halves to the even neighbour, the least number that overflows, and the least of all. */
START_TEST(test_bfloat16_memory)
{
    static const float given[] = {1.0f,         1.00390625f, 1.01171875f, -3.3f,
                                  0x1.fffp127f, 0x1p-133f,   -0.0f,       1.00390637f};
    static const float wanted[] = {1.0f,     1.0f,      1.015625f, -3.296875f,
                                   INFINITY, 0x1p-133f, -0.0f,     1.0078125f};
    uint16_t memory[9] = {[8] = 7};
    float back[8];
    double wide[8], wide_back[8];
    struct loop_program *program = loop_program_new(&arena, "sample", "naive");
    const loop_value zero = loop_int(program, 0);
    program->tasks_per_group = 1;
    loop_parameter(program, "x", LOOP_STORAGE_F32, false);
    loop_parameter(program, "half", LOOP_STORAGE_BF16, true);
    loop_parameter(program, "y", LOOP_STORAGE_F32, true);
    loop_store(program, 1, zero, loop_load(program, 0, zero, 8));
    loop_store(program, 2, zero, loop_load(program, 1, zero, 8));
    ck_assert_ptr_null(loop_check(program));
    const struct loop_buffer single[] = {{(void *)(uintptr_t)given, 8}, {memory, 8}, {back, 8}};
    ck_assert_ptr_null(loop_eval(program, single, 1, 0, 1, LOOP_SINGLE));
    ck_assert_mem_eq(back, wanted, sizeof back);
    ck_assert_uint_eq(memory[0], 0x3f80);
    ck_assert_uint_eq(memory[8], 7);
    for (int i = 0; i < 8; i++)
        wide_back[i] = wide[i] = (double)given[i];
    const struct loop_buffer both[] = {{wide, 8}, {wide_back, 8}, {wide_back, 8}};
    ck_assert_ptr_null(loop_eval(program, both, 1, 0, 1, LOOP_DOUBLE));
    ck_assert_mem_eq(wide_back, wide, sizeof wide);
    ck_assert_uint_eq(bfloat16_of(NAN), 0x7fff);
    ck_assert(isnan(bfloat16_value(0x7fff)));
}
END_TEST

/* ---- structure ---- */

/* Counts how often a body runs. */
static int64_t iterations(int64_t begin, int64_t end, int64_t step)
{
    struct loop_program *program = new_program();
    const loop_value zero = loop_int(program, 0);
    counts[0] = 0;
    loop_for(program, loop_int(program, begin), loop_int(program, end), step);
    loop_store(program, 3, zero, loop_plus(program, loop_load(program, 3, zero, 1), 1));
    loop_end(program);
    run(program);
    return counts[0];
}

START_TEST(test_loops)
{
    ck_assert_int_eq(iterations(0, 10, 1), 10);
    ck_assert_int_eq(iterations(0, 10, 3), 4);
    ck_assert_int_eq(iterations(0, 9, 3), 3);
    ck_assert_int_eq(iterations(-4, 4, 4), 2);
    ck_assert_int_eq(iterations(5, 5, 1), 0);
    ck_assert_int_eq(iterations(6, 5, 1), 0);
    ck_assert_int_eq(iterations(INT64_MAX - 3, INT64_MAX, 2), 2);
    ck_assert_int_eq(iterations(INT64_MIN, INT64_MIN + 1, 5), 1);
}
END_TEST

START_TEST(test_nested_structure)
{
    struct loop_program *program = new_program();
    const loop_value zero = loop_int(program, 0), four = loop_int(program, 4);
    const loop_value i = loop_for(program, zero, four, 1);
    const loop_value j = loop_for(program, zero, i, 1);
    const loop_value place = loop_add(program, loop_times(program, i, 4), j);
    loop_if(program, loop_binary(program, LOOP_EQUAL, j, loop_int(program, 1)));
    loop_store(program, 3, place, i);
    loop_else(program);
    loop_store(program, 3, place, loop_int(program, 100));
    loop_end(program);
    loop_end(program);
    loop_if(program, loop_binary(program, LOOP_LESS, i, loop_int(program, 2)));
    loop_store(program, 3, loop_plus(program, i, 32), four);
    loop_end(program);
    loop_end(program);
    run(program);
    for (int n = 0; n < 16; n++)
        ck_assert_int_eq(counts[n], n % 4 >= n / 4 ? -1 : n % 4 == 1 ? n / 4 : 100);
    ck_assert(counts[32] == 4 && counts[33] == 4 && counts[34] == -1);
}
END_TEST

START_TEST(test_tasks_and_images)
{
    struct loop_program *program = new_program();
    const loop_value task = loop_task(program);
    loop_store(program, 3, task,
               loop_add(program, loop_times(program, task, 10), loop_images(program)));
    ck_assert_ptr_null(run_tasks(program, 2, 5));
    ck_assert(counts[1] == -1 && counts[5] == -1);
    for (int i = 2; i < 5; i++)
        ck_assert_int_eq(counts[i], 10 * i + 7);
}
END_TEST

/* ---- errors ---- */

static void load_above(struct loop_program *program)
{
    loop_load(program, 0, loop_int(program, LENGTH - 3), 4);
}
static void load_below(struct loop_program *program)
{
    loop_load(program, 1, loop_int(program, -1), 1);
}
static void store_above(struct loop_program *program)
{
    const loop_value value = loop_float(program, LOOP_F32_TYPE(16), 1.0);
    loop_store(program, 2, loop_int(program, LENGTH), value);
}
static void load_masked_above(struct loop_program *program)
{
    loop_load_masked(program, 0, loop_int(program, LENGTH - 3), loop_int(program, 4), 8);
}
static void store_masked_above(struct loop_program *program)
{
    const loop_value value = loop_float(program, LOOP_F32_TYPE(8), 1.0);
    loop_store_masked(program, 2, loop_int(program, INT64_MAX), value, loop_int(program, 2));
}
static void local_above(struct loop_program *program)
{
    const loop_value local = loop_local(program, LOOP_F32, 8);
    loop_load_local(program, local, loop_int(program, 5), 4);
}
static void divide_by_zero(struct loop_program *program)
{
    const loop_value zero = loop_int(program, 0);
    loop_binary(program, LOOP_DIVIDE, loop_load(program, 1, zero, 1), zero);
}
static void remainder_overflow(struct loop_program *program)
{
    loop_binary(program, LOOP_REMAINDER, loop_int(program, INT64_MIN), loop_int(program, -1));
}

static const struct {
    void (*build)(struct loop_program *program);
    const char *message;
} error_rows[] = {
    {load_above, "instruction 1 (load): index 61 with 4 lanes is out of bounds of x, which has 64"},
    {load_below, "instruction 1 (load): index -1 with 1 lanes is out of bounds of labels"},
    {store_above, "instruction 2 (store): index 64 with 16 lanes is out of bounds of y"},
    {load_masked_above, "(load_masked): index 61 with 4 lanes is out of bounds of x"},
    {store_masked_above, "(store_masked): index 9223372036854775807 with 2 lanes"},
    {local_above, "(load_local): index 5 with 4 lanes is out of bounds of the local, which has 8"},
    {divide_by_zero, "(divide): the quotient is undefined in task 0"},
    {remainder_overflow, "(remainder): the quotient is undefined"},
};

START_TEST(test_errors)
{
    struct loop_program *program = new_program();
    error_rows[_i].build(program);
    const char *message = run_tasks(program, 0, 1);
    ck_assert_ptr_nonnull(message);
    ck_assert_msg(strstr(message, error_rows[_i].message), "row %d: %s", _i, message);
}
END_TEST

/* ---- double precision ---- */

START_TEST(test_double_precision)
{
    struct loop_program *program = new_program();
    const loop_value zero = loop_int(program, 0);
    const loop_value third = loop_float(program, LOOP_F32_TYPE(2), 1.0 / 3.0);
    const loop_value value = loop_load(program, 0, zero, 2);
    const loop_value local = loop_local(program, LOOP_F32, 2);
    loop_store_local(program, local, zero, loop_binary(program, LOOP_MULTIPLY, value, third));
    const loop_value product = loop_load_local(program, local, zero, 2);
    const loop_value wide = loop_convert(program, product, LOOP_F64);
    const loop_value root = loop_unary(program, LOOP_SQRT, wide);
    loop_store(program, 2, zero, loop_convert(program, root, LOOP_F32));
    loop_store(program, 3, zero, loop_convert(program, value, LOOP_INT));

    double in[2] = {0.1, 70.5}, out[2] = {0};
    const struct loop_buffer buffers[] = {{in, 2}, {labels, LENGTH}, {out, 2}, {counts, LENGTH}};
    ck_assert_ptr_null(loop_check(program));
    ck_assert_ptr_null(loop_eval(program, buffers, 1, 0, 1, LOOP_DOUBLE));
    for (int i = 0; i < 2; i++)
        ck_assert(out[i] == sqrt(in[i] * (1.0 / 3.0)));
    ck_assert(counts[0] == 0 && counts[1] == 70);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("loop_eval");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, test_float_operations, 0,
                        (int)(sizeof float_rows / sizeof *float_rows));
    tcase_add_test(cases, test_single_rounds_once);
    tcase_add_test(cases, test_int_operations);
    tcase_add_test(cases, test_logic);
    tcase_add_test(cases, test_conversion);
    tcase_add_test(cases, test_reduction_is_in_order);
    tcase_add_test(cases, test_spread_gives_a_lane_to_its_part);
    tcase_add_loop_test(cases, test_masks, 0, 6);
    tcase_add_test(cases, test_masked_lanes_reach_no_memory);
    tcase_add_test(cases, test_bfloat16_memory);
    tcase_add_test(cases, test_locals);
    tcase_add_test(cases, test_loops);
    tcase_add_test(cases, test_nested_structure);
    tcase_add_test(cases, test_tasks_and_images);
    tcase_add_loop_test(cases, test_errors, 0, (int)(sizeof error_rows / sizeof *error_rows));
    tcase_add_test(cases, test_double_precision);
    return run_case("loop_eval", cases);
}
