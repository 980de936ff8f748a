/* Loading modules and launching functions. See code.h. */
#include "runtime/cuda/code.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOG_BYTES = 400,
    DECIMAL = 10,
    SHARED_BYTES_FREE = 48 << 10, /* dynamic shared memory that needs no asking for */
};

static struct status module_unloadable(const struct cuda_code *code, unsigned int result,
                                       const char *log)
{
    const struct gpu *gpu = code->gpu;
    uint32_t architecture = code->program->cuda->architecture;
    if (result == DRIVER_UNSUPPORTED_PTX_VERSION)
        return status_error(STATUS_INVALID,
                            "the NVIDIA driver (CUDA %d.%d) is older than the toolkit that %s was "
                            "compiled with: build it with --gpu sm_%d%d, or update the driver",
                            gpu->driver.version / 1000, gpu->driver.version % 1000 / DECIMAL,
                            code->program->network, gpu->major, gpu->minor);
    if (result == DRIVER_NO_BINARY_FOR_GPU)
        return status_error(STATUS_INVALID,
                            "%s was compiled for sm_%u, and GPU %d (%s) is sm_%d%d: build it with "
                            "--gpu sm_%d%d",
                            code->program->network, architecture, gpu->number, gpu->name,
                            gpu->major, gpu->minor, gpu->major, gpu->minor);
    struct status status =
        driver_status(&gpu->driver, result, "load the code for sm_%u", architecture);
    size_t length = strlen(status.message);
    if (log[0] != '\0' && length + 2 < sizeof status.message) {
        status.message[length] = ' ';
        strncpy(status.message + length + 1, log, sizeof status.message - length - 2);
        status.message[sizeof status.message - 1] = '\0';
    }
    return status;
}

static bool cubin_fits(const struct cuda_code *code)
{
    uint32_t architecture = code->program->cuda->architecture;
    return (int)(architecture / DECIMAL) == code->gpu->major &&
           (int)(architecture % DECIMAL) <= code->gpu->minor;
}

static unsigned int image_load(const struct cuda_code *code, const void *image, char *log,
                               struct CUmod_st **module)
{
    unsigned int options[] = {DRIVER_JIT_ERROR_LOG_BUFFER, DRIVER_JIT_ERROR_LOG_BUFFER_BYTES};
    void *values[] = {log, (void *)(uintptr_t)LOG_BYTES};
    return code->gpu->driver.module_load(module, image, 2, options, values);
}

static struct status module_load(const struct cuda_code *code, uint64_t number)
{
    const struct rnet_cuda_module *module = &code->program->cuda->modules[number];
    unsigned int result = DRIVER_NO_BINARY_FOR_GPU;
    char log[LOG_BYTES] = "";
    if (module->cubin != NULL && cubin_fits(code))
        result = image_load(code, module->cubin, log, &code->modules[number]);
    if (result != DRIVER_SUCCESS && module->ptx != NULL) {
        unsigned int first = result;
        result = image_load(code, module->ptx, log, &code->modules[number]);
        if (result == DRIVER_UNSUPPORTED_PTX_VERSION && first != DRIVER_NO_BINARY_FOR_GPU)
            result = first;
    }
    if (result != DRIVER_SUCCESS)
        return module_unloadable(code, result, log);
    return status_ok();
}

struct status cuda_code_find(const struct cuda_code *code, uint32_t module, const char *name,
                             uint32_t shared_bytes, struct CUfunc_st **function)
{
    const struct driver *driver = &code->gpu->driver;
    RETURN_IF_ERROR(driver_status(driver,
                                  driver->module_function(function, code->modules[module], name),
                                  "find the kernel %s", name));
    if (shared_bytes <= SHARED_BYTES_FREE)
        return status_ok();
    return driver_status(
        driver,
        driver->function_set(*function, DRIVER_FUNCTION_MAX_DYNAMIC_SHARED, (int)shared_bytes),
        "give the kernel %s %u bytes of shared memory", name, shared_bytes);
}

struct status cuda_code_open(struct cuda_code *code, const struct gpu *gpu,
                             const struct rnet_program *program)
{
    const struct rnet_cuda *cuda = program->cuda;
    *code = (struct cuda_code){
        .gpu = gpu,
        .program = program,
        .modules = calloc(cuda->module_count + 1, sizeof *code->modules),
        .functions = calloc(program->kernel_count + 1, sizeof *code->functions),
    };
    if (code->modules == NULL || code->functions == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for the table of kernels");
    for (uint64_t i = 0; i < cuda->module_count; i++)
        RETURN_IF_ERROR(module_load(code, i));
    for (uint64_t i = 0; i < program->kernel_count; i++)
        RETURN_IF_ERROR(cuda_code_find(code, cuda->kernels[i].module, program->kernels[i].name,
                                       cuda->kernels[i].shared_bytes, &code->functions[i]));
    return status_ok();
}

void cuda_code_release(struct cuda_code *code)
{
    if (code->modules != NULL)
        for (uint64_t i = 0; i < code->program->cuda->module_count; i++)
            if (code->modules[i] != NULL)
                code->gpu->driver.module_unload(code->modules[i]);
    free(code->modules);
    free(code->functions);
    *code = (struct cuda_code){0};
}

int64_t cuda_task_count(int64_t images_per_task, int64_t tasks_per_group, int64_t images)
{
    if (images_per_task == 0)
        return tasks_per_group;
    return (images + images_per_task - 1) / images_per_task * tasks_per_group;
}

struct status cuda_launch_run(const struct cuda_launch *launch, const struct gpu *gpu)
{
    int64_t blocks = (launch->tasks + launch->tasks_per_block - 1) / launch->tasks_per_block;
    int64_t images = launch->images, tasks = launch->tasks;
    device_address addresses[CUDA_LAUNCH_ADDRESSES];
    void *parameters[CUDA_LAUNCH_ADDRESSES + 2];
    if (blocks == 0)
        return status_ok();
    if (blocks > INT_MAX || launch->address_count > CUDA_LAUNCH_ADDRESSES)
        return status_error(STATUS_INVALID, "the kernel %s is too large for a GPU", launch->name);
    for (uint32_t i = 0; i < launch->address_count; i++) {
        addresses[i] = launch->addresses[i];
        parameters[i] = &addresses[i];
    }
    parameters[launch->address_count] = &images;
    parameters[launch->address_count + 1] = &tasks;
    return driver_status(&gpu->driver,
                         gpu->driver.launch(launch->function, (unsigned int)blocks, 1, 1,
                                            launch->threads, 1, 1, launch->shared_bytes,
                                            gpu->compute, parameters, NULL),
                         "launch the kernel %s", launch->name);
}

struct status cuda_function_run(const struct cuda_code *code,
                                const struct rnet_cuda_function *function, struct CUfunc_st *found,
                                int64_t images, const device_address *addresses,
                                uint32_t address_count)
{
    const struct cuda_launch launch = {
        .function = found,
        .name = function->name,
        .threads = function->threads,
        .tasks_per_block = function->tasks_per_block,
        .shared_bytes = function->shared_bytes,
        .images = images,
        .tasks = cuda_task_count(function->images_per_task, function->tasks_per_group, images),
        .addresses = addresses,
        .address_count = address_count,
    };
    return cuda_launch_run(&launch, code->gpu);
}
