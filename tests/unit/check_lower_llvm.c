/* Compiled code against the interpreter, bit for bit: every operation in every type, and the
 * structures of programs. Then the promises about the code itself: tiles stay in registers, bytes
 * do not depend on threads, and a wrong processor is an error rather than an end. */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/loop_compare.h"
#include "tests/unit/runnable_cpus.h"
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

static void check_status(struct status status)
{
    ck_assert_msg(status_is_ok(&status), "%s", status.message);
}

/* Compiles programs for each processor that can be run here and compares all results. */
static void compare_all(struct loop_program *const *programs, size_t count, int64_t tasks)
{
    const char *cpus[RUNNABLE_CPUS];
    const size_t cpu_count = runnable_cpus(cpus);
    cpu_function **functions = ARENA_ARRAY(&arena, cpu_function *, count);
    for (size_t i = 0; i < count; i++) {
        const char *message = loop_check(programs[i]);
        ck_assert_msg(!message, "%s", message);
    }
    for (size_t c = 0; c < cpu_count; c++) {
        const struct cpu_target target = {.cpu = cpus[c]};
        struct cpu_jit *jit;
        check_status(cpu_jit_new_for(&target, programs, count, &jit, functions));
        for (size_t i = 0; i < count; i++) {
            const char *message = compare_run(programs[i], functions[i], tasks, 17 + i);
            ck_assert_msg(!message, "on %s: %s", cpus[c], message);
        }
        cpu_jit_free(jit);
    }
}

/* ---- every operation in every type ---- */

/* A program being filled with operations whose results go to ever new places. */
struct sink {
    struct loop_program *program;
    int64_t place;
};

static loop_value next_place(struct sink *sink)
{
    const loop_value place = loop_int(sink->program, sink->place);
    sink->place += LOOP_LANES;
    return place;
}

/* Stores all bits of a value: an F64 as a sum of F32, an INT as its halves. */
static void keep(struct sink *sink, loop_value value)
{
    struct loop_program *program = sink->program;
    const struct loop_type type = loop_type_of(program, value);
    if (type.scalar == LOOP_BOOL) {
        const loop_value one = loop_float(program, LOOP_F32_TYPE(type.lanes), 1.0);
        const loop_value two = loop_float(program, LOOP_F32_TYPE(type.lanes), 2.0);
        value = loop_ternary(program, LOOP_SELECT, value, one, two);
        loop_store(program, COMPARE_Y, next_place(sink), value);
    } else if (type.scalar == LOOP_F32) {
        loop_store(program, COMPARE_Y, next_place(sink), value);
    } else if (type.scalar == LOOP_F64) {
        for (int part = 0; part < 3; part++) {
            const loop_value rounded = loop_convert(program, value, LOOP_F32);
            loop_store(program, COMPARE_Y, next_place(sink), rounded);
            value = loop_binary(program, LOOP_SUBTRACT, value,
                                loop_convert(program, rounded, LOOP_F64));
        }
    } else {
        const loop_value half =
            loop_broadcast(program, loop_int(program, INT64_C(1) << 32), type.lanes);
        loop_store(program, COMPARE_COUNTS, next_place(sink), value);
        loop_store(program, COMPARE_COUNTS, next_place(sink),
                   loop_binary(program, LOOP_DIVIDE, value, half));
    }
}

/* An operand of the given type, different for each `which`. */
static loop_value operand(struct sink *sink, struct loop_type type, int64_t which)
{
    struct loop_program *program = sink->program;
    const loop_value index = loop_int(program, 100 * which);
    if (type.scalar == LOOP_BOOL) {
        const struct loop_type numbers = {LOOP_F32, type.lanes};
        return loop_binary(program, LOOP_LESS, operand(sink, numbers, which),
                           operand(sink, numbers, which + 1));
    }
    const uint32_t parameter = type.scalar == LOOP_INT ? COMPARE_LABELS : COMPARE_X;
    const loop_value value = loop_load(program, parameter, index, type.lanes);
    return loop_convert(program, value, type.scalar);
}

