/* exp and log of 32-bit floats: how far from exact over the whole range, and that compiled code has
 * the same bits in vectors of every width, on every processor level that can be run here.
 *
 * Every 1009th float is tried; RNET_SOAK=1, with
 * CK_TIMEOUT_MULTIPLIER=60, tries every one, on this processor at its full width. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/cpu/lower_llvm.h"
#include "codegen/elementary.h"
#include "tests/unit/runnable_cpus.h"
#include "tests/unit/suite.h"

enum {
    BLOCK = 4096, /* floats at a time */
    WIDTHS = 5,
    EVERYDAY_STEP = 1009,
    SPECIALS = 16,
};

static const float specials[SPECIALS] = {
    0.0f,
    -0.0f,
    INFINITY,
    -INFINITY,
    NAN,
    1.0f,
    -1.0f,
    0x1p-149f,
    -0x1p-149f,
    0x1p-126f,
    0x1.fffffcp-127f,
    0x1.fffffep127f,
    0x1.62e42ep6f,
    0x1.62e43p6f,
    -0x1.9fe368p6f,
    0x1.555556p-1f,
};

/* One of the two functions, as given and in double precision. */
struct function {
    enum loop_op op;
    const char *name;
    float (*given)(float);
    double (*exact)(double);
};

static float float_of(uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* The same bits, or NaN both. */
static bool is_same(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* How far `given` is from `exact`, in units of its last place as a float. */
static double error_of(float given, double exact)
{
    int exponent;
    if (isnan(exact) || isnan(given))
        return isnan(exact) && isnan(given) ? 0 : INFINITY;
    if ((double)given == exact || (isinf(given) && fabs(exact) > 0x1.ffffffp127))
        return isinf(given) && !signbit(exact) != !signbit(given) ? INFINITY : 0;
    frexp(exact, &exponent);
    return fabs((double)given - exact) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

/* out[i] = function(x[i]) for a block. */
static struct loop_program *program_of(struct arena *arena, const struct function *function,
                                       int lanes)
{
    struct loop_program *program =
        loop_program_new(arena, arena_format(arena, "%s_%d", function->name, lanes), "test");
    program->tasks_per_group = 1;
    loop_parameter(program, "x", LOOP_STORAGE_F32, false);
    loop_parameter(program, "out", LOOP_STORAGE_F32, true);
    loop_value i = loop_for(program, loop_int(program, 0), loop_int(program, BLOCK), lanes);
    loop_store(program, 1, i, loop_unary(program, function->op, loop_load(program, 0, i, lanes)));
    loop_end(program);
    ck_assert_ptr_null(loop_check(program));
    return program;
}

/* A block of floats: the specials, then `step` apart from `first` on. */
static void block_fill(float *x, uint64_t first, uint64_t step)
{
    memcpy(x, specials, sizeof specials);
    for (uint64_t i = SPECIALS; i < BLOCK; i++)
        x[i] = float_of((uint32_t)(first + (i - SPECIALS) * step));
}

/* Compares compiled code with `wanted` on a block. */
static void compare_block(cpu_function *compiled, float *x, const float *wanted, const char *what)
{
    static float out[BLOCK];
    compiled((void *[]){x, out}, 1, 0, 1);
    for (int i = 0; i < BLOCK; i++)
        if (!is_same(out[i], wanted[i]))
            ck_abort_msg("%s of %a is %a and not %a", what, (double)x[i], (double)out[i],
                         (double)wanted[i]);
}

/* The error that is largest over a block. */
static double block_error(const struct function *function, const float *x, float *out_wanted)
{
    double most = 0;
    for (int i = 0; i < BLOCK; i++) {
        out_wanted[i] = function->given(x[i]);
        most = fmax(most, error_of(out_wanted[i], function->exact((double)x[i])));
    }
    return most;
}

/* Programs of all widths, or of the widest alone, for a processor. */
struct compiled {
    struct cpu_jit *jit;
    cpu_function *functions[WIDTHS];
    size_t count;
};

static struct compiled compile(struct arena *arena, const struct function *function,
                               const char *cpu, size_t count)
{
    struct loop_program *programs[WIDTHS];
    const struct cpu_target target = {.cpu = cpu};
    struct compiled compiled = {.count = count};
    for (size_t i = 0; i < count; i++)
        programs[i] = program_of(arena, function, LOOP_LANES >> i);
    struct status status =
        cpu_jit_new_for(&target, programs, count, &compiled.jit, compiled.functions);
    ck_assert_msg(status_is_ok(&status), "%s", status.message);
    return compiled;
}

/* Compares a function everywhere with its meaning. */
static void check_everywhere(const struct function *function)
{
    static float x[BLOCK], wanted[BLOCK];
    const bool soaks = getenv("RNET_SOAK") != NULL;
    const uint64_t step = soaks ? 1 : EVERYDAY_STEP, all = UINT64_C(1) << 32;
    const char *cpus[RUNNABLE_CPUS];
    const size_t cpu_count = soaks ? 1 : runnable_cpus(cpus);
    struct arena arena = {0};
    struct compiled compiled[RUNNABLE_CPUS];
    double most = 0;
    cpus[0] = "native";
    for (size_t c = 0; c < cpu_count; c++)
        compiled[c] = compile(&arena, function, cpus[c], soaks ? 1 : WIDTHS);
    for (uint64_t first = 0; first < all; first += (BLOCK - SPECIALS) * step) {
        block_fill(x, first, step);
        most = fmax(most, block_error(function, x, wanted));
        for (size_t c = 0; c < cpu_count; c++)
            for (size_t i = 0; i < compiled[c].count; i++)
                compare_block(compiled[c].functions[i], x, wanted, function->name);
    }
    for (size_t c = 0; c < cpu_count; c++)
        cpu_jit_free(compiled[c].jit);
    arena_release(&arena);
    printf("%s: at most %.3f units in the last place\n", function->name, most);
    ck_assert_msg(most <= 1.01, "%s is wrong by %g units in the last place", function->name, most);
}

START_TEST(test_exp)
{
    check_everywhere(&(struct function){LOOP_EXP, "exp", elementary_exp, exp});
}
END_TEST

START_TEST(test_log)
{
    check_everywhere(&(struct function){LOOP_LOG, "log", elementary_log, log});
}
END_TEST

START_TEST(test_specials)
{
    ck_assert(elementary_exp(0.0f) == 1 && elementary_exp(-0.0f) == 1);
    ck_assert(elementary_exp(-INFINITY) == 0 && isinf(elementary_exp(INFINITY)));
    ck_assert(isnan(elementary_exp(NAN)) && isnan(elementary_log(NAN)));
    ck_assert(elementary_log(1.0f) == 0 && elementary_log(INFINITY) == INFINITY);
    ck_assert(elementary_log(0.0f) == -INFINITY && elementary_log(-0.0f) == -INFINITY);
    ck_assert(isnan(elementary_log(-1.0f)) && isnan(elementary_log(-INFINITY)));
    ck_assert(isnan(elementary_log(-0x1p-149f)) && elementary_log(0x1p-149f) == -0x1.9d1dap6f);
    ck_assert(elementary_exp(-100.0f) == 0x1.bp-145f);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_exp, test_log, test_specials};
    return run_suite("elementary", tests, sizeof tests / sizeof *tests);
}
