/* From a file to the plan's kernels. See compile_network.h. */
#include "tests/kernels/compile_network.h"

#include <stdlib.h>

bool compile_network(struct arena *arena, struct source_set *sources, const char *path,
                     const struct network_options *options, struct compilation *out)
{
    const char *stdlib = getenv("RNET_STDLIB");
    const struct definition depth = {"depth", options->depth};
    const struct elaborate_options elaborate_options = {.definitions = &depth,
                                                        .definition_count = options->depth != NULL};
    struct diagnostics diagnostics;
    size_t count;
    const struct pass *passes = compiler_passes(&count);

    source_set_init(sources, arena);
    vector_push(&sources->include_paths, arena, stdlib ? stdlib : "stdlib");
    *out = (struct compilation){
        .arena = arena,
        .sources = sources,
        .inference = options->inference,
        .keeps_convolutions = options->keeps_convolutions,
        .precision = options->precision,
    };
    diagnostics_init(&diagnostics, arena, sources);
    if (!elaborate(arena, sources, &diagnostics, path, &elaborate_options, &out->elaboration)) {
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