static void keep_unary(struct sink *sink, enum loop_op op, struct loop_type type)
{
    keep(sink, loop_unary(sink->program, op, operand(sink, type, 1)));
}

static void keep_binary(struct sink *sink, enum loop_op op, struct loop_type type)
{
    for (int64_t which = 2; which < 6; which += 3)
        keep(sink, loop_binary(sink->program, op, operand(sink, type, which),
                               operand(sink, type, which + 1)));
}

static void keep_ternary(struct sink *sink, enum loop_op op, struct loop_type type)
{
    const struct loop_type first = {op == LOOP_SELECT ? LOOP_BOOL : type.scalar, type.lanes};
    keep(sink, loop_ternary(sink->program, op, operand(sink, first, 7), operand(sink, type, 9),
                            operand(sink, type, 10)));
}

static void keep_conversions(struct sink *sink, struct loop_type type)
{
    const loop_value value = operand(sink, type, 11);
    for (enum loop_scalar to = LOOP_INT; to <= LOOP_F64; to++)
        keep(sink, loop_convert(sink->program, value, to));
    const struct loop_type one_lane = {type.scalar, 1};
    keep(sink, loop_broadcast(sink->program, operand(sink, one_lane, 12), type.lanes));
    keep(sink, loop_unary(sink->program, LOOP_REDUCE_ADD, operand(sink, type, 13)));
}

/* Divisors must not be 0. */
static void keep_int_division(struct sink *sink, int lanes)
{
    static const int64_t divisors[] = {1, -1, 3, -7, 16};
    const loop_value value = operand(sink, (struct loop_type){LOOP_INT, (uint8_t)lanes}, 14);
    for (int i = 0; i < 5; i++) {
        const loop_value divisor =
            loop_broadcast(sink->program, loop_int(sink->program, divisors[i]), lanes);
        keep(sink, loop_binary(sink->program, LOOP_DIVIDE, value, divisor));
        keep(sink, loop_binary(sink->program, LOOP_REMAINDER, value, divisor));
    }
}

static void keep_masked(struct sink *sink, uint32_t from, uint32_t to, int lanes)
{
    struct loop_program *program = sink->program;
    for (int64_t active = -1; active <= lanes + 1; active += lanes < 8 ? 1 : 3) {
        const loop_value count = loop_int(program, active), index = loop_int(program, 1501);
        const loop_value value = loop_load_masked(program, from, index, count, lanes);
        loop_store(program, to, next_place(sink), value);
        loop_store_masked(program, to, next_place(sink), loop_load(program, from, index, lanes),
                          count);
    }
}

/* Words above 32 bits and a counter that wraps around. */
static void keep_random(struct sink *sink, struct loop_type type)
{
    static const int64_t words[] = {0, -1, 7, INT64_C(0x123456789abcdef), UINT32_MAX - 3};
    struct loop_program *program = sink->program;
    for (int i = 0; i < 3; i++)
        keep(sink, loop_random(program, type, loop_int(program, words[i]),
                               loop_int(program, words[i + 1]), loop_int(program, words[i + 2])));
}

static void keep_leaves(struct sink *sink, struct loop_type type)
{
    keep(sink, loop_task(sink->program));
    keep(sink, loop_images(sink->program));
    keep(sink, loop_int(sink->program, INT64_C(0x123456789abcdef)));
    if (type.scalar == LOOP_F32 || type.scalar == LOOP_F64)
        keep(sink, loop_float(sink->program, type, 0.1));
}

static void keep_local(struct sink *sink, struct loop_type type)
{
    struct loop_program *program = sink->program;
    const loop_value local = loop_local(program, type.scalar, 2 * LOOP_LANES);
    const loop_value zero = loop_int(program, 0), middle = loop_int(program, type.lanes);
    loop_store_local(program, local, zero, operand(sink, type, 15));
    loop_store_local(program, local, middle, operand(sink, type, 16));
    loop_store_local(program, local, middle, loop_load_local(program, local, zero, 1));
    keep(sink, loop_load_local(program, local, middle, type.lanes));
}

