/* A GPU's arithmetic, from its description, and its memory, measured. See limits.h. */
#include "runtime/cuda/limits.h"

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

/* Memory of which one half is copied to the other. */
struct halves {
    const struct gpu *gpu;
    device_address memory;
    size_t bytes; /* of a half */
};

static struct status copy_put(void *context)
{
    const struct halves *halves = context;
    const struct gpu *gpu = halves->gpu;
    return driver_status(&gpu->driver,
                         gpu->driver.copy_on_device(halves->memory + halves->bytes, halves->memory,
                                                    halves->bytes, gpu->compute),
                         "measure the memory of GPU %d", gpu->number);
}

struct status gpu_limits_measure(const struct gpu *gpu, struct machine_limits *out)
{
    const struct driver *driver = &gpu->driver;
    device_address memory = 0;
    size_t bytes = most_bytes;
    float milliseconds = 0;
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
    struct halves halves = {gpu, memory, bytes};
    struct status status = gpu_time(gpu, copy_put, &halves, &milliseconds);
    driver->memory_free(memory);
    out->byte_per_second = milliseconds > 0 ? 2e3 * (double)bytes / (double)milliseconds : 0;
    return status;
}
