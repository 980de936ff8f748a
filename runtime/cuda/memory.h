/* A GPU's memory for a program: one allocation that holds all regions, the next batch and the
 * scratch of libraries; and how the host's copies of regions stand to it. */
#ifndef RUNTIME_CUDA_MEMORY_H
#define RUNTIME_CUDA_MEMORY_H

#include "runtime/cuda/gpu.h"
#include "runtime/execute.h"

/* Which of a region's two copies is behind. */
enum cuda_copy_state {
    CUDA_COPIES_EQUAL,
    CUDA_HOST_IS_NEWER,
    CUDA_DEVICE_IS_NEWER,
};

/* Zero it, then open it. */
struct cuda_memory {
    const struct gpu *gpu;
    device_address base;
    uint64_t bytes;
    device_address regions[RNET_REGION_COUNT];
    device_address next_input, next_labels; /* the batch after the one that INPUT holds */
    device_address filter, workspace;       /* scratch of libraries */
    device_address filters;                 /* those that are copied together, with their tables */
    enum cuda_copy_state states[RNET_REGION_COUNT];
};

/* What libraries need beside the regions. */
struct cuda_scratch {
    uint64_t filter_bytes, workspace_bytes, filters_bytes;
};

/* Allocates it, zeroed. Where the GPU has too little memory free, the error says what is needed
 * for what, and what is free. Release it also after a failure. */
struct status cuda_memory_open(struct cuda_memory *memory, const struct gpu *gpu,
                               const struct rnet_program *program, struct cuda_scratch scratch);

void cuda_memory_release(struct cuda_memory *memory);

/* Brings the device's copy of every region that the host has written to up to date. */
struct status cuda_memory_upload(struct cuda_memory *memory, const struct executor *executor);

/* Brings the host's copy of a region up to date, waiting for what runs. */
struct status cuda_memory_download(struct cuda_memory *memory, const struct executor *executor,
                                   enum rnet_region region);

/* Writes to a part of a region of the device, after what runs; NULL writes zeros. */
struct status cuda_memory_write(struct cuda_memory *memory, const struct executor *executor,
                                enum rnet_region region, uint64_t offset, const void *bytes,
                                size_t size);

#endif
