/* Convolutions of several shapes, all three passes each, as a program for the imitated driver: runs
 * them several times, for several numbers of images, and prints every number that they leave. The
 * data are small whole numbers, so that the order of sums does not matter, and NaN where nothing
 * may be read. Whoever runs it compares the output with and without an imitated cuDNN.
 *
 *   convolutions [fp32|tf32] [tune]
 *   convolutions fp32|tf32|bf16 survey JSON    asks a real cuDNN for its ways on a described GPU */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cuda/cudnn.h"
#include "runtime/execute.h"
#include "tests/cuda/fake_code.h"

enum { BATCH = 5, CHUNK_IMAGES = 2, CHUNKS = 3, PASSES = 3, SHAPES = 7, RUNS = 4 };

/* ORDER SHAPE: as the functions below. */
static const struct shape {
    int32_t x_grid[3], y_grid[3], x_channels, y_channels;
    uint32_t groups;
    int32_t window[3], stride[3], padding[3], dilation[3];
} shapes[SHAPES] = {
    {{1, 6, 5}, {1, 6, 5}, 16, 32, 1, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {1, 1, 1}},
    {{1, 4, 4}, {1, 4, 4}, 24, 10, 1, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}},
    {{1, 7, 6}, {1, 4, 3}, 16, 16, 1, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, {1, 1, 1}},
    {{1, 5, 5}, {1, 5, 5}, 16, 8, 4, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {1, 1, 1}},
    {{1, 9, 9}, {1, 5, 5}, 3, 16, 1, {1, 7, 7}, {1, 2, 2}, {0, 3, 3}, {1, 1, 1}},
    {{1, 1, 1}, {1, 1, 1}, 40, 10, 1, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}},
    {{3, 5, 4}, {3, 3, 4}, 5, 6, 1, {3, 3, 1}, {1, 1, 1}, {1, 1, 0}, {1, 2, 1}},
};

static int64_t points(const int32_t *grid)
{
    return (int64_t)grid[0] * grid[1] * grid[2];
}

static int64_t padded(int64_t channels)
{
    return (channels + 15) / 16 * 16;
}

/* The distance of two points, as runtime/program.h says. */
static int64_t point_stride(int64_t channels)
{
    return channels <= RNET_NARROW_CHANNELS ? channels : padded(channels);
}

/* Numbers of x, y, and of a weight as kernels have it, forward or with both sides exchanged. */
static int64_t x_count(const struct shape *s)
{
    return BATCH * points(s->x_grid) * point_stride(s->x_channels);
}

static int64_t y_count(const struct shape *s)
{
    return BATCH * points(s->y_grid) * point_stride(s->y_channels);
}

static int64_t weight_count(const struct shape *s)
{
    return points(s->window) * (s->x_channels / (int64_t)s->groups) * padded(s->y_channels);
}

static int64_t exchanged_count(const struct shape *s)
{
    return points(s->window) * (s->y_channels / (int64_t)s->groups) * padded(s->x_channels);
}

/* The places of an output, a window position and an input channel of its group in each array. */
struct place {
    int64_t x, y, weight, exchanged, filter;
};

/* Sets the places; returns false where the window looks outside. */
static bool place_set(const struct shape *s, int64_t image, int64_t out, int64_t position,
                      int64_t k, int64_t input, struct place *place)
{
    const int64_t inputs = s->x_channels / (int64_t)s->groups;
    const int64_t outputs = s->y_channels / (int64_t)s->groups, group = k / outputs;
    int64_t point = 0, q = out, w = position, scale = 1;
    for (int axis = 2; axis >= 0; axis--) {
        int64_t at = q % s->y_grid[axis] * s->stride[axis] - s->padding[axis] +
                     w % s->window[axis] * s->dilation[axis];
        if (at < 0 || at >= s->x_grid[axis])
            return false;
        point += at * scale;
        scale *= s->x_grid[axis];
        q /= s->y_grid[axis];
        w /= s->window[axis];
    }
    place->x =
        (image * points(s->x_grid) + point) * point_stride(s->x_channels) + group * inputs + input;
    place->y = (image * points(s->y_grid) + out) * point_stride(s->y_channels) + k;
    place->weight = (position * inputs + input) * padded(s->y_channels) + k;
    place->exchanged =
        (position * outputs + k % outputs) * padded(s->x_channels) + group * inputs + input;
    place->filter = (k * points(s->window) + position) * inputs + input;
    return true;
}

