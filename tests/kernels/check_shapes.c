/* Every anchor with a shape over shapes that nobody would write down: odd sizes, any kernel,
 * stride, padding and dilation on each axis, groups up to one a channel, 2-D and 3-D, channels that
 * fill no vector. Each is checked by check_kernel, in every schedule that applies. The seed is
 * fixed; with an argument only the case of that number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vector.h"
#include "tests/kernels/check_kernel.h"

enum {
    CASES = 20,              /* of each anchor */
    MOST_PRODUCTS = 3000000, /* of a case: multiply-adds, for the interpreter's sake */
};

static const enum kernel_anchor anchors[] = {
    KERNEL_CONVOLUTION,
    KERNEL_DATA_GRADIENT,
    KERNEL_WEIGHT_GRADIENT,
    KERNEL_TRANSPOSE,
    KERNEL_MAX_POOL,
    KERNEL_MAX_POOL_GRADIENT,
    KERNEL_AVERAGE_POOL,
    KERNEL_AVERAGE_POOL_GRADIENT,
    KERNEL_GROUP_SUM,
    KERNEL_POINT_SUM,
    KERNEL_JOIN,
    KERNEL_ROWS,
};

struct generator {
    uint64_t state;
    struct kernel kernel;
    int64_t images;
};

/* In [low, high]. */
static int32_t pick(struct generator *generator, int32_t low, int32_t high)
{
    generator->state = generator->state * 6364136223846793005u + 1442695040888963407u;
    return low + (int32_t)((generator->state >> 33) % (uint64_t)(high - low + 1));
}

static int32_t pick_channels(struct generator *generator)
{
    static const int32_t some[] = {1, 2, 3, 4, 5, 8, 12, 16, 17, 24, 32, 40, 48, 65};
    return some[pick(generator, 0, (int32_t)countof(some) - 1)];
}

static bool is_pool(const struct kernel *kernel)
{
    return kernel->anchor >= KERNEL_MAX_POOL && kernel->anchor <= KERNEL_AVERAGE_POOL_GRADIENT;
}

/* ---- shapes ---- */

/* One axis: a window that fits the grid at least once. */
static void pick_axis(struct generator *generator, int axis)
{
    struct kernel *kernel = &generator->kernel;
    struct window *window = &kernel->window;
    const bool gradient = kernel->anchor == KERNEL_DATA_GRADIENT;
    int32_t *large = gradient ? kernel->out_grid : kernel->in_grid;
    int32_t *small = gradient ? kernel->in_grid : kernel->out_grid;
    int32_t reach;

    large[axis] = pick(generator, 1, 9);
    window->kernel[axis] = pick(generator, 1, 5);
    window->stride[axis] = pick(generator, 1, 3);
    window->dilation[axis] =
        is_pool(kernel) || window->kernel[axis] == 1 ? 1 : pick(generator, 1, 2);
    window->padding[axis] =
        pick(generator, 0, is_pool(kernel) ? window->kernel[axis] / 2 : window->kernel[axis]);
    reach = window->dilation[axis] * (window->kernel[axis] - 1) + 1;
    if (large[axis] + 2 * window->padding[axis] < reach)
        large[axis] = reach;
    small[axis] = (large[axis] + 2 * window->padding[axis] - reach) / window->stride[axis] + 1;
}

static void pick_window(struct generator *generator)
{
    struct kernel *kernel = &generator->kernel;
    const bool is_volume = pick(generator, 0, 2) == 0;

    for (int axis = 0; axis < GRID_RANK; axis++) {
        kernel->in_grid[axis] = kernel->out_grid[axis] = 1;
        kernel->window.kernel[axis] = kernel->window.stride[axis] = 1;
        kernel->window.dilation[axis] = 1;
        kernel->window.padding[axis] = 0;
        if (axis > 0 || is_volume)
            pick_axis(generator, axis);
    }
}

/* Groups of 1 to 9 channels on each side; often one group, or one a channel. */
static void pick_groups(struct generator *generator)
{
    struct kernel *kernel = &generator->kernel;

    kernel->groups = 1;
    kernel->in_channels = pick_channels(generator);
    kernel->out_channels = pick_channels(generator);
    if (pick(generator, 0, 1) == 0)
        return;
    kernel->groups = pick_channels(generator);
    kernel->in_channels = kernel->groups * pick(generator, 1, 9);
    kernel->out_channels = kernel->groups * pick(generator, 1, 9);
    if (pick(generator, 0, 2) == 0)
        kernel->in_channels = kernel->out_channels = kernel->groups;
}

static void pick_parts(struct generator *generator)
{
    struct kernel *kernel = &generator->kernel;
    const int count = pick(generator, 1, KERNEL_VALUES);

    memcpy(kernel->out_grid, kernel->in_grid, sizeof kernel->in_grid);
    kernel->out_channels = 0;
    for (int j = 0; j < count; j++) {
        struct channel_part *part = &kernel->parts[j];

        part->channels = pick_channels(generator);
        part->first = pick(generator, 0, part->channels - 1);
        part->count = pick(generator, 1, part->channels - part->first);
        kernel->out_channels += part->count;
    }
    kernel->in_channels = kernel->out_channels;
    kernel->value_count = (uint8_t)count;
}

