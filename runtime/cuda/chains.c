/* Timing, comparing and running chains. See chains.h. */
#include "runtime/cuda/chains.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bfloat16.h"

enum { COMPARED_ROWS = 4096 /* of a tensor: points, the first ones */ };

/* What may differ, relative to the norm of all: tensors by two engines, and sums of them. */
static const double tensors_differ[] = {
    [RNET_PRECISION_FP32] = 1e-4,
    [RNET_PRECISION_TF32] = 2e-2,
    [RNET_PRECISION_BF16] = 2e-2,
};
static const double sums_differ[] = {
    [RNET_PRECISION_FP32] = 1e-3,
    [RNET_PRECISION_TF32] = 1e-3,
    [RNET_PRECISION_BF16] = 1e-2,
};

/* A chain at its place among the steps. */
struct place {
    const struct chains *chains;
    const struct rnet_cuda_chain *chain;
    uint32_t number;
    const struct rnet_step *steps;
    const struct filter_step *filters; /* of each step, or NULL */
    int64_t images;
    int32_t channels;
    struct cudnn_chain_places addresses;
    int way;     /* that chain_put takes */
    bool failed; /* cuDNN could not run it */
};

static const struct rnet_program *program_of(const struct place *place)
{
    return place->chains->launcher->code->program;
}

struct status chains_open(struct chains *chains, const struct launcher *launcher)
{
    const uint64_t count = launcher->code->program->cuda->chain_count;
    *chains =
        (struct chains){.launcher = launcher, .chosen = calloc(count + 1, sizeof *chains->chosen)};
    if (chains->chosen == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for the table of chains");
    for (uint64_t i = 0; i < count; i++)
        chains->chosen[i] = CHAIN_NOT_CHOSEN;
    return status_ok();
}

void chains_release(struct chains *chains)
{
    free(chains->chosen);
    *chains = (struct chains){0};
}

uint64_t chains_taken(const struct chains *chains)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < chains->launcher->code->program->cuda->chain_count; i++)
        count += chains->chosen[i] >= 0;
    return count;
}

/* ---- running ---- */

static device_address operand_address(const struct place *place,
                                      const struct rnet_cuda_operand *operand)
{
    const struct rnet_step *step = &place->steps[operand->step];
    return place->chains->launcher->addresses[step->first_argument + operand->argument];
}

static void addresses_set(struct place *place)
{
    const struct launcher *launcher = place->chains->launcher;
    struct cudnn_chain_places *addresses = &place->addresses;
    addresses->arguments = launcher->addresses + place->steps[0].first_argument;
    addresses->filter = launcher_filter(launcher, place->filters);
    for (uint32_t i = 0; i < place->chain->input_count; i++)
        addresses->inputs[i] = operand_address(place, &place->chain->inputs[i]);
    for (uint32_t i = 0; i < place->chain->result_count; i++)
        addresses->results[i] = operand_address(place, &place->chain->results[i]);
}

/* Rows of sums: one for each chunk of images. */
static int64_t chunk_count(const struct place *place)
{
    return (place->images + place->chain->chunk_images - 1) / place->chain->chunk_images;
}

/* cuDNN has the sums over all images, which go to the first chunk: the others are zero. */
static struct status sums_clear(const struct place *place)
{
    const struct gpu *gpu = place->chains->launcher->code->gpu;
    const int64_t stride =
        (place->channels + RNET_CHANNEL_PADDING - 1) / RNET_CHANNEL_PADDING * RNET_CHANNEL_PADDING;
    for (uint32_t i = 0; i < place->chain->result_count; i++)
        if (place->chain->results[i].kind == RNET_CUDA_SUMS)
            RETURN_IF_ERROR(driver_status(
                &gpu->driver,
                gpu->driver.set_bytes(place->addresses.results[i], 0,
                                      (size_t)(chunk_count(place) * stride) * sizeof(float),
                                      gpu->compute),
                "clear sums on GPU %d", gpu->number));
    return status_ok();
}

static struct status chain_put(void *context)
{
    struct place *place = context;
    bool runs;
    RETURN_IF_ERROR(sums_clear(place));
    RETURN_IF_ERROR(cudnn_run_chain(place->chains->launcher->cudnn, place->number, place->way,
                                    &place->addresses, &runs));
    place->failed |= !runs;
    return status_ok();
}

