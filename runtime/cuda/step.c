/* Parts of a step as launches and copies. See step.h. */
#include "runtime/cuda/step.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/device.h"

enum {
    ROW_FLOATS = RNET_CHANNEL_PADDING,
    ALIGNMENT = 256, /* bytes */
    PAIR = 2,        /* floats of a float64, numbers of a block */
};

/* ---- opening ---- */

struct status cuda_step_open(struct cuda_step *step, const struct cuda_code *code,
                             const struct cuda_memory *memory)
{
    const struct rnet_cuda_function *functions = code->program->cuda->functions;
    *step = (struct cuda_step){.code = code, .memory = memory};
    for (int f = 0; f < RNET_CUDA_FUNCTION_COUNT; f++)
        if (functions[f].name != NULL)
            RETURN_IF_ERROR(cuda_code_find(code, functions[f].module, functions[f].name,
                                           functions[f].shared_bytes, &step->functions[f]));
    return status_ok();
}

void cuda_step_release(struct cuda_step *step)
{
    if (step->base != 0)
        step->code->gpu->driver.memory_free(step->base);
    if (step->norm_copy != NULL)
        gpu_host_free(step->code->gpu, step->norm_copy);
    free(step->frozen);
    *step = (struct cuda_step){0};
}

/* ---- preparing ---- */

/* Sets the ranges, those that follow each other as one; returns the bytes of all. */
static uint64_t frozen_set(struct cuda_step *step, const struct executor *executor,
                           const struct frozen *frozen)
{
    uint64_t kept = 0;
    for (size_t i = 0; i < frozen->ranges.count; i++) {
        const struct frozen_range *range = &frozen->ranges.items[i];
        uint64_t offset = (uint64_t)(range->weights - executor->regions[RNET_REGION_WEIGHTS]);
        struct cuda_frozen *last =
            step->frozen_count > 0 ? &step->frozen[step->frozen_count - 1] : NULL;
        if (last != NULL && last->offset + last->size == offset)
            last->size += range->size;
        else
            step->frozen[step->frozen_count++] = (struct cuda_frozen){offset, kept, range->size};
        kept += range->size;
    }
    return kept;
}

static device_address place(uint64_t *end, uint64_t bytes)
{
    device_address at = *end;
    *end += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return at;
}

/* Allocates all that the training needs besides. */
static struct status memory_allocate(struct cuda_step *step, uint64_t kept_bytes)
{
    const struct gpu *gpu = step->code->gpu;
    uint64_t end = 0, pairs = (uint64_t)step->block_count * PAIR;
    step->blocks = place(&end, pairs * sizeof(int32_t));
    step->norms = place(&end, pairs * sizeof(float));
    step->norm = place(&end, PAIR * sizeof(float));
    step->kept = place(&end, kept_bytes);
    RETURN_IF_ERROR(driver_status(&gpu->driver, gpu->driver.memory_allocate(&step->base, end),
                                  "allocate %.1f MiB on GPU %d for limits of gradients and frozen "
                                  "parameters",
                                  (double)end / 0x1p20, gpu->number));
    step->bytes = end;
    step->blocks += step->base;
    step->norms += step->base;
    step->norm += step->base;
    step->kept += step->base;
    return status_ok();
}

static struct status upload(const struct cuda_step *step, device_address to, const void *from,
                            size_t bytes)
{
    const struct gpu *gpu = step->code->gpu;
    if (bytes == 0)
        return status_ok();
    return driver_status(&gpu->driver, gpu->driver.copy_to_device(to, from, bytes, gpu->compute),
                         "copy a training's tables to GPU %d", gpu->number);
}

