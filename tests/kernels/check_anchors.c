/* Every anchor over a table of shapes, windows, groups and expressions, each checked by
 * check_kernel. With arguments: only the cases whose line contains one of them.
 * A case that failed is repeated alone by giving its line's number, as "#17". */
#include <stdio.h>
#include <string.h>

#include "base/vector.h"
#include "tests/kernels/check_kernel.h"

/* What values and epilogues of a case are made of. */
enum expressions {
    PLAIN,      /* the element itself */
    NORMALIZED, /* max((x - first) scale + shift, 0) */
    DROPPED,    /* x or 0, plus a pixel's value for some images */
    JOINED,     /* x + if_positive(y, z) image_channel - scalar */
};

struct test_case {
    enum kernel_anchor anchor;
    int32_t grid[GRID_RANK], channels, out_channels, groups;
    int32_t kernel[GRID_RANK], stride[GRID_RANK], padding[GRID_RANK], dilation; /* 0: 1 */
    enum expressions value, epilogue; /* epilogue PLAIN: none */
    int images, chunk_images;
    bool flip;
};

#define P2(height, width)                                                                          \
    {                                                                                              \
        1, height, width                                                                           \
    }
#define CUBE(size)                                                                                 \
    {                                                                                              \
        size, size, size                                                                           \
    }
#define ALONE                                                                                      \
    {                                                                                              \
        1, 1, 1                                                                                    \
    }

/* ---- building a case's kernel ---- */

static int new_parameter(struct kernel *kernel)
{
    return kernel->parameter_count++;
}

static uint16_t normalized(struct kernel *kernel)
{
    uint16_t x = kernel_load(kernel, new_parameter(kernel), ACCESS_POINT);
    uint16_t first = kernel_load(kernel, new_parameter(kernel), ACCESS_FIRST);
    uint16_t scale = kernel_load(kernel, new_parameter(kernel), ACCESS_CHANNEL);
    uint16_t shift = kernel_load(kernel, new_parameter(kernel), ACCESS_CHANNEL);
    uint16_t moved = kernel_binary(kernel, EXPRESSION_SUBTRACT, x, first);
    uint16_t scaled = kernel_binary(kernel, EXPRESSION_MULTIPLY, moved, scale);
    uint16_t sum = kernel_binary(kernel, EXPRESSION_ADD, scaled, shift);
    return kernel_binary(kernel, EXPRESSION_MAXIMUM, sum, kernel_constant(kernel, 0.0));
}

static uint16_t joined(struct kernel *kernel, uint16_t x)
{
    uint16_t y = kernel_load(kernel, new_parameter(kernel), ACCESS_POINT);
    uint16_t z = kernel_load(kernel, new_parameter(kernel), ACCESS_IMAGE_CHANNEL);
    uint16_t scalar = kernel_scalar(kernel, new_parameter(kernel), 2);
    uint16_t chosen = kernel_binary(kernel, EXPRESSION_IF_POSITIVE, y, z);
    uint16_t product = kernel_binary(kernel, EXPRESSION_MULTIPLY, chosen, scalar);
    return kernel_binary(kernel, EXPRESSION_ADD, x, product);
}

/* b with probability `share`, else 0. */
static uint16_t kept(struct kernel *kernel, double share, uint16_t random, uint16_t b)
{
    uint16_t margin =
        kernel_binary(kernel, EXPRESSION_SUBTRACT, kernel_constant(kernel, share), random);
    return kernel_binary(kernel, EXPRESSION_IF_POSITIVE, margin, b);
}

static uint16_t dropped(struct kernel *kernel, uint16_t x)
{
    uint16_t pixel = kernel_load(kernel, new_parameter(kernel), ACCESS_PIXEL);
    int key = new_parameter(kernel);
    kernel->storage[key] = KERNEL_I32;
    uint16_t element = kernel_random(kernel, key, ACCESS_POINT);
    uint16_t image = kernel_random(kernel, key, ACCESS_IMAGE);
    return kernel_binary(kernel, EXPRESSION_ADD, kept(kernel, 0.75, element, x),
                         kept(kernel, 0.5, image, pixel));
}

static uint16_t value_of(struct kernel *kernel, enum expressions expressions)
{
    if (expressions == NORMALIZED)
        return normalized(kernel);
    uint16_t x = kernel_load(kernel, new_parameter(kernel), ACCESS_POINT);
    if (expressions == DROPPED)
        return dropped(kernel, x);
    return expressions == JOINED ? joined(kernel, x) : x;
}

/* scale and offset of a channel from sums over chunks, as batch normalization needs them. */
static void vector_values(struct kernel *kernel)
{
    uint16_t sum = kernel_load(kernel, new_parameter(kernel), ACCESS_CHUNK_SUM);
    uint16_t squares = kernel_load(kernel, new_parameter(kernel), ACCESS_CHUNK_SUM);
    uint16_t weight = kernel_load(kernel, new_parameter(kernel), ACCESS_CHANNEL);
    uint16_t elements = kernel_expression(kernel, (struct expression){.op = EXPRESSION_ELEMENTS});
    uint16_t mean = kernel_binary(kernel, EXPRESSION_DIVIDE, sum, elements);
    uint16_t square = kernel_binary(kernel, EXPRESSION_MULTIPLY, squares, squares);
    uint16_t some = kernel_binary(kernel, EXPRESSION_ADD, square, kernel_constant(kernel, 0.5));
    uint16_t root = kernel_unary(kernel, EXPRESSION_SQRT, some);
    kernel->values[0] = kernel_binary(kernel, EXPRESSION_DIVIDE, weight, root);
    kernel->values[1] = kernel_binary(kernel, EXPRESSION_MULTIPLY, mean, kernel->values[0]);
    kernel->value_count = 2;
}

