/* One kernel against the reference, in every schedule and mode. See check_kernel.h. */
#include "tests/kernels/check_kernel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bfloat16.h"
#include "codegen/cpu/lower_llvm.h"
#include "codegen/loop_eval.h"
#include "codegen/schedule.h"
#include "tests/reference/reference.h"

enum {
    GUARD = 64,          /* elements before and after each buffer */
    MOST_SCHEDULES = 32, /* of one target */
    ALIGNMENT = 64,
};

static const double SENTINEL = -12352.0; /* exact in bfloat16 and in int32 */
static const double DOUBLE_TOLERANCE = 1e-11, SINGLE_TOLERANCE = 2e-5;
static const double BFLOAT16_ROUNDING = 0x1p-8; /* of the number itself, at most */

/* ---- buffers ---- */

struct buffers {
    void *memory[KERNEL_PARAMETERS]; /* with guards */
    void *data[KERNEL_PARAMETERS];
    int64_t counts[KERNEL_PARAMETERS];
    bool wide;
};

struct random {
    uint64_t state;
    bool coarse; /* multiples of 1/8, whose sums are exact: no decision depends on rounding */
};

static uint64_t random_bits(struct random *random)
{
    random->state ^= random->state << 13;
    random->state ^= random->state >> 7;
    random->state ^= random->state << 17;
    return random->state;
}

static double random_value(struct random *random)
{
    if (random->coarse)
        return (double)(random_bits(random) >> 20 & 15) / 8.0 - 0.9375;
    return (double)(float)((double)(random_bits(random) >> 11) * 0x1p-52 - 1.0);
}

static size_t element_size(const struct kernel *kernel, int parameter, bool wide)
{
    if (wide && kernel->storage[parameter] != KERNEL_I32)
        return sizeof(double);
    return (size_t)kernel_storage_bytes((enum kernel_storage)kernel->storage[parameter]);
}

static void set_element(const struct kernel *kernel, struct buffers *buffers, int parameter,
                        int64_t index, double value)
{
    if (kernel->storage[parameter] == KERNEL_I32)
        ((int32_t *)buffers->data[parameter])[index] = (int32_t)value;
    else if (buffers->wide)
        ((double *)buffers->data[parameter])[index] = value;
    else if (kernel->storage[parameter] == KERNEL_BF16)
        ((uint16_t *)buffers->data[parameter])[index] = bfloat16_of((float)value);
    else
        ((float *)buffers->data[parameter])[index] = (float)value;
}

static double get_element(const struct kernel *kernel, const struct buffers *buffers, int parameter,
                          int64_t index)
{
    const void *data = buffers->data[parameter];
    if (kernel->storage[parameter] == KERNEL_I32)
        return ((const int32_t *)data)[index];
    if (buffers->wide)
        return ((const double *)data)[index];
    return kernel->storage[parameter] == KERNEL_BF16
               ? (double)bfloat16_value(((const uint16_t *)data)[index])
               : (double)((const float *)data)[index];
}

/* Fills a parameter, guards included, with the sentinel. */
static void clear(const struct kernel *kernel, struct buffers *buffers, int parameter)
{
    for (int64_t i = -GUARD; i < buffers->counts[parameter] + GUARD; i++)
        set_element(kernel, buffers, parameter, i, SENTINEL);
}

static bool guards_hold(const struct kernel *kernel, const struct buffers *buffers)
{
    for (int p = 0; p < kernel->parameter_count; p++)
        for (int64_t i = 0; i < GUARD; i++)
            if (get_element(kernel, buffers, p, -1 - i) != SENTINEL ||
                get_element(kernel, buffers, p, buffers->counts[p] + i) != SENTINEL)
                return false;
    return true;
}

/* A label, or a word of a key. */
static double integer(const struct kernel *kernel, struct random *random)
{
    if (kernel->anchor == KERNEL_SOFTMAX_LOSS)
        return (double)(random_bits(random) % (uint64_t)kernel->in_channels);
    return (double)(int32_t)(random_bits(random) >> 16);
}

static void clear_padding(const struct kernel *kernel, struct buffers *buffers, int parameter)
{
    int64_t stride = (kernel->out_channels + 15) / 16 * 16;
    for (int64_t k = kernel->out_channels; k < stride; k++) {
        struct weight_block at = kernel_weight_column(kernel, false, k);
        for (int64_t row = 0; row < buffers->counts[parameter] / stride; row++)
            set_element(kernel, buffers, parameter, at.first + row * at.stride, 0.0);
    }
}

