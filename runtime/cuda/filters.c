/* Following weights through the steps. See filters.h.
 *
 * Memory of the workspace is used again and again: which step touches a place next says whose the
 * place is. Arguments of different steps that are the same memory begin at the same place, as the
 * planner gives places to whole buffers. */
#include "runtime/cuda/filters.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT = 256, /* bytes */
    NOWHERE = -1,
    MOST_FILTERS = 256 << 20, /* bytes of all filters together */
};

/* ---- steps and places ---- */

/* A phase as it is planned. */
struct walk {
    struct filters *filters;
    const struct rnet_program *program;
    enum rnet_phase phase;
    const struct rnet_step *steps;
    int64_t count;
    struct filter_phase *out;
};

static const struct rnet_cuda_kernel *kernel_of(const struct walk *walk, int64_t step)
{
    return &walk->program->cuda->kernels[walk->steps[step].kernel];
}

static const struct rnet_argument *argument(const struct walk *walk, int64_t step, int64_t number)
{
    return &walk->program->arguments[walk->steps[step].first_argument + number];
}

static bool is_same_place(const struct rnet_argument *a, const struct rnet_argument *b)
{
    return a->region == b->region && a->offset == b->offset;
}

/* Whether the step loads from, or stores to, the place. */
static bool touches(const struct walk *walk, int64_t step, const struct rnet_argument *place,
                    bool *loads)
{
    const struct rnet_step *at = &walk->steps[step];
    bool found = false;
    *loads = false;
    for (uint32_t i = 0; i < at->argument_count; i++)
        if (is_same_place(argument(walk, step, i), place)) {
            found = true;
            *loads |= i < kernel_of(walk, step)->first_output;
        }
    return found;
}

/* The nearest step before or after that touches the place; NOWHERE: none does. */
static int64_t neighbour(const struct walk *walk, int64_t step, int direction,
                         const struct rnet_argument *place, bool *loads)
{
    *loads = false;
    for (int64_t i = step + direction; i >= 0 && i < walk->count; i += direction)
        if (touches(walk, i, place, loads))
            return i;
    return NOWHERE;
}

/* Whether nothing after the step loads what the place holds. */
static bool is_last_use(const struct walk *walk, int64_t step, const struct rnet_argument *place)
{
    bool loads;
    neighbour(walk, step, 1, place, &loads);
    return !loads;
}

/* ---- tables ---- */

/* The copy that makes a filter, or a gradient of one. */
struct copy {
    int32_t numbers[RNET_CUDA_COPY_NUMBERS];
};

static uint64_t element_bytes(const struct rnet_program *program)
{
    return program->cuda->precision == RNET_PRECISION_BF16 ? 2 : sizeof(float);
}

static int32_t window_points(const struct rnet_cuda_convolution *facts)
{
    return facts->window[0] * facts->window[1] * facts->window[2];
}

static int32_t padded(int32_t channels)
{
    return (channels + RNET_CHANNEL_PADDING - 1) / RNET_CHANNEL_PADDING * RNET_CHANNEL_PADDING;
}

static int64_t filter_elements(const struct rnet_cuda_convolution *facts)
{
    return (int64_t)facts->y_channels * window_points(facts) *
           (facts->x_channels / (int32_t)facts->groups);
}

/* [y][window][x] from [window][x][y, padded]: also of a data gradient's transposed weight. */
static struct copy copy_forward(const struct rnet_cuda_convolution *facts)
{
    const int32_t inputs = facts->x_channels / (int32_t)facts->groups;
    const int32_t stride = padded(facts->y_channels);
    return (struct copy){{
        [RNET_CUDA_COPY_COUNT] = (int32_t)filter_elements(facts),
        [RNET_CUDA_COPY_EXTENT_1] = window_points(facts),
        [RNET_CUDA_COPY_EXTENT_2] = inputs,
        [RNET_CUDA_COPY_STRIDE_0] = 1,
        [RNET_CUDA_COPY_STRIDE_1] = inputs * stride,
        [RNET_CUDA_COPY_STRIDE_2] = stride,
        [RNET_CUDA_COPY_VALID] = inputs,
    }};
}

/* [y][window][x] from [window, reversed][y][x, padded], the weight of the convolution whose data
 * gradient this one is. */
