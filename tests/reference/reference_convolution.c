/* Convolutions, their gradients and the transposition of their weights, as plain loops. */
#include <stdlib.h>

#include "tests/reference/reference_internal.h"

void reference_coordinates(const int32_t extents[GRID_RANK], int64_t index, int32_t at[GRID_RANK])
{
    for (int i = GRID_RANK - 1; i >= 0; i--) {
        at[i] = (int32_t)(index % extents[i]);
        index /= extents[i];
    }
}

int64_t reference_window_point(const struct window *window, const int32_t grid[GRID_RANK],
                               const int32_t windows[GRID_RANK], int64_t q, int64_t w)
{
    int32_t q_at[GRID_RANK], w_at[GRID_RANK];
    int64_t point = 0;
    reference_coordinates(windows, q, q_at);
    reference_coordinates(window->kernel, w, w_at);
    for (int i = 0; i < GRID_RANK; i++) {
        int32_t at =
            q_at[i] * window->stride[i] - window->padding[i] + w_at[i] * window->dilation[i];
        if (at < 0 || at >= grid[i])
            return -1;
        point = point * grid[i] + at;
    }
    return point;
}

/* Extents that every convolution's loops use. */
struct shape {
    int64_t in_points, out_points, window;
    int64_t inputs, outputs;           /* channels of one group */
    int64_t in_channels, out_channels; /* of all */
};

static struct shape shape_of(const struct kernel *kernel)
{
    return (struct shape){
        .in_points = grid_points(kernel->in_grid),
        .out_points = grid_points(kernel->out_grid),
        .window = grid_points(kernel->window.kernel),
        .inputs = kernel->in_channels / kernel->groups,
        .outputs = kernel->out_channels / kernel->groups,
        .in_channels = kernel->in_channels,
        .out_channels = kernel->out_channels,
    };
}

/* The element of a weight's row and column, or of its transposed. */
static int64_t weight_index(const struct kernel *kernel, bool transposed, int64_t row, int64_t k)
{
    struct weight_block at = kernel_weight_column(kernel, transposed, k);
    return at.first + row * at.stride;
}

static struct number weight_at(const struct reference *reference, int64_t row, int64_t k)
{
    int64_t index = weight_index(reference->kernel, false, row, k);
    double value = reference_load(reference, kernel_weight_parameter(reference->kernel), index);
    return (struct number){value, value < 0 ? -value : value};
}

/* The number of the part of an image's points that `point` belongs to, over all images. */
static int64_t part_of(const struct kernel *kernel, int64_t image, int64_t point)
{
    int32_t at[GRID_RANK];
    reference_coordinates(kernel->out_grid, point, at);
    int64_t row_parts = (kernel->out_grid[1] + kernel->sum_rows - 1) / kernel->sum_rows;
    return (image * kernel->out_grid[0] + at[0]) * row_parts + at[1] / kernel->sum_rows;
}

/* sums [sum][part][channel]; filled point by point. */
static void add_sums(const struct reference *reference, const struct element *at,
                     struct number *sums)
{
    const struct kernel *kernel = reference->kernel;
    if (kernel->sum_count == 0)
        return;
    int64_t parts = reference->images * kernel_sum_parts(kernel);
    int64_t row = part_of(kernel, at->image, at->point);
    for (int j = 0; j < kernel->sum_count; j++) {
        struct number *sum = &sums[(j * parts + row) * at->channels + at->channel];
        *sum = reference_sum(*sum, reference_evaluate(reference, kernel->sums[j], at));
    }
}

static void store_sums(const struct reference *reference, const struct number *sums)
{
    const struct kernel *kernel = reference->kernel;
    int64_t parts = reference->images * kernel_sum_parts(kernel), channels = kernel->out_channels;
    for (int64_t i = 0; i < parts * channels; i++)
        for (int j = 0; j < kernel->sum_count; j++)
            reference_store(reference, 1 + j,
                            i / channels * channel_stride(channels) + i % channels,
                            sums[j * parts * channels + i]);
}

static void store_point(const struct reference *reference, int64_t image, int64_t point,
                        int64_t channel, struct number result, struct number *sums)
{
    const struct kernel *kernel = reference->kernel;
    struct element at = {.image = image,
                         .point = point,
                         .channel = channel,
                         .points = grid_points(kernel->out_grid),
                         .channels = kernel->out_channels,
                         .result = result};
    add_sums(reference, &at, sums);
    if (kernel->epilogue)
        result = reference_evaluate(reference, (uint16_t)(kernel->epilogue - 1), &at);
    int64_t row = image * at.points + point;
    reference_store(reference, 0, row * channel_stride(at.channels) + channel, result);
}

/* The point of x that the result at q sees through window position w, or -1. For a data gradient:
 * the q' of the forward convolution whose position w is this point. */
static int64_t source_point(const struct kernel *kernel, bool gradient, int64_t q, int64_t w)
{
    if (!gradient)
        return reference_window_point(&kernel->window, kernel->in_grid, kernel->out_grid, q, w);
    int64_t points = grid_points(kernel->in_grid);
    for (int64_t p = 0; p < points; p++)
        if (reference_window_point(&kernel->window, kernel->out_grid, kernel->in_grid, p, w) == q)
            return p;
    return -1;
}