static void pick_rows(struct generator *generator)
{
    struct kernel *kernel = &generator->kernel;
    const int32_t columns = pick(generator, 1, 9);

    kernel->in_channels = columns * pick(generator, 1, 7);
    kernel->out_channels = (int32_t)(kernel->in_channels / columns * grid_points(kernel->in_grid));
    memcpy(kernel->out_grid, (int32_t[]){1, 1, columns}, sizeof kernel->out_grid);
    kernel->flip = pick(generator, 0, 1) == 1;
    if (kernel->flip) {
        const struct kernel forward = *kernel;

        memcpy(kernel->in_grid, forward.out_grid, sizeof kernel->in_grid);
        memcpy(kernel->out_grid, forward.in_grid, sizeof kernel->out_grid);
        kernel->in_channels = forward.out_channels;
        kernel->out_channels = forward.in_channels;
    }
}

static void pick_shapes(struct generator *generator)
{
    struct kernel *kernel = &generator->kernel;

    generator->images = pick(generator, 1, 4);
    kernel->chunk_images = pick(generator, 1, 3);
    pick_window(generator);
    pick_groups(generator);
    if (is_pool(kernel))
        kernel->out_channels = kernel->in_channels;
    if (kernel->anchor == KERNEL_CONVOLUTION || kernel->anchor == KERNEL_DATA_GRADIENT ||
        kernel->anchor == KERNEL_WEIGHT_GRADIENT || kernel->anchor == KERNEL_TRANSPOSE)
        kernel->weight_block = pick(generator, 0, 3) ? 32 : 0;
    if (kernel->anchor == KERNEL_TRANSPOSE)
        kernel->flip = pick(generator, 0, 1) == 1;
    if (kernel->anchor == KERNEL_JOIN)
        pick_parts(generator);
    if (kernel->anchor == KERNEL_ROWS)
        pick_rows(generator);
}

/* ---- expressions ---- */

static int new_parameter(struct kernel *kernel)
{
    return kernel->parameter_count++;
}

/* x, or max(x scale, shift) as a normalization before it would give. */
static uint16_t pick_value(struct generator *generator)
{
    struct kernel *kernel = &generator->kernel;
    const uint16_t x = kernel_load(kernel, new_parameter(kernel), ACCESS_POINT);
    uint16_t scale, shift;

    if (pick(generator, 0, 1) == 0)
        return x;
    scale = kernel_load(kernel, new_parameter(kernel), ACCESS_CHANNEL);
    shift = kernel_load(kernel, new_parameter(kernel), ACCESS_IMAGE_CHANNEL);
    return kernel_binary(kernel, EXPRESSION_MAXIMUM,
                         kernel_binary(kernel, EXPRESSION_MULTIPLY, x, scale), shift);
}

static int operand_count(const struct kernel *kernel)
{
    switch (kernel->anchor) {
    case KERNEL_TRANSPOSE:
        return 0;
    case KERNEL_WEIGHT_GRADIENT:
    case KERNEL_MAX_POOL_GRADIENT:
        return 2;
    case KERNEL_JOIN:
        return kernel->value_count;
    default:
        return 1;
    }
}

static void pick_kernel(struct generator *generator, enum kernel_anchor anchor)
{
    struct kernel *kernel = &generator->kernel;
    const bool has_weight = anchor == KERNEL_CONVOLUTION || anchor == KERNEL_DATA_GRADIENT ||
                            anchor == KERNEL_TRANSPOSE;
    int operands;

    memset(kernel, 0, sizeof *kernel);
    kernel->anchor = (uint8_t)anchor;
    pick_shapes(generator);
    operands = operand_count(kernel);
    for (int i = 0; i < operands; i++)
        kernel->values[i] = pick_value(generator);
    kernel->value_count = (uint8_t)operands;
    kernel->output_count = 1;
    if (has_weight)
        new_parameter(kernel);
    new_parameter(kernel);
}

/* Multiply-adds, about. */
static double products(const struct generator *generator)
{
    const struct kernel *kernel = &generator->kernel;
    const bool gradient = kernel->anchor == KERNEL_DATA_GRADIENT;

    return (double)generator->images *
           (double)grid_points(gradient ? kernel->in_grid : kernel->out_grid) *
           (double)grid_points(kernel->window.kernel) * kernel->in_channels * kernel->out_channels /
           kernel->groups;
}

static int run_case(struct generator *generator, enum kernel_anchor anchor, int number,
                    const char *wanted)
{
    struct arena arena = {0};
    struct kernel rounded;
    int failures = 0;

    do
        pick_kernel(generator, anchor);
    while (products(generator) > MOST_PRODUCTS);
    if (!wanted || atoi(wanted) == number) {
        failures =
            check_kernel(&generator->kernel, generator->images, CHECK_INTERPRETED | CHECK_COMPILED);
        kernel_to_bfloat16(&generator->kernel, &rounded);
        failures += check_kernel(&rounded, generator->images, CHECK_INTERPRETED);
        if (failures)
            printf("FAIL %d. %s, %d images\n", number, kernel_name(&generator->kernel, &arena),
                   (int)generator->images);
    }
    arena_release(&arena);
    return failures;
}

int main(int argument_count, char **arguments)
{
    struct generator generator = {.state = 20150512};
    int failures = 0, number = 0;

    for (size_t a = 0; a < countof(anchors); a++)
        for (int i = 0; i < CASES; i++)
            failures += run_case(&generator, anchors[a], number++,
                                 argument_count > 1 ? arguments[1] : NULL);
    printf("%d cases, %d failures\n", number, failures);
    return failures > 0;
}
