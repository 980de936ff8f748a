/* The little of NVIDIA's driver API (cuda.h) that is used here.
 *
 * Declared by us so that the runtime builds without NVIDIA's headers: the library is opened at run
 * time anyway, and its binary interface does not change. Enumerations are unsigned int and handles
 * pointers to NVIDIA's incomplete structures, which makes each function's type the same as in
 * cuda.h; tests/cuda/check-headers.sh compares all of it with the headers where they are. */
#ifndef RUNTIME_CUDA_DRIVER_API_H
#define RUNTIME_CUDA_DRIVER_API_H

#include <stddef.h>

struct CUctx_st;
struct CUevent_st;
struct CUfunc_st;
struct CUgraph_st;
struct CUgraphExec_st;
struct CUmod_st;
struct CUstream_st;

typedef unsigned long long device_address;

/* Results: enum cudaError_enum of cuda.h. */
enum {
    DRIVER_SUCCESS = 0,
    DRIVER_INVALID_VALUE = 1,
    DRIVER_OUT_OF_MEMORY = 2,
    DRIVER_NO_DEVICE = 100,
    DRIVER_INVALID_DEVICE = 101,
    DRIVER_INVALID_IMAGE = 200,
    DRIVER_NO_BINARY_FOR_GPU = 209,
    DRIVER_INVALID_PTX = 218,
    DRIVER_UNSUPPORTED_PTX_VERSION = 222,
    DRIVER_NOT_FOUND = 500,
    DRIVER_NOT_READY = 600,
    DRIVER_ILLEGAL_ADDRESS = 700,
    DRIVER_LAUNCH_FAILED = 719,
    DRIVER_SYSTEM_DRIVER_MISMATCH = 803,
};

/* Flags and attributes. */
enum {
    DRIVER_STREAM_NON_BLOCKING = 1,
    DRIVER_EVENT_DEFAULT = 0,
    DRIVER_EVENT_DISABLE_TIMING = 2,
    DRIVER_EVENT_RECORD_EXTERNAL = 1, /* in a graph, as a node of it */
    DRIVER_CAPTURE_THREAD_LOCAL = 1,
    DRIVER_DEVICE_CLOCK_RATE = 13, /* kHz */
    DRIVER_DEVICE_MULTIPROCESSORS = 16,
    DRIVER_DEVICE_MAJOR = 75, /* compute capability */
    DRIVER_DEVICE_MINOR = 76,
    DRIVER_FUNCTION_MAX_DYNAMIC_SHARED = 8,
    DRIVER_JIT_ERROR_LOG_BUFFER = 5,
    DRIVER_JIT_ERROR_LOG_BUFFER_BYTES = 6,
};

#endif