static struct loop_program *operations_program(struct loop_type type)
{
    static const enum loop_op comparisons[] = {LOOP_EQUAL, LOOP_LESS, LOOP_LESS_EQUAL};
    const struct loop_type flags = {LOOP_BOOL, type.lanes};
    const bool is_float = type.scalar != LOOP_INT;
    struct sink sink = {
        compare_program_new(&arena, arena_format(&arena, "all_%d_%d", type.scalar, type.lanes)), 0};
    for (enum loop_op op = LOOP_ADD; op <= LOOP_MAXIMUM; op++)
        if (is_float ? op != LOOP_REMAINDER : op != LOOP_DIVIDE && op != LOOP_REMAINDER)
            keep_binary(&sink, op, type);
    for (int i = 0; i < 3; i++)
        keep_binary(&sink, comparisons[i], type);
    keep_unary(&sink, LOOP_NEGATE, type);
    if (is_float) {
        keep_unary(&sink, LOOP_SQRT, type);
        keep_ternary(&sink, LOOP_FMA, type);
        keep_random(&sink, type);
    } else {
        keep_int_division(&sink, type.lanes);
    }
    if (type.scalar == LOOP_F32) { /* in double precision they are the C library's */
        keep_unary(&sink, LOOP_EXP, type);
        keep_unary(&sink, LOOP_LOG, type);
    }
    keep_ternary(&sink, LOOP_SELECT, type);
    keep_binary(&sink, LOOP_AND, flags);
    keep_binary(&sink, LOOP_OR, flags);
    keep_conversions(&sink, type);
    keep_masked(&sink, COMPARE_X, COMPARE_Y, type.lanes);
    keep_masked(&sink, COMPARE_LABELS, COMPARE_COUNTS, type.lanes);
    keep_leaves(&sink, type);
    keep_local(&sink, type);
    ck_assert_int_le(sink.place, COMPARE_LENGTH);
    return sink.program;
}

START_TEST(test_operations)
{
    struct loop_program *programs[15];
    size_t count = 0;
    for (enum loop_scalar scalar = LOOP_INT; scalar <= LOOP_F64; scalar++)
        for (int lanes = 1; lanes <= LOOP_LANES; lanes *= 2)
            programs[count++] =
                operations_program((struct loop_type){(uint8_t)scalar, (uint8_t)lanes});
    compare_all(programs, count, 1);
}
END_TEST

/* ---- structures ---- */

/* y[i] += sum over j of x[i + j] * x[j], in two nested scalar loops. */
static struct loop_program *nested_loops(void)
{
    struct loop_program *program = compare_program_new(&arena, "nested_loops");
    const loop_value zero = loop_int(program, 0), end = loop_int(program, 37);
    const loop_value sum = loop_local(program, LOOP_F32, 1);
    const loop_value i = loop_for(program, zero, end, 3);
    loop_store_local(program, sum, zero, loop_load(program, COMPARE_Y, i, 1));
    const loop_value j = loop_for(program, i, end, 1);
    const loop_value product = loop_binary(
        program, LOOP_MULTIPLY, loop_load(program, COMPARE_X, loop_add(program, i, j), 1),
        loop_load(program, COMPARE_X, j, 1));
    loop_store_local(
        program, sum, zero,
        loop_binary(program, LOOP_ADD, loop_load_local(program, sum, zero, 1), product));
    loop_end(program);
    loop_store(program, COMPARE_Y, i, loop_load_local(program, sum, zero, 1));
    loop_end(program);
    return program;
}

/* Independent elements, which LLVM may vectorize by itself. */
static struct loop_program *flat_loop(void)
{
    struct loop_program *program = compare_program_new(&arena, "flat_loop");
    const loop_value i =
        loop_for(program, loop_int(program, 5), loop_int(program, COMPARE_LENGTH - 3), 1);
    const loop_value x = loop_load(program, COMPARE_X, i, 1);
    const loop_value y = loop_load(program, COMPARE_Y, i, 1);
    const loop_value zero = loop_float(program, LOOP_F32_TYPE(1), 0.0);
    const loop_value sum = loop_binary(program, LOOP_ADD, loop_binary(program, LOOP_MULTIPLY, x, y),
                                       loop_ternary(program, LOOP_FMA, x, y, x));
    loop_store(program, COMPARE_Y, i, loop_binary(program, LOOP_MAXIMUM, sum, zero));
    loop_end(program);
    return program;
}

