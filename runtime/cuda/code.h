/* The code of a program on a GPU: its modules loaded, its kernels found. */
#ifndef RUNTIME_CUDA_CODE_H
#define RUNTIME_CUDA_CODE_H

#include "runtime/cuda/gpu.h"
#include "runtime/program.h"

/* Zero it, then open it. */
struct cuda_code {
    const struct gpu *gpu;
    const struct rnet_program *program;
    struct CUmod_st **modules;
    struct CUfunc_st **functions; /* one a kernel of the program */
};

/* Loads the modules: their cubins where the GPU runs them, else their PTX, which the driver
 * compiles. Release it also after a failure. */
struct status cuda_code_open(struct cuda_code *code, const struct gpu *gpu,
                             const struct rnet_program *program);

void cuda_code_release(struct cuda_code *code);

/* Finds the function `name` of a module, for launches with so much dynamic shared memory. */
struct status cuda_code_find(const struct cuda_code *code, uint32_t module, const char *name,
                             uint32_t shared_bytes, struct CUfunc_st **function);

/* One launch, of a kernel of the program or of a function beside it. */
struct cuda_launch {
    struct CUfunc_st *function;
    const char *name;
    uint32_t threads, tasks_per_block, shared_bytes;
    int64_t images, tasks;
    const device_address *addresses; /* the first parameters; images and tasks follow */
    uint32_t address_count;          /* at most CUDA_LAUNCH_ADDRESSES */
};

enum { CUDA_LAUNCH_ADDRESSES = 32 };

/* Puts it on the computing stream; a launch of no tasks is nothing. */
struct status cuda_launch_run(const struct cuda_launch *launch, const struct gpu *gpu);

/* Puts a function beside the kernels on the computing stream. */
struct status cuda_function_run(const struct cuda_code *code,
                                const struct rnet_cuda_function *function, struct CUfunc_st *found,
                                int64_t images, const device_address *addresses,
                                uint32_t address_count);

/* The number of tasks for so many images, as struct rnet_kernel says. */
int64_t cuda_task_count(int64_t images_per_task, int64_t tasks_per_group, int64_t images);

#endif