/* A tensor, some of its channels where it has more, and the rest of the result. */
static void add_parts(struct kernel *kernel, const struct test_case *test)
{
    const int32_t wide = test->channels, rest = test->out_channels - wide;
    const struct channel_part parts[] = {{wide, 0, wide}, {wide, wide / 3, 1}, {rest - 1, 0, 0}};
    for (int j = 0; j < (rest > 1 ? 3 : rest + 1); j++) {
        kernel->parts[j] = parts[j];
        if (j == 2)
            kernel->parts[j].count = rest - 1;
        kernel->values[kernel->value_count++] = value_of(kernel, test->value);
    }
    if (rest < 0) /* a part alone */
        kernel->parts[kernel->value_count++] = (struct channel_part){wide, -rest, wide + rest};
    if (rest < 0)
        kernel->values[0] = value_of(kernel, test->value);
}

static void add_values(struct kernel *kernel, const struct test_case *test)
{
    bool two = test->anchor == KERNEL_WEIGHT_GRADIENT || test->anchor == KERNEL_MAX_POOL_GRADIENT;
    if (test->anchor == KERNEL_VECTOR) {
        vector_values(kernel);
        return;
    }
    if (test->anchor == KERNEL_TRANSPOSE)
        return;
    if (test->anchor == KERNEL_JOIN) {
        add_parts(kernel, test);
        return;
    }
    kernel->values[kernel->value_count++] = value_of(kernel, test->value);
    if (two)
        kernel->values[kernel->value_count++] = value_of(kernel, test->epilogue);
    bool many = test->anchor == KERNEL_POINTWISE || test->anchor == KERNEL_CHANNEL_SUM ||
                test->anchor == KERNEL_GROUP_SUM || test->anchor == KERNEL_POINT_SUM;
    if (many && test->value != PLAIN) {
        uint16_t value = kernel->values[0];
        kernel->values[1] = kernel_binary(kernel, EXPRESSION_MULTIPLY, value, value);
        kernel->value_count = 2;
    }
}

/* Convolutions and data gradients have epilogues and side sums. */
static bool stores_results(const struct test_case *test)
{
    return test->anchor == KERNEL_CONVOLUTION || test->anchor == KERNEL_DATA_GRADIENT;
}

static void add_epilogue(struct kernel *kernel, const struct test_case *test)
{
    if (!stores_results(test) || test->epilogue == PLAIN)
        return;
    uint16_t result = kernel_expression(kernel, (struct expression){.op = EXPRESSION_RESULT});
    uint16_t bias = kernel_load(kernel, new_parameter(kernel), ACCESS_CHANNEL);
    uint16_t sum = kernel_binary(kernel, EXPRESSION_ADD, result, bias);
    kernel->epilogue = (uint16_t)(joined(kernel, sum) + 1);
}

/* The sums of what is stored, moved by a vector, and of its square, over parts of `rows` rows. */
static void add_sums(struct kernel *kernel, int32_t rows)
{
    uint16_t result = kernel_expression(kernel, (struct expression){.op = EXPRESSION_RESULT});
    uint16_t stored = kernel->epilogue ? (uint16_t)(kernel->epilogue - 1) : result;
    uint16_t shift = kernel_load(kernel, new_parameter(kernel), ACCESS_CHANNEL);
    uint16_t moved = kernel_binary(kernel, EXPRESSION_SUBTRACT, stored, shift);
    kernel->sums[0] = moved;
    kernel->sums[1] = kernel_binary(kernel, EXPRESSION_MULTIPLY, moved, moved);
    kernel->sum_count = 2;
    kernel->sum_rows = rows;
}

static void add_weight_and_outputs(struct kernel *kernel, const struct test_case *test)
{
    bool weight = stores_results(test) || test->anchor == KERNEL_TRANSPOSE;
    kernel->output_count = kernel->value_count > 0 ? kernel->value_count : 1;
    bool sum = test->anchor == KERNEL_GROUP_SUM || test->anchor == KERNEL_POINT_SUM;
    if (test->anchor >= KERNEL_CONVOLUTION && !sum)
        kernel->output_count = (uint8_t)(1 + kernel->sum_count);
    if (weight)
        new_parameter(kernel);
    if (test->anchor == KERNEL_SOFTMAX_LOSS) {
        kernel->storage[new_parameter(kernel)] = KERNEL_I32;
        kernel->output_count = test->flip ? 2 : 3;
        if (test->epilogue == NORMALIZED) /* a smoothed target */
            kernel->values[kernel->value_count++] = kernel_constant(kernel, 0.1);
    }
    kernel->parameter_count = (uint8_t)(kernel->parameter_count + kernel->output_count);
}