/* Ifs in loops in ifs, with and without else, and a loop that does not run. */
static struct loop_program *branches(void)
{
    struct loop_program *program = compare_program_new(&arena, "branches");
    const loop_value zero = loop_int(program, 0), one = loop_int(program, 1);
    const loop_value i = loop_for(program, zero, loop_int(program, 200), 1);
    const loop_value label = loop_load(program, COMPARE_LABELS, i, 1);
    loop_if(program, loop_binary(program, LOOP_LESS, label, zero));
    const loop_value bits = loop_binary(program, LOOP_REMAINDER, label, loop_int(program, 2));
    loop_if(program, loop_binary(program, LOOP_EQUAL, bits, zero));
    loop_store(program, COMPARE_COUNTS, i, loop_times(program, label, 3));
    loop_end(program);
    loop_store(program, COMPARE_Y, i, loop_convert(program, label, LOOP_F32));
    loop_else(program);
    loop_for(program, one, zero, 1);
    loop_store(program, COMPARE_COUNTS, zero, label);
    loop_end(program);
    const loop_value j = loop_for(program, zero, loop_int(program, 3), 2);
    loop_if(program, loop_binary(program, LOOP_LESS_EQUAL, j, label));
    loop_store(program, COMPARE_COUNTS, loop_plus(program, i, 1000), loop_add(program, label, j));
    loop_else(program);
    loop_store(program, COMPARE_COUNTS, loop_plus(program, i, 2000), j);
    loop_end(program);
    loop_end(program);
    loop_end(program);
    loop_end(program);
    return program;
}

/* A histogram in a local that is indexed by values, and its vector of sums. */
static struct loop_program *indexed_local(void)
{
    struct loop_program *program = compare_program_new(&arena, "indexed_local");
    const loop_value zero = loop_int(program, 0), bins = loop_int(program, 16);
    const loop_value local = loop_local(program, LOOP_INT, 16);
    const loop_value empty = loop_broadcast(program, zero, 16);
    loop_store_local(program, local, zero, empty);
    const loop_value i = loop_for(program, zero, loop_int(program, 300), 1);
    const loop_value label = loop_plus(program, loop_load(program, COMPARE_LABELS, i, 1), 1000);
    const loop_value bin = loop_binary(program, LOOP_REMAINDER, label, bins);
    loop_store_local(program, local, bin,
                     loop_plus(program, loop_load_local(program, local, bin, 1), 1));
    loop_end(program);
    loop_store(program, COMPARE_COUNTS, zero, loop_load_local(program, local, zero, 16));
    return program;
}

/* Rows of 37 in vectors of 16 with a masked tail; each task has rows of its own. */
static struct loop_program *vectors_with_tail(void)
{
    struct loop_program *program = compare_program_new(&arena, "vectors_with_tail");
    const loop_value zero = loop_int(program, 0), width = loop_int(program, 37);
    const loop_value first = loop_times(program, loop_task(program), 3 * 37);
    const loop_value row = loop_for(program, zero, loop_images(program), 1);
    const loop_value column = loop_for(program, zero, width, 16);
    const loop_value at =
        loop_add(program, first, loop_add(program, loop_times(program, row, 37), column));
    const loop_value active = loop_binary(program, LOOP_SUBTRACT, width, column);
    const loop_value x = loop_load_masked(program, COMPARE_X, at, active, 16);
    const loop_value y = loop_load_masked(program, COMPARE_Y, at, active, 16);
    const loop_value sum = loop_binary(program, LOOP_ADD, x, y);
    loop_store_masked(program, COMPARE_Y, at, loop_ternary(program, LOOP_FMA, sum, x, y), active);
    loop_end(program);
    loop_end(program);
    return program;
}