/* Random inputs; NaN in the padding of activations, zeros in that of weights. */
static void fill_input(const struct kernel *kernel, struct buffers *buffers, int parameter,
                       struct random *random)
{
    int64_t channels = reference_input_channels(kernel, parameter), stride = 1;
    if (channels > 0)
        stride = channel_stride(channels);
    for (int64_t i = 0; i < buffers->counts[parameter]; i++) {
        double value = random_value(random);
        if (kernel->storage[parameter] == KERNEL_I32)
            value = integer(kernel, random);
        else if (kernel->storage[parameter] == KERNEL_BF16) /* exact there, in each precision */
            value = (double)bfloat16_value(bfloat16_of((float)value));
        bool is_padding = channels > 0 && i % stride >= channels;
        set_element(kernel, buffers, parameter, i, is_padding ? (double)NAN : value);
    }
    if (parameter == reference_weight(kernel))
        clear_padding(kernel, buffers, parameter);
}

static struct buffers buffers_new(const struct kernel *kernel, int64_t images, bool wide)
{
    struct buffers buffers = {.wide = wide};
    struct random random = {.state = 0x9e3779b97f4a7c15u,
                            .coarse = kernel->anchor == KERNEL_MAX_POOL_GRADIENT ||
                                      kernel->anchor == KERNEL_SOFTMAX_LOSS};
    for (int i = 0; i < kernel->expression_count; i++)
        random.coarse |= kernel->expressions[i].op == EXPRESSION_IF_POSITIVE;
    for (int p = 0; p < kernel->parameter_count; p++) {
        size_t size = element_size(kernel, p, wide);
        buffers.counts[p] = reference_elements(kernel, images, p);
        size_t bytes = ((size_t)buffers.counts[p] + 2 * GUARD) * size;
        buffers.memory[p] =
            aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        if (!buffers.memory[p])
            abort();
        buffers.data[p] = (char *)buffers.memory[p] + GUARD * size;
        clear(kernel, &buffers, p);
        if (p < kernel_first_output(kernel))
            fill_input(kernel, &buffers, p, &random);
    }
    return buffers;
}

static void buffers_free(struct buffers *buffers)
{
    for (int p = 0; p < KERNEL_PARAMETERS; p++)
        free(buffers->memory[p]);
}

/* ---- comparing ---- */

/* What is checked now, for messages. */
struct check {
    const struct kernel *kernel;
    int64_t images;
    struct arena *arena;
    const struct buffers *expected;
    double **magnitudes;
    const char *schedule, *mode;
};

static int fail(const struct check *check, const char *message)
{
    fprintf(stderr, "FAIL %s, %lld images, schedule %s, %s: %s\n",
            kernel_name(check->kernel, check->arena), (long long)check->images, check->schedule,
            check->mode, message);
    return 1;
}

/* `rounding`: of the number as it is stored, in parts of itself. */
static bool close_enough(double expected, double actual, double magnitude, double tolerance,
                         double rounding)
{
    if (isnan(expected) || isnan(magnitude))
        return isnan(expected) == isnan(actual);
    return expected == actual ||
           fabs(expected - actual) <= tolerance * (magnitude + 1e-30) + rounding * fabs(expected);
}

static int compare_output(const struct check *check, const struct buffers *actual, int output,
                          double tolerance)
{
    const struct kernel *kernel = check->kernel;
    int parameter = kernel_first_output(kernel) + output;
    bool rounds = kernel->storage[parameter] == KERNEL_BF16 && !actual->wide;
    double rounding = rounds ? BFLOAT16_ROUNDING + SINGLE_TOLERANCE : 0;
    int64_t channels, stride;
    reference_lanes(kernel, output, &channels, &stride);
    for (int64_t i = 0; i < actual->counts[parameter]; i++) {
        if (i % stride >= channels)
            continue;
        double wanted = get_element(kernel, check->expected, parameter, i);
        double got = get_element(kernel, actual, parameter, i);
        double magnitude = check->magnitudes[output][i];
        if (!close_enough(wanted, got, magnitude, tolerance, rounding))
            return fail(check, arena_format(check->arena,
                                            "output %d element %lld is %.9g, not %.9g (of %.3g)",
                                            output, (long long)i, got, wanted, magnitude));
    }
    return 0;
}

static int compare(const struct check *check, const struct buffers *actual, double tolerance)
{
    if (!guards_hold(check->kernel, actual))
        return fail(check, "wrote outside a buffer");
    for (int j = 0; j < check->kernel->output_count; j++)
        if (compare_output(check, actual, j, tolerance))
            return 1;
    return 0;
}

/* ---- running ---- */

