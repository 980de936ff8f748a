/* Sums within an image, joins of channels and channels as rows, as compiler/kernel.h defines them.
 */
#include <stdlib.h>

#include "tests/reference/reference_internal.h"

/* out_j [images][channels] = sum over the points and the channels of each one's group */
void reference_group_sum(const struct reference *reference)
{
    const struct kernel *kernel = reference->kernel;
    const int64_t points = grid_points(kernel->in_grid), channels = kernel->in_channels;
    const int64_t size = channels / kernel->groups;

    for (int j = 0; j < kernel->output_count; j++) {
        struct number *values = reference_values(reference, j, kernel->in_grid, channels);

        for (int64_t i = 0; i < reference->images * channels; i++) {
            const int64_t n = i / channels, c = i % channels, first = c / size * size;
            struct number sum = {0};

            for (int64_t p = 0; p < points; p++)
                for (int64_t other = first; other < first + size; other++)
                    sum = reference_sum(sum, values[(n * points + p) * channels + other]);
            reference_store(reference, j, n * channel_stride(channels) + c, sum);
        }
        free(values);
    }
}

/* out_j [images][points] = sum over the channels */
void reference_point_sum(const struct reference *reference)
{
    const struct kernel *kernel = reference->kernel;
    const int64_t points = grid_points(kernel->in_grid), channels = kernel->in_channels;

    for (int j = 0; j < kernel->output_count; j++) {
        struct number *values = reference_values(reference, j, kernel->in_grid, channels);

        for (int64_t i = 0; i < reference->images * points; i++) {
            struct number sum = {0};

            for (int64_t c = 0; c < channels; c++)
                sum = reference_sum(sum, values[i * channels + c]);
            reference_store(reference, j, i, sum);
        }
        free(values);
    }
}

/* out [images][points][channels of all parts] */
void reference_join(const struct reference *reference)
{
    const struct kernel *kernel = reference->kernel;
    const int64_t rows = reference->images * grid_points(kernel->in_grid);
    int64_t before = 0;

    for (int j = 0; j < kernel->value_count; j++) {
        const struct channel_part *part = &kernel->parts[j];
        struct number *values = reference_values(reference, j, kernel->in_grid, part->channels);

        for (int64_t i = 0; i < rows; i++)
            for (int64_t c = 0; c < part->count; c++)
                reference_store(reference, 0, i * channel_stride(kernel->out_channels) + before + c,
                                values[i * part->channels + part->first + c]);
        before += part->count;
        free(values);
    }
}

/* Element e of the columns, one after the other, is element (channel, point) of the grid, one
 * channel after the other: both are seen as [columns][rows] = [channels][points]. */
void reference_rows(const struct reference *reference)
{
    const struct kernel *kernel = reference->kernel;
    const int64_t in_points = grid_points(kernel->in_grid);
    const int64_t out_points = grid_points(kernel->out_grid);
    const int64_t in = kernel->in_channels, out = kernel->out_channels;
    const int64_t count = in * in_points;
    struct number *values = reference_values(reference, 0, kernel->in_grid, in);

    for (int64_t i = 0; i < reference->images * count; i++) {
        const int64_t n = i / count, e = i % count;
        /* of the columns' side: point and channel are (column, row); of the other's (p, c) */
        const int64_t from_point = kernel->flip ? e / in : e % in_points;
        const int64_t from_channel = kernel->flip ? e % in : e / in_points;
        const int64_t to_point = kernel->flip ? e % out_points : e / out;
        const int64_t to_channel = kernel->flip ? e / out_points : e % out;

        reference_store(reference, 0,
                        (n * out_points + to_point) * channel_stride(out) + to_channel,
                        values[(n * in_points + from_point) * in + from_channel]);
    }
    free(values);
}