START_TEST(test_structures)
{
    struct loop_program *programs[] = {nested_loops(), flat_loop(), branches(), indexed_local(),
                                       vectors_with_tail()};
    compare_all(programs, 5, 1);
    compare_all(&programs[4], 1, 7);
    compare_all(&programs[4], 1, 0);
}
END_TEST

/* ---- the code itself ---- */

enum {
    TILE_ROWS = 14,
    TILE_VECTORS = 2,
    TILE_DEPTH = 64,
};

/* A register tile: y[row][32] = sum over k of x[row][k] * x[1024 + k][32]. */
static struct loop_program *register_tile(void)
{
    struct loop_program *program = compare_program_new(&arena, "tile");
    const loop_value zero = loop_int(program, 0), depth = loop_int(program, TILE_DEPTH);
    const loop_value tile = loop_local(program, LOOP_F32, TILE_ROWS * TILE_VECTORS * 16);
    for (int i = 0; i < TILE_ROWS * TILE_VECTORS; i++)
        loop_store_local(program, tile, loop_int(program, 16 * i),
                         loop_float(program, LOOP_F32_TYPE(16), 0.0));
    const loop_value k = loop_for(program, zero, depth, 1);
    const loop_value weights = loop_plus(program, loop_times(program, k, 32), 1024);
    loop_value weight[TILE_VECTORS];
    for (int v = 0; v < TILE_VECTORS; v++)
        weight[v] = loop_load(program, COMPARE_X, loop_plus(program, weights, 16 * v), 16);
    for (int row = 0; row < TILE_ROWS; row++) {
        const loop_value x =
            loop_load(program, COMPARE_X, loop_plus(program, k, row * TILE_DEPTH), 1);
        const loop_value wide = loop_broadcast(program, x, 16);
        for (int v = 0; v < TILE_VECTORS; v++) {
            const loop_value at = loop_int(program, 16 * (row * TILE_VECTORS + v));
            const loop_value sum = loop_load_local(program, tile, at, 16);
            loop_store_local(program, tile, at,
                             loop_ternary(program, LOOP_FMA, wide, weight[v], sum));
        }
    }
    loop_end(program);
    for (int i = 0; i < TILE_ROWS * TILE_VECTORS; i++) {
        const loop_value at = loop_int(program, 16 * i);
        loop_store(program, COMPARE_Y, at, loop_load_local(program, tile, at, 16));
    }
    return program;
}

static struct cpu_code compile_one(struct loop_program *program, const char *cpu,
                                   enum cpu_output output)
{
    const struct cpu_target target = {.cpu = cpu, .threads = 1};
    struct cpu_code code;
    check_status(cpu_compile(&arena, &target, &program, 1, output, &code));
    return code;
}

static int occurrences(const char *begin, const char *end, const char *word)
{
    int count = 0;
    for (const char *at = strstr(begin, word); at && at < end; at = strstr(at + 1, word))
        count++;
    return count;
}

/* Finds the innermost loop of an assembly text with fused multiply-adds: from the last label
 * before the first of them to the jump back to it. */
static bool find_hot_loop(const char *assembly, const char **out_begin, const char **out_end)
{
    char jump[64];
    for (const char *label = strstr(assembly, "\n.LBB"); label;
         label = strstr(label + 1, "\n.LBB")) {
        const char *colon = strchr(label, ':');
        const char *next = strstr(label + 1, "\n.LBB");
        snprintf(jump, sizeof jump, "\t%.*s\n", (int)(colon - label - 1), label + 1);
        const char *back = strstr(colon, jump);
        if (!back || (next && back > next) || occurrences(label, back, "vfmadd") == 0)
            continue;
        *out_begin = label;
        *out_end = back;
        return true;
    }
    return false;
}

