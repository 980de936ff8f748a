/* One GPU in use: its context, and two streams, one to compute on and one for copies of batches. */
#ifndef RUNTIME_CUDA_GPU_H
#define RUNTIME_CUDA_GPU_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/cuda/driver.h"

enum { GPU_NAME_BYTES = 128 };

/* Zero it, then open it. */
struct gpu {
    struct driver driver;
    int number, device; /* as the user counts; as the driver does */
    int major, minor;   /* compute capability */
    char name[GPU_NAME_BYTES];
    bool is_retained; /* the context */
    struct CUctx_st *context;
    struct CUstream_st *compute, *copies;
};

/* Opens GPU `number`, and makes its context current. Release it also after a failure. */
struct status gpu_open(struct gpu *gpu, int64_t number);

void gpu_release(struct gpu *gpu);

/* An event, for the order of streams and for the host to wait for; with `timing` for time too. */
struct status gpu_event_create(const struct gpu *gpu, bool timing, struct CUevent_st **event);

/* Destroys it. NULL is nothing. */
void gpu_event_destroy(const struct gpu *gpu, struct CUevent_st *event);

/* Makes a graph of what `put` puts on the computing stream. Nothing runs. */
struct status gpu_capture(const struct gpu *gpu, struct status (*put)(void *context), void *context,
                          struct CUgraphExec_st **graph);

/* How many milliseconds the GPU takes for what `put` puts on the computing stream, as part of a
 * graph; it must have run before. The least of a few measurements. */
struct status gpu_time(const struct gpu *gpu, struct status (*put)(void *context), void *context,
                       float *milliseconds);

/* Memory of the host that copies do not wait for. */
struct status gpu_host_allocate(const struct gpu *gpu, size_t bytes, void **memory);
void gpu_host_free(const struct gpu *gpu, void *memory);

/* Waits for whatever still runs, so that what it uses can be released. */
void gpu_rest(const struct gpu *gpu);

/* Waits for all work on the computing stream. */
struct status gpu_wait(const struct gpu *gpu);

#endif