/* A case's out_channels is the length of a row. */
static void set_rows(struct kernel *kernel, const struct test_case *test)
{
    const int32_t columns = test->out_channels;
    const int32_t grid[GRID_RANK] = {1, 1, columns};
    memcpy(kernel->out_grid, grid, sizeof grid);
    kernel->out_channels = (int32_t)(test->channels / columns * grid_points(test->grid));
    kernel->flip = test->flip;
    if (!test->flip)
        return;
    memcpy(kernel->out_grid, kernel->in_grid, sizeof grid);
    memcpy(kernel->in_grid, grid, sizeof grid);
    kernel->in_channels = kernel->out_channels;
    kernel->out_channels = test->channels;
}

static void set_shapes(struct kernel *kernel, const struct test_case *test)
{
    bool windowed = test->kernel[0] > 0, gradient = test->anchor == KERNEL_DATA_GRADIENT;
    int32_t *large = gradient ? kernel->out_grid : kernel->in_grid;
    int32_t *small = gradient ? kernel->in_grid : kernel->out_grid;
    kernel->in_channels = test->channels;
    kernel->out_channels = test->out_channels;
    kernel->groups = test->groups ? test->groups : windowed;
    kernel->chunk_images = test->chunk_images;
    kernel->chunk_parts = test->anchor == KERNEL_VECTOR ? 1 + test->images % 3 : 0;
    for (int i = 0; i < GRID_RANK; i++) {
        large[i] = test->grid[i];
        if (!windowed)
            continue;
        struct window *window = &kernel->window;
        window->kernel[i] = test->kernel[i];
        window->stride[i] = test->stride[i];
        window->padding[i] = test->padding[i];
        window->dilation[i] = test->dilation && test->kernel[i] > 1 ? test->dilation : 1;
        int32_t reach = window->dilation[i] * (window->kernel[i] - 1) + 1;
        small[i] = (large[i] + 2 * window->padding[i] - reach) / window->stride[i] + 1;
    }
    if (windowed && test->anchor >= KERNEL_MAX_POOL)
        kernel->out_channels = kernel->in_channels;
    if (test->anchor == KERNEL_JOIN)
        memcpy(kernel->out_grid, kernel->in_grid, sizeof kernel->in_grid);
    if (test->anchor == KERNEL_ROWS)
        set_rows(kernel, test);
}

static void case_kernel(const struct test_case *test, int32_t sum_rows, struct kernel *kernel)
{
    memset(kernel, 0, sizeof *kernel);
    kernel->anchor = (uint8_t)test->anchor;
    kernel->flip = test->flip && test->anchor == KERNEL_TRANSPOSE;
    set_shapes(kernel, test);
    add_values(kernel, test);
    add_epilogue(kernel, test);
    if (sum_rows > 0)
        add_sums(kernel, sum_rows);
    add_weight_and_outputs(kernel, test);
}

/* ---- the table ---- */

/* anchor, grid, channels, out_channels, groups, kernel, stride, padding, dilation, value,
 * epilogue, images, chunk_images, flip */
