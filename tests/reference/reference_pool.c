/* Pools, their gradients and the softmax loss, as plain loops. */
#include <math.h>
#include <stdlib.h>

#include "tests/reference/reference_internal.h"

static void store(const struct reference *reference, int64_t row, int64_t channel,
                  struct number number)
{
    int64_t stride = channel_stride(reference->kernel->in_channels);
    reference_store(reference, 0, row * stride + channel, number);
}

static int64_t window_point(const struct kernel *kernel, int64_t q, int64_t w)
{
    return reference_window_point(&kernel->window, kernel->in_grid, kernel->out_grid, q, w);
}

/* The row of x [rows][channels] with the first maximum of the window at q of image n. */
static int64_t maximum_row(const struct kernel *kernel, const struct number *x, int64_t n,
                           int64_t q, int64_t c)
{
    int64_t best = -1, channels = kernel->in_channels;
    for (int64_t w = 0; w < grid_points(kernel->window.kernel); w++) {
        int64_t p = window_point(kernel, q, w), row = n * grid_points(kernel->in_grid) + p;
        if (p >= 0 && (best < 0 || x[row * channels + c].value > x[best * channels + c].value))
            best = row;
    }
    return best;
}

/* out [images][out_points][channels] = maximum over the window of
 * x [images][in_points][channels] */
void reference_max_pool(const struct reference *reference)
{
    const struct kernel *kernel = reference->kernel;
    int64_t points = grid_points(kernel->out_grid), channels = kernel->in_channels;
    struct number *x = reference_values(reference, 0, kernel->in_grid, channels);
    for (int64_t i = 0; i < reference->images * points; i++)
        for (int64_t c = 0; c < channels; c++) {
            int64_t row = maximum_row(kernel, x, i / points, i % points, c);
            store(reference, i, c, x[row * channels + c]);
        }
    free(x);
}

/* out [images][in_points][channels] += dy [images][out_points][channels] at each first maximum */
void reference_max_pool_gradient(const struct reference *reference)
{
    const struct kernel *kernel = reference->kernel;
    int64_t points = grid_points(kernel->out_grid), channels = kernel->in_channels;
    int64_t rows = reference->images * grid_points(kernel->in_grid);
    struct number *x = reference_values(reference, 0, kernel->in_grid, channels);
    struct number *dy = reference_values(reference, 1, kernel->out_grid, channels);
    struct number *sums = calloc((size_t)(rows * channels), sizeof *sums);
    for (int64_t i = 0; i < reference->images * points; i++)
        for (int64_t c = 0; c < channels; c++) {
            int64_t row = maximum_row(kernel, x, i / points, i % points, c);
            struct number *sum = &sums[row * channels + c];
            *sum = reference_sum(*sum, dy[i * channels + c]);
        }
    for (int64_t i = 0; i < rows * channels; i++)
        store(reference, i / channels, i % channels, sums[i]);
    free(sums);
    free(dy);
    free(x);
}

/* Adds x at each point of each window to the window, or, for the gradient, at each window to its
 * points; then divides by the size of the window.
 * x [images][from][channels], out [images][to][channels] */
static void average(const struct reference *reference, bool gradient)
{
    const struct kernel *kernel = reference->kernel;
    int64_t in = grid_points(kernel->in_grid), out = grid_points(kernel->out_grid);
    int64_t channels = kernel->in_channels, size = grid_points(kernel->window.kernel);
    int64_t from = gradient ? out : in, to = gradient ? in : out;
    struct number share = {1.0 / (double)size, 1.0 / (double)size};
    struct number *x =
        reference_values(reference, 0, gradient ? kernel->out_grid : kernel->in_grid, channels);
    struct number *sums = calloc((size_t)(reference->images * to * channels), sizeof *sums);
    for (int64_t i = 0; i < reference->images * out * size; i++) {
        int64_t n = i / size / out, q = i / size % out;
        int64_t p = window_point(kernel, q, i % size);
        int64_t source = n * from + (gradient ? q : p), target = n * to + (gradient ? p : q);
        for (int64_t c = 0; p >= 0 && c < channels; c++)
            sums[target * channels + c] =
                reference_sum(sums[target * channels + c], x[source * channels + c]);
    }
    for (int64_t i = 0; i < reference->images * to * channels; i++)
        store(reference, i / channels, i % channels, reference_product(sums[i], share));
    free(sums);
    free(x);
}

void reference_average_pool(const struct reference *reference)
{
    average(reference, false);
}

void reference_average_pool_gradient(const struct reference *reference)
{
    average(reference, true);
}

/* The sum of exponentials of x [classes] relative to the largest, and how many rank above. */
static double exponentials(const struct number *x, int64_t classes, int64_t label, double *out_best,
                           int64_t *out_rank)
{
    double best = x[label].value, sum = 0.0;
    *out_rank = 0;
    for (int64_t c = 0; c < classes; c++) {
        best = fmax(best, x[c].value);
        bool tie = x[c].value == x[label].value && c < label;
        *out_rank += x[c].value > x[label].value || tie;
    }
    for (int64_t c = 0; c < classes; c++)
        sum += exp(x[c].value - best);
    *out_best = best;
    return sum;
}

/* loss [images], rank [images], gradient [images][classes] of logits x [images][classes] */
void reference_softmax_loss(const struct reference *reference)
{
    const struct kernel *kernel = reference->kernel;
    int64_t classes = kernel->in_channels, images = reference->images;
    const int32_t *labels = reference->data->buffers[kernel_weight_parameter(kernel)];
    struct number *x = reference_values(reference, 0, kernel->in_grid, classes);
    double smoothing = kernel_label_smoothing(kernel), spread = smoothing / (double)classes;
    for (int64_t n = 0; n < images; n++) {
        double best, total = 0;
        int64_t rank, stride = channel_stride(classes);
        const struct number *row = x + n * classes;
        double sum = exponentials(row, classes, labels[n], &best, &rank);
        for (int64_t c = 0; c < classes; c++)
            total += row[c].value;
        double loss =
            log(sum) + best - (1 - smoothing) * row[labels[n]].value - spread * total;
        reference_store(reference, 0, n, (struct number){loss, fabs(loss) + fabs(best)});
        reference_store(reference, 1, n, (struct number){(double)rank, 1.0});
        for (int64_t c = 0; kernel->output_count == 3 && c < classes; c++) {
            double share = exp(row[c].value - best) / sum;
            double target = spread + (c == labels[n] ? 1 - smoothing : 0);
            double gradient = (share - target) / (double)images;
            reference_store(reference, 2, n * stride + c,
                            (struct number){gradient, 2.0 / (double)images});
        }
    }
    free(x);
}