static int check_interpreted(struct check *check, const struct loop_program *program,
                             enum loop_precision precision)
{
    const struct kernel *kernel = check->kernel;
    bool wide = precision == LOOP_DOUBLE;
    struct buffers buffers = buffers_new(kernel, check->images, wide);
    struct loop_buffer loop_buffers[KERNEL_PARAMETERS];
    for (int p = 0; p < kernel->parameter_count; p++)
        loop_buffers[p] =
            (struct loop_buffer){.data = buffers.data[p], .count = (size_t)buffers.counts[p]};
    check->mode = wide ? "interpreted in double" : "interpreted in single";
    const char *wrong = loop_eval(program, loop_buffers, check->images, 0,
                                  loop_task_count(program, check->images), precision);
    int failures = wrong ? fail(check, wrong)
                         : compare(check, &buffers, wide ? DOUBLE_TOLERANCE : SINGLE_TOLERANCE);
    buffers_free(&buffers);
    return failures;
}

/* Runs the tasks one by one and backwards: they must not depend on each other. */
static int check_compiled(struct check *check, const struct loop_program *program,
                          cpu_function *function)
{
    struct buffers buffers = buffers_new(check->kernel, check->images, false);
    check->mode = "compiled";
    for (int64_t task = loop_task_count(program, check->images) - 1; task >= 0; task--)
        function(buffers.data, check->images, task, task + 1);
    int failures = compare(check, &buffers, SINGLE_TOLERANCE);
    buffers_free(&buffers);
    return failures;
}

static int compile_all(struct check *check, struct loop_program **programs, size_t count)
{
    struct cpu_jit *jit;
    cpu_function *functions[MOST_SCHEDULES];
    struct status status = cpu_jit_new(programs, count, &jit, functions);
    if (status.code)
        return fail(check, "does not compile");
    int failures = 0;
    for (size_t i = 0; i < count; i++) {
        check->schedule = programs[i]->schedule;
        failures += check_compiled(check, programs[i], functions[i]);
    }
    cpu_jit_free(jit);
    return failures;
}

static int interpret(struct check *check, const struct loop_program *program)
{
    check->schedule = program->schedule;
    return check_interpreted(check, program, LOOP_DOUBLE) +
           check_interpreted(check, program, LOOP_SINGLE);
}

/* Whether the processor has no code for such a kernel. */
static bool is_for_gpu(const struct kernel *kernel)
{
    for (int p = 0; p < kernel->parameter_count; p++)
        if (kernel->storage[p] == KERNEL_BF16)
            return true;
    return false;
}

/* Interprets each schedule of the GPU's, whose weights are in one block; nothing here can run what
 * they are compiled to. */
static int check_gpu_schedules(struct check *check)
{
    int failures = 0;
    for (const struct schedule *const *s = cuda_target.schedules; *s; s++) {
        struct loop_program *program =
            schedule_kernel(check->arena, check->kernel, &cuda_target, (*s)->name);
        if (program && (program->threads > 0 || is_for_gpu(check->kernel)))
            failures += interpret(check, program);
    }
    return failures;
}

static int check_schedules(struct check *check, unsigned parts)
{
    struct loop_program *programs[MOST_SCHEDULES];
    size_t count = 0;
    int failures = parts & CHECK_INTERPRETED ? check_gpu_schedules(check) : 0;
    if (is_for_gpu(check->kernel))
        return failures;
    for (const struct schedule *const *s = cpu_target.schedules; *s; s++) {
        struct loop_program *program =
            schedule_kernel(check->arena, check->kernel, &cpu_target, (*s)->name);
        if (!program)
            continue;
        program->name = arena_format(check->arena, "%s_%s", program->name, (*s)->name);
        programs[count++] = program;
        if (parts & CHECK_INTERPRETED)
            failures += interpret(check, program);
    }
    if (parts & CHECK_COMPILED)
        failures += compile_all(check, programs, count);
    return failures;
}

/* Computes what the reference says and lets `run` compare with it. */
static int check_with(const struct kernel *kernel, int64_t images,
                      int (*run)(struct check *check, const void *context), const void *context)
{
    struct arena arena = {0};
    struct check check = {
        .kernel = kernel, .images = images, .arena = &arena, .schedule = "none", .mode = "check"};
    const char *wrong = kernel_check(kernel, &arena);
    if (wrong) {
        int failures = fail(&check, wrong);
        arena_release(&arena);
        return failures;
    }
    struct buffers expected = buffers_new(kernel, images, true);
    double *magnitudes[KERNEL_PARAMETERS];
    for (int j = 0; j < kernel->output_count; j++)
        magnitudes[j] =
            ARENA_ARRAY(&arena, double, expected.counts[kernel_first_output(kernel) + j]);
    struct reference_data data = {.buffers = expected.data, .wide = true};
    reference_run(kernel, images, &data, magnitudes);
    check.expected = &expected;
    check.magnitudes = magnitudes;
    int failures = run(&check, context);
    buffers_free(&expected);
    arena_release(&arena);
    return failures;
}

static int run_schedules(struct check *check, const void *parts)
{
    return check_schedules(check, *(const unsigned *)parts);
}

