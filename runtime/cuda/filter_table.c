/* Copies as strides, and their parts. See filter_table.h. */
#include "runtime/cuda/filter_table.h"

#include <stdlib.h>
#include <string.h>

static int32_t window_points(const struct rnet_cuda_convolution *facts)
{
    return facts->window[0] * facts->window[1] * facts->window[2];
}

static int32_t padded(int32_t channels)
{
    return (channels + RNET_CHANNEL_PADDING - 1) / RNET_CHANNEL_PADDING * RNET_CHANNEL_PADDING;
}

int64_t filter_elements(const struct rnet_cuda_convolution *facts)
{
    return (int64_t)facts->y_channels * window_points(facts) *
           (facts->x_channels / (int32_t)facts->groups);
}

struct filter_copy filter_copy_forward(const struct rnet_cuda_convolution *facts)
{
    const int32_t inputs = facts->x_channels / (int32_t)facts->groups;
    const int32_t stride = padded(facts->y_channels);
    return (struct filter_copy){{
        [RNET_CUDA_COPY_COUNT] = (int32_t)filter_elements(facts),
        [RNET_CUDA_COPY_EXTENT_1] = window_points(facts),
        [RNET_CUDA_COPY_EXTENT_2] = inputs,
        [RNET_CUDA_COPY_STRIDE_0] = 1,
        [RNET_CUDA_COPY_STRIDE_1] = inputs * stride,
        [RNET_CUDA_COPY_STRIDE_2] = stride,
        [RNET_CUDA_COPY_VALID] = inputs,
    }};
}

struct filter_copy filter_copy_flipped(const struct rnet_cuda_convolution *facts)
{
    const int32_t stride = padded(facts->x_channels), points = window_points(facts);
    return (struct filter_copy){{
        [RNET_CUDA_COPY_FROM] = (points - 1) * facts->y_channels * stride,
        [RNET_CUDA_COPY_COUNT] = (int32_t)filter_elements(facts),
        [RNET_CUDA_COPY_EXTENT_1] = points,
        [RNET_CUDA_COPY_EXTENT_2] = facts->x_channels,
        [RNET_CUDA_COPY_STRIDE_0] = stride,
        [RNET_CUDA_COPY_STRIDE_1] = -facts->y_channels * stride,
        [RNET_CUDA_COPY_STRIDE_2] = 1,
        [RNET_CUDA_COPY_VALID] = facts->x_channels,
    }};
}

struct filter_copy filter_copy_gradient(const struct rnet_cuda_convolution *facts)
{
    const int32_t inputs = facts->x_channels / (int32_t)facts->groups;
    const int32_t stride = padded(facts->y_channels), points = window_points(facts);
    return (struct filter_copy){{
        [RNET_CUDA_COPY_COUNT] = points * inputs * stride,
        [RNET_CUDA_COPY_EXTENT_1] = inputs,
        [RNET_CUDA_COPY_EXTENT_2] = stride,
        [RNET_CUDA_COPY_STRIDE_0] = inputs,
        [RNET_CUDA_COPY_STRIDE_1] = 1,
        [RNET_CUDA_COPY_STRIDE_2] = points * inputs,
        [RNET_CUDA_COPY_VALID] = facts->y_channels,
    }};
}

bool filter_is_countable(const struct rnet_cuda_convolution *facts,
                         const struct rnet_argument *place)
{
    const uint64_t most = INT32_MAX;
    uint64_t elements = (uint64_t)window_points(facts) *
                        (uint64_t)(facts->x_channels / (int32_t)facts->groups) *
                        (uint64_t)padded(facts->y_channels);
    uint64_t exchanged = (uint64_t)window_points(facts) * (uint64_t)facts->y_channels *
                         (uint64_t)padded(facts->x_channels);
    uint64_t begin = place->offset / sizeof(float);
    return begin <= most && elements <= most - begin && exchanged <= most - begin;
}

/* ---- tables ---- */

bool filter_table_open(struct filter_table *table, enum rnet_cuda_function_kind function,
                       uint64_t room)
{
    *table = (struct filter_table){.function = function};
    table->copies = calloc((room + 1) * RNET_CUDA_COPY_NUMBERS, sizeof *table->copies);
    return table->copies != NULL;
}

void filter_table_add(struct filter_table *table, const struct filter_copy *copy)
{
    memcpy(table->copies + table->copy_count * RNET_CUDA_COPY_NUMBERS, copy->numbers,
           sizeof copy->numbers);
    table->copy_count++;
}

bool filter_table_cut(struct filter_table *table)
{
    const int32_t *copies = table->copies;
    int64_t count = 0;
    for (int64_t i = 0; i < table->copy_count; i++)
        count += (copies[i * RNET_CUDA_COPY_NUMBERS + RNET_CUDA_COPY_COUNT] + RNET_CUDA_PART - 1) /
                 RNET_CUDA_PART;
    table->parts = malloc((size_t)(2 * count + 1) * sizeof *table->parts);
    if (table->parts == NULL)
        return false;
    for (int64_t i = 0; i < table->copy_count; i++) {
        const int64_t elements = copies[i * RNET_CUDA_COPY_NUMBERS + RNET_CUDA_COPY_COUNT];
        for (int64_t first = 0; first < elements; first += RNET_CUDA_PART) {
            table->parts[2 * table->part_count] = (int32_t)i;
            table->parts[2 * table->part_count + 1] = (int32_t)first;
            table->part_count++;
        }
    }
    return true;
}

void filter_table_free(struct filter_table *table)
{
    free(table->copies);
    free(table->parts);
    table->copies = table->parts = NULL;
}