typedef void term_function(const struct place *place, int64_t image, void *const *buffers);

static void terms(const struct shape *s, int64_t images, term_function *term, void *const *buffers)
{
    struct place place;
    for (int64_t image = 0; image < images; image++)
        for (int64_t out = 0; out < points(s->y_grid); out++)
            for (int64_t position = 0; position < points(s->window); position++)
                for (int64_t k = 0; k < s->y_channels; k++)
                    for (int64_t i = 0; i < s->x_channels / (int64_t)s->groups; i++)
                        if (place_set(s, image, out, position, k, i, &place))
                            term(&place, image, buffers);
}

/* ---- the kernels ---- */

static void term_forward(const struct place *at, int64_t image, void *const *buffers)
{
    (void)image;
    ((float *)buffers[2])[at->y] +=
        ((const float *)buffers[0])[at->x] * ((const float *)buffers[1])[at->weight];
}

static void term_data(const struct place *at, int64_t image, void *const *buffers)
{
    (void)image;
    ((float *)buffers[2])[at->x] +=
        ((const float *)buffers[0])[at->y] * ((const float *)buffers[1])[at->exchanged];
}

/* All chunks together: their sums are what counts, and these are compared. */
static void term_weight(const struct place *at, int64_t image, void *const *buffers)
{
    (void)image;
    ((float *)buffers[2])[at->weight] +=
        ((const float *)buffers[0])[at->x] * ((const float *)buffers[1])[at->y];
}

static void run_pass(const struct shape *s, int pass, void *const *buffers, int64_t images)
{
    static term_function *const functions[] = {term_forward, term_data, term_weight};
    const int64_t counts[] = {y_count(s), x_count(s), CHUNKS * weight_count(s)};
    memset(buffers[2], 0, (size_t)counts[pass] * sizeof(float));
    terms(s, images, functions[pass], buffers);
}

/* The copies between weights and filters. */
static void run_copy(const struct shape *s, int pass, void *const *buffers, int64_t images)
{
    const int64_t inputs = s->x_channels / (int64_t)s->groups;
    const int64_t outputs = s->y_channels / (int64_t)s->groups;
    const float *from = buffers[0];
    float *to = buffers[1];
    if (pass == 2)
        memset(to, 0,
               (size_t)((images + CHUNK_IMAGES - 1) / CHUNK_IMAGES * weight_count(s)) * sizeof *to);
    for (int64_t k = 0; k < s->y_channels; k++)
        for (int64_t position = 0; position < points(s->window); position++)
            for (int64_t i = 0; i < inputs; i++) {
                int64_t filter = (k * points(s->window) + position) * inputs + i;
                int64_t weight = (position * inputs + i) * padded(s->y_channels) + k;
                int64_t exchanged = (position * outputs + k % outputs) * padded(s->x_channels) +
                                    k / outputs * inputs + i;
                if (pass == 0)
                    to[filter] = from[weight];
                else if (pass == 1)
                    to[filter] = from[exchanged];
                else
                    to[weight] = from[filter];
            }
}

#define KERNEL(shape, pass)                                                                        \
    static void pass_##shape##_##pass(void *const *buffers, int64_t images, int64_t first,         \
                                      int64_t last)                                                \
    {                                                                                              \
        (void)first, (void)last;                                                                   \
        run_pass(&shapes[shape], pass, buffers, images);                                           \
    }                                                                                              \
    static void copy_##shape##_##pass(void *const *buffers, int64_t images, int64_t first,         \
                                      int64_t last)                                                \
    {                                                                                              \
        (void)first, (void)last;                                                                   \
        run_copy(&shapes[shape], pass, buffers, images);                                           \
    }
#define KERNELS(shape) KERNEL(shape, 0) KERNEL(shape, 1) KERNEL(shape, 2)
KERNELS(0)
KERNELS(1)
KERNELS(2)
KERNELS(3)
KERNELS(4)
KERNELS(5)
KERNELS(6)

