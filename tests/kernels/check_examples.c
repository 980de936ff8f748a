/* Every distinct kernel of whole networks: what ships is exactly what is checked.
 *
 *   check_examples FILE.rnet...      at -D depth=38, four blocks a stage: every kind of block
 *
 * Compiled code runs at full shape; the interpreter runs the same kernel on a small grid. Kernels
 * that an earlier file had are not run again. RNET_STDLIB names the standard library's folder. */
#include <stdio.h>
#include <string.h>

#include "tests/kernels/check_kernel.h"
#include "tests/kernels/compile_network.h"

enum { IMAGES = 3 };

/* What only a GPU has, nothing being fused into convolutions, is interpreted alone. */
static int check_one(const struct kernel *kernel, bool is_compiled)
{
    struct kernel small;

    kernel_shrink(kernel, &small);
    return (is_compiled ? check_kernel(kernel, IMAGES, CHECK_COMPILED) : 0) +
           check_kernel(&small, IMAGES, CHECK_INTERPRETED);
}

/* Checks the kernels that are new in this network; returns the number of failures. */
static int check_network(struct kernel_set *seen, const char *path, bool is_for_gpu,
                         enum rnet_precision precision)
{
    struct arena arena = {0};
    struct source_set sources;
    struct compilation compilation;
    const struct network_options options = {
        .depth = "38", .keeps_convolutions = is_for_gpu, .precision = precision};
    int failures = 1;
    size_t checked = 0;

    if (compile_network(&arena, &sources, path, &options, &compilation)) {
        const struct kernel_set *kernels = &compilation.plan.kernels;

        failures = 0;
        for (size_t k = 0; k < kernels->items.count; k++) {
            const size_t before = seen->items.count;

            kernel_set_add(seen, kernels->items.items[k]);
            if (seen->items.count == before)
                continue;
            failures += check_one(kernels->items.items[k], !is_for_gpu);
            checked++;
        }
        printf("%s %s%s%s: %zu kernels, %zu of them new, %d failures\n", failures ? "FAIL" : "ok  ",
               path, is_for_gpu ? " for a GPU" : "",
               precision == RNET_PRECISION_BF16 ? " in bfloat16" : "", kernels->items.count,
               checked, failures);
    }
    arena_release(&arena);
    return failures;
}

int main(int argc, char **argv)
{
    struct arena arena = {0};
    struct kernel_set seen = {.arena = &arena, .table = {.arena = &arena}};
    int failures = 0;

    for (int i = 1; i < argc; i++)
        failures += check_network(&seen, argv[i], false, RNET_PRECISION_FP32) +
                    check_network(&seen, argv[i], true, RNET_PRECISION_TF32) +
                    check_network(&seen, argv[i], true, RNET_PRECISION_BF16);
    printf("%zu distinct kernels in %d networks, %d failures\n", seen.items.count, argc - 1,
           failures);
    arena_release(&arena);
    return failures != 0 || argc < 2;
}
