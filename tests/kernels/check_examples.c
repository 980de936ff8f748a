/* Every distinct kernel of whole networks: what ships is exactly what is checked.
 *
 *   check_examples FILE.rnet...      at -D depth=38, four blocks a stage: every kind of block
 *
 * Compiled code runs at full shape; the interpreter runs the same kernel on a small grid. Kernels
 * that an earlier file had are not run again. RNET_STDLIB names the standard library's folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/pass.h"
#include "tests/kernels/check_kernel.h"

enum { IMAGES = 3 };

static bool compile(struct arena *arena, struct source_set *sources, const char *path,
                    struct compilation *out)
{
    const struct definition depth = {"depth", "38"};
    const struct elaborate_options options = {.definitions = &depth, .definition_count = 1};
    struct diagnostics diagnostics;
    size_t count;
    const struct pass *passes = compiler_passes(&count);

    *out = (struct compilation){.arena = arena, .sources = sources};
    diagnostics_init(&diagnostics, arena, sources);
    if (!elaborate(arena, sources, &diagnostics, path, &options, &out->elaboration)) {
        diagnostics_print(&diagnostics, stderr, false);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *problem;

        passes[i].run(out);
        problem = passes[i].check(out);
        if (problem) {
            fprintf(stderr, "%s: pass %s: %s\n", path, passes[i].name, problem);
            return false;
        }
    }
    return true;
}

static int check_one(const struct kernel *kernel)
{
    struct kernel small;

    kernel_shrink(kernel, &small);
    return check_kernel(kernel, IMAGES, CHECK_COMPILED) +
           check_kernel(&small, IMAGES, CHECK_INTERPRETED);
}

/* Checks the kernels that are new in this network; returns the number of failures. */
static int check_network(struct kernel_set *seen, const char *path)
{
    struct arena arena = {0};
    struct source_set sources;
    struct compilation compilation;
    const char *stdlib = getenv("RNET_STDLIB");
    int failures = 1;
    size_t checked = 0;

    source_set_init(&sources, &arena);
    vector_push(&sources.include_paths, &arena, stdlib ? stdlib : "stdlib");
    if (compile(&arena, &sources, path, &compilation)) {
        const struct kernel_set *kernels = &compilation.plan.kernels;

        failures = 0;
        for (size_t k = 0; k < kernels->items.count; k++) {
            const size_t before = seen->items.count;

            kernel_set_add(seen, kernels->items.items[k]);
            if (seen->items.count == before)
                continue;
            failures += check_one(kernels->items.items[k]);
            checked++;
        }
        printf("%s %s: %zu kernels, %zu of them new, %d failures\n", failures ? "FAIL" : "ok  ",
               path, kernels->items.count, checked, failures);
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
        failures += check_network(&seen, argv[i]);
    printf("%zu distinct kernels in %d networks, %d failures\n", seen.items.count, argc - 1,
           failures);
    arena_release(&arena);
    return failures != 0 || argc < 2;
}
