/* Planning, filling and reading a GPU's memory. See memory.h. */
#include "runtime/cuda/memory.h"

#include <inttypes.h>

enum { ALIGNMENT = 256 };

/* Hands out aligned places of one range of addresses, from 0 on. */
static device_address place(uint64_t *end, uint64_t bytes)
{
    device_address address = *end;
    *end += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return address;
}

/* Sets all places as offsets, and the size of the whole. */
static void plan(struct cuda_memory *memory, const struct rnet_program *program,
                 struct cuda_scratch scratch)
{
    memory->bytes = 0;
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        memory->regions[region] = place(&memory->bytes, program->region_bytes[region]);
    memory->next_input = place(&memory->bytes, program->region_bytes[RNET_REGION_INPUT]);
    memory->next_labels = place(&memory->bytes, program->region_bytes[RNET_REGION_LABELS]);
    memory->filter = place(&memory->bytes, scratch.filter_bytes);
    memory->workspace = place(&memory->bytes, scratch.workspace_bytes);
    memory->filters = place(&memory->bytes, scratch.filters_bytes);
}

static void places_move(struct cuda_memory *memory)
{
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        memory->regions[region] += memory->base;
    memory->next_input += memory->base;
    memory->next_labels += memory->base;
    memory->filter += memory->base;
    memory->workspace += memory->base;
    memory->filters += memory->base;
}

static double mebibytes(uint64_t bytes)
{
    return (double)bytes / 0x1p20;
}

static struct status too_little(const struct cuda_memory *memory,
                                const struct rnet_program *program, struct cuda_scratch scratch,
                                size_t free_bytes, size_t total_bytes)
{
    const uint64_t *bytes = program->region_bytes;
    uint64_t parameters = bytes[RNET_REGION_WEIGHTS] + bytes[RNET_REGION_STATISTICS] +
                          bytes[RNET_REGION_GRADIENTS] + bytes[RNET_REGION_MOMENTUM];
    return status_error(
        STATUS_MEMORY,
        "GPU %d (%s) has too little memory free: %.1f MiB are needed (%.1f for parameters and "
        "their gradients, %.1f for activations at batch %" PRId64 ", %.1f for two batches of "
        "images, %.1f for cuDNN), and %.1f MiB of %.1f are free; build with a smaller -D batch=N",
        memory->gpu->number, memory->gpu->name, mebibytes(memory->bytes), mebibytes(parameters),
        mebibytes(bytes[RNET_REGION_WORKSPACE]), program->batch,
        mebibytes(2 * bytes[RNET_REGION_INPUT]),
        mebibytes(scratch.filter_bytes + scratch.workspace_bytes + scratch.filters_bytes),
        mebibytes(free_bytes), mebibytes(total_bytes));
}

struct status cuda_memory_open(struct cuda_memory *memory, const struct gpu *gpu,
                               const struct rnet_program *program, struct cuda_scratch scratch)
{
    const struct driver *driver = &gpu->driver;
    size_t free_bytes = 0, total_bytes = 0;
    *memory = (struct cuda_memory){.gpu = gpu};
    plan(memory, program, scratch);
    RETURN_IF_ERROR(driver_status(driver, driver->memory_info(&free_bytes, &total_bytes),
                                  "ask GPU %d for its free memory", gpu->number));
    unsigned int result = DRIVER_OUT_OF_MEMORY;
    if (memory->bytes <= free_bytes)
        result = driver->memory_allocate(&memory->base, memory->bytes);
    if (result == DRIVER_OUT_OF_MEMORY)
        return too_little(memory, program, scratch, free_bytes, total_bytes);
    RETURN_IF_ERROR(driver_status(driver, result, "allocate %.1f MiB on GPU %d",
                                  mebibytes(memory->bytes), gpu->number));
    places_move(memory);
    RETURN_IF_ERROR(driver_status(driver,
                                  driver->set_bytes(memory->base, 0, memory->bytes, gpu->compute),
                                  "zero the memory of GPU %d", gpu->number));
    return gpu_wait(gpu);
}

void cuda_memory_release(struct cuda_memory *memory)
{
    if (memory->base != 0)
        memory->gpu->driver.memory_free(memory->base);
    *memory = (struct cuda_memory){0};
}

static struct status region_upload(struct cuda_memory *memory, const struct executor *executor,
                                   enum rnet_region region)
{
    const struct driver *driver = &memory->gpu->driver;
    uint64_t bytes = executor->program->region_bytes[region];
    memory->states[region] = CUDA_COPIES_EQUAL;
    if (bytes == 0)
        return status_ok();
    return driver_status(driver,
                         driver->copy_to_device(memory->regions[region], executor->regions[region],
                                                bytes, memory->gpu->compute),
                         "copy the %s to GPU %d", executor_region_name(region),
                         memory->gpu->number);
}

struct status cuda_memory_upload(struct cuda_memory *memory, const struct executor *executor)
{
    bool copies = false;
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        if (memory->states[region] == CUDA_HOST_IS_NEWER) {
            RETURN_IF_ERROR(region_upload(memory, executor, (enum rnet_region)region));
            copies = true;
        }
    /* The host may write to its copy again as soon as this returns. */
    return copies ? gpu_wait(memory->gpu) : status_ok();
}

struct status cuda_memory_download(struct cuda_memory *memory, const struct executor *executor,
                                   enum rnet_region region)
{
    const struct driver *driver = &memory->gpu->driver;
    uint64_t bytes = executor->program->region_bytes[region];
    if (memory->states[region] != CUDA_DEVICE_IS_NEWER || bytes == 0)
        return status_ok();
    RETURN_IF_ERROR(driver_status(
        driver,
        driver->copy_to_host(executor->regions[region], memory->regions[region], bytes,
                             memory->gpu->compute),
        "copy the %s from GPU %d", executor_region_name(region), memory->gpu->number));
    RETURN_IF_ERROR(gpu_wait(memory->gpu));
    memory->states[region] = CUDA_COPIES_EQUAL;
    return status_ok();
}

struct status cuda_memory_write(struct cuda_memory *memory, const struct executor *executor,
                                enum rnet_region region, uint64_t offset, const void *bytes,
                                size_t size)
{
    const struct driver *driver = &memory->gpu->driver;
    struct CUstream_st *stream = memory->gpu->compute;
    RETURN_IF_ERROR(cuda_memory_upload(memory, executor));
    device_address to = memory->regions[region] + offset;
    unsigned int result = bytes != NULL ? driver->copy_to_device(to, bytes, size, stream)
                                        : driver->set_bytes(to, 0, size, stream);
    memory->states[region] = CUDA_DEVICE_IS_NEWER;
    return driver_status(driver, result, "write to the %s of GPU %d", executor_region_name(region),
                         memory->gpu->number);
}