static struct status step_put(const struct place *place, uint32_t step)
{
    return launcher_run(place->chains->launcher, &place->steps[step], place->images,
                        place->filters != NULL ? &place->filters[step] : NULL);
}

static struct status steps_put(void *context)
{
    const struct place *place = context;
    for (uint32_t step = 0; step < place->chain->length; step++)
        RETURN_IF_ERROR(step_put(place, step));
    return status_ok();
}

/* ---- comparing ---- */

/* Results on the host: of a tensor the first rows, of sums those over all chunks. */
struct numbers {
    double *values[RNET_CUDA_CHAIN_RESULTS];
    size_t counts[RNET_CUDA_CHAIN_RESULTS];
};

static void numbers_free(struct numbers *numbers)
{
    for (int i = 0; i < RNET_CUDA_CHAIN_RESULTS; i++)
        free(numbers->values[i]);
}

static double element(const void *row, int32_t channel, bool is_bfloat16)
{
    return is_bfloat16 ? (double)bfloat16_value(((const uint16_t *)row)[channel])
                       : (double)((const float *)row)[channel];
}

/* Adds `rows` rows of memory to the numbers of a result: each to its own, or all to one. */
static struct status rows_read(const struct place *place, uint32_t result, int64_t rows,
                               struct numbers *numbers)
{
    const struct rnet_cuda_operand *operand = &place->chain->results[result];
    const bool is_sum = operand->kind == RNET_CUDA_SUMS;
    const struct gpu *gpu = place->chains->launcher->code->gpu;
    const int64_t channels = place->channels, width = operand->is_bfloat16 ? 2 : sizeof(float);
    const int64_t stride =
        is_sum ? (channels + RNET_CHANNEL_PADDING - 1) / RNET_CHANNEL_PADDING * RNET_CHANNEL_PADDING
               : channel_stride(channels);
    const size_t bytes = (size_t)(rows * stride * width);
    char *copy = malloc(bytes);
    double *values = calloc((size_t)(is_sum ? channels : rows * channels), sizeof *values);
    numbers->values[result] = values;
    numbers->counts[result] = (size_t)(is_sum ? channels : rows * channels);
    struct status status = status_error(STATUS_MEMORY, "not enough memory to compare chains");
    if (copy != NULL && values != NULL)
        status = driver_status(
            &gpu->driver,
            gpu->driver.copy_to_host(copy, place->addresses.results[result], bytes, gpu->compute),
            "read what cuDNN left on GPU %d", gpu->number);
    if (status_is_ok(&status))
        status = gpu_wait(gpu);
    for (int64_t row = 0; status_is_ok(&status) && row < rows; row++)
        for (int32_t c = 0; c < channels; c++)
            values[is_sum ? c : row * channels + c] +=
                element(copy + row * stride * width, c, operand->is_bfloat16);
    free(copy);
    return status;
}

/* Reads the results of one kind. */
static struct status numbers_read(const struct place *place, enum rnet_cuda_operand_kind kind,
                                  struct numbers *numbers)
{
    const struct rnet_cuda_convolution *facts =
        program_of(place)->cuda->kernels[place->chain->kernels[0]].convolution;
    const int32_t *grid = facts->pass == RNET_CUDA_DATA_GRADIENT ? facts->x_grid : facts->y_grid;
    const int64_t points = place->images * grid[0] * grid[1] * grid[2];
    const int64_t rows = points < COMPARED_ROWS ? points : COMPARED_ROWS;
    for (uint32_t i = 0; i < place->chain->result_count; i++)
        if (place->chain->results[i].kind == kind)
            RETURN_IF_ERROR(
                rows_read(place, i, kind == RNET_CUDA_SUMS ? chunk_count(place) : rows, numbers));
    return status_ok();
}

/* Whether two vectors differ by at most `most` of the norm of the second. */
static bool is_close(const double *a, const double *b, size_t count, double most)
{
    double difference = 0, norm = 0;
    for (size_t i = 0; i < count; i++) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        norm += b[i] * b[i];
    }
    return sqrt(difference) <= most * sqrt(norm);
}

