/* NVRTC compiles every distinct kernel of whole networks, each as `rnet build --target cuda` gives
 * it; also with its filter copy.
 *
 *   check_code FILE.rnet... [--inference FILE.rnet...]
 *
 * Exit status 77 where there is no NVRTC. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "codegen/cuda/compile.h"
#include "codegen/cuda/convolution_facts.h"
#include "codegen/cuda/filter_copy.h"
#include "codegen/cuda/filter_tables.h"
#include "codegen/cuda/step_functions.h"
#include "codegen/schedule.h"
#include "config.h"
#include "tests/kernels/compile_network.h"

enum {
    SKIPPED = 77,
    ROUNDED_NETWORKS = 3, /* so many are compiled in bfloat16 too */
};

struct kernels {
    struct arena arena;
    struct kernel_set set;
    int64_t most_images;
};

static bool add_network(struct kernels *kernels, const char *path,
                        const struct network_options *options)
{
    struct arena arena = {0};
    struct source_set sources;
    struct compilation compilation;
    const bool compiled = compile_network(&arena, &sources, path, options, &compilation);

    if (compiled) {
        const struct plan *plan = &compilation.plan;

        for (size_t k = 0; k < plan->kernels.items.count; k++)
            kernel_set_add(&kernels->set, plan->kernels.items.items[k]);
        if (plan->batch > kernels->most_images)
            kernels->most_images = plan->batch;
    }
    arena_release(&arena);
    return compiled;
}

static int compile_all(struct kernels *kernels)
{
    const struct step_recipe everything = {.accumulate = 2, .clip = 1, .ema = 0.5};
    const size_t kernel_count = kernels->set.items.count;
    const size_t count = kernel_count + RNET_CUDA_FUNCTION_COUNT;
    struct loop_program **programs = ARENA_ARRAY(&kernels->arena, struct loop_program *, count);
    struct loop_program **copies = ARENA_ARRAY(&kernels->arena, struct loop_program *, count);
    struct nvrtc_code *code = ARENA_ARRAY(&kernels->arena, struct nvrtc_code, count);
    const struct cuda_target target = {.configured_folder = RNET_CUDA_FOLDER,
                                       .architecture = CUDA_DEFAULT_ARCHITECTURE,
                                       .most_images = kernels->most_images};
    struct rnet_cuda_convolution facts;
    size_t bytes = 0;

    for (size_t k = 0; k < kernel_count; k++) {
        const struct kernel *kernel = kernels->set.items.items[k];

        programs[k] = schedule_kernel(&kernels->arena, kernel, &cuda_target, NULL);
        if (convolution_facts(kernel, &facts))
            copies[k] = filter_copy(&kernels->arena, kernel);
    }
    step_functions(&kernels->arena, &everything, programs + kernel_count);
    filter_tables(&kernels->arena, RNET_PRECISION_BF16, programs + kernel_count);
    const struct status status =
        cuda_compile(&kernels->arena, &target, programs, copies, count, code);
    if (!status_is_ok(&status)) {
        fprintf(stderr, "%s\n", status.message);
        return 1;
    }
    for (size_t k = 0; k < count; k++)
        bytes += code[k].cubin_bytes;
    printf("%zu distinct kernels and functions compiled for sm_%d: %zu KiB\n", count,
           target.architecture, bytes >> 10);
    return 0;
}

int main(int argc, char **argv)
{
    struct kernels kernels = {.most_images = 1};
    struct network_options options = {.keeps_convolutions = true, .precision = RNET_PRECISION_TF32};
    struct nvrtc *nvrtc;
    const struct status status = nvrtc_open(RNET_CUDA_FOLDER, &nvrtc);
    int failures = argc < 2;

    if (!status_is_ok(&status)) {
        printf("skipped, no kernel was compiled for a GPU: %s\n", status.message);
        return SKIPPED;
    }
    nvrtc_close(nvrtc);
    kernels.set = (struct kernel_set){.arena = &kernels.arena, .table = {.arena = &kernels.arena}};
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--inference") == 0)
            options.inference = true;
        else
            failures += !add_network(&kernels, argv[i], &options);
    options =
        (struct network_options){.keeps_convolutions = true, .precision = RNET_PRECISION_BF16};
    for (int i = 1; i < argc && i <= ROUNDED_NETWORKS; i++)
        failures += !add_network(&kernels, argv[i], &options);
    failures += compile_all(&kernels);
    arena_release(&kernels.arena);
    return failures != 0;
}
