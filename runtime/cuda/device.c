/* An NVIDIA GPU as a device (device.h). What each part does is in its own file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cuda/cudnn.h"
#include "runtime/cuda/feed.h"
#include "runtime/cuda/filters.h"
#include "runtime/cuda/limits.h"
#include "runtime/cuda/phases.h"
#include "runtime/cuda/step.h"
#include "runtime/device.h"

enum { NAME_BYTES = 448, CHAINS_BYTES = 64 };

struct cuda_device {
    struct gpu gpu;
    struct cuda_code code;
    struct cudnn cudnn;
    struct filters filters;
    struct cuda_memory memory;
    struct feed feed;
    struct results results;
    struct cuda_step step;
    struct phases phases;
    struct status failure;          /* the first; a GPU that failed is not asked again */
    char *small[RNET_REGION_COUNT]; /* what the device has of scalars and keys */
    char name[NAME_BYTES];
};

static struct cuda_device *device_of(const struct executor *executor)
{
    return executor->device;
}

/* Keeps the first failure. */
static struct status note(struct cuda_device *device, struct status status)
{
    if (status_is_ok(&device->failure))
        device->failure = status;
    return device->failure;
}

static const enum rnet_region mirrored[] = {
    RNET_REGION_WEIGHTS,         RNET_REGION_STATISTICS,
    RNET_REGION_GRADIENTS,       RNET_REGION_MOMENTUM,
    RNET_REGION_SCALARS,         RNET_REGION_KEYS,
    RNET_REGION_AVERAGE_WEIGHTS, RNET_REGION_AVERAGE_STATISTICS,
};

/* Regions that the host fills anew before each run. */
static const enum rnet_region small_regions[] = {RNET_REGION_SCALARS, RNET_REGION_KEYS};

static struct status host_map(struct executor *executor, struct cuda_device *device)
{
    for (size_t i = 0; i < sizeof mirrored / sizeof *mirrored; i++)
        RETURN_IF_ERROR(executor_map_region(executor, mirrored[i]));
    for (size_t i = 0; i < sizeof small_regions / sizeof *small_regions; i++) {
        enum rnet_region region = small_regions[i];
        device->small[region] = calloc(1, executor->program->region_bytes[region] + 1);
        if (device->small[region] == NULL)
            return status_error(STATUS_MEMORY, "not enough memory for the %s",
                                executor_region_name(region));
    }
    return status_ok();
}

static void name_set(struct cuda_device *device)
{
    const struct gpu *gpu = &device->gpu;
    uint64_t met;
    const uint64_t taken = chains_taken(&device->phases.chains, &met);
    char chains[CHAINS_BYTES] = "";
    if (met > 0)
        snprintf(chains, sizeof chains, ", %" PRIu64 " of %" PRIu64 " chains", taken, met);
    snprintf(device->name, sizeof device->name, "cuda:%d, %s%s%s%s%s", gpu->number, gpu->name,
             device->cudnn.note[0] != '\0' ? ", " : "", device->cudnn.note, chains,
             device->filters.lacks_memory ? ", too little memory to copy filters together" : "");
}

/* Makes the memory, which is better with filters that are copied together than without. */
static struct status memory_open(struct cuda_device *device, const struct rnet_program *program)
{
    struct cuda_scratch *scratch = &device->cudnn.scratch;
    RETURN_IF_ERROR(filters_plan(&device->filters, &device->code, &device->cudnn));
    scratch->filters_bytes = device->filters.bytes;
    struct status status = cuda_memory_open(&device->memory, &device->gpu, program, *scratch);
    if (status.code == STATUS_MEMORY && scratch->filters_bytes > 0) {
        filters_forgo(&device->filters);
        scratch->filters_bytes = 0;
        cuda_memory_release(&device->memory);
        status = cuda_memory_open(&device->memory, &device->gpu, program, *scratch);
    }
    return status;
}

static struct status parts_open(struct executor *executor, struct cuda_device *device,
                                const struct executor_options *options, int64_t number)
{
    const struct rnet_program *program = executor->program;
    RETURN_IF_ERROR(host_map(executor, device));
    RETURN_IF_ERROR(gpu_open(&device->gpu, number));
    RETURN_IF_ERROR(cuda_code_open(&device->code, &device->gpu, program));
    RETURN_IF_ERROR(cudnn_open(&device->cudnn, &device->code, options->tune));
    RETURN_IF_ERROR(memory_open(device, program));
    device->cudnn.memory = &device->memory;
    RETURN_IF_ERROR(filters_open(&device->filters, &device->memory));
    RETURN_IF_ERROR(feed_open(&device->feed, &device->memory, executor));
    RETURN_IF_ERROR(results_open(&device->results, &device->memory, program));
    RETURN_IF_ERROR(cuda_step_open(&device->step, &device->code, &device->memory));
    return phases_open(&device->phases, program, &device->code, &device->memory, &device->results,
                       &device->step, &device->cudnn, &device->filters);
}