START_TEST(test_tile_stays_in_registers)
{
    struct loop_program *program = register_tile();
    const char *begin, *end;
    ck_assert_ptr_null(loop_check(program));
    const struct cpu_code code = compile_one(program, "x86-64-v4", CPU_ASSEMBLY);
    ck_assert_msg(find_hot_loop(code.bytes, &begin, &end), "no loop in\n%s", code.bytes);
    ck_assert_int_eq(occurrences(begin, end, "vfmadd"), TILE_ROWS * TILE_VECTORS);
    ck_assert_int_eq(occurrences(begin, end, "%zmm") > 2 * TILE_ROWS * TILE_VECTORS, 1);
    ck_assert_msg(occurrences(begin, end, "(%rsp)") == 0, "stack in\n%s", code.bytes);
    ck_assert_msg(occurrences(begin, end, "(%rbp)") == 0, "stack in\n%s", code.bytes);
    compare_all(&program, 1, 1);
}
END_TEST

START_TEST(test_scalar_loops_are_vectorized)
{
    const struct cpu_code code = compile_one(flat_loop(), "x86-64-v4", CPU_ASSEMBLY);
    ck_assert_ptr_nonnull(strstr(code.bytes, "%zmm"));
}
END_TEST

START_TEST(test_llvm_text)
{
    const struct cpu_code code = compile_one(nested_loops(), "x86-64-v3", CPU_LLVM);
    ck_assert_ptr_nonnull(strstr(code.bytes, "define void @nested_loops("));
    ck_assert_uint_eq(strlen(code.bytes), code.size);
}
END_TEST

START_TEST(test_bytes_do_not_depend_on_threads)
{
    struct loop_program *programs[] = {nested_loops(),  flat_loop(),         branches(),
                                       indexed_local(), vectors_with_tail(), register_tile()};
    for (enum cpu_output output = CPU_OBJECT; output <= CPU_LLVM; output++) {
        struct cpu_code serial[6], parallel[6];
        const struct cpu_target one = {.cpu = "x86-64-v4", .threads = 1};
        const struct cpu_target four = {.cpu = "x86-64-v4", .threads = 4};
        check_status(cpu_compile(&arena, &one, programs, 6, output, serial));
        check_status(cpu_compile(&arena, &four, programs, 6, output, parallel));
        for (int i = 0; i < 6; i++) {
            ck_assert_uint_eq(serial[i].size, parallel[i].size);
            ck_assert(memcmp(serial[i].bytes, parallel[i].bytes, serial[i].size) == 0);
        }
    }
}
END_TEST

START_TEST(test_unknown_cpu)
{
    static const char *const cpus[] = {"no-such-cpu", "", "i686", "x86-64-v5", "native "};
    struct loop_program *program = nested_loops();
    for (int i = 0; i < 5; i++) {
        const struct cpu_target target = {.cpu = cpus[i]};
        struct cpu_code code;
        const struct status status = cpu_compile(&arena, &target, &program, 1, CPU_OBJECT, &code);
        ck_assert_int_eq(status.code, STATUS_INVALID);
        ck_assert_ptr_nonnull(strstr(status.message, cpus[i]));
    }
}
END_TEST

START_TEST(test_known_cpus)
{
    static const char *const cpus[] = {"native",    "x86-64",         "x86-64-v2",
                                       "x86-64-v3", "x86-64-v4",      "haswell",
                                       "znver4",    "skylake-avx512", "sapphirerapids"};
    struct loop_program *program = vectors_with_tail();
    for (int i = 0; i < 9; i++)
        ck_assert_uint_gt(compile_one(program, cpus[i], CPU_OBJECT).size, 0);
}
END_TEST

START_TEST(test_nothing_to_compile)
{
    const struct cpu_target target = {.cpu = "native"};
    check_status(cpu_compile(&arena, &target, NULL, 0, CPU_OBJECT, NULL));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("lower_llvm");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, test_operations);
    tcase_add_test(cases, test_structures);
    tcase_add_test(cases, test_tile_stays_in_registers);
    tcase_add_test(cases, test_scalar_loops_are_vectorized);
    tcase_add_test(cases, test_llvm_text);
    tcase_add_test(cases, test_bytes_do_not_depend_on_threads);
    tcase_add_test(cases, test_unknown_cpu);
    tcase_add_test(cases, test_known_cpus);
    tcase_add_test(cases, test_nothing_to_compile);
    return run_case("lower_llvm", cases);
}