/* out [images][out_points][out_channels] = sum over window and the group's inputs of
 * x [images][in_points][in_channels] * weight [window][inputs][out_channels] */
static void convolve(const struct reference *reference, bool gradient)
{
    struct shape s = shape_of(reference->kernel);
    struct number *x = reference_values(reference, 0, reference->kernel->in_grid, s.in_channels);
    int64_t count = reference->images * s.out_points * s.out_channels;
    int64_t parts =
        reference->kernel->sum_count ? reference->images * kernel_sum_parts(reference->kernel) : 0;
    struct number *sums = calloc((size_t)(parts * KERNEL_SUMS * s.out_channels) + 1, sizeof *sums);
    int64_t *source = calloc((size_t)(s.out_points * s.window), sizeof *source);
    for (int64_t i = 0; i < s.out_points * s.window; i++)
        source[i] = source_point(reference->kernel, gradient, i / s.window, i % s.window);
    for (int64_t i = 0; i < count; i++) {
        int64_t k = i % s.out_channels, q = i / s.out_channels % s.out_points;
        int64_t n = i / s.out_channels / s.out_points, first = k / s.outputs * s.inputs;
        struct number sum = {0};
        for (int64_t w = 0; w < s.window; w++) {
            int64_t p = source[q * s.window + w];
            for (int64_t c = 0; p >= 0 && c < s.inputs; c++)
                sum = reference_sum(
                    sum, reference_product(x[(n * s.in_points + p) * s.in_channels + first + c],
                                           weight_at(reference, w * s.inputs + c, k)));
        }
        store_point(reference, n, q, k, sum, sums);
    }
    if (parts > 0)
        store_sums(reference, sums);
    free(sums);
    free(source);
    free(x);
}

void reference_convolution(const struct reference *reference)
{
    convolve(reference, false);
}

void reference_data_gradient(const struct reference *reference)
{
    convolve(reference, true);
}

/* One element of the weight's gradient: sum over images [first, end) and out_points of
 * x [..][in_points][in_channels] * dy [..][out_points][out_channels] */
static struct number weight_sum(const struct reference *reference, const struct shape *s,
                                const struct number *x, const struct number *dy, int64_t first,
                                int64_t end, int64_t w, int64_t channel, int64_t k)
{
    const struct kernel *kernel = reference->kernel;
    struct number sum = {0};
    for (int64_t q = 0; q < s->out_points; q++) {
        int64_t p =
            reference_window_point(&kernel->window, kernel->in_grid, kernel->out_grid, q, w);
        for (int64_t n = first; p >= 0 && n < end; n++)
            sum = reference_sum(
                sum, reference_product(x[(n * s->in_points + p) * s->in_channels + channel],
                                       dy[(n * s->out_points + q) * s->out_channels + k]));
    }
    return sum;
}

/* out [chunks][window][inputs][out_channels], zeros in the padding */
void reference_weight_gradient(const struct reference *reference)
{
    const struct kernel *kernel = reference->kernel;
    struct shape s = shape_of(kernel);
    struct number *x = reference_values(reference, 0, kernel->in_grid, s.in_channels);
    struct number *dy = reference_values(reference, 1, kernel->out_grid, s.out_channels);
    int64_t elements = kernel_weight_elements(kernel, false), images = kernel->chunk_images;
    int64_t stride = (s.out_channels + 15) / 16 * 16;
    for (int64_t first = 0; first < reference->images; first += images) {
        int64_t end = first + images < reference->images ? first + images : reference->images;
        for (int64_t i = 0; i < elements; i++) {
            int64_t k = i % stride, row = i / stride, c = row % s.inputs;
            int64_t w = row / s.inputs, channel = k / s.outputs * s.inputs + c;
            struct number sum = {0};
            if (k < s.out_channels)
                sum = weight_sum(reference, &s, x, dy, first, end, w, channel, k);
            reference_store(reference, 0,
                            first / images * elements + weight_index(kernel, false, row, k), sum);
        }
    }
    free(dy);
    free(x);
}

/* out [window][outputs][in_channels] = weight [window][inputs][out_channels], with zeros in the
 * padding */
void reference_transpose(const struct reference *reference)
{
    const struct kernel *kernel = reference->kernel;
    struct shape s = shape_of(kernel);
    int64_t stride = (s.in_channels + 15) / 16 * 16;
    for (int64_t i = 0; i < s.window * s.outputs * stride; i++) {
        int64_t c = i % stride, k = i / stride % s.outputs, w = i / stride / s.outputs;
        int64_t from = kernel->flip ? s.window - 1 - w : w;
        struct number value = {0};
        if (c < s.in_channels)
            value =
                weight_at(reference, from * s.inputs + c % s.inputs, c / s.inputs * s.outputs + k);
        reference_store(reference, 0, weight_index(kernel, true, i / stride, c), value);
    }
}