#define ENTRIES(shape, pass)                                                                       \
    {"pass_" #shape "_" #pass, pass_##shape##_##pass, 3, 0},                                       \
    {                                                                                              \
        "copy_" #shape "_" #pass, copy_##shape##_##pass, 2, 0                                      \
    }
#define ALL(shape) ENTRIES(shape, 0), ENTRIES(shape, 1), ENTRIES(shape, 2)
    static const struct fake_code code = {
        FAKE_CODE_MAGIC,
        2 * PASSES *SHAPES,
        {ALL(0), ALL(1), ALL(2), ALL(3), ALL(4), ALL(5), ALL(6)},
};

/* ---- the program ---- */

struct tables {
    struct rnet_cuda_convolution convolutions[SHAPES * PASSES];
    struct rnet_cuda_function copies[SHAPES * PASSES];
    struct rnet_cuda_kernel cuda_kernels[SHAPES * PASSES];
    struct rnet_kernel kernels[SHAPES * PASSES];
    struct rnet_step steps[SHAPES * PASSES];
    struct rnet_argument arguments[SHAPES * PASSES * 3];
    struct rnet_cuda_module module;
    struct rnet_cuda cuda;
    struct rnet_program program;
};

static void argument_set(struct rnet_argument *argument, enum rnet_region region, uint64_t offset)
{
    *argument = (struct rnet_argument){.region = region, .offset = offset};
}

/* Takes 256-byte aligned room. */
static uint64_t take(uint64_t *end, int64_t count)
{
    uint64_t at = *end;
    *end += ((uint64_t)count * sizeof(float) + 255) / 256 * 256;
    return at;
}

static void kernel_set(struct tables *tables, int number)
{
    const struct shape *s = &shapes[number / PASSES];
    const int pass = number % PASSES;
    const char *name = code.kernels[2 * number].name;
    struct rnet_cuda_convolution *facts = &tables->convolutions[number];
    tables->copies[number] =
        (struct rnet_cuda_function){.name = code.kernels[2 * number + 1].name,
                                    .threads = 128,
                                    .tasks_per_block = 128,
                                    .images_per_task = pass == 2 ? CHUNK_IMAGES : 0,
                                    .tasks_per_group = weight_count(s)};
    *facts = (struct rnet_cuda_convolution){.pass = (uint32_t)pass,
                                            .groups = s->groups,
                                            .x_channels = s->x_channels,
                                            .y_channels = s->y_channels,
                                            .chunk_images = CHUNK_IMAGES,
                                            .output = 2,
                                            .x = pass == 1 ? RNET_CUDA_NO_ARGUMENT : 0,
                                            .dy = pass == 0   ? RNET_CUDA_NO_ARGUMENT
                                                  : pass == 1 ? 0
                                                              : 1,
                                            .weight = pass == 2 ? RNET_CUDA_NO_ARGUMENT : 1,
                                            .loads_plainly = 1,
                                            .stores_plainly = 1,
                                            .is_only_output = 1,
                                            .filter = &tables->copies[number]};
    memcpy(facts->x_grid, s->x_grid, sizeof s->x_grid);
    memcpy(facts->y_grid, s->y_grid, sizeof s->y_grid);
    memcpy(facts->window, s->window, sizeof s->window);
    memcpy(facts->stride, s->stride, sizeof s->stride);
    memcpy(facts->padding, s->padding, sizeof s->padding);
    memcpy(facts->dilation, s->dilation, sizeof s->dilation);
    tables->cuda_kernels[number] =
        (struct rnet_cuda_kernel){.threads = 32, .tasks_per_block = 1, .convolution = facts};
    tables->kernels[number] = (struct rnet_kernel){.name = name, .tasks_per_group = 1};
    tables->steps[number] = (struct rnet_step){
        .kernel = (uint32_t)number, .first_argument = 3 * (uint32_t)number, .argument_count = 3};
}

/* Lays the arrays of a shape out and gives its steps their arguments: x, dy and both weights are in
 * the region of the weights, results in that of the gradients. */
static void shape_place(struct tables *tables, int number, uint64_t *weights, uint64_t *gradients)
{
    const struct shape *s = &shapes[number];
    struct rnet_argument *a = &tables->arguments[number * PASSES * 3];
    uint64_t x = take(weights, x_count(s)), y = take(weights, y_count(s));
    uint64_t weight = take(weights, weight_count(s));
    argument_set(&a[0], RNET_REGION_WEIGHTS, x);
    argument_set(&a[1], RNET_REGION_WEIGHTS, weight);
    argument_set(&a[2], RNET_REGION_GRADIENTS, take(gradients, y_count(s)));
    argument_set(&a[3], RNET_REGION_WEIGHTS, y);
    argument_set(&a[4], RNET_REGION_WEIGHTS, take(weights, exchanged_count(s)));
    argument_set(&a[5], RNET_REGION_GRADIENTS, take(gradients, x_count(s)));
    argument_set(&a[6], RNET_REGION_WEIGHTS, x);
    argument_set(&a[7], RNET_REGION_WEIGHTS, y);
    argument_set(&a[8], RNET_REGION_GRADIENTS, take(gradients, CHUNKS * weight_count(s)));
}

static void tables_set(struct tables *tables, enum rnet_precision precision)
{
    uint64_t weights = 0, gradients = 0;
    for (int i = 0; i < SHAPES * PASSES; i++) {
        kernel_set(tables, i);
        tables->convolutions[i].is_bfloat16 = precision == RNET_PRECISION_BF16;
    }
    for (int i = 0; i < SHAPES; i++)
        shape_place(tables, i, &weights, &gradients);
    tables->module = (struct rnet_cuda_module){.cubin = &code, .cubin_bytes = sizeof code};
    tables->cuda = (struct rnet_cuda){.modules = &tables->module,
                                      .kernels = tables->cuda_kernels,
                                      .module_count = 1,
                                      .architecture = 90,
                                      .precision = precision};
    tables->program =
        (struct rnet_program){.version = RNET_PROGRAM_VERSION,
                              .spatial_rank = 2,
                              .network = "convolutions",
                              .batch = BATCH,
                              .channels = 1,
                              .size = {1, 1, 1},
                              .classes = 1,
                              .region_bytes = {[RNET_REGION_WEIGHTS] = weights,
                                               [RNET_REGION_GRADIENTS] = gradients,
                                               [RNET_REGION_WORKSPACE] = 4096,
                                               [RNET_REGION_INPUT] = 4 * BATCH,
                                               [RNET_REGION_LABELS] = 4 * BATCH,
                                               [RNET_REGION_SCALARS] = 64},
                              .logits = {.region = RNET_REGION_WORKSPACE},
                              .train_loss = {.region = RNET_REGION_WORKSPACE},
                              .train_rank = {.region = RNET_REGION_WORKSPACE},
                              .loss = {.region = RNET_REGION_WORKSPACE},
                              .rank = {.region = RNET_REGION_WORKSPACE},
                              .kernels = tables->kernels,
                              .arguments = tables->arguments,
                              .phases[RNET_PHASE_TRAIN] = {tables->steps, SHAPES * PASSES},
                              .kernel_count = SHAPES * PASSES,
                              .argument_count = SHAPES * PASSES * 3,
                              .cuda = &tables->cuda,
                              .target = RNET_TARGET_CUDA};
}

/* ---- data and results ---- */

/* Fills the channels of an array; what lies between is NaN, or 0 in a weight. */
static void fill(float *array, int64_t rows, int64_t channels, int64_t stride, float between)
{
    for (int64_t row = 0; row < rows; row++)
        for (int64_t c = 0; c < stride; c++)
            array[row * stride + c] =
                c < channels ? (float)((row * 7 + c * 5 + row * c) % 5 - 2) : between;
}

static void data_fill(struct executor *executor, const struct tables *tables)
{
    char *region = executor->regions[RNET_REGION_WEIGHTS];
    for (int i = 0; i < SHAPES; i++) {
        const struct shape *s = &shapes[i];
        const struct rnet_argument *a = &tables->arguments[i * PASSES * 3];
        fill((float *)(void *)(region + a[0].offset), BATCH * points(s->x_grid), s->x_channels,
             point_stride(s->x_channels), NAN);
        fill((float *)(void *)(region + a[1].offset), weight_count(s) / padded(s->y_channels),
             s->y_channels, padded(s->y_channels), 0);
        fill((float *)(void *)(region + a[3].offset), BATCH * points(s->y_grid), s->y_channels,
             point_stride(s->y_channels), NAN);
        fill((float *)(void *)(region + a[4].offset), exchanged_count(s) / padded(s->x_channels),
             s->x_channels, padded(s->x_channels), 0);
    }
    executor_changed(executor, RNET_REGION_WEIGHTS);
}

static void array_print(const char *name, const float *array, int64_t rows, int64_t channels,
                        int64_t stride)
{
    printf("%s:", name);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t c = 0; c < channels; c++)
            printf(" %g", (double)array[row * stride + c]);
    printf("\n");
}

