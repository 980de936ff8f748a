/* Choosing a GPU, setting it up, recording graphs and timing them. See gpu.h. */
#include "runtime/cuda/gpu.h"

#include <math.h>
#include <stdio.h>

enum {
    TIMED_RUNS = 3, /* in a graph */
    TIMED_GRAPHS = 2,
};

static struct status facts_read(struct gpu *gpu)
{
    const struct driver *driver = &gpu->driver;
    RETURN_IF_ERROR(driver_status(driver,
                                  driver->device_name(gpu->name, sizeof gpu->name, gpu->device),
                                  "ask GPU %d for its name", gpu->number));
    RETURN_IF_ERROR(driver_status(
        driver, driver->device_attribute(&gpu->major, DRIVER_DEVICE_MAJOR, gpu->device),
        "ask GPU %d for its architecture", gpu->number));
    return driver_status(driver,
                         driver->device_attribute(&gpu->minor, DRIVER_DEVICE_MINOR, gpu->device),
                         "ask GPU %d for its architecture", gpu->number);
}

static struct status device_find(struct gpu *gpu, int64_t number)
{
    const struct driver *driver = &gpu->driver;
    int count = 0;
    RETURN_IF_ERROR(driver_status(driver, driver->device_count(&count), "count the GPUs"));
    if (count == 0)
        return status_error(
            STATUS_INVALID,
            "no NVIDIA GPU was found; a network built with --target cpu needs none");
    if (number >= count)
        return status_error(STATUS_INVALID, "there is no GPU %lld: the last one is cuda:%d",
                            (long long)number, count - 1);
    gpu->number = (int)number;
    RETURN_IF_ERROR(driver_status(driver, driver->device_get(&gpu->device, gpu->number),
                                  "open GPU %d", gpu->number));
    return facts_read(gpu);
}

static struct status context_make(struct gpu *gpu)
{
    const struct driver *driver = &gpu->driver;
    RETURN_IF_ERROR(driver_status(driver, driver->context_retain(&gpu->context, gpu->device),
                                  "use GPU %d (%s)", gpu->number, gpu->name));
    gpu->is_retained = true;
    RETURN_IF_ERROR(driver_status(driver, driver->context_set(gpu->context), "use GPU %d (%s)",
                                  gpu->number, gpu->name));
    RETURN_IF_ERROR(driver_status(driver,
                                  driver->stream_create(&gpu->compute, DRIVER_STREAM_NON_BLOCKING),
                                  "make a stream on GPU %d", gpu->number));
    return driver_status(driver, driver->stream_create(&gpu->copies, DRIVER_STREAM_NON_BLOCKING),
                         "make a stream on GPU %d", gpu->number);
}

struct status gpu_open(struct gpu *gpu, int64_t number)
{
    RETURN_IF_ERROR(driver_open(&gpu->driver));
    RETURN_IF_ERROR(device_find(gpu, number));
    return context_make(gpu);
}

void gpu_release(struct gpu *gpu)
{
    if (gpu->copies != NULL)
        gpu->driver.stream_destroy(gpu->copies);
    if (gpu->compute != NULL)
        gpu->driver.stream_destroy(gpu->compute);
    if (gpu->is_retained)
        gpu->driver.context_release(gpu->device);
    driver_close(&gpu->driver);
    *gpu = (struct gpu){0};
}

void gpu_rest(const struct gpu *gpu)
{
    if (gpu->copies != NULL)
        gpu->driver.stream_wait(gpu->copies);
    if (gpu->compute != NULL)
        gpu->driver.stream_wait(gpu->compute);
}

struct status gpu_event_create(const struct gpu *gpu, bool timing, struct CUevent_st **event)
{
    unsigned int flags = timing ? DRIVER_EVENT_DEFAULT : DRIVER_EVENT_DISABLE_TIMING;
    return driver_status(&gpu->driver, gpu->driver.event_create(event, flags), "make an event");
}

void gpu_event_destroy(const struct gpu *gpu, struct CUevent_st *event)
{
    if (event != NULL)
        gpu->driver.event_destroy(event);
}

