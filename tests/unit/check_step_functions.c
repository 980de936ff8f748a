/* What a GPU's program has beside its kernels, interpreted and as CUDA C on this processor, against
 * plain loops: what stands between a step's gradients and the next step, and copies by tables. */
#include "codegen/cuda/step_functions.h"

#include <math.h>
#include <string.h>

#include "base/vector.h"
#include "codegen/cuda/filter_tables.h"
#include "codegen/loop_eval.h"
#include "tests/kernels/host_cuda.h"
#include "tests/unit/suite.h"

enum {
    ROW = RNET_CHANNEL_PADDING,
    ROWS = 1500, /* more than a task has, and no multiple of it */
    FLOATS = ROWS * ROW,
    BLOCKS = 400, /* more than a task has threads */
};

static const struct step_recipe everything = {.accumulate = 4, .clip = 2.5, .ema = 0.9};

/* A program's buffers; what is stored is the last ones. */
struct run {
    const struct loop_program *program;
    cpu_function *function; /* NULL: it is interpreted */
    int64_t images;
    struct loop_buffer buffers[4];
    int buffer_count;
};

static void run(const struct run *run)
{
    const int64_t tasks = loop_task_count(run->program, run->images);
    void *buffers[4];
    for (int i = 0; i < run->buffer_count; i++)
        buffers[i] = run->buffers[i].data;
    if (run->function != NULL) {
        run->function(buffers, run->images, 0, tasks);
        return;
    }
    const char *wrong = loop_eval(run->program, run->buffers, run->images, 0, tasks, LOOP_SINGLE);
    ck_assert_msg(wrong == NULL, "%s", wrong);
}

static void fill(float *values, int count, float first)
{
    for (int i = 0; i < count; i++)
        values[i] = first + 0.37f * (float)(i % 101) - 0.11f * (float)(i % 7);
}

static void check_rows(const struct loop_program *program, cpu_function *function, bool averages)
{
    static float out[FLOATS], in[FLOATS], expected[FLOATS];
    const float share = averages ? (float)(1 - everything.ema) : 0;
    fill(out, FLOATS, 3);
    fill(in, FLOATS, -40);
    for (int i = 0; i < FLOATS; i++)
        expected[i] = out[i] + (averages ? share * (in[i] - out[i]) : in[i]);
    run(&(struct run){program, function, ROWS, {{out, FLOATS}, {in, FLOATS}}, 2});
    ck_assert_int_eq(memcmp(out, expected, sizeof out), 0);
}

/* Norms of blocks of many lengths, whose padding is not a number; then their limit. */
static void check_norm(struct loop_program *const *programs, cpu_function *const *functions,
                       float factor, float batches)
{
    static float gradients[BLOCKS * 8 * ROW];
    int32_t table[2 * BLOCKS];
    float norms[2 * BLOCKS], scalars[RNET_SCALAR_COUNT] = {0}, norm[2] = {-1, -1};
    double sum = 0;
    for (size_t i = 0; i < countof(gradients); i++)
        gradients[i] = NAN;
    for (int b = 0; b < BLOCKS; b++) {
        const int first = b * 8, count = 1 + b * 37 % (8 * ROW);
        table[2 * b] = first;
        table[2 * b + 1] = count;
        fill(gradients + first * ROW, count, (float)b);
        for (int i = first * ROW; i < first * ROW + count; i++) {
            gradients[i] *= factor;
            sum += (double)gradients[i] * (double)gradients[i];
        }
    }
    scalars[RNET_SCALAR_BATCHES] = batches;
    run(&(struct run){programs[RNET_CUDA_BLOCK_NORMS],
                      functions ? functions[RNET_CUDA_BLOCK_NORMS] : NULL,
                      BLOCKS,
                      {{gradients, countof(gradients)}, {table, 2 * BLOCKS}, {norms, 2 * BLOCKS}},
                      3});
    run(&(struct run){programs[RNET_CUDA_LIMIT],
                      functions ? functions[RNET_CUDA_LIMIT] : NULL,
                      BLOCKS,
                      {{norms, 2 * BLOCKS}, {scalars, RNET_SCALAR_COUNT}, {norm, 2}},
                      3});
    const double expected = sqrt(sum) / (double)batches;
    const double scale = fmin(1, everything.clip / (expected + 1e-6)) / (double)batches;
    ck_assert_double_eq_tol((double)norm[0] + (double)norm[1], expected, 1e-13 * expected);
    ck_assert_double_eq_tol((double)scalars[RNET_SCALAR_GRADIENT_SCALE], scale, 1e-7 * scale);
    ck_assert_int_eq(memcmp(&scalars[RNET_SCALAR_BATCHES], &batches, sizeof batches), 0);
}

/* A gradient that is not a number, or infinite, leaves a norm that is not finite. */
static void check_not_finite(struct loop_program *const *programs, cpu_function *const *functions,
                             float value)
{
    float gradients[ROW] = {1, value, 2}, norms[2], norm[2];
    float scalars[RNET_SCALAR_COUNT] = {[RNET_SCALAR_BATCHES] = 1};
    int32_t table[2] = {0, 3};
    run(&(struct run){programs[RNET_CUDA_BLOCK_NORMS],
                      functions ? functions[RNET_CUDA_BLOCK_NORMS] : NULL,
                      1,
                      {{gradients, ROW}, {table, 2}, {norms, 2}},
                      3});
    run(&(struct run){programs[RNET_CUDA_LIMIT],
                      functions ? functions[RNET_CUDA_LIMIT] : NULL,
                      1,
                      {{norms, 2}, {scalars, RNET_SCALAR_COUNT}, {norm, 2}},
                      3});
    ck_assert(!isfinite((double)norm[0] + (double)norm[1]));
}