static void results_print(const struct executor *executor, const struct tables *tables,
                          int64_t images)
{
    const char *region = executor->regions[RNET_REGION_GRADIENTS];
    for (int i = 0; i < SHAPES; i++) {
        const struct shape *s = &shapes[i];
        const struct rnet_argument *a = &tables->arguments[i * PASSES * 3];
        array_print(tables->kernels[i * PASSES].name,
                    (const float *)(const void *)(region + a[2].offset), images * points(s->y_grid),
                    s->y_channels, point_stride(s->y_channels));
        array_print(tables->kernels[i * PASSES + 1].name,
                    (const float *)(const void *)(region + a[5].offset), images * points(s->x_grid),
                    s->x_channels, point_stride(s->x_channels));
        array_print(tables->kernels[i * PASSES + 2].name,
                    (const float *)(const void *)(region + a[8].offset), 1,
                    (images + CHUNK_IMAGES - 1) / CHUNK_IMAGES * weight_count(s), 0);
    }
}

static struct status run(struct executor *executor, struct tables *tables, bool tune)
{
    const struct executor_options options = {.threads = 1, .tune = tune};
    static const int64_t images[RUNS] = {BATCH, BATCH, 3, BATCH};
    RETURN_IF_ERROR(executor_open_with(executor, &tables->program, &options));
    fprintf(stderr, "%s\n", executor_device_name(executor));
    data_fill(executor, tables);
    for (int i = 0; i < RUNS; i++) {
        RETURN_IF_ERROR(executor_write(executor, RNET_REGION_GRADIENTS, 0, NULL,
                                       tables->program.region_bytes[RNET_REGION_GRADIENTS]));
        RETURN_IF_ERROR(executor_run(executor, RNET_PHASE_TRAIN, images[i]));
        RETURN_IF_ERROR(executor_fetch(executor, RNET_REGION_GRADIENTS));
        results_print(executor, tables, images[i]);
    }
    return status_ok();
}

