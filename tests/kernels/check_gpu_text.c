/* The CUDA C of every distinct kernel of whole networks, run on this processor: what the lowerer
 * wrote against the reference.
 *
 *   check_gpu_text FILE.rnet...      at -D depth=20, grids cut to a few points */
#include <stdio.h>

#include "codegen/schedule.h"
#include "tests/kernels/check_kernel.h"
#include "tests/kernels/compile_network.h"
#include "tests/kernels/host_cuda.h"

enum {
    IMAGES = 3,
    MOST_KERNELS = 4096,
};

struct kernels {
    struct arena arena;
    struct kernel_set set; /* cut */
    struct loop_program *programs[MOST_KERNELS];
    cpu_function *functions[MOST_KERNELS];
};

static bool add_network(struct kernels *kernels, const char *path, enum rnet_precision precision)
{
    struct source_set sources;
    struct compilation compilation;
    const struct network_options options = {
        .depth = "20", .keeps_convolutions = true, .precision = precision};

    if (!compile_network(&kernels->arena, &sources, path, &options, &compilation))
        return false;
    for (size_t k = 0; k < compilation.plan.kernels.items.count; k++) {
        struct kernel small;

        kernel_shrink(compilation.plan.kernels.items.items[k], &small);
        kernel_set_add(&kernels->set, &small);
    }
    return kernels->set.items.count <= MOST_KERNELS;
}

static int check_all(struct kernels *kernels)
{
    const size_t count = kernels->set.items.count;
    int failures = 0;

    for (size_t k = 0; k < count; k++)
        kernels->programs[k] =
            schedule_kernel(&kernels->arena, kernels->set.items.items[k], &cuda_target, NULL);
    struct host_cuda *host = host_cuda_new(kernels->programs, count, IMAGES, kernels->functions);
    if (!host)
        return 1;
    for (size_t k = 0; k < count; k++)
        failures += check_function(kernels->set.items.items[k], IMAGES, kernels->programs[k],
                                   kernels->functions[k]);
    host_cuda_free(host);
    return failures;
}

int main(int argc, char **argv)
{
    static struct kernels kernels;
    int failures = argc < 2;

    kernels.set = (struct kernel_set){.arena = &kernels.arena, .table = {.arena = &kernels.arena}};
    for (int i = 1; i < argc; i++)
        failures += !add_network(&kernels, argv[i], RNET_PRECISION_TF32) +
                    !add_network(&kernels, argv[i], RNET_PRECISION_BF16);
    failures += check_all(&kernels);
    printf("%zu distinct kernels as CUDA C on this processor, %d failures\n",
           kernels.set.items.count, failures);
    arena_release(&kernels.arena);
    return failures != 0;
}
