/* What the imitated driver takes for a cubin: kernels that run on the processor. */
#ifndef TESTS_CUDA_FAKE_CODE_H
#define TESTS_CUDA_FAKE_CODE_H

#include "runtime/program.h"

/* What a library has put on a stream. */
typedef void fake_call(const void *context);
enum { FAKE_CALL_BYTES = 2048 };

#define FAKE_CODE_MAGIC "fakecuda"

enum { FAKE_CODE_KERNELS = 64 };

struct fake_kernel {
    const char *name;
    rnet_kernel_function *run; /* its buffers are "device" addresses */
    uint32_t argument_count, padding;
};

struct fake_code {
    char magic[8];
    uint64_t kernel_count;
    struct fake_kernel kernels[FAKE_CODE_KERNELS];
};

#endif
