/* Two passes, along the rows and then along the columns, with 8-bit values between them and
 * coefficients in fixed point: Pillow's algorithm (src/libImaging/Resample.c). See resample.h. */
#include "runtime/resample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PRECISION = 32 - 8 - 2 /* bits behind the point */ };

/* For each place of the output, the span of the input that it is the weighted mean of. */
struct filter {
    int64_t taps;     /* room for the weights of one place */
    int64_t *first;   /* of the input, for each place of the output */
    int64_t *count;
    int32_t *weights; /* [place][taps] */
};

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

static void place_weigh(struct filter *filter, int64_t place, int64_t in, double scale,
                        double *weights)
{
    double reach = fmax(scale, 1), center = ((double)place + 0.5) * scale, sum = 0;
    int64_t first = (int64_t)(center - reach + 0.5), last = (int64_t)(center + reach + 0.5);
    first = first < 0 ? 0 : first;
    last = last > in ? in : last;
    for (int64_t i = first; i < last; i++) {
        weights[i - first] = triangle(((double)i - center + 0.5) * (1 / reach));
        sum += weights[i - first];
    }
    filter->first[place] = first;
    filter->count[place] = last - first;
    for (int64_t i = 0; i < last - first; i++) {
        double weight = sum > 0 ? weights[i] / sum : weights[i];
        filter->weights[place * filter->taps + i] = (int32_t)(0.5 + weight * (1 << PRECISION));
    }
}

static void filter_release(struct filter *filter)
{
    free(filter->first);
    free(filter->count);
    free(filter->weights);
}

static bool filter_make(struct filter *filter, int64_t in, int64_t out)
{
    double scale = (double)in / (double)out;
    *filter = (struct filter){.taps = (int64_t)ceil(fmax(scale, 1)) * 2 + 1};
    double *weights = malloc((size_t)filter->taps * sizeof *weights);
    filter->first = malloc((size_t)out * sizeof *filter->first);
    filter->count = malloc((size_t)out * sizeof *filter->count);
    filter->weights = malloc((size_t)(out * filter->taps) * sizeof *filter->weights);
    bool made = weights && filter->first && filter->count && filter->weights;
    for (int64_t place = 0; made && place < out; place++)
        place_weigh(filter, place, in, scale, weights);
    free(weights);
    if (!made)
        filter_release(filter);
    return made;
}

static uint8_t clipped(int32_t sum)
{
    int32_t value = sum >> PRECISION;
    return (uint8_t)(value < 0 ? 0 : value > UINT8_MAX ? UINT8_MAX : value);
}

/* Filters one row of pixels. */
static void row_filter(const struct filter *filter, const uint8_t *in, int64_t places,
                       uint8_t *out)
{
    const int32_t half = 1 << (PRECISION - 1);
    for (int64_t place = 0; place < places; place++, out += IMAGE_COLOURS) {
        const uint8_t *pixel = in + filter->first[place] * IMAGE_COLOURS;
        const int32_t *weights = filter->weights + place * filter->taps;
        int32_t red = half, green = half, blue = half;
        for (int64_t i = 0; i < filter->count[place]; i++, pixel += IMAGE_COLOURS) {
            red += pixel[0] * weights[i];
            green += pixel[1] * weights[i];
            blue += pixel[2] * weights[i];
        }
        out[0] = clipped(red);
        out[1] = clipped(green);
        out[2] = clipped(blue);
    }
}

/* Weighs rows of `values` bytes into one; `sums` is room for as many numbers. */
static void rows_weigh(const uint8_t *rows, const int32_t *weights, int64_t count, int64_t values,
                       int32_t *sums, uint8_t *out)
{
    for (int64_t x = 0; x < values; x++)
        sums[x] = 1 << (PRECISION - 1);
    for (int64_t i = 0; i < count; i++, rows += values)
        for (int64_t x = 0; x < values; x++)
            sums[x] += rows[x] * weights[i];
    for (int64_t x = 0; x < values; x++)
        out[x] = clipped(sums[x]);
}

static void passes_run(const struct image *image, const struct box *box,
                       const struct filter *across, const struct filter *down,
                       const int64_t size[2], uint8_t *between, int32_t *sums, uint8_t *out)
{
    const struct box *window = &image->window;
    int64_t stride = window->width * IMAGE_COLOURS, values = size[1] * IMAGE_COLOURS;
    const uint8_t *start = image->pixels + (box->top - window->top) * stride +
                           (box->left - window->left) * IMAGE_COLOURS;
    for (int64_t row = 0; row < box->height; row++)
        row_filter(across, start + row * stride, size[1], between + row * values);
    for (int64_t row = 0; row < size[0]; row++)
        rows_weigh(between + down->first[row] * values, down->weights + row * down->taps,
                   down->count[row], values, sums, out + row * values);
}

struct status image_resample(const struct image *image, const struct box *box, int64_t height,
                             int64_t width, uint8_t *out)
{
    struct filter across = {0}, down = {0};
    uint8_t *between = malloc((size_t)(box->height * width * IMAGE_COLOURS));
    int32_t *sums = malloc((size_t)(width * IMAGE_COLOURS) * sizeof *sums);
    bool made = between != NULL && sums != NULL && filter_make(&across, box->width, width);
    if (made && !filter_make(&down, box->height, height)) {
        filter_release(&across);
        made = false;
    }
    if (made) {
        passes_run(image, box, &across, &down, (int64_t[]){height, width}, between, sums, out);
        filter_release(&across);
        filter_release(&down);
    }
    free(between);
    free(sums);
    return made ? status_ok()
                : status_error(STATUS_MEMORY, "not enough memory to resize a picture");
}