/* Two copies: axes in another order, one backwards, with zeros where nothing is; in parts. */
static void check_tables(const struct loop_program *program, cpu_function *function)
{
    enum { I = 3, J = 5, K = 100, VALID = 90, SECOND = 40, FROM_COUNT = 2000 };
    const int32_t copies[2][RNET_CUDA_COPY_NUMBERS] = {
        {4 * J + 7, 10, I * J * K, J, K, 600, -4, 6, VALID},
        {0, 10 + I * J * K, SECOND, 1, SECOND, 0, 0, 2, SECOND},
    };
    int32_t parts[] = {1, 0, 0, RNET_CUDA_PART, 0, 0};
    static float from[FROM_COUNT], to[10 + I * J * K + SECOND + 1];
    fill(from, FROM_COUNT, 1);
    fill(to, countof(to), 5000);
    const float before = to[9], behind = to[countof(to) - 1];
    run(&(struct run){program,
                      function,
                      countof(parts) / 2,
                      {{from, FROM_COUNT},
                       {to, countof(to)},
                       {(void *)(uintptr_t)copies, countof(copies) * countof(copies[0])},
                       {parts, countof(parts)}},
                      4});
    for (int e = 0; e < I * J * K; e++) {
        const int i = e / K / J, j = e / K % J, k = e % K;
        const float expected = k < VALID ? from[4 * J + 7 + 600 * i - 4 * j + 6 * k] : 0;
        ck_assert_int_eq(memcmp(&to[10 + e], &expected, sizeof expected), 0);
    }
    for (int e = 0; e < SECOND; e++)
        ck_assert_int_eq(memcmp(&to[10 + I * J * K + e], &from[2 * e], sizeof *to), 0);
    ck_assert_int_eq(memcmp(&to[9], &before, sizeof before), 0);
    ck_assert_int_eq(memcmp(&to[countof(to) - 1], &behind, sizeof behind), 0);
}

static void check_all(struct loop_program *const *programs, cpu_function *const *functions)
{
    check_rows(programs[RNET_CUDA_ADD], functions ? functions[RNET_CUDA_ADD] : NULL, false);
    check_rows(programs[RNET_CUDA_AVERAGE], functions ? functions[RNET_CUDA_AVERAGE] : NULL, true);
    check_norm(programs, functions, 1, 3);        /* far above the limit */
    check_norm(programs, functions, 1e-6f, 1);    /* below it */
    check_norm(programs, functions, 1e-30f, 2);   /* squares that no float can hold */
    check_norm(programs, functions, 1e30f, 1000); /* likewise */
    check_not_finite(programs, functions, NAN);
    check_not_finite(programs, functions, INFINITY);
    for (int f = RNET_CUDA_TO_FILTERS; f <= RNET_CUDA_FROM_FILTERS; f++)
        check_tables(programs[f], functions ? functions[f] : NULL);
}

START_TEST(interpreted)
{
    struct arena arena = {0};
    struct loop_program *programs[RNET_CUDA_FUNCTION_COUNT];
    step_functions(&arena, &everything, programs);
    filter_tables(&arena, RNET_PRECISION_FP32, programs);
    check_all(programs, NULL);
    arena_release(&arena);
}
END_TEST

START_TEST(as_text)
{
    struct arena arena = {0};
    struct loop_program *programs[RNET_CUDA_FUNCTION_COUNT];
    cpu_function *functions[RNET_CUDA_FUNCTION_COUNT];
    step_functions(&arena, &everything, programs);
    filter_tables(&arena, RNET_PRECISION_FP32, programs);
    struct host_cuda *host = host_cuda_new(programs, RNET_CUDA_FUNCTION_COUNT, ROWS, functions);
    ck_assert_ptr_nonnull(host);
    check_all(programs, functions);
    host_cuda_free(host);
    arena_release(&arena);
}
END_TEST

/* A recipe has no more than it needs. */
START_TEST(by_recipe)
{
    static const struct {
        struct step_recipe recipe;
        unsigned functions; /* a bit each */
    } cases[] = {
        {{1, 0, 0}, 0},
        {{2, 0, 0}, 1u << RNET_CUDA_ADD},
        {{1, 0, 0.5}, 1u << RNET_CUDA_AVERAGE},
        {{1, 1, 0}, 1u << RNET_CUDA_BLOCK_NORMS | 1u << RNET_CUDA_LIMIT},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct arena arena = {0};
        struct loop_program *programs[RNET_CUDA_FUNCTION_COUNT];
        step_functions(&arena, &cases[i].recipe, programs);
        for (int f = 0; f < RNET_CUDA_FUNCTION_COUNT; f++)
            ck_assert_int_eq(programs[f] != NULL, (cases[i].functions & 1u << f) != 0);
        arena_release(&arena);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {interpreted, as_text, by_recipe};
    return run_suite("step functions", tests, countof(tests));
}