struct status gpu_capture(const struct gpu *gpu, struct status (*put)(void *context), void *context,
                          struct CUgraphExec_st **graph)
{
    const struct driver *driver = &gpu->driver;
    struct CUgraph_st *made = NULL;
    RETURN_IF_ERROR(driver_status(driver,
                                  driver->capture_begin(gpu->compute, DRIVER_CAPTURE_THREAD_LOCAL),
                                  "record a graph"));
    struct status status = put(context);
    struct status ended =
        driver_status(driver, driver->capture_end(gpu->compute, &made), "record a graph");
    if (status_is_ok(&status))
        status = ended;
    if (status_is_ok(&status))
        status = driver_status(driver, driver->graph_instantiate(graph, made, 0), "make a graph");
    if (made != NULL)
        driver->graph_destroy(made);
    return status;
}

/* What is timed, some times in a row. */
struct repeated {
    struct status (*put)(void *context);
    void *context;
};

static struct status repeated_put(void *context)
{
    const struct repeated *repeated = context;
    for (int i = 0; i < TIMED_RUNS; i++)
        RETURN_IF_ERROR(repeated->put(repeated->context));
    return status_ok();
}

/* Times a graph behind itself: the first launch loads it, and keeps the GPU busy until the second
 * is there. */
static struct status graph_time(const struct gpu *gpu, struct CUgraphExec_st *graph,
                                struct CUevent_st *start, struct CUevent_st *end,
                                float *milliseconds)
{
    const struct driver *driver = &gpu->driver;
    unsigned int result = driver->graph_launch(graph, gpu->compute);
    if (result == DRIVER_SUCCESS)
        result = driver->event_record(start, gpu->compute);
    if (result == DRIVER_SUCCESS)
        result = driver->graph_launch(graph, gpu->compute);
    if (result == DRIVER_SUCCESS)
        result = driver->event_record(end, gpu->compute);
    RETURN_IF_ERROR(driver_status(driver, result, "time a graph on GPU %d", gpu->number));
    RETURN_IF_ERROR(gpu_wait(gpu));
    return driver_status(driver, driver->event_elapsed(milliseconds, start, end),
                         "time a graph on GPU %d", gpu->number);
}

struct status gpu_time(const struct gpu *gpu, struct status (*put)(void *context), void *context,
                       float *milliseconds)
{
    struct repeated repeated = {put, context};
    struct CUgraphExec_st *graph = NULL;
    struct CUevent_st *start = NULL, *end = NULL;
    float time = 0;
    *milliseconds = INFINITY;
    struct status status = gpu_event_create(gpu, true, &start);
    if (status_is_ok(&status))
        status = gpu_event_create(gpu, true, &end);
    if (status_is_ok(&status))
        status = gpu_capture(gpu, repeated_put, &repeated, &graph);
    for (int i = 0; status_is_ok(&status) && i < TIMED_GRAPHS; i++) {
        status = graph_time(gpu, graph, start, end, &time);
        if (time < *milliseconds)
            *milliseconds = time;
    }
    *milliseconds /= TIMED_RUNS;
    if (graph != NULL)
        gpu->driver.graph_release(graph);
    gpu_event_destroy(gpu, start);
    gpu_event_destroy(gpu, end);
    return status;
}

struct status gpu_host_allocate(const struct gpu *gpu, size_t bytes, void **memory)
{
    return driver_status(&gpu->driver, gpu->driver.host_allocate(memory, bytes, 0),
                         "pin %.1f MiB of the host's memory", (double)bytes / 0x1p20);
}

void gpu_host_free(const struct gpu *gpu, void *memory)
{
    if (memory != NULL)
        gpu->driver.host_free(memory);
}

struct status gpu_wait(const struct gpu *gpu)
{
    return driver_status(&gpu->driver, gpu->driver.stream_wait(gpu->compute),
                         "go on: a kernel failed on GPU %d (%s); RNET_CHECK_KERNELS=1 finds out "
                         "which",
                         gpu->number, gpu->name);
}