int check_kernel(const struct kernel *kernel, int64_t images, unsigned parts)
{
    return check_with(kernel, images, run_schedules, &parts);
}

/* A function and what it was made of. */
struct compiled {
    const struct loop_program *program;
    cpu_function *function;
};

static int run_compiled(struct check *check, const void *context)
{
    const struct compiled *compiled = context;
    check->schedule = compiled->program->schedule;
    return check_compiled(check, compiled->program, compiled->function);
}

int check_function(const struct kernel *kernel, int64_t images, const struct loop_program *program,
                   cpu_function *function)
{
    const struct compiled compiled = {program, function};
    return check_with(kernel, images, run_compiled, &compiled);
}

/* ---- samples ---- */

static void *values_copy(struct arena *arena, const struct kernel *kernel,
                         const struct buffers *buffers, int parameter)
{
    int64_t count = buffers->counts[parameter];
    float *floats = ARENA_ARRAY(arena, float, count);
    int32_t *integers = (int32_t *)(void *)floats;
    for (int64_t i = 0; i < count; i++) {
        double value = get_element(kernel, buffers, parameter, i);
        if (kernel->storage[parameter] == KERNEL_I32)
            integers[i] = (int32_t)value;
        else
            floats[i] = (float)value;
    }
    return floats;
}

void kernel_sample_make(struct arena *arena, const struct kernel *kernel, int64_t images,
                        struct kernel_sample *out)
{
    struct buffers buffers = buffers_new(kernel, images, true);
    double *magnitudes[KERNEL_PARAMETERS];
    const int first = kernel_first_output(kernel);
    *out = (struct kernel_sample){0};
    for (int j = 0; j < kernel->output_count; j++)
        magnitudes[j] = ARENA_ARRAY(arena, double, buffers.counts[first + j]);
    struct reference_data data = {.buffers = buffers.data, .wide = true};
    reference_run(kernel, images, &data, magnitudes);
    for (int p = 0; p < kernel->parameter_count; p++) {
        out->counts[p] = buffers.counts[p];
        out->values[p] = values_copy(arena, kernel, &buffers, p);
    }
    for (int j = 0; j < kernel->output_count; j++) {
        int64_t channels, stride, count = buffers.counts[first + j];
        reference_lanes(kernel, j, &channels, &stride);
        out->magnitudes[first + j] = ARENA_ARRAY(arena, float, count);
        for (int64_t i = 0; i < count; i++)
            out->magnitudes[first + j][i] = i % stride < channels ? (float)magnitudes[j][i] : -1;
    }
    buffers_free(&buffers);
}

/* ---- variants ---- */

void kernel_to_bfloat16(const struct kernel *kernel, struct kernel *out)
{
    struct arena scratch = {0};
    memcpy(out, kernel, sizeof *out);
    for (int p = 0; p < kernel->parameter_count; p++) {
        out->storage[p] = KERNEL_BF16;
        if (kernel_check(out, &scratch))
            out->storage[p] = kernel->storage[p];
    }
    arena_release(&scratch);
}

enum {
    LARGE_AXIS = 6, /* longer ones are cut */
    SHORT_AXIS = 5, /* to this, or to what the window needs */
};

static bool has_window(const struct kernel *kernel)
{
    return kernel_has_window(kernel) && kernel->anchor != KERNEL_TRANSPOSE;
}

static int32_t window_count(const struct window *window, int axis, int32_t extent)
{
    int32_t room = extent + 2 * window->padding[axis] -
                   window->dilation[axis] * (window->kernel[axis] - 1) - 1;
    return room < 0 ? 0 : room / window->stride[axis] + 1;
}

bool kernel_shrink(const struct kernel *kernel, struct kernel *out)
{
    memcpy(out, kernel, sizeof *out);
    if (kernel->anchor == KERNEL_ROWS) /* its channels are its grid */
        return false;
    bool gradient = kernel->anchor == KERNEL_DATA_GRADIENT, changed = false;
    int32_t *large = gradient ? out->out_grid : out->in_grid;
    int32_t *small = gradient ? out->in_grid : out->out_grid;
    for (int i = 0; i < GRID_RANK; i++) {
        if (large[i] <= LARGE_AXIS)
            continue;
        int32_t extent = SHORT_AXIS, before = large[i];
        if (!has_window(kernel)) {
            small[i] = small[i] == before ? extent : small[i];
        } else if (window_count(&kernel->window, i, before) != small[i]) {
            extent = before;
        } else {
            while (window_count(&kernel->window, i, extent) < 1)
                extent++;
            small[i] = window_count(&kernel->window, i, extent);
        }
        large[i] = extent;
        changed |= extent != before;
    }
    return changed;
}
