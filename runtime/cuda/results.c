/* Copies of results, and waiting for them. See results.h. */
#include "runtime/cuda/results.h"

#include <stdlib.h>

#include "runtime/execute.h"

struct status results_open(struct results *results, const struct cuda_memory *memory,
                           const struct rnet_program *program)
{
    size_t numbers = (size_t)program->batch * sizeof(float);
    size_t logits = numbers * (size_t)channel_stride(program->classes);
    uint64_t trains = program->phases[RNET_PHASE_TRAIN].count;
    size_t training = trains > 0 ? numbers : 0, losses = logits > 0 ? numbers : 0;
    *results = (struct results){
        .gpu = memory->gpu,
        .memory = memory,
        .items =
            {
                [RESULT_TRAIN_LOSS] = {program->train_loss, RNET_PHASE_TRAIN, training, NULL, 0},
                [RESULT_TRAIN_RANK] = {program->train_rank, RNET_PHASE_TRAIN, training, NULL, 0},
                [RESULT_LOGITS] = {program->logits, RNET_PHASE_INFER, logits, NULL, 0},
                [RESULT_LOSS] = {program->loss, RNET_PHASE_LOSS, losses, NULL, 0},
                [RESULT_RANK] = {program->rank, RNET_PHASE_LOSS, losses, NULL, 0},
            },
    };
    for (int i = 0; i < RESULT_COUNT; i++) {
        void *copy = NULL;
        if (results->items[i].bytes == 0)
            continue;
        RETURN_IF_ERROR(gpu_host_allocate(results->gpu, results->items[i].bytes, &copy));
        results->items[i].copy = copy;
    }
    return gpu_event_create(results->gpu, false, &results->done);
}

void results_release(struct results *results)
{
    for (int i = 0; i < RESULT_COUNT; i++)
        gpu_host_free(results->gpu, results->items[i].copy);
    gpu_event_destroy(results->gpu, results->done);
    free(results->output);
    *results = (struct results){0};
}

struct status results_copy(const struct results *results, enum rnet_phase phase)
{
    const struct driver *driver = &results->gpu->driver;
    for (int i = 0; i < RESULT_COUNT; i++) {
        const struct result *item = &results->items[i];
        if (item->phase != phase || item->bytes == 0)
            continue;
        device_address from =
            results->memory->regions[item->location.region] + item->location.offset;
        RETURN_IF_ERROR(driver_status(
            driver, driver->copy_to_host(item->copy, from, item->bytes, results->gpu->compute),
            "copy results from GPU %d", results->gpu->number));
    }
    return status_ok();
}

struct status results_mark(struct results *results, enum rnet_phase phase)
{
    const struct driver *driver = &results->gpu->driver;
    results->runs++;
    for (int i = 0; i < RESULT_COUNT; i++)
        if (results->items[i].phase == phase && results->items[i].bytes > 0)
            results->items[i].run = results->runs;
    return driver_status(driver, driver->event_record(results->done, results->gpu->compute),
                         "record an event on GPU %d", results->gpu->number);
}

static const struct result *newest(const struct results *results, struct rnet_location location)
{
    const struct result *found = NULL;
    for (int i = 0; i < RESULT_COUNT; i++) {
        const struct result *item = &results->items[i];
        bool is_there = item->location.region == location.region &&
                        item->location.offset == location.offset && item->run > 0;
        if (is_there && (found == NULL || item->run > found->run))
            found = item;
    }
    return found;
}

/* Copies an output that is not among the items, and waits for it. */
static struct status output_read(struct results *results, struct rnet_location location,
                                 size_t bytes, const float **out)
{
    const struct driver *driver = &results->gpu->driver;
    device_address from = results->memory->regions[location.region] + location.offset;
    if (bytes > results->output_bytes) {
        free(results->output);
        results->output_bytes = 0;
        results->output = malloc(bytes);
        if (results->output == NULL)
            return status_error(STATUS_MEMORY, "not enough memory for an output");
        results->output_bytes = bytes;
    }
    *out = results->output;
    RETURN_IF_ERROR(driver_status(
        driver, driver->copy_to_host(results->output, from, bytes, results->gpu->compute),
        "copy an output from GPU %d", results->gpu->number));
    return gpu_wait(results->gpu);
}

struct status results_read(struct results *results, struct rnet_location location, int64_t count,
                           const float **out)
{
    const struct driver *driver = &results->gpu->driver;
    const struct result *found = newest(results, location);
    size_t bytes = (size_t)count * sizeof(float);
    if (found == NULL || bytes > found->bytes)
        return output_read(results, location, bytes, out);
    *out = found->copy;
    return driver_status(driver, driver->event_wait(results->done),
                         "go on: a kernel failed on GPU %d (%s); RNET_CHECK_KERNELS=1 finds out "
                         "which",
                         results->gpu->number, results->gpu->name);
}