/* Prints how cuDNN would compute each kernel on a GPU that is described. */
static struct status survey(const struct tables *tables, const char *gpu)
{
    struct cudnn cudnn = {0};
    struct status status = cudnn_open_described(&cudnn, &tables->program, gpu);
    for (uint32_t i = 0; status_is_ok(&status) && i < SHAPES * PASSES; i++) {
        int64_t bytes;
        int ways = cudnn_plan(&cudnn, i, BATCH, &bytes);
        printf("%s %d %lld\n", tables->kernels[i].name, ways, (long long)bytes);
    }
    cudnn_release(&cudnn);
    return status;
}

static enum rnet_precision precision_named(const char *name)
{
    return strcmp(name, "fp32") == 0   ? RNET_PRECISION_FP32
           : strcmp(name, "bf16") == 0 ? RNET_PRECISION_BF16
                                       : RNET_PRECISION_TF32;
}

int main(int argc, char **argv)
{
    static struct tables tables;
    struct executor executor = {0};
    tables_set(&tables, precision_named(argc > 1 ? argv[1] : "tf32"));
    struct status status = argc > 3 ? survey(&tables, argv[3]) : run(&executor, &tables, argc > 2);
    executor_release(&executor);
    if (!status_is_ok(&status))
        fprintf(stderr, "%s\n", status.message);
    return status_exit_code(&status);
}