static struct status cuda_open(struct executor *executor, const struct executor_options *options,
                               int64_t number)
{
    struct cuda_device *device = calloc(1, sizeof *device);
    if (device == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for a GPU's tables");
    executor->device = device;
    return parts_open(executor, device, options, number);
}

static void cuda_release(struct executor *executor)
{
    struct cuda_device *device = device_of(executor);
    if (device == NULL)
        return;
    gpu_rest(&device->gpu);
    phases_release(&device->phases);
    cuda_step_release(&device->step);
    results_release(&device->results);
    feed_release(&device->feed);
    cuda_memory_release(&device->memory);
    filters_release(&device->filters);
    cudnn_release(&device->cudnn);
    cuda_code_release(&device->code);
    gpu_release(&device->gpu);
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        free(device->small[region]);
    free(device);
    executor->device = NULL;
}

static struct status cuda_submit(struct executor *executor, int64_t images)
{
    struct cuda_device *device = device_of(executor);
    RETURN_IF_ERROR(device->failure);
    return note(device, feed_submit(&device->feed, executor, images));
}

/* Marks what the host has written to scalars and keys since the last run. */
static void small_regions_compare(const struct executor *executor, struct cuda_device *device)
{
    for (size_t i = 0; i < sizeof small_regions / sizeof *small_regions; i++) {
        enum rnet_region region = small_regions[i];
        size_t bytes = executor->program->region_bytes[region];
        if (bytes == 0 || memcmp(device->small[region], executor->regions[region], bytes) == 0)
            continue;
        memcpy(device->small[region], executor->regions[region], bytes);
        device->memory.states[region] = CUDA_HOST_IS_NEWER;
    }
}

/* What a piece of work leaves in the device's memory alone. */
static void writes_mark(struct cuda_memory *memory, uint32_t piece)
{
    if (piece == RNET_PHASE_TRAIN) {
        memory->states[RNET_REGION_STATISTICS] = CUDA_DEVICE_IS_NEWER;
        memory->states[RNET_REGION_GRADIENTS] = CUDA_DEVICE_IS_NEWER;
    } else if (piece == RNET_PHASE_UPDATE) {
        memory->states[RNET_REGION_WEIGHTS] = CUDA_DEVICE_IS_NEWER;
        memory->states[RNET_REGION_MOMENTUM] = CUDA_DEVICE_IS_NEWER;
    } else if (piece == CUDA_STEP_AVERAGE_BEGIN || piece == CUDA_STEP_AVERAGE) {
        memory->states[RNET_REGION_AVERAGE_WEIGHTS] = CUDA_DEVICE_IS_NEWER;
        memory->states[RNET_REGION_AVERAGE_STATISTICS] = CUDA_DEVICE_IS_NEWER;
    }
}

/* Gives the device what the host has changed, and the batch. */
static struct status inputs_take(const struct executor *executor, struct cuda_device *device)
{
    small_regions_compare(executor, device);
    RETURN_IF_ERROR(cuda_memory_upload(&device->memory, executor));
    return feed_take(&device->feed);
}

static struct status pieces_start(struct executor *executor, struct cuda_device *device,
                                  const uint32_t *pieces, int count, int64_t images)
{
    RETURN_IF_ERROR(inputs_take(executor, device));
    RETURN_IF_ERROR(phases_run(&device->phases, pieces, count, images));
    for (int i = 0; i < count; i++) {
        writes_mark(&device->memory, pieces[i]);
        if (pieces[i] < RNET_PHASE_COUNT)
            RETURN_IF_ERROR(results_mark(&device->results, (enum rnet_phase)pieces[i]));
    }
    return status_ok();
}

static struct status cuda_run(struct executor *executor, const enum rnet_phase *phases, int count,
                              int64_t images)
{
    struct cuda_device *device = device_of(executor);
    uint32_t pieces[RNET_PHASE_COUNT];
    RETURN_IF_ERROR(device->failure);
    for (int i = 0; i < count; i++)
        pieces[i] = phases[i];
    return note(device, pieces_start(executor, device, pieces, count, images));
}

static struct status cuda_open_step(struct executor *executor, const struct frozen *frozen,
                                    const struct gradients *gradients)
{
    struct cuda_device *device = device_of(executor);
    RETURN_IF_ERROR(device->failure);
    return note(device, cuda_step_prepare(&device->step, executor, frozen, gradients));
}

/* Runs the pieces one by one, and times them. */
static struct status pieces_time(struct executor *executor, struct cuda_device *device,
                                 const uint32_t *pieces, int count, int64_t images,
                                 struct step_seconds *seconds)
{
    RETURN_IF_ERROR(inputs_take(executor, device));
    for (int i = 0; i < count; i++) {
        writes_mark(&device->memory, pieces[i]);
        if (pieces[i] >= RNET_PHASE_COUNT)
            RETURN_IF_ERROR(
                cuda_step_run_timed(&device->step, (enum cuda_step_part)pieces[i], seconds->parts));
        else
            RETURN_IF_ERROR(phases_run_timed(&device->phases, (enum rnet_phase)pieces[i], images,
                                             pieces[i] == RNET_PHASE_UPDATE ? seconds->update
                                                                            : seconds->train));
    }
    return status_ok();
}

static struct status cuda_run_batch(struct executor *executor, int64_t images,
                                    const struct step_batch *batch, struct step_seconds *seconds)
{
    struct cuda_device *device = device_of(executor);
    uint32_t pieces[CUDA_STEP_PIECES];
    RETURN_IF_ERROR(device->failure);
    int count = cuda_step_pieces(&device->step, batch, pieces);
    if (seconds != NULL)
        return note(device, pieces_time(executor, device, pieces, count, images, seconds));
    return note(device, pieces_start(executor, device, pieces, count, images));
}

static struct status cuda_read_norm(struct executor *executor, double *norm)
{
    struct cuda_device *device = device_of(executor);
    RETURN_IF_ERROR(device->failure);
    RETURN_IF_ERROR(note(device, gpu_wait(&device->gpu)));
    *norm = cuda_step_norm(&device->step);
    return status_ok();
}

static struct status cuda_run_timed(struct executor *executor, enum rnet_phase phase,
                                    int64_t images, double *step_seconds)
{
    struct cuda_device *device = device_of(executor);
    RETURN_IF_ERROR(device->failure);
    RETURN_IF_ERROR(note(device, inputs_take(executor, device)));
    writes_mark(&device->memory, phase);
    return note(device, phases_run_timed(&device->phases, phase, images, step_seconds));
}

static struct status cuda_limits(struct executor *executor, struct machine_limits *out)
{
    return gpu_limits_measure(&device_of(executor)->gpu, out);
}

static struct status cuda_read(struct executor *executor, struct rnet_location location,
                               int64_t count, const float **out)
{
    struct cuda_device *device = device_of(executor);
    RETURN_IF_ERROR(device->failure);
    return note(device, results_read(&device->results, location, count, out));
}

static struct status cuda_fetch(const struct executor *executor, enum rnet_region region)
{
    struct cuda_device *device = device_of(executor);
    RETURN_IF_ERROR(device->failure);
    return note(device, cuda_memory_download(&device->memory, executor, region));
}

static void cuda_changed(const struct executor *executor, enum rnet_region region)
{
    device_of(executor)->memory.states[region] = CUDA_HOST_IS_NEWER;
}

static struct status cuda_write(const struct executor *executor, enum rnet_region region,
                                uint64_t offset, const void *bytes, size_t size)
{
    struct cuda_device *device = device_of(executor);
    RETURN_IF_ERROR(device->failure);
    return note(device, cuda_memory_write(&device->memory, executor, region, offset, bytes, size));
}

static struct status cuda_wait(struct executor *executor)
{
    struct cuda_device *device = device_of(executor);
    RETURN_IF_ERROR(device->failure);
    return note(device, gpu_wait(&device->gpu));
}

/* What it is, and what it has found to do by the time. */
static const char *cuda_name(const struct executor *executor)
{
    struct cuda_device *device = device_of(executor);
    name_set(device);
    return device->name;
}

static int64_t cuda_bytes(const struct executor *executor)
{
    const struct cuda_device *device = device_of(executor);
    return (int64_t)(device->memory.bytes + device->step.bytes);
}

const struct device_operations cuda_operations = {
    .kind = "cuda",
    .open = cuda_open,
    .release = cuda_release,
    .submit = cuda_submit,
    .run = cuda_run,
    .open_step = cuda_open_step,
    .run_batch = cuda_run_batch,
    .read_norm = cuda_read_norm,
    .run_timed = cuda_run_timed,
    .limits = cuda_limits,
    .read = cuda_read,
    .fetch = cuda_fetch,
    .changed = cuda_changed,
    .write = cuda_write,
    .wait = cuda_wait,
    .name = cuda_name,
    .bytes = cuda_bytes,
};
