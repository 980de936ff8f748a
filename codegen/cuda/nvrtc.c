/* NVRTC and the driver through dlopen. The few functions that are called have kept their types
 * since CUDA 11; they are declared here as NVIDIA documents them. */
#include "codegen/cuda/nvrtc.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/vector.h"

typedef void *nvrtc_program;

struct nvrtc {
    void *library;
    const char *(*error_text)(int error);
    int (*create)(nvrtc_program *program, const char *text, const char *name, int header_count,
                  const char *const *headers, const char *const *include_names);
    int (*destroy)(nvrtc_program *program);
    int (*compile)(nvrtc_program program, int option_count, const char *const *options);
    int (*log_size)(nvrtc_program program, size_t *size);
    int (*log)(nvrtc_program program, char *log);
    int (*ptx_size)(nvrtc_program program, size_t *size);
    int (*ptx)(nvrtc_program program, char *ptx);
    int (*cubin_size)(nvrtc_program program, size_t *size);
    int (*cubin)(nvrtc_program program, char *cubin);
    int (*architecture_count)(int *count);
    int (*architectures)(int *architectures);
};

/* ---- finding it ---- */

static const char *const names[] = {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"};

static void *open_in(const char *folder)
{
    static const char *const parts[] = {"lib64/", "lib/", ""};
    char path[4096];
    for (size_t i = 0; i < countof(parts) * countof(names); i++) {
        snprintf(path, sizeof path, "%s/%s%s", folder, parts[i / countof(names)],
                 names[i % countof(names)]);
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
    }
    return NULL;
}

static void *open_library(const char *configured_folder)
{
    const char *chosen = getenv("RNET_CUDA");
    void *library = NULL;
    if (chosen && *chosen)
        return open_in(chosen);
    if (configured_folder && *configured_folder)
        library = open_in(configured_folder);
    for (size_t i = 0; i < countof(names) && !library; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    return library;
}

static struct status find_functions(struct nvrtc *nvrtc)
{
    const struct {
        const char *name;
        void *place;
    } functions[] = {
        {"nvrtcGetErrorString", &nvrtc->error_text},
        {"nvrtcCreateProgram", &nvrtc->create},
        {"nvrtcDestroyProgram", &nvrtc->destroy},
        {"nvrtcCompileProgram", &nvrtc->compile},
        {"nvrtcGetProgramLogSize", &nvrtc->log_size},
        {"nvrtcGetProgramLog", &nvrtc->log},
        {"nvrtcGetPTXSize", &nvrtc->ptx_size},
        {"nvrtcGetPTX", &nvrtc->ptx},
        {"nvrtcGetCUBINSize", &nvrtc->cubin_size},
        {"nvrtcGetCUBIN", &nvrtc->cubin},
        {"nvrtcGetNumSupportedArchs", &nvrtc->architecture_count},
        {"nvrtcGetSupportedArchs", &nvrtc->architectures},
    };
    for (size_t i = 0; i < countof(functions); i++) {
        void *function = dlsym(nvrtc->library, functions[i].name);
        if (!function)
            return status_error(STATUS_INVALID,
                                "NVRTC is too old for --target cuda: it lacks %s, which is there "
                                "since CUDA 11.2",
                                functions[i].name);
        memcpy(functions[i].place, &function, sizeof function);
    }
    return status_ok();
}

struct status nvrtc_open(const char *configured_folder, struct nvrtc **out_nvrtc)
{
    const char *chosen = getenv("RNET_CUDA");
    void *library = open_library(configured_folder);
    *out_nvrtc = NULL;
    if (!library)
        return status_error(STATUS_INVALID,
                            "--target cuda needs NVRTC (libnvrtc.so), which is not %s%s: it is "
                            "part of the CUDA toolkit, and of NVIDIA's Python wheel "
                            "nvidia-cuda-nvrtc; say where either is with RNET_CUDA=FOLDER or "
                            "configure --with-cuda=FOLDER",
                            chosen && *chosen ? "in " : "found", chosen ? chosen : "");
    struct nvrtc *nvrtc = calloc(1, sizeof *nvrtc);
    if (!nvrtc) {
        dlclose(library);
        return status_error(STATUS_MEMORY, "not enough memory");
    }
    nvrtc->library = library;
    const struct status status = find_functions(nvrtc);
    if (status_is_ok(&status))
        *out_nvrtc = nvrtc;
    else
        nvrtc_close(nvrtc);
    return status;
}

/* The library stays: it keeps memory of its own, which unloading it would leak. */
void nvrtc_close(struct nvrtc *nvrtc)
{
    free(nvrtc);
}

/* ---- architectures ---- */

struct status nvrtc_check_architecture(const struct nvrtc *nvrtc, int architecture)
{
    int known[64], count = 0;
    char list[400] = "";
    if (nvrtc->architecture_count(&count) != 0 || count > (int)countof(known) ||
        nvrtc->architectures(known) != 0)
        return status_error(STATUS_INVALID, "NVRTC does not say for which GPUs it compiles");
    for (int i = 0; i < count; i++) {
        const size_t used = strlen(list);
        if (known[i] == architecture)
            return status_ok();
        snprintf(list + used, sizeof list - used, "%ssm_%d", i > 0 ? ", " : "", known[i]);
    }
    return status_error(STATUS_INVALID, "--gpu sm_%d: this NVRTC compiles for %s", architecture,
                        list);
}

int cuda_gpu_architecture(void)
{
    enum { MAJOR = 75, MINOR = 76 }; /* CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_... */
    void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    int (*start)(unsigned flags) = NULL;
    int (*attribute)(int *value, int which, int device) = NULL;
    int major = 0, minor = 0;
    if (!driver)
        return 0;
    void *const found[] = {dlsym(driver, "cuInit"), dlsym(driver, "cuDeviceGetAttribute")};
    memcpy(&start, &found[0], sizeof start);
    memcpy(&attribute, &found[1], sizeof attribute);
    const bool is_found = start && attribute && start(0) == 0 && attribute(&major, MAJOR, 0) == 0 &&
                          attribute(&minor, MINOR, 0) == 0;
    dlclose(driver);
    return is_found ? 10 * major + minor : 0;
}

/* ---- compiling ---- */

/* The first lines of what the compiler has to say. */
static struct status compile_error(const struct nvrtc *nvrtc, nvrtc_program program,
                                   const char *name, int error)
{
    size_t size = 0;
    char *log = NULL;
    if (nvrtc->log_size(program, &size) == 0 && size > 0)
        log = calloc(1, size + 1);
    if (log && nvrtc->log(program, log) != 0)
        log[0] = '\0';
    const struct status status =
        status_error(STATUS_INVALID, "NVRTC refuses kernel %s (%s): %.300s", name,
                     nvrtc->error_text(error), log ? log : "");
    free(log);
    return status;
}

static struct status take_code(const struct nvrtc *nvrtc, nvrtc_program program,
                               struct arena *arena, const char *name, struct nvrtc_code *code)
{
    int error = nvrtc->cubin_size(program, &code->cubin_bytes);
    if (error == 0)
        error = nvrtc->ptx_size(program, &code->ptx_bytes);
    if (error == 0) {
        code->cubin = arena_alloc(arena, code->cubin_bytes + 1);
        code->ptx = arena_alloc(arena, code->ptx_bytes + 1);
        error = nvrtc->cubin(program, code->cubin);
    }
    if (error == 0)
        error = nvrtc->ptx(program, code->ptx);
    if (error != 0)
        return status_error(STATUS_INVALID, "NVRTC has no code of kernel %s: %s", name,
                            nvrtc->error_text(error));
    return status_ok();
}

struct status nvrtc_compile(const struct nvrtc *nvrtc, struct arena *arena, const char *name,
                            const char *text, int architecture, struct nvrtc_code *out_code)
{
    char gpu[64];
    const char *const options[] = {gpu, "--fmad=false", "--std=c++17", "--disable-warnings"};
    nvrtc_program program = NULL;
    *out_code = (struct nvrtc_code){0};
    snprintf(gpu, sizeof gpu, "--gpu-architecture=sm_%d", architecture);
    int error = nvrtc->create(&program, text, name, 0, NULL, NULL);
    if (error != 0)
        return status_error(STATUS_INVALID, "NVRTC takes no kernel: %s", nvrtc->error_text(error));
    error = nvrtc->compile(program, (int)countof(options), options);
    const struct status status = error == 0 ? take_code(nvrtc, program, arena, name, out_code)
                                            : compile_error(nvrtc, program, name, error);
    nvrtc->destroy(&program);
    return status;
}
