/* Clearing, reading and comparing what a chain leaves. See chain_place.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bfloat16.h"
#include "runtime/cuda/chain_place.h"

enum {
    PARTS = 16,      /* of a tensor that are compared, all over it */
    PART_ROWS = 256, /* points of a part */
    SPOILED = 0x7F,  /* in every byte: 3.4e38 in either type, so that nothing else is reached */
};

/* What may differ, relative to the norm of all. */
static const double tensors_differ[] = {
    [RNET_PRECISION_FP32] = 1e-4,
    [RNET_PRECISION_TF32] = 5e-3,
    [RNET_PRECISION_BF16] = 1e-2,
};
static const double sums_differ[] = {
    [RNET_PRECISION_FP32] = 1e-3,
    [RNET_PRECISION_TF32] = 1e-3,
    [RNET_PRECISION_BF16] = 1e-2,
};

/* How a result lies: rows of channels. */
struct rows {
    device_address address;
    int64_t count, channels, stride; /* of elements */
    bool is_bfloat16, is_sum;
};

static struct rows rows_of(const struct chain_place *place, uint32_t result)
{
    const struct rnet_cuda_operand *operand = &place->chain->results[result];
    const struct rnet_program *program = place->launcher->code->program;
    const struct rnet_cuda_convolution *facts =
        program->cuda->kernels[place->chain->kernels[0]].convolution;
    const bool is_backward = facts->pass == RNET_CUDA_DATA_GRADIENT;
    const int32_t *grid = is_backward ? facts->x_grid : facts->y_grid;
    const int32_t channels = is_backward ? facts->x_channels : facts->y_channels;
    struct rows rows = {
        .address = place->addresses.results[result],
        .count = place->images * grid[0] * grid[1] * grid[2],
        .channels = channels,
        .stride = channel_stride(channels),
        .is_bfloat16 = operand->is_bfloat16,
        .is_sum = operand->kind == RNET_CUDA_SUMS,
    };
    if (rows.is_sum)
        rows.count = (place->images + place->chain->chunk_images - 1) / place->chain->chunk_images;
    return rows;
}

static size_t row_bytes(const struct rows *rows)
{
    return (size_t)rows->stride * (rows->is_bfloat16 ? sizeof(uint16_t) : sizeof(float));
}

/* Sets every byte of a result. */
static struct status rows_set(const struct chain_place *place, const struct rows *rows,
                              unsigned char value)
{
    const struct gpu *gpu = place->launcher->code->gpu;
    return driver_status(&gpu->driver,
                         gpu->driver.set_bytes(rows->address, value,
                                               (size_t)rows->count * row_bytes(rows), gpu->compute),
                         "set results on GPU %d", gpu->number);
}

struct status chain_results_spoil(const struct chain_place *place)
{
    for (uint32_t i = 0; i < place->chain->result_count; i++) {
        const struct rows rows = rows_of(place, i);
        RETURN_IF_ERROR(rows_set(place, &rows, SPOILED));
    }
    return status_ok();
}

struct status chain_sums_clear(const struct chain_place *place)
{
    for (uint32_t i = 0; i < place->chain->result_count; i++) {
        const struct rows rows = rows_of(place, i);
        if (rows.is_sum)
            RETURN_IF_ERROR(rows_set(place, &rows, 0));
    }
    return status_ok();
}

/* ---- reading ---- */

static double element(const char *row, int64_t channel, bool is_bfloat16)
{
    return is_bfloat16 ? (double)bfloat16_value(((const uint16_t *)(const void *)row)[channel])
                       : (double)((const float *)(const void *)row)[channel];
}

/* Copies `count` rows from row `first` on to the host. */
static struct status rows_copy(const struct chain_place *place, const struct rows *rows,
                               int64_t first, int64_t count, char *to)
{
    const struct gpu *gpu = place->launcher->code->gpu;
    const size_t bytes = row_bytes(rows);
    RETURN_IF_ERROR(
        driver_status(&gpu->driver,
                      gpu->driver.copy_to_host(to, rows->address + (uint64_t)first * bytes,
                                               (size_t)count * bytes, gpu->compute),
                      "read results on GPU %d", gpu->number));
    return gpu_wait(gpu);
}

/* Reads a tensor's parts, or all chunks of sums, one behind the other. */
static struct status parts_copy(const struct chain_place *place, const struct rows *rows,
                                int64_t parts, int64_t part_rows, char *to)
{
    for (int64_t part = 0; part < parts; part++)
        RETURN_IF_ERROR(rows_copy(place, rows,
                                  parts == 1 ? 0 : (rows->count - part_rows) * part / (parts - 1),
                                  part_rows, to + (size_t)(part * part_rows) * row_bytes(rows)));
    return status_ok();
}

static struct status result_read(const struct chain_place *place, uint32_t result,
                                 struct chain_numbers *numbers)
{
    const struct rows rows = rows_of(place, result);
    const bool is_whole = rows.is_sum || rows.count <= PARTS * PART_ROWS;
    const int64_t parts = is_whole ? 1 : PARTS, part_rows = is_whole ? rows.count : PART_ROWS;
    const int64_t count = parts * part_rows;
    char *copy = malloc((size_t)count * row_bytes(&rows));
    double *values = calloc((size_t)((rows.is_sum ? 1 : count) * rows.channels), sizeof *values);
    struct status status = status_error(STATUS_MEMORY, "not enough memory to compare chains");
    numbers->values[result] = values;
    numbers->counts[result] = (size_t)((rows.is_sum ? 1 : count) * rows.channels);
    if (copy != NULL && values != NULL)
        status = parts_copy(place, &rows, parts, part_rows, copy);
    for (int64_t row = 0; status_is_ok(&status) && row < count; row++)
        for (int64_t c = 0; c < rows.channels; c++)
            values[(rows.is_sum ? 0 : row * rows.channels) + c] +=
                element(copy + (size_t)row * row_bytes(&rows), c, rows.is_bfloat16);
    free(copy);
    return status;
}

struct status chain_numbers_read(const struct chain_place *place, enum rnet_cuda_operand_kind kind,
                                 struct chain_numbers *numbers)
{
    for (uint32_t i = 0; i < place->chain->result_count; i++)
        if (place->chain->results[i].kind == kind)
            RETURN_IF_ERROR(result_read(place, i, numbers));
    return status_ok();
}

void chain_numbers_free(struct chain_numbers *numbers)
{
    for (int i = 0; i < RNET_CUDA_CHAIN_RESULTS; i++)
        free(numbers->values[i]);
}

/* ---- comparing ---- */

static bool are_close(const double *a, const double *b, size_t count, double most)
{
    double difference = 0, norm = 0;
    for (size_t i = 0; i < count; i++) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        norm += b[i] * b[i];
    }
    return norm > 0 && sqrt(difference) <= most * sqrt(norm);
}

bool chain_numbers_agree(const struct chain_place *place, enum rnet_cuda_operand_kind kind,
                         const struct chain_numbers *numbers, const struct chain_numbers *expected)
{
    const uint32_t precision = place->launcher->code->program->cuda->precision;
    const double most = kind == RNET_CUDA_SUMS ? sums_differ[precision] : tensors_differ[precision];
    bool agree = true;
    for (uint32_t i = 0; i < place->chain->result_count; i++)
        if (place->chain->results[i].kind == kind)
            agree = agree &&
                    are_close(numbers->values[i], expected->values[i], numbers->counts[i], most);
    return agree;
}
