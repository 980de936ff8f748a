/* Memory and launches of filters that are copied together. See filters.h. */
#include "runtime/cuda/filters.h"

enum { ALIGNMENT = 256 /* bytes */ };

/* ---- planning ---- */

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
    *filters = (struct filters){.code = code, .cudnn = cudnn};
    if (cudnn->handle == NULL || code->program->cuda->functions[RNET_CUDA_TO_FILTERS].name == NULL)
        return status_ok();
    RETURN_IF_ERROR(function_find(filters, RNET_CUDA_TO_FILTERS));
    RETURN_IF_ERROR(function_find(filters, RNET_CUDA_FROM_FILTERS));
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        uint64_t bytes;
        if (!filter_phase_plan(&filters->phases[phases[i]], cudnn, phases[i], &bytes))
            return status_error(STATUS_MEMORY, "not enough memory for the table of filters");
        filters->bytes = bytes > filters->bytes ? bytes : filters->bytes;
    }
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        tables_place(filters, &filters->phases[phases[i]].before);
        tables_place(filters, &filters->phases[phases[i]].behind);
    }
    return status_ok();
}

void filters_forgo(struct filters *filters)
{
    const struct filters planned = *filters;
    filters_release(filters);
    *filters = (struct filters){
        .code = planned.code,
        .cudnn = planned.cudnn,
        .lacks_memory = true,
    };
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
        filter_table_free(&at->before);
        filter_table_free(&at->behind);
    }
    return status_ok();
}

void filters_release(struct filters *filters)
{
    for (int phase = 0; phase < RNET_PHASE_COUNT; phase++)
        filter_phase_release(&filters->phases[phase]);
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