static struct status blocks_upload(const struct cuda_step *step, const struct executor *executor,
                                   const struct gradients *gradients)
{
    const char *base = executor->regions[RNET_REGION_GRADIENTS];
    size_t count = (size_t)step->block_count * PAIR;
    int32_t *blocks = malloc((count + 1) * sizeof *blocks);
    if (blocks == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for the table of gradients");
    for (size_t i = 0; i < gradients->block_count; i++) {
        const struct gradient_block *block = &gradients->blocks[i];
        int64_t first = ((const char *)block->first - base) / (int64_t)sizeof(float);
        blocks[PAIR * i] = (int32_t)(first / ROW_FLOATS);
        blocks[PAIR * i + 1] = (int32_t)((block->rows - 1) * block->stride + block->width);
    }
    struct status status = upload(step, step->blocks, blocks, count * sizeof *blocks);
    if (status_is_ok(&status))
        status = gpu_wait(step->code->gpu);
    free(blocks);
    return status;
}

static struct status frozen_upload(const struct cuda_step *step, const struct frozen *frozen)
{
    uint64_t kept = 0;
    for (size_t i = 0; i < frozen->ranges.count; i++) {
        const struct frozen_range *range = &frozen->ranges.items[i];
        RETURN_IF_ERROR(upload(step, step->kept + kept, range->kept, range->size));
        kept += range->size;
    }
    return gpu_wait(step->code->gpu);
}

struct status cuda_step_prepare(struct cuda_step *step, const struct executor *executor,
                                const struct frozen *frozen, const struct gradients *gradients)
{
    void *norm_copy = NULL;
    step->block_count = (int64_t)gradients->block_count;
    if (executor->program->recipe.clip <= 0 && frozen->ranges.count == 0)
        return status_ok();
    step->frozen = calloc(frozen->ranges.count + 1, sizeof *step->frozen);
    if (step->frozen == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for the table of what is frozen");
    RETURN_IF_ERROR(memory_allocate(step, frozen_set(step, executor, frozen)));
    RETURN_IF_ERROR(gpu_host_allocate(step->code->gpu, PAIR * sizeof(float), &norm_copy));
    step->norm_copy = norm_copy;
    RETURN_IF_ERROR(blocks_upload(step, executor, gradients));
    return frozen_upload(step, frozen);
}

/* ---- running ---- */

int cuda_step_pieces(const struct cuda_step *step, const struct step_batch *batch,
                     uint32_t pieces[CUDA_STEP_PIECES])
{
    const struct rnet_recipe *recipe = &step->code->program->recipe;
    int count = 0;
    pieces[count++] = RNET_PHASE_TRAIN;
    if (!batch->is_last) {
        pieces[count++] = batch->is_first ? CUDA_STEP_SUM_BEGIN : CUDA_STEP_SUM_ADD;
        return count;
    }
    if (!batch->is_first)
        pieces[count++] = CUDA_STEP_SUM_END;
    if (recipe->clip > 0)
        pieces[count++] = CUDA_STEP_LIMIT;
    pieces[count++] = RNET_PHASE_UPDATE;
    if (step->frozen_count > 0)
        pieces[count++] = CUDA_STEP_FREEZE;
    if (recipe->ema > 0)
        pieces[count++] = batch->starts_average ? CUDA_STEP_AVERAGE_BEGIN : CUDA_STEP_AVERAGE;
    return count;
}

static struct status copy(const struct cuda_step *step, device_address to, device_address from,
                          uint64_t bytes)
{
    const struct gpu *gpu = step->code->gpu;
    if (bytes == 0)
        return status_ok();
    return driver_status(&gpu->driver, gpu->driver.copy_on_device(to, from, bytes, gpu->compute),
                         "copy parameters on GPU %d", gpu->number);
}

static struct status function_run(const struct cuda_step *step,
                                  enum rnet_cuda_function_kind function, int64_t images,
                                  const device_address *addresses, uint32_t count)
{
    return cuda_function_run(step->code, &step->code->program->cuda->functions[function],
                             step->functions[function], images, addresses, count);
}

static int64_t region_rows(const struct cuda_step *step, enum rnet_region region)
{
    return (int64_t)(step->code->program->region_bytes[region] / (ROW_FLOATS * sizeof(float)));
}

/* One of the functions of two arrays of rows, over a whole region. */
static struct status rows_run(const struct cuda_step *step, enum rnet_cuda_function_kind function,
                              enum rnet_region out, enum rnet_region in)
{
    const device_address addresses[] = {step->memory->regions[out], step->memory->regions[in]};
    return function_run(step, function, region_rows(step, out), addresses, 2);
}

static struct status region_copy(const struct cuda_step *step, enum rnet_region out,
                                 enum rnet_region in)
{
    return copy(step, step->memory->regions[out], step->memory->regions[in],
                step->code->program->region_bytes[out]);
}

static struct status limit_launch(const struct cuda_step *step)
{
    const struct gpu *gpu = step->code->gpu;
    const device_address *regions = step->memory->regions;
    const device_address norms[] = {regions[RNET_REGION_GRADIENTS], step->blocks, step->norms};
    const device_address limit[] = {step->norms, regions[RNET_REGION_SCALARS], step->norm};
    RETURN_IF_ERROR(function_run(step, RNET_CUDA_BLOCK_NORMS, step->block_count, norms, 3));
    RETURN_IF_ERROR(function_run(step, RNET_CUDA_LIMIT, step->block_count, limit, 3));
    return driver_status(
        &gpu->driver,
        gpu->driver.copy_to_host(step->norm_copy, step->norm, PAIR * sizeof(float), gpu->compute),
        "copy the norm from GPU %d", gpu->number);
}

static struct status freeze_launch(const struct cuda_step *step)
{
    const struct gpu *gpu = step->code->gpu;
    const device_address *regions = step->memory->regions;
    bool has_momentum = step->code->program->region_bytes[RNET_REGION_MOMENTUM] > 0;
    for (size_t i = 0; i < step->frozen_count; i++) {
        const struct cuda_frozen *range = &step->frozen[i];
        RETURN_IF_ERROR(copy(step, regions[RNET_REGION_WEIGHTS] + range->offset,
                             step->kept + range->kept, range->size));
        if (has_momentum)
            RETURN_IF_ERROR(
                driver_status(&gpu->driver,
                              gpu->driver.set_bytes(regions[RNET_REGION_MOMENTUM] + range->offset,
                                                    0, range->size, gpu->compute),
                              "zero the momentum of frozen parameters on GPU %d", gpu->number));
    }
    return status_ok();
}

struct status cuda_step_launch(const struct cuda_step *step, enum cuda_step_part part)
{
    switch (part) {
    case CUDA_STEP_SUM_BEGIN:
        return region_copy(step, RNET_REGION_GRADIENT_SUM, RNET_REGION_GRADIENTS);
    case CUDA_STEP_SUM_ADD:
        return rows_run(step, RNET_CUDA_ADD, RNET_REGION_GRADIENT_SUM, RNET_REGION_GRADIENTS);
    case CUDA_STEP_SUM_END:
        return rows_run(step, RNET_CUDA_ADD, RNET_REGION_GRADIENTS, RNET_REGION_GRADIENT_SUM);
    case CUDA_STEP_LIMIT:
        return limit_launch(step);
    case CUDA_STEP_FREEZE:
        return freeze_launch(step);
    case CUDA_STEP_AVERAGE_BEGIN:
        RETURN_IF_ERROR(region_copy(step, RNET_REGION_AVERAGE_WEIGHTS, RNET_REGION_WEIGHTS));
        return region_copy(step, RNET_REGION_AVERAGE_STATISTICS, RNET_REGION_STATISTICS);
    case CUDA_STEP_AVERAGE:
        RETURN_IF_ERROR(
            rows_run(step, RNET_CUDA_AVERAGE, RNET_REGION_AVERAGE_WEIGHTS, RNET_REGION_WEIGHTS));
        return rows_run(step, RNET_CUDA_AVERAGE, RNET_REGION_AVERAGE_STATISTICS,
                        RNET_REGION_STATISTICS);
    case CUDA_STEP_END:
        break;
    }
    return status_ok();
}

const char *cuda_step_part_name(enum cuda_step_part part)
{
    static const char *const names[] = {
        /* ORDER PART */
        "the sum of gradients",   "the sum of gradients",           "the sum of gradients",
        "the limit of gradients", "putting frozen parameters back", "the average of weights",
        "the average of weights",
    };
    return names[part - CUDA_STEP_SUM_BEGIN];
}

/* Marks the time before and after the part. */
static struct status part_measure(const struct cuda_step *step, enum cuda_step_part part,
                                  struct CUevent_st *start, struct CUevent_st *end,
                                  float *milliseconds)
{
    const struct gpu *gpu = step->code->gpu;
    const struct driver *driver = &gpu->driver;
    const char *name = cuda_step_part_name(part);
    RETURN_IF_ERROR(driver_status(driver, driver->event_record(start, gpu->compute),
                                  "time %s on GPU %d", name, gpu->number));
    RETURN_IF_ERROR(cuda_step_launch(step, part));
    RETURN_IF_ERROR(driver_status(driver, driver->event_record(end, gpu->compute),
                                  "time %s on GPU %d", name, gpu->number));
    RETURN_IF_ERROR(gpu_wait(gpu));
    return driver_status(driver, driver->event_elapsed(milliseconds, start, end),
                         "time %s on GPU %d", name, gpu->number);
}

struct status cuda_step_run_timed(const struct cuda_step *step, enum cuda_step_part part,
                                  double seconds[OPTIMIZER_PARTS])
{
    static const enum optimizer_part belongs[] = {
        /* ORDER PART */
        OPTIMIZER_SUM,    OPTIMIZER_SUM,     OPTIMIZER_SUM,     OPTIMIZER_LIMIT,
        OPTIMIZER_FREEZE, OPTIMIZER_AVERAGE, OPTIMIZER_AVERAGE,
    };
    struct CUevent_st *start = NULL, *end = NULL;
    float milliseconds = 0;
    struct status status = gpu_event_create(step->code->gpu, true, &start);
    if (status_is_ok(&status))
        status = gpu_event_create(step->code->gpu, true, &end);
    if (status_is_ok(&status))
        status = part_measure(step, part, start, end, &milliseconds);
    gpu_event_destroy(step->code->gpu, start);
    gpu_event_destroy(step->code->gpu, end);
    seconds[belongs[part - CUDA_STEP_SUM_BEGIN]] += (double)milliseconds / 1e3;
    return status;
}

double cuda_step_norm(const struct cuda_step *step)
{
    return (double)step->norm_copy[0] + (double)step->norm_copy[1];
}