static struct copy copy_flipped(const struct rnet_cuda_convolution *facts)
{
    const int32_t stride = padded(facts->x_channels), points = window_points(facts);
    return (struct copy){{
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

/* [window][x][y, padded] from [y][window][x]. */
static struct copy copy_gradient(const struct rnet_cuda_convolution *facts)
{
    const int32_t inputs = facts->x_channels / (int32_t)facts->groups;
    const int32_t stride = padded(facts->y_channels), points = window_points(facts);
    return (struct copy){{
        [RNET_CUDA_COPY_COUNT] = points * inputs * stride,
        [RNET_CUDA_COPY_EXTENT_1] = inputs,
        [RNET_CUDA_COPY_EXTENT_2] = stride,
        [RNET_CUDA_COPY_STRIDE_0] = inputs,
        [RNET_CUDA_COPY_STRIDE_1] = 1,
        [RNET_CUDA_COPY_STRIDE_2] = points * inputs,
        [RNET_CUDA_COPY_VALID] = facts->y_channels,
    }};
}

/* Adds a copy to a table, whose room has been made. */
static void table_add(struct filter_table *table, const struct copy *copy)
{
    memcpy(table->copies + table->copy_count * RNET_CUDA_COPY_NUMBERS, copy->numbers,
           sizeof copy->numbers);
    table->copy_count++;
}

/* ---- planning ---- */

/* Whether both sides of a copy can be counted in 32 bits. */
static bool is_countable(const struct rnet_cuda_convolution *facts,
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

/* Whether cuDNN computes the step and its filters are those of the tables. */
static const struct rnet_cuda_convolution *taken_facts(const struct walk *walk, int64_t step)
{
    const struct rnet_program *program = walk->program;
    const struct rnet_cuda_convolution *facts = kernel_of(walk, step)->convolution;
    int64_t workspace;
    bool is_bfloat16 = program->cuda->precision == RNET_PRECISION_BF16;
    if (facts == NULL || walk->steps[step].images != 0 ||
        (facts->is_bfloat16 != 0) != is_bfloat16 ||
        cudnn_plan(walk->filters->cudnn, walk->steps[step].kernel, program->batch, &workspace) == 0)
        return NULL;
    return facts;
}

/* Takes room for a filter; false: there is none. */
static bool place_take(struct filters *filters, const struct rnet_cuda_convolution *facts,
                       uint64_t *offset)
{
    uint64_t bytes = (uint64_t)filter_elements(facts) * element_bytes(filters->code->program);
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (filters->filter_bytes + bytes > MOST_FILTERS)
        return false;
    *offset = filters->filter_bytes;
    filters->filter_bytes += bytes;
    return true;
}

/* Finds a filter that a step of this phase has already, made by the same copy of the same weight.
 */
static bool place_find(const struct walk *walk, const struct copy *copy, uint64_t *offset)
{
    const struct filter_table *table = &walk->out->before;
    for (int64_t i = 0; i < table->copy_count; i++) {
        const int32_t *numbers = table->copies + i * RNET_CUDA_COPY_NUMBERS;
        struct copy other;
        memcpy(other.numbers, numbers, sizeof other.numbers);
        other.numbers[RNET_CUDA_COPY_TO] = 0;
        if (memcmp(other.numbers, copy->numbers, sizeof other.numbers) == 0) {
            *offset = (uint64_t)numbers[RNET_CUDA_COPY_TO] * element_bytes(walk->program);
            return true;
        }
    }
    return false;
}

/* Gives a step the filter that `copy` makes of the weight at `weight`. */
static bool weight_place(const struct walk *walk, int64_t step, struct copy *copy,
                         const struct rnet_argument *weight,
                         const struct rnet_cuda_convolution *facts)
{
    struct filter_step *out = &walk->out->steps[step];
    copy->numbers[RNET_CUDA_COPY_FROM] += (int32_t)(weight->offset / sizeof(float));
    if (!place_find(walk, copy, &out->offset)) {
        if (!place_take(walk->filters, facts, &out->offset))
            return false;
        copy->numbers[RNET_CUDA_COPY_TO] = (int32_t)(out->offset / element_bytes(walk->program));
        table_add(&walk->out->before, copy);
    }
    out->has_place = true;
    return true;
}

/* A forward pass or data gradient: its weight is a parameter, or one that a step has exchanged. */
static void weight_plan(const struct walk *walk, int64_t step,
                        const struct rnet_cuda_convolution *facts)
{
    const struct rnet_argument *weight = argument(walk, step, facts->weight);
    struct copy copy = copy_forward(facts);
    bool loads;
    if (weight->region == RNET_REGION_WEIGHTS) {
        if (facts->pass == RNET_CUDA_FORWARD && is_countable(facts, weight))
            weight_place(walk, step, &copy, weight, facts);
        return;
    }
    int64_t from = neighbour(walk, step, -1, weight, &loads);
    if (from == NOWHERE || loads)
        return;
    const uint32_t role = kernel_of(walk, from)->role;
    const struct rnet_argument *origin = argument(walk, from, 0);
    if (role != (facts->pass == RNET_CUDA_FORWARD ? RNET_CUDA_FLIP : RNET_CUDA_TRANSPOSE) ||
        origin->region != RNET_REGION_WEIGHTS || !is_countable(facts, origin) ||
        !is_last_use(walk, step, weight))
        return;
    if (role == RNET_CUDA_FLIP)
        copy = copy_flipped(facts);
    walk->out->steps[from].is_left_out = weight_place(walk, step, &copy, origin, facts);
}

/* A filter of the weight at this place of the region that no step needs from `step` on. */
static bool gradient_place_find(const struct walk *walk, int64_t step,
                                const struct rnet_cuda_convolution *facts,
                                const struct rnet_argument *gradient, uint64_t *offset)
{
    struct copy copy = copy_forward(facts);
    copy.numbers[RNET_CUDA_COPY_FROM] = (int32_t)(gradient->offset / sizeof(float));
    if (!place_find(walk, &copy, offset))
        return false;
    for (int64_t i = step; i < walk->count; i++)
        if (walk->out->steps[i].has_place && walk->out->steps[i].offset == *offset)
            return false;
    return true;
}

/* A weight gradient: a step adds its chunks up into the gradients, and nothing else looks. */
static void gradient_plan(const struct walk *walk, int64_t step,
                          const struct rnet_cuda_convolution *facts)
{
    const struct rnet_argument *chunks = argument(walk, step, facts->output);
    struct filter_step *out = &walk->out->steps[step];
    struct copy copy = copy_gradient(facts);
    bool loads, others;
    int64_t sum = neighbour(walk, step, 1, chunks, &loads);
    if (sum == NOWHERE || kernel_of(walk, sum)->role != RNET_CUDA_SUM_CHUNKS)
        return;
    const struct rnet_argument *gradient = argument(walk, sum, 1);
    if (!is_same_place(argument(walk, sum, 0), chunks) || !is_last_use(walk, sum, chunks) ||
        gradient->region != RNET_REGION_GRADIENTS || !is_countable(facts, gradient) ||
        neighbour(walk, sum, -1, gradient, &others) != NOWHERE ||
        neighbour(walk, sum, 1, gradient, &others) != NOWHERE)
        return;
    if (!gradient_place_find(walk, step, facts, gradient, &out->offset) &&
        !place_take(walk->filters, facts, &out->offset))
        return;
    copy.numbers[RNET_CUDA_COPY_FROM] = (int32_t)(out->offset / element_bytes(walk->program));
    copy.numbers[RNET_CUDA_COPY_TO] = (int32_t)(gradient->offset / sizeof(float));
    table_add(&walk->out->behind, &copy);
    out->has_place = true;
    walk->out->steps[sum].is_left_out = true;
}

static void steps_plan(const struct walk *walk, bool gradients)
{
    for (int64_t i = 0; i < walk->count; i++) {
        const struct rnet_cuda_convolution *facts = taken_facts(walk, i);
        if (facts == NULL || (facts->pass == RNET_CUDA_WEIGHT_GRADIENT) != gradients)
            continue;
        if (gradients)
            gradient_plan(walk, i, facts);
        else
            weight_plan(walk, i, facts);
    }
}

/* Cuts a table's copies into parts. */
static bool parts_cut(struct filter_table *table)
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

static bool phase_plan(struct filters *filters, enum rnet_phase phase)
{
    const struct rnet_program *program = filters->code->program;
    const struct rnet_steps *steps = &program->phases[phase];
    struct filter_phase *out = &filters->phases[phase];
    const struct walk walk = {filters, program, phase, steps->steps, (int64_t)steps->count, out};
    const size_t numbers = (steps->count + 1) * RNET_CUDA_COPY_NUMBERS;
    out->before.function = RNET_CUDA_TO_FILTERS;
    out->behind.function = RNET_CUDA_FROM_FILTERS;
    out->steps = calloc(steps->count + 1, sizeof *out->steps);
    out->before.copies = calloc(numbers, sizeof *out->before.copies);
    out->behind.copies = calloc(numbers, sizeof *out->behind.copies);
    if (out->steps == NULL || out->before.copies == NULL || out->behind.copies == NULL)
        return false;
    steps_plan(&walk, false);
    if (phase == RNET_PHASE_TRAIN)
        steps_plan(&walk, true);
    return parts_cut(&out->before) && parts_cut(&out->behind);
}

static uint64_t table_place(uint64_t *end, int64_t count)
{
    uint64_t at = *end;
    *end += ((uint64_t)count * sizeof(int32_t) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return at;
}

static void tables_place(struct filters *filters, struct filter_table *table)
{
    table->copies_at = table_place(&filters->bytes, table->copy_count * RNET_CUDA_COPY_NUMBERS);
    table->parts_at = table_place(&filters->bytes, 2 * table->part_count);
}

static struct status function_find(struct filters *filters, enum rnet_cuda_function_kind kind)
{
    const struct rnet_cuda_function *function = &filters->code->program->cuda->functions[kind];
    return cuda_code_find(filters->code, function->module, function->name, function->shared_bytes,
                          &filters->functions[kind]);
}

/* Filters begin at the same places in each phase, which never run at the same time. */
struct status filters_plan(struct filters *filters, const struct cuda_code *code,
                           struct cudnn *cudnn)
{
    static const enum rnet_phase phases[] = {RNET_PHASE_TRAIN, RNET_PHASE_INFER};
    uint64_t most = 0;
    *filters = (struct filters){.code = code, .cudnn = cudnn};
    if (cudnn->handle == NULL || code->program->cuda->functions[RNET_CUDA_TO_FILTERS].name == NULL)
        return status_ok();
    RETURN_IF_ERROR(function_find(filters, RNET_CUDA_TO_FILTERS));
    RETURN_IF_ERROR(function_find(filters, RNET_CUDA_FROM_FILTERS));
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        filters->filter_bytes = 0;
        if (!phase_plan(filters, phases[i]))
            return status_error(STATUS_MEMORY, "not enough memory for the table of filters");
        most = filters->filter_bytes > most ? filters->filter_bytes : most;
    }
    filters->filter_bytes = filters->bytes = most;
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        tables_place(filters, &filters->phases[phases[i]].before);
        tables_place(filters, &filters->phases[phases[i]].behind);
    }
    return status_ok();
}

/* ---- the tables on the GPU ---- */

static struct status table_upload(const struct filters *filters, struct filter_table *table)
{
    const struct gpu *gpu = filters->code->gpu;
    const struct driver *driver = &gpu->driver;
    unsigned int result = DRIVER_SUCCESS;
    table->copies_at += filters->memory->filters;
    table->parts_at += filters->memory->filters;
    if (table->copy_count > 0)
        result = driver->copy_to_device(table->copies_at, table->copies,
                                        (size_t)table->copy_count * RNET_CUDA_COPY_NUMBERS *
                                            sizeof *table->copies,
                                        gpu->compute);
    if (table->copy_count > 0 && result == DRIVER_SUCCESS)
        result = driver->copy_to_device(table->parts_at, table->parts,
                                        2 * (size_t)table->part_count * sizeof *table->parts,
                                        gpu->compute);
    return driver_status(driver, result, "copy the table of filters to GPU %d", gpu->number);
}

static void table_free(struct filter_table *table)
{
    free(table->copies);
    free(table->parts);
    table->copies = table->parts = NULL;
}

struct status filters_open(struct filters *filters, const struct cuda_memory *memory)
{
    filters->memory = memory;
    for (int phase = 0; phase < RNET_PHASE_COUNT; phase++) {
        struct filter_phase *at = &filters->phases[phase];
        if (at->steps == NULL)
            continue;
        RETURN_IF_ERROR(table_upload(filters, &at->before));
        RETURN_IF_ERROR(table_upload(filters, &at->behind));
        RETURN_IF_ERROR(gpu_wait(filters->code->gpu));
        table_free(&at->before);
        table_free(&at->behind);
    }
    return status_ok();
}

void filters_release(struct filters *filters)
{
    for (int phase = 0; phase < RNET_PHASE_COUNT; phase++) {
        free(filters->phases[phase].steps);
        table_free(&filters->phases[phase].before);
        table_free(&filters->phases[phase].behind);
    }
    *filters = (struct filters){0};
}

/* ---- running ---- */

const struct filter_step *filters_steps(const struct filters *filters, enum rnet_phase phase,
                                        int64_t images)
{
    const struct rnet_steps *steps = &filters->code->program->phases[phase];
    const struct filter_step *out = filters->phases[phase].steps;
    int64_t workspace;
    for (uint64_t i = 0; out != NULL && i < steps->count; i++)
        if (out[i].has_place &&
            cudnn_plan(filters->cudnn, steps->steps[i].kernel, images, &workspace) == 0)
            return NULL;
    return out;
}

static struct status table_run(const struct filters *filters, const struct filter_table *table,
                               device_address from, device_address to)
{
    const device_address addresses[] = {from, to, table->copies_at, table->parts_at};
    return cuda_function_run(filters->code,
                             &filters->code->program->cuda->functions[table->function],
                             filters->functions[table->function], table->part_count, addresses, 4);
}

struct status filters_before(const struct filters *filters, enum rnet_phase phase)
{
    return table_run(filters, &filters->phases[phase].before,
                     filters->memory->regions[RNET_REGION_WEIGHTS], filters->memory->filters);
}

struct status filters_behind(const struct filters *filters, enum rnet_phase phase)
{
    return table_run(filters, &filters->phases[phase].behind, filters->memory->filters,
                     filters->memory->regions[RNET_REGION_GRADIENTS]);
}