/* clang-format off */
static const struct test_case cases[] = {
    {KERNEL_POINTWISE, P2(5, 5), 16, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_POINTWISE, P2(5, 5), 3, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 3, 0, false},
    {KERNEL_POINTWISE, P2(5, 5), 1, 0, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 3, 0, false},
    {KERNEL_POINTWISE, P2(4, 3), 48, 0, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 5, 0, false},
    {KERNEL_POINTWISE, P2(6, 5), 100, 0, 0, {0}, {0}, {0}, 0, JOINED, PLAIN, 3, 0, false},
    {KERNEL_POINTWISE, P2(40, 40), 32, 0, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 2, 0, false},
    {KERNEL_POINTWISE, P2(33, 33), 64, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_POINTWISE, P2(5, 5), 48, 0, 0, {0}, {0}, {0}, 0, DROPPED, PLAIN, 3, 0, false},
    {KERNEL_POINTWISE, CUBE(3), 10, 0, 0, {0}, {0}, {0}, 0, DROPPED, PLAIN, 5, 0, false},
    {KERNEL_POINTWISE, P2(4, 3), 3, 0, 0, {0}, {0}, {0}, 0, DROPPED, PLAIN, 4, 0, false},
    {KERNEL_POINTWISE, ALONE, 10, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 70, 0, false},
    {KERNEL_CHANNEL_SUM, P2(5, 5), 16, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 5, 2, false},
    {KERNEL_CHANNEL_SUM, P2(5, 5), 3, 0, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 3, 1, false},
    {KERNEL_CHANNEL_SUM, P2(4, 4), 64, 0, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 5, 4, false},
    {KERNEL_CHANNEL_SUM, P2(3, 7), 100, 0, 0, {0}, {0}, {0}, 0, JOINED, PLAIN, 4, 2, false},
    {KERNEL_CHANNEL_SUM, P2(3, 4), 20, 0, 0, {0}, {0}, {0}, 0, DROPPED, PLAIN, 4, 2, false},
    {KERNEL_CHANNEL_SUM, ALONE, 10, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 5, 5, false},
    {KERNEL_CHANNEL_SUM, P2(2, 2), 600, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 3, 2, false},
    {KERNEL_VECTOR, P2(8, 8), 16, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 5, 2, false},
    {KERNEL_VECTOR, P2(8, 8), 3, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 4, 2, false},
    {KERNEL_VECTOR, P2(8, 8), 100, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 1, 4, false},
    {KERNEL_VECTOR, P2(8, 8), 5008, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 7, 2, false},
    /* 1x1 convolutions */
    {KERNEL_CONVOLUTION, P2(5, 5), 16, 16, 1, ALONE, ALONE, {0}, 1, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_CONVOLUTION, P2(6, 6), 64, 16, 1, ALONE, ALONE, {0}, 1, NORMALIZED, PLAIN, 3, 0, false},
    {KERNEL_CONVOLUTION, P2(5, 5), 16, 64, 1, ALONE, ALONE, {0}, 1, NORMALIZED, JOINED, 2, 0,
     false},
    {KERNEL_CONVOLUTION, P2(5, 4), 48, 100, 1, ALONE, ALONE, {0}, 1, JOINED, JOINED, 2, 0, false},
    {KERNEL_CONVOLUTION, P2(9, 7), 32, 48, 1, ALONE, P2(2, 2), {0}, 1, PLAIN, JOINED, 2, 0, false},
    {KERNEL_CONVOLUTION, P2(8, 8), 32, 64, 1, ALONE, P2(2, 2), {0}, 1, NORMALIZED, PLAIN, 2, 0,
     false},
    {KERNEL_CONVOLUTION, ALONE, 64, 10, 1, ALONE, ALONE, {0}, 1, PLAIN, JOINED, 5, 0, false},
    {KERNEL_CONVOLUTION, ALONE, 100, 10, 1, ALONE, ALONE, {0}, 1, NORMALIZED, JOINED, 13, 0, false},
    {KERNEL_CONVOLUTION, ALONE, 64, 3, 1, ALONE, ALONE, {0}, 1, PLAIN, PLAIN, 5, 0, false},
    {KERNEL_CONVOLUTION, P2(2, 2), 32, 32, 1, ALONE, ALONE, {0}, 1, PLAIN, JOINED, 5, 0, false},
    {KERNEL_CONVOLUTION, P2(3, 3), 10, 1, 1, ALONE, ALONE, {0}, 1, PLAIN, PLAIN, 2, 0, false},
    /* windows */
    {KERNEL_CONVOLUTION, P2(6, 6), 3, 16, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 2, 0,
     false},
    {KERNEL_CONVOLUTION, P2(8, 8), 16, 16, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED, PLAIN, 2,
     0, false},
    {KERNEL_CONVOLUTION, P2(5, 7), 16, 32, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, JOINED, 3, 0,
     false},
    {KERNEL_CONVOLUTION, P2(4, 4), 64, 64, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED, JOINED,
     1, 0, false},
    {KERNEL_CONVOLUTION, P2(8, 8), 16, 32, 1, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, NORMALIZED, PLAIN,
     2, 0, false},
    {KERNEL_CONVOLUTION, P2(5, 6), 16, 32, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, DROPPED, PLAIN, 3, 0,
     false},
    {KERNEL_CONVOLUTION, P2(5, 6), 32, 16, 1, ALONE, ALONE, {0}, 1, DROPPED, PLAIN, 2, 0, false},
    {KERNEL_CONVOLUTION, P2(6, 6), 10, 48, 1, P2(3, 3), ALONE, {0}, 1, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_CONVOLUTION, P2(9, 9), 3, 64, 1, P2(7, 7), P2(2, 2), {0, 3, 3}, 1, PLAIN, PLAIN, 2, 0,
     false},
    {KERNEL_CONVOLUTION, P2(7, 7), 16, 16, 1, P2(3, 3), ALONE, {0, 2, 2}, 2, NORMALIZED, PLAIN, 2,
     0, false},
    {KERNEL_CONVOLUTION, P2(7, 9), 16, 16, 1, {1, 1, 5}, {1, 2, 3}, {0, 0, 2}, 1, PLAIN, PLAIN, 2,
     0, false},
    {KERNEL_CONVOLUTION, P2(3, 31), 16, 48, 1, {1, 1, 3}, ALONE, {0, 0, 1}, 1, PLAIN, PLAIN, 2, 0,
     false},
    {KERNEL_CONVOLUTION, P2(3, 3), 1, 1, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 2, 0,
     false},
    {KERNEL_CONVOLUTION, CUBE(5), 3, 16, 1, CUBE(3), {1, 2, 2}, CUBE(1), 1, PLAIN, PLAIN, 2, 0,
     false},
    {KERNEL_CONVOLUTION, CUBE(4), 16, 16, 1, CUBE(3), CUBE(1), CUBE(1), 1, NORMALIZED, JOINED, 1,
     0, false},
    {KERNEL_CONVOLUTION, CUBE(4), 16, 32, 1, CUBE(1), CUBE(2), {0}, 1, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_CONVOLUTION, P2(5, 9), 16, 32, 1, {1, 2, 3}, ALONE, {0, 2, 2}, 2, PLAIN, PLAIN, 2, 0,
     false},
    {KERNEL_CONVOLUTION, P2(9, 9), 16, 256, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 1, 0,
     false},
    {KERNEL_CONVOLUTION, P2(3, 3), 256, 16, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 1, 0,
     false},
    /* groups */
    {KERNEL_CONVOLUTION, P2(5, 5), 32, 32, 2, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED, PLAIN, 2,
     0, false},
    {KERNEL_CONVOLUTION, P2(5, 5), 64, 64, 2, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, PLAIN, JOINED, 1,
     0, false},
    {KERNEL_CONVOLUTION, P2(5, 5), 32, 32, 8, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED, PLAIN, 2,
     0, false},
    {KERNEL_CONVOLUTION, P2(5, 5), 64, 64, 8, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, PLAIN, PLAIN, 1,
     0, false},
    {KERNEL_CONVOLUTION, P2(5, 17), 32, 32, 4, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED, JOINED,
     2, 0, false},
    {KERNEL_CONVOLUTION, P2(5, 6), 32, 32, 16, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, PLAIN, PLAIN, 2, 0,
     false},
    {KERNEL_CONVOLUTION, P2(5, 5), 16, 16, 16, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 2, 0,
     false},
    {KERNEL_CONVOLUTION, P2(4, 4), 12, 24, 3, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, JOINED, 2, 0,
     false},
    {KERNEL_CONVOLUTION, P2(4, 4), 16, 64, 4, ALONE, ALONE, {0}, 1, NORMALIZED, PLAIN, 2, 0, false},
    {KERNEL_CONVOLUTION, P2(4, 4), 12, 20, 4, ALONE, ALONE, {0}, 1, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_CONVOLUTION, P2(4, 4), 96, 96, 2, ALONE, ALONE, {0}, 1, PLAIN, PLAIN, 2, 0, false},
    /* ... tiles of 4x4 results: cut at the grid's ends, many channels, several tasks an image,
     * groups */
    {KERNEL_CONVOLUTION, P2(9, 7), 32, 48, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED, JOINED, 3,
     0, false},
    {KERNEL_CONVOLUTION, P2(8, 8), 96, 32, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 3, 0,
     false},
    {KERNEL_CONVOLUTION, P2(30, 43), 16, 16, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED, JOINED,
     2, 0, false},
    {KERNEL_CONVOLUTION, P2(7, 10), 32, 64, 1, P2(3, 3), ALONE, {0, 2, 0}, 1, PLAIN, JOINED, 2, 0,
     false},
    {KERNEL_CONVOLUTION, P2(7, 7), 256, 256, 8, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED, JOINED,
     1, 0, false},
    {KERNEL_CONVOLUTION, P2(8, 7), 144, 96, 3, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 2, 0,
     false},
    /* data gradients: the grid is the result's */
    {KERNEL_DATA_GRADIENT, P2(8, 8), 32, 16, 1, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, PLAIN, PLAIN, 2,
     0, false},
    {KERNEL_DATA_GRADIENT, P2(7, 9), 16, 48, 1, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, NORMALIZED,
     PLAIN, 2, 0, false},
    {KERNEL_DATA_GRADIENT, P2(8, 8), 64, 32, 1, ALONE, P2(2, 2), {0}, 1, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_DATA_GRADIENT, P2(9, 7), 32, 100, 1, ALONE, P2(2, 2), {0}, 1, JOINED, PLAIN, 2, 0,
     false},
    {KERNEL_DATA_GRADIENT, P2(6, 6), 16, 16, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 2, 0,
     false},
    {KERNEL_DATA_GRADIENT, P2(9, 9), 64, 3, 1, P2(7, 7), P2(2, 2), {0, 3, 3}, 1, PLAIN, PLAIN, 1,
     0, false},
    {KERNEL_DATA_GRADIENT, P2(8, 8), 32, 32, 2, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, NORMALIZED,
     PLAIN, 2, 0, false},
    {KERNEL_DATA_GRADIENT, P2(8, 8), 32, 32, 8, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, PLAIN, PLAIN, 2,
     0, false},
    {KERNEL_DATA_GRADIENT, P2(9, 8), 16, 16, 1, P2(3, 3), {1, 3, 2}, {0, 2, 2}, 2, PLAIN, PLAIN,
     2, 0, false},
    {KERNEL_DATA_GRADIENT, CUBE(5), 16, 16, 1, CUBE(3), {1, 2, 2}, CUBE(1), 1, PLAIN, PLAIN, 1, 0,
     false},
    /* weight gradients */
    {KERNEL_WEIGHT_GRADIENT, P2(5, 5), 16, 16, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED,
     PLAIN, 5, 2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(8, 8), 32, 64, 1, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, PLAIN,
     NORMALIZED, 3, 2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(5, 5), 64, 32, 1, ALONE, ALONE, {0}, 1, PLAIN, PLAIN, 3, 2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(5, 6), 48, 100, 1, ALONE, ALONE, {0}, 1, NORMALIZED, JOINED, 3, 1,
     false},
    {KERNEL_WEIGHT_GRADIENT, P2(7, 7), 32, 32, 1, ALONE, P2(2, 2), {0}, 1, PLAIN, JOINED, 3, 4,
     false},
    {KERNEL_WEIGHT_GRADIENT, P2(6, 6), 3, 16, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, NORMALIZED,
     4, 3, false},
    {KERNEL_WEIGHT_GRADIENT, P2(9, 9), 3, 64, 1, P2(7, 7), P2(2, 2), {0, 3, 3}, 1, PLAIN, PLAIN,
     2, 1, false},
    {KERNEL_WEIGHT_GRADIENT, ALONE, 64, 10, 1, ALONE, ALONE, {0}, 1, PLAIN, PLAIN, 5, 2, false},
    {KERNEL_WEIGHT_GRADIENT, ALONE, 10, 3, 1, ALONE, ALONE, {0}, 1, PLAIN, PLAIN, 5, 2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(5, 5), 32, 32, 2, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED,
     PLAIN, 2, 2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(5, 5), 32, 32, 8, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED,
     JOINED, 3, 2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(4, 4), 12, 24, 3, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 2,
     2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(7, 7), 16, 16, 1, P2(3, 3), P2(2, 3), {0, 2, 2}, 2, PLAIN, PLAIN,
     2, 2, false},
    {KERNEL_WEIGHT_GRADIENT, CUBE(4), 16, 16, 1, CUBE(3), {1, 2, 2}, CUBE(1), 1, NORMALIZED,
     PLAIN, 2, 1, false},
    {KERNEL_WEIGHT_GRADIENT, P2(3, 18), 16, 16, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED,
     JOINED, 3, 2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(3, 17), 3, 10, 1, P2(2, 3), ALONE, {0, 0, 0}, 1, PLAIN, PLAIN, 3,
     2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(3, 16), 32, 32, 8, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED,
     PLAIN, 2, 1, false},
    {KERNEL_WEIGHT_GRADIENT, P2(5, 17), 32, 32, 4, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 2,
     2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(7, 6), 32, 32, 16, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, NORMALIZED,
     PLAIN, 3, 2, false},
    {KERNEL_WEIGHT_GRADIENT, CUBE(4), 1, 16, 1, CUBE(3), CUBE(1), CUBE(1), 1, PLAIN, PLAIN, 2, 1,
     false},
    {KERNEL_WEIGHT_GRADIENT, P2(9, 7), 32, 48, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED,
     JOINED, 3, 2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(8, 8), 80, 144, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 1,
     1, false},
    {KERNEL_WEIGHT_GRADIENT, P2(9, 57), 64, 32, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED,
     PLAIN, 1, 1, false},
    {KERNEL_WEIGHT_GRADIENT, P2(7, 10), 64, 64, 4, P2(3, 3), ALONE, {0, 2, 0}, 1, PLAIN, JOINED, 3,
     2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(7, 7), 96, 144, 3, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED, PLAIN,
     1, 1, false},
    /* transpositions */
    {KERNEL_TRANSPOSE, ALONE, 16, 64, 1, P2(3, 3), ALONE, {0}, 1, PLAIN, PLAIN, 1, 0, true},
    {KERNEL_TRANSPOSE, ALONE, 10, 100, 1, ALONE, ALONE, {0}, 1, PLAIN, PLAIN, 1, 0, false},
    {KERNEL_TRANSPOSE, ALONE, 32, 64, 4, P2(3, 3), ALONE, {0}, 1, PLAIN, PLAIN, 1, 0, true},
    {KERNEL_TRANSPOSE, ALONE, 3, 16, 1, CUBE(3), ALONE, {0}, 1, PLAIN, PLAIN, 1, 0, true},
    /* pools */
    {KERNEL_MAX_POOL, P2(8, 8), 16, 0, 0, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, PLAIN, PLAIN, 2, 0,
     false},
    {KERNEL_MAX_POOL, P2(7, 6), 100, 0, 0, P2(2, 2), P2(2, 2), {0}, 1, NORMALIZED, PLAIN, 2, 0,
     false},
    {KERNEL_MAX_POOL, P2(7, 6), 3, 0, 0, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_MAX_POOL, CUBE(4), 16, 0, 0, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, 1, PLAIN, PLAIN, 2, 0,
     false},
    /* split by output channels, blocks of several images, points in few sets of a cache */
    {KERNEL_WEIGHT_GRADIENT, P2(3, 3), 256, 256, 1, ALONE, ALONE, {0}, 1, NORMALIZED, PLAIN, 5, 3,
     false},
    {KERNEL_WEIGHT_GRADIENT, P2(4, 4), 32, 256, 1, P2(3, 3), ALONE, {0, 1, 1}, 1, NORMALIZED,
     NORMALIZED, 3, 2, false},
    {KERNEL_WEIGHT_GRADIENT, P2(5, 5), 128, 512, 1, ALONE, P2(2, 2), {0}, 1, PLAIN, JOINED, 4, 4,
     false},
    {KERNEL_WEIGHT_GRADIENT, P2(4, 3), 256, 32, 1, ALONE, ALONE, {0}, 1, PLAIN, PLAIN, 5, 5, false},
    {KERNEL_MAX_POOL_GRADIENT, P2(8, 8), 16, 0, 0, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, PLAIN, PLAIN,
     2, 0, false},
    {KERNEL_MAX_POOL_GRADIENT, P2(7, 6), 48, 0, 0, P2(2, 2), P2(2, 2), {0}, 1, NORMALIZED, JOINED,
     2, 0, false},
    {KERNEL_MAX_POOL_GRADIENT, P2(5, 5), 3, 0, 0, P2(3, 3), ALONE, {0, 1, 1}, 1, PLAIN, PLAIN, 2,
     0, false},
    {KERNEL_MAX_POOL_GRADIENT, CUBE(4), 16, 0, 0, CUBE(3), CUBE(2), CUBE(1), 1, NORMALIZED, PLAIN,
     2, 0, false},
    {KERNEL_AVERAGE_POOL, P2(8, 8), 64, 0, 0, P2(8, 8), ALONE, {0}, 1, NORMALIZED, PLAIN, 3, 0,
     false},
    {KERNEL_AVERAGE_POOL, P2(7, 7), 100, 0, 0, P2(3, 3), P2(2, 2), {0, 1, 1}, 1, PLAIN, PLAIN, 2,
     0, false},
    {KERNEL_AVERAGE_POOL, P2(4, 4), 1, 0, 0, P2(2, 2), P2(2, 2), {0}, 1, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_AVERAGE_POOL_GRADIENT, P2(8, 8), 64, 0, 0, P2(8, 8), ALONE, {0}, 1, PLAIN, PLAIN, 3,
     0, false},
    {KERNEL_AVERAGE_POOL_GRADIENT, P2(7, 7), 10, 0, 0, P2(3, 3), P2(2, 2), {0, 1, 1}, 1,
     NORMALIZED, PLAIN, 2, 0, false},
    {KERNEL_AVERAGE_POOL_GRADIENT, CUBE(4), 3, 0, 0, CUBE(2), CUBE(2), {0}, 1, PLAIN, PLAIN, 2, 0,
     false},
    /* sums within an image */
    {KERNEL_GROUP_SUM, P2(5, 5), 16, 0, 1, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_GROUP_SUM, P2(5, 5), 16, 0, 16, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 3, 0, false},
    {KERNEL_GROUP_SUM, P2(4, 3), 48, 0, 8, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 2, 0, false},
    {KERNEL_GROUP_SUM, P2(3, 3), 60, 0, 5, {0}, {0}, {0}, 0, PLAIN, PLAIN, 3, 0, false},
    {KERNEL_GROUP_SUM, P2(7, 5), 256, 0, 32, {0}, {0}, {0}, 0, JOINED, PLAIN, 2, 0, false},
    {KERNEL_GROUP_SUM, ALONE, 64, 0, 4, {0}, {0}, {0}, 0, PLAIN, PLAIN, 5, 0, false},
    {KERNEL_GROUP_SUM, P2(3, 3), 3, 0, 3, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 2, 0, false},
    {KERNEL_GROUP_SUM, P2(5, 2), 10, 0, 2, {0}, {0}, {0}, 0, DROPPED, PLAIN, 2, 0, false},
    {KERNEL_GROUP_SUM, CUBE(3), 96, 0, 6, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 2, 0, false},
    {KERNEL_GROUP_SUM, P2(2, 2), 1, 0, 1, {0}, {0}, {0}, 0, PLAIN, PLAIN, 3, 0, false},
    {KERNEL_POINT_SUM, P2(5, 5), 16, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_POINT_SUM, P2(4, 3), 100, 0, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 3, 0, false},
    {KERNEL_POINT_SUM, P2(33, 31), 96, 0, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 2, 0, false},
    {KERNEL_POINT_SUM, ALONE, 47, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 5, 0, false},
    {KERNEL_POINT_SUM, P2(3, 3), 3, 0, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 2, 0, false},
    {KERNEL_POINT_SUM, CUBE(3), 24, 0, 0, {0}, {0}, {0}, 0, JOINED, PLAIN, 2, 0, false},
    {KERNEL_POINT_SUM, P2(5, 2), 10, 0, 0, {0}, {0}, {0}, 0, DROPPED, PLAIN, 2, 0, false},
    {KERNEL_POINT_SUM, P2(2, 2), 1, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 3, 0, false},
    /* joins: out_channels are those of the whole, or of the part that is taken */
    {KERNEL_JOIN, P2(5, 5), 16, 16, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_JOIN, P2(5, 5), 16, 48, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_JOIN, P2(4, 3), 64, 96, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 3, 0, false},
    {KERNEL_JOIN, P2(3, 3), 37, 80, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_JOIN, P2(33, 31), 32, 65, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 2, 0, false},
    {KERNEL_JOIN, P2(3, 3), 2, 4, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_JOIN, P2(3, 3), 3, 24, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_JOIN, ALONE, 100, 300, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 3, 0, false},
    {KERNEL_JOIN, CUBE(3), 10, 17, 0, {0}, {0}, {0}, 0, JOINED, PLAIN, 2, 0, false},
    {KERNEL_JOIN, P2(5, 5), 48, 16, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_JOIN, P2(5, 5), 50, 17, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 2, 0, false},
    {KERNEL_JOIN, P2(3, 3), 20, 3, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_JOIN, P2(3, 3), 4, 1, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    /* rows: out_channels are the columns */
    {KERNEL_ROWS, P2(3, 3), 16, 4, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_ROWS, P2(3, 3), 16, 4, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, true},
    {KERNEL_ROWS, P2(5, 4), 24, 4, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 2, 0, false},
    {KERNEL_ROWS, P2(5, 4), 24, 4, 0, {0}, {0}, {0}, 0, NORMALIZED, PLAIN, 2, 0, true},
    {KERNEL_ROWS, ALONE, 12, 4, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 3, 0, false},
    {KERNEL_ROWS, ALONE, 12, 4, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 3, 0, true},
    {KERNEL_ROWS, P2(3, 5), 81, 81, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_ROWS, P2(3, 5), 81, 81, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, true},
    {KERNEL_ROWS, P2(3, 5), 84, 21, 0, {0}, {0}, {0}, 0, JOINED, PLAIN, 2, 0, false},
    {KERNEL_ROWS, P2(3, 5), 84, 21, 0, {0}, {0}, {0}, 0, JOINED, PLAIN, 2, 0, true},
    {KERNEL_ROWS, P2(2, 3), 4, 2, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_ROWS, P2(2, 3), 4, 2, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, true},
    {KERNEL_ROWS, CUBE(2), 18, 3, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, false},
    {KERNEL_ROWS, CUBE(2), 18, 3, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 2, 0, true},
    /* losses; flip: without the gradient */
    {KERNEL_SOFTMAX_LOSS, ALONE, 10, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 5, 0, false},
    {KERNEL_SOFTMAX_LOSS, ALONE, 100, 0, 0, {0}, {0}, {0}, 0, PLAIN, PLAIN, 3, 0, true},
    {KERNEL_SOFTMAX_LOSS, ALONE, 3, 0, 0, {0}, {0}, {0}, 0, JOINED, PLAIN, 4, 0, false},
    {KERNEL_SOFTMAX_LOSS, ALONE, 10, 0, 0, {0}, {0}, {0}, 0, PLAIN, NORMALIZED, 5, 0, false},
    {KERNEL_SOFTMAX_LOSS, ALONE, 100, 0, 0, {0}, {0}, {0}, 0, PLAIN, NORMALIZED, 3, 0, true},
};
/* clang-format on */

/* ---- running ---- */

static bool is_chosen(const char *line, int count, char **wanted)
{
    for (int i = 0; i < count; i++)
        if (strstr(line, wanted[i]))
            return true;
    return count == 0;
}

static bool has_weight(const struct test_case *test)
{
    return stores_results(test) || test->anchor == KERNEL_WEIGHT_GRADIENT ||
           test->anchor == KERNEL_TRANSPOSE;
}

static int run_case(size_t number, int32_t sum_rows, uint16_t weight_block, int argument_count,
                    char **arguments, struct arena *arena)
{
    const struct test_case *test = &cases[number];
    struct kernel kernel, rounded;
    case_kernel(test, sum_rows, &kernel);
    kernel.weight_block = weight_block;
    kernel.streams = number % 2 == 0 && (stores_results(test) || test->anchor == KERNEL_POINTWISE);
    const char *line =
        arena_format(arena, "#%zu. %s images %d chunk %d value %d epilogue %d sums %d block %d",
                     number, kernel_name(&kernel, arena), test->images, test->chunk_images,
                     test->value, test->epilogue, sum_rows, weight_block);
    if (!is_chosen(line, argument_count, arguments))
        return 0;
    int failures = check_kernel(&kernel, test->images, CHECK_INTERPRETED | CHECK_COMPILED);
    kernel_to_bfloat16(&kernel, &rounded);
    if (memcmp(&kernel, &rounded, sizeof kernel) != 0)
        failures += check_kernel(&rounded, test->images, CHECK_INTERPRETED);
    printf("%-4s %s\n", failures ? "FAIL" : "ok", line);
    return failures;
}

int main(int argument_count, char **arguments)
{
    struct arena arena = {0};
    int failures = 0;
    for (size_t i = 0; i < countof(cases); i++) {
        failures += run_case(i, 0, 0, argument_count - 1, arguments + 1, &arena);
        if (has_weight(&cases[i]))
            failures += run_case(i, 0, 32, argument_count - 1, arguments + 1, &arena);
        if (!stores_results(&cases[i]))
            continue;
        int32_t step = cases[i].anchor == KERNEL_DATA_GRADIENT ? cases[i].stride[1] : 1;
        failures +=
            run_case(i, (1 + (int32_t)i % 3) * step, 32, argument_count - 1, arguments + 1, &arena);
        failures += run_case(i, 4 * step, 32, argument_count - 1, arguments + 1, &arena);
    }
    printf("%zu cases, %d failures\n", countof(cases), failures);
    arena_release(&arena);
    return failures > 0;
}
