/* Speed of single kernels, compiled into this process and run on one thread: GFLOP/s of
 * convolutions and their gradients on the shapes of CIFAR networks, beside the processor's peak.
 *
 *     kernels [--assembly] [TEXT ...]
 *
 * With texts, only kernels whose line contains one of them. --assembly prints the code of the
 * kernels instead of running them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/vector.h"
#include "codegen/cpu/lower_llvm.h"
#include "codegen/schedule.h"
#include "tests/reference/reference.h"

enum {
    IMAGES = 64,      /* of small grids */
    LARGE_IMAGES = 4, /* of larger ones than 32x32 or more channels than 256 */
    CHUNK_IMAGES = 4,
    ALIGNMENT = 64,
    PEAK_SUMS = 16,
    PEAK_STEPS = 1 << 16,
    LANES = 16,
};

static const double LEAST_SECONDS = 0.15; /* that a kernel is repeated for */

struct shape {
    enum kernel_anchor anchor;
    int32_t size, inputs, outputs, kernel, stride, groups;
    bool normalized; /* a normalization and rectification is applied to x as it is loaded */
};

static const struct shape shapes[] = {
    {KERNEL_CONVOLUTION, 32, 3, 16, 3, 1, 1, false},
    {KERNEL_CONVOLUTION, 32, 16, 16, 3, 1, 1, true},
    {KERNEL_CONVOLUTION, 32, 16, 64, 1, 1, 1, true},
    {KERNEL_CONVOLUTION, 32, 64, 16, 1, 1, 1, true},
    {KERNEL_CONVOLUTION, 32, 64, 16, 1, 1, 1, false},
    {KERNEL_CONVOLUTION, 16, 32, 32, 3, 1, 1, true},
    {KERNEL_CONVOLUTION, 32, 32, 32, 3, 2, 1, true},
    {KERNEL_CONVOLUTION, 16, 32, 128, 1, 1, 1, true},
    {KERNEL_CONVOLUTION, 16, 128, 32, 1, 1, 1, true},
    {KERNEL_CONVOLUTION, 32, 64, 128, 1, 2, 1, false},
    {KERNEL_CONVOLUTION, 8, 64, 64, 3, 1, 1, true},
    {KERNEL_CONVOLUTION, 8, 64, 64, 3, 1, 1, false},
    {KERNEL_CONVOLUTION, 8, 64, 256, 1, 1, 1, true},
    {KERNEL_CONVOLUTION, 8, 256, 64, 1, 1, 1, true},
    {KERNEL_CONVOLUTION, 1, 256, 10, 1, 1, 1, false},
    {KERNEL_CONVOLUTION, 56, 64, 64, 3, 1, 1, true},
    {KERNEL_CONVOLUTION, 14, 256, 256, 3, 1, 1, true},
    {KERNEL_CONVOLUTION, 7, 512, 512, 3, 1, 1, true},
    {KERNEL_CONVOLUTION, 14, 1024, 256, 1, 1, 1, true},
    {KERNEL_CONVOLUTION, 224, 3, 64, 7, 2, 1, false},
    {KERNEL_CONVOLUTION, 56, 128, 128, 3, 1, 32, true},
    {KERNEL_DATA_GRADIENT, 32, 32, 32, 3, 2, 1, false},
    {KERNEL_DATA_GRADIENT, 32, 128, 64, 1, 2, 1, false},
    {KERNEL_WEIGHT_GRADIENT, 32, 3, 16, 3, 1, 1, false},
    {KERNEL_WEIGHT_GRADIENT, 32, 16, 16, 3, 1, 1, true},
    {KERNEL_WEIGHT_GRADIENT, 32, 16, 64, 1, 1, 1, true},
    {KERNEL_WEIGHT_GRADIENT, 32, 64, 16, 1, 1, 1, true},
    {KERNEL_WEIGHT_GRADIENT, 16, 32, 32, 3, 1, 1, true},
    {KERNEL_WEIGHT_GRADIENT, 16, 32, 128, 1, 1, 1, true},
    {KERNEL_WEIGHT_GRADIENT, 16, 128, 32, 1, 1, 1, true},
    {KERNEL_WEIGHT_GRADIENT, 8, 64, 64, 3, 1, 1, true},
    {KERNEL_WEIGHT_GRADIENT, 8, 64, 256, 1, 1, 1, true},
    {KERNEL_WEIGHT_GRADIENT, 8, 256, 64, 1, 1, 1, true},
    {KERNEL_WEIGHT_GRADIENT, 14, 256, 256, 3, 1, 1, true},
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- kernels ---- */

static uint16_t input_value(struct kernel *kernel, bool normalized)
{
    uint16_t x = kernel_load(kernel, kernel->parameter_count++, ACCESS_POINT);
    if (!normalized)
        return x;
    uint16_t scale = kernel_load(kernel, kernel->parameter_count++, ACCESS_CHANNEL);
    uint16_t shift = kernel_load(kernel, kernel->parameter_count++, ACCESS_CHANNEL);
    uint16_t scaled = kernel_binary(kernel, EXPRESSION_MULTIPLY, x, scale);
    uint16_t sum = kernel_binary(kernel, EXPRESSION_ADD, scaled, shift);
    return kernel_binary(kernel, EXPRESSION_MAXIMUM, sum, kernel_constant(kernel, 0.0));
}

static void shape_kernel(const struct shape *shape, struct kernel *kernel)
{
    memset(kernel, 0, sizeof *kernel);
    kernel->anchor = (uint8_t)shape->anchor;
    kernel->in_channels = shape->inputs;
    kernel->out_channels = shape->outputs;
    kernel->groups = shape->groups;
    kernel->output_count = 1;
    bool gradient = shape->anchor == KERNEL_DATA_GRADIENT;
    for (int i = 0; i < GRID_RANK; i++) {
        int32_t size = i == 0 ? 1 : shape->size, extent = i == 0 ? 1 : shape->kernel;
        int32_t stride = i == 0 ? 1 : shape->stride, padding = extent / 2;
        int32_t result = (size + 2 * padding - extent) / stride + 1;
        kernel->in_grid[i] = gradient ? result : size;
        kernel->out_grid[i] = gradient ? size : result;
        kernel->window.kernel[i] = extent;
        kernel->window.stride[i] = stride;
        kernel->window.padding[i] = padding;
        kernel->window.dilation[i] = 1;
    }
    kernel->values[kernel->value_count++] = input_value(kernel, shape->normalized);
    if (shape->anchor == KERNEL_WEIGHT_GRADIENT) {
        kernel->values[kernel->value_count++] = input_value(kernel, false);
        kernel->chunk_images = CHUNK_IMAGES;
    } else {
        kernel->parameter_count++; /* the weight */
    }
    kernel->parameter_count++; /* the result */
}

static int64_t image_count(const struct kernel *kernel)
{
    bool large =
        grid_points(kernel->in_grid) > 32 * 32 || kernel_weight_elements(kernel, false) > 1 << 17;
    return large ? LARGE_IMAGES : IMAGES;
}

/* Two operations for each product of x and the weight. */
static double kernel_operations(const struct kernel *kernel)
{
    bool gradient = kernel->anchor == KERNEL_DATA_GRADIENT;
    const int32_t *windows = gradient ? kernel->in_grid : kernel->out_grid;
    return 2.0 * (double)(image_count(kernel) * grid_points(windows)) * kernel->in_channels /
           kernel->groups * kernel->out_channels * (double)grid_points(kernel->window.kernel);
}

/* ---- running ---- */

static cpu_function *compile(struct loop_program *program, struct cpu_jit **out_jit)
{
    cpu_function *function;
    struct status status = cpu_jit_new(&program, 1, out_jit, &function);
    if (!status_is_ok(&status)) {
        fprintf(stderr, "%s\n", status.message);
        exit(1);
    }
    return function;
}

static float *buffer_new(int64_t elements)
{
    size_t bytes = ((size_t)elements * sizeof(float) / ALIGNMENT + 1) * ALIGNMENT;
    float *buffer = aligned_alloc(ALIGNMENT, bytes);
    if (!buffer)
        exit(1);
    for (int64_t i = 0; i < elements; i++)
        buffer[i] = (float)(i % 17) / 16.0f - 0.5f;
    return buffer;
}

/* The fastest of repeated runs, in seconds. */
static double time_program(struct loop_program *program, void *const *buffers, int64_t images)
{
    struct cpu_jit *jit;
    cpu_function *run = compile(program, &jit);
    int64_t tasks = loop_task_count(program, images);
    double best = 1e9, begin = seconds_now(), now = begin;
    run(buffers, images, 0, tasks);
    while (now - begin < LEAST_SECONDS) {
        double start = seconds_now();
        run(buffers, images, 0, tasks);
        now = seconds_now();
        best = now - start < best ? now - start : best;
    }
    cpu_jit_free(jit);
    return best;
}

static double time_kernel(const struct kernel *kernel, struct loop_program *program)
{
    void *buffers[KERNEL_PARAMETERS];
    for (int p = 0; p < kernel->parameter_count; p++)
        buffers[p] = buffer_new(reference_elements(kernel, image_count(kernel), p));
    double seconds = time_program(program, buffers, image_count(kernel));
    for (int p = 0; p < kernel->parameter_count; p++)
        free(buffers[p]);
    return seconds;
}

/* What the processor's vector units do at most: independent sums that stay in registers. */
static double peak(struct arena *arena)
{
    struct loop_program *program = loop_program_new(arena, "peak", "peak");
    uint32_t out = loop_parameter(program, "out0", LOOP_STORAGE_F32, true);
    program->tasks_per_group = 1;
    loop_value zero = loop_int(program, 0), sums = loop_local(program, LOOP_F32, 4096);
    loop_value factor = loop_load(program, out, zero, LANES);
    for (int i = 0; i < PEAK_SUMS; i++)
        loop_store_local(program, sums, loop_int(program, i * LANES), factor);
    loop_for(program, zero, loop_int(program, PEAK_STEPS), 1);
    for (int i = 0; i < PEAK_SUMS; i++) {
        loop_value at = loop_int(program, i * LANES);
        loop_value sum = loop_load_local(program, sums, at, LANES);
        loop_store_local(program, sums, at, loop_ternary(program, LOOP_FMA, factor, factor, sum));
    }
    loop_end(program);
    for (int i = 0; i < PEAK_SUMS; i++) {
        loop_value at = loop_int(program, i * LANES);
        loop_store(program, out, at, loop_load_local(program, sums, at, LANES));
    }
    void *buffer = buffer_new(PEAK_SUMS * LANES);
    double seconds = time_program(program, &buffer, 1);
    free(buffer);
    return 2.0 * PEAK_SUMS * LANES * PEAK_STEPS / seconds * 1e-9;
}

static void print_assembly(struct arena *arena, struct loop_program *program)
{
    struct cpu_target target = {.cpu = "native", .threads = 1};
    struct cpu_code code;
    struct status status = cpu_compile(arena, &target, &program, 1, CPU_ASSEMBLY, &code);
    if (status_is_ok(&status))
        fwrite(code.bytes, 1, code.size, stdout);
}

static bool is_chosen(const char *line, int count, char **wanted)
{
    for (int i = 0; i < count; i++)
        if (strstr(line, wanted[i]))
            return true;
    return count == 0;
}

int main(int argument_count, char **arguments)
{
    struct arena arena = {0};
    bool assembly = argument_count > 1 && strcmp(arguments[1], "--assembly") == 0;
    int skipped = assembly ? 2 : 1;
    double best = assembly ? 1.0 : peak(&arena);
    if (!assembly)
        printf("%-44s %8.1f GFLOP/s\n", "peak", best);
    for (size_t i = 0; i < countof(shapes); i++) {
        struct kernel kernel;
        shape_kernel(&shapes[i], &kernel);
        const char *name = arena_format(&arena, "%s%s", kernel_name(&kernel, &arena),
                                        shapes[i].normalized ? " normalized" : "");
        if (!is_chosen(name, argument_count - skipped, arguments + skipped))
            continue;
        struct loop_program *program = schedule_kernel(&arena, &kernel, &cpu_target, NULL);
        if (assembly) {
            print_assembly(&arena, program);
            continue;
        }
        double speed = kernel_operations(&kernel) / time_kernel(&kernel, program) * 1e-9;
        printf("%-44s %8.1f GFLOP/s %5.1f %%  %s\n", name, speed, 100.0 * speed / best,
               program->schedule);
    }
    arena_release(&arena);
    return 0;
}