static bool are_close(const struct numbers *a, const struct numbers *b, double most)
{
    bool close = true;
    for (int i = 0; i < RNET_CUDA_CHAIN_RESULTS; i++)
        close = close && is_close(a->values[i], b->values[i], a->counts[i], most);
    return close;
}

/* Whether the chain left the tensors that its steps did, which `expected` holds, and the sums that
 * the step which adds up makes of them. */
static struct status results_compare(const struct place *place, const struct numbers *expected,
                                     bool *same)
{
    const uint32_t precision = program_of(place)->cuda->precision;
    struct numbers tensors = {0}, sums = {0}, again = {0};
    struct status status = numbers_read(place, RNET_CUDA_TENSOR, &tensors);
    if (status_is_ok(&status))
        status = numbers_read(place, RNET_CUDA_SUMS, &sums);
    if (status_is_ok(&status) && place->chain->chunk_images != 0)
        status = step_put(place, place->chain->length - 1);
    if (status_is_ok(&status))
        status = numbers_read(place, RNET_CUDA_SUMS, &again);
    if (status_is_ok(&status))
        *same = are_close(&tensors, expected, tensors_differ[precision]) &&
                are_close(&sums, &again, sums_differ[precision]);
    numbers_free(&tensors);
    numbers_free(&sums);
    numbers_free(&again);
    return status;
}

/* ---- choosing ---- */

static struct status way_try(struct place *place, const struct numbers *expected, float *least)
{
    int *chosen = &place->chains->chosen[place->number];
    bool same = false;
    float time;
    place->failed = false;
    RETURN_IF_ERROR(cudnn_time(place->chains->launcher->cudnn, chain_put, place, &time));
    if (place->failed || time >= *least)
        return status_ok();
    RETURN_IF_ERROR(results_compare(place, expected, &same));
    if (same) {
        *least = time;
        *chosen = place->way;
    }
    return status_ok();
}

/* Times the chain's steps and then its ways; all of them leave its results, none changes what it
 * reads. */
static struct status chain_choose(struct place *place, int ways)
{
    struct numbers expected = {0};
    float least;
    place->chains->chosen[place->number] = CHAIN_BY_STEPS;
    if (ways == 0)
        return status_ok();
    struct status status = cudnn_time(place->chains->launcher->cudnn, steps_put, place, &least);
    if (status_is_ok(&status))
        status = numbers_read(place, RNET_CUDA_TENSOR, &expected);
    for (place->way = 0; status_is_ok(&status) && place->way < ways; place->way++)
        status = way_try(place, &expected, &least);
    numbers_free(&expected);
    return status;
}

struct status chains_run(const struct chains *chains, const struct rnet_step *step, int64_t images,
                         const struct filter_step *filters, uint32_t *length)
{
    const struct launcher *launcher = chains->launcher;
    const struct rnet_program *program = launcher->code->program;
    int64_t bytes;
    *length = 0;
    if (step->chain == 0 || !launcher->cudnn->tunes || launcher->cudnn->handle == NULL ||
        images != program->batch || cudnn_plan(launcher->cudnn, step->kernel, images, &bytes) == 0)
        return status_ok();
    const uint32_t number = step->chain - 1;
    const struct rnet_cuda_chain *chain = &program->cuda->chains[number];
    const struct rnet_cuda_convolution *facts = program->cuda->kernels[step->kernel].convolution;
    struct place place = {
        .chains = chains,
        .chain = chain,
        .number = number,
        .steps = step,
        .filters = filters,
        .images = images,
        .channels = facts->pass == RNET_CUDA_DATA_GRADIENT ? facts->x_channels : facts->y_channels,
    };
    addresses_set(&place);
    if (chains->chosen[number] == CHAIN_NOT_CHOSEN)
        RETURN_IF_ERROR(chain_choose(&place, cudnn_plan_chain(launcher->cudnn, number, &bytes)));
    place.way = chains->chosen[number];
    if (place.way == CHAIN_BY_STEPS)
        return status_ok();
    RETURN_IF_ERROR(chain_put(&place));
    if (place.failed)
        return status_error(STATUS_IO,
                            "cuDNN cannot compute the kernel %s and those behind it any more; "
                            "without --tune they are not asked for",
                            program->kernels[step->kernel].name);
    *length = chain->length;
    return status_ok();
}
