/* A GPU's arithmetic, from its description, and its memory, measured. See limits.h. */
#include "runtime/cuda/limits.h"

enum { COPIES = 8 };
static const size_t most_bytes = (size_t)1 << 29, least_bytes = (size_t)1 << 24; /* of a copy */

/* Multiply-adds of single precision in a cycle of a multiprocessor: "Throughput of Native
 * Arithmetic Instructions" in the CUDA C++ Programming Guide. */
static int multiply_adds(const struct gpu *gpu)
{
    enum { PASCAL = 6, VOLTA = 7, AMPERE = 8, NARROW = 64, WIDE = 128 };
    if (gpu->major == PASCAL)
        return gpu->minor == 0 ? NARROW : WIDE;
    return gpu->major == VOLTA || (gpu->major == AMPERE && gpu->minor == 0) ? NARROW : WIDE;
}

static struct status arithmetic(const struct gpu *gpu, double *flop_per_second)
{
    const struct driver *driver = &gpu->driver;
    int clock = 0, multiprocessors = 0;
    RETURN_IF_ERROR(driver_status(
        driver, driver->device_attribute(&clock, DRIVER_DEVICE_CLOCK_RATE, gpu->device),
        "ask GPU %d for its clock", gpu->number));
    RETURN_IF_ERROR(driver_status(
        driver,
        driver->device_attribute(&multiprocessors, DRIVER_DEVICE_MULTIPROCESSORS, gpu->device),
        "ask GPU %d for its multiprocessors", gpu->number));
    *flop_per_second = 2.0 * multiply_adds(gpu) * multiprocessors * clock * 1e3;
    return status_ok();
}

/* Copies `bytes` from one half of `memory` to the other, some times over. */
static unsigned int copies_launch(const struct gpu *gpu, device_address memory, size_t bytes,
                                  struct CUevent_st *start, struct CUevent_st *end)
{
    const struct driver *driver = &gpu->driver;
    unsigned int result = driver->copy_on_device(memory + bytes, memory, bytes, gpu->compute);
    if (result == DRIVER_SUCCESS)
        result = driver->event_record(start, gpu->compute);
    for (int i = 0; i < COPIES && result == DRIVER_SUCCESS; i++)
        result = driver->copy_on_device(memory + bytes, memory, bytes, gpu->compute);
    return result == DRIVER_SUCCESS ? driver->event_record(end, gpu->compute) : result;
}

static struct status copies_time(const struct gpu *gpu, device_address memory, size_t bytes,
                                 double *seconds)
{
    const struct driver *driver = &gpu->driver;
    struct CUevent_st *start = NULL, *end = NULL;
    float milliseconds = 0;
    struct status status = gpu_event_create(gpu, true, &start);
    if (status_is_ok(&status))
        status = gpu_event_create(gpu, true, &end);
    if (status_is_ok(&status))
        status = driver_status(driver, copies_launch(gpu, memory, bytes, start, end),
                               "measure the memory of GPU %d", gpu->number);
    if (status_is_ok(&status))
        status = gpu_wait(gpu);
    if (status_is_ok(&status))
        status = driver_status(driver, driver->event_elapsed(&milliseconds, start, end),
                               "measure the memory of GPU %d", gpu->number);
    gpu_event_destroy(gpu, start);
    gpu_event_destroy(gpu, end);
    *seconds = (double)milliseconds / 1e3;
    return status;
}

struct status gpu_limits_measure(const struct gpu *gpu, struct machine_limits *out)
{
    const struct driver *driver = &gpu->driver;
    device_address memory = 0;
    size_t bytes = most_bytes;
    double seconds = 0;
    *out = (struct machine_limits){.origin = "the GPU's single precision, and its memory as "
                                             "measured now"};
    RETURN_IF_ERROR(arithmetic(gpu, &out->flop_per_second));
    unsigned int result = driver->memory_allocate(&memory, 2 * bytes);
    while (result == DRIVER_OUT_OF_MEMORY && bytes > least_bytes) {
        bytes /= 2;
        result = driver->memory_allocate(&memory, 2 * bytes);
    }
    RETURN_IF_ERROR(
        driver_status(driver, result, "allocate memory to measure on GPU %d", gpu->number));
    struct status status = copies_time(gpu, memory, bytes, &seconds);
    driver->memory_free(memory);
    out->byte_per_second = seconds > 0 ? 2.0 * COPIES * (double)bytes / seconds : 0;
    return status;
}
