/* Pinned slots and the order of two streams. See feed.h. */
#include "runtime/cuda/feed.h"

static int64_t image_bytes(const struct rnet_program *program)
{
    int64_t bytes = channel_stride(program->channels) * (int64_t)sizeof(float);
    for (uint32_t axis = 0; axis < program->spatial_rank; axis++)
        bytes *= program->size[axis];
    return bytes;
}

static struct status slot_open(struct feed *feed, const struct rnet_program *program,
                               struct feed_slot *slot)
{
    size_t input = program->region_bytes[RNET_REGION_INPUT];
    void *memory = NULL;
    RETURN_IF_ERROR(gpu_host_allocate(
        feed->gpu, input + program->region_bytes[RNET_REGION_LABELS] + 1, &memory));
    slot->input = memory;
    slot->labels = slot->input + input;
    return gpu_event_create(feed->gpu, false, &slot->empty);
}

static void slot_show(const struct feed *feed, struct executor *executor)
{
    executor->regions[RNET_REGION_INPUT] = feed->slots[feed->filling].input;
    executor->regions[RNET_REGION_LABELS] = feed->slots[feed->filling].labels;
}

struct status feed_open(struct feed *feed, const struct cuda_memory *memory,
                        struct executor *executor)
{
    const struct rnet_program *program = executor->program;
    *feed = (struct feed){
        .gpu = memory->gpu,
        .memory = memory,
        .image_bytes = image_bytes(program),
        .label_bytes = sizeof(int32_t),
    };
    for (int i = 0; i < FEED_SLOTS; i++)
        RETURN_IF_ERROR(slot_open(feed, program, &feed->slots[i]));
    RETURN_IF_ERROR(gpu_event_create(feed->gpu, false, &feed->arrived));
    RETURN_IF_ERROR(gpu_event_create(feed->gpu, false, &feed->taken));
    slot_show(feed, executor);
    return status_ok();
}

void feed_release(struct feed *feed)
{
    for (int i = 0; i < FEED_SLOTS; i++) {
        gpu_host_free(feed->gpu, feed->slots[i].input);
        gpu_event_destroy(feed->gpu, feed->slots[i].empty);
    }
    gpu_event_destroy(feed->gpu, feed->arrived);
    gpu_event_destroy(feed->gpu, feed->taken);
    *feed = (struct feed){0};
}

static unsigned int slot_copy(const struct feed *feed, const struct feed_slot *slot, int64_t images)
{
    const struct driver *driver = &feed->gpu->driver;
    struct CUstream_st *stream = feed->gpu->copies;
    const struct cuda_memory *memory = feed->memory;
    unsigned int result = driver->stream_wait_event(stream, feed->taken, 0);
    if (result == DRIVER_SUCCESS)
        result = driver->copy_to_device(memory->next_input, slot->input,
                                        (size_t)(images * feed->image_bytes), stream);
    if (result == DRIVER_SUCCESS)
        result = driver->copy_to_device(memory->next_labels, slot->labels,
                                        (size_t)(images * feed->label_bytes), stream);
    if (result == DRIVER_SUCCESS)
        result = driver->event_record(slot->empty, stream);
    return result == DRIVER_SUCCESS ? driver->event_record(feed->arrived, stream) : result;
}

struct status feed_submit(struct feed *feed, struct executor *executor, int64_t images)
{
    const struct driver *driver = &feed->gpu->driver;
    RETURN_IF_ERROR(driver_status(driver, slot_copy(feed, &feed->slots[feed->filling], images),
                                  "copy a batch to GPU %d", feed->gpu->number));
    feed->waiting = images;
    feed->filling = (feed->filling + 1) % FEED_SLOTS;
    slot_show(feed, executor);
    return driver_status(driver, driver->event_wait(feed->slots[feed->filling].empty),
                         "copy a batch to GPU %d", feed->gpu->number);
}

struct status feed_take(struct feed *feed)
{
    const struct driver *driver = &feed->gpu->driver;
    const struct cuda_memory *memory = feed->memory;
    struct CUstream_st *stream = feed->gpu->compute;
    if (feed->waiting == 0)
        return status_ok();
    unsigned int result = driver->stream_wait_event(stream, feed->arrived, 0);
    if (result == DRIVER_SUCCESS)
        result = driver->copy_on_device(memory->regions[RNET_REGION_INPUT], memory->next_input,
                                        (size_t)(feed->waiting * feed->image_bytes), stream);
    if (result == DRIVER_SUCCESS)
        result = driver->copy_on_device(memory->regions[RNET_REGION_LABELS], memory->next_labels,
                                        (size_t)(feed->waiting * feed->label_bytes), stream);
    if (result == DRIVER_SUCCESS)
        result = driver->event_record(feed->taken, stream);
    feed->waiting = 0;
    return driver_status(driver, result, "take a batch on GPU %d", feed->gpu->number);
}
