/* Everything that a GPU's executable of a network has, as a library for this processor, which the
 * imitated driver takes in place of the machine code (FAKE_CUDA_CODE).
 *
 *   host_kernels FILE.rnet LIBRARY.so [bf16] */
#include <stdio.h>
#include <string.h>

#include "codegen/cuda/pieces.h"
#include "codegen/schedule.h"
#include "tests/kernels/compile_network.h"
#include "tests/kernels/host_cuda.h"

enum { MOST_IMAGES = 1 << 20 /* rows of parameters too */ };

int main(int argc, char **argv)
{
    struct arena arena = {0};
    struct source_set sources;
    struct compilation compilation;
    const bool rounds = argc > 3 && strcmp(argv[3], "bf16") == 0;
    const struct network_options options = {
        .keeps_convolutions = true,
        .precision = rounds ? RNET_PRECISION_BF16 : RNET_PRECISION_TF32,
    };
    VECTOR(struct loop_program *) all = {0};

    if (argc < 3 || !compile_network(&arena, &sources, argv[1], &options, &compilation))
        return 1;
    const struct plan *plan = &compilation.plan;
    const size_t kernels = plan->kernels.items.count;
    struct loop_program **programs = ARENA_ARRAY(&arena, struct loop_program *, kernels);
    for (size_t k = 0; k < kernels; k++)
        programs[k] = schedule_kernel(&arena, plan->kernels.items.items[k], &cuda_target, NULL);
    const struct cuda_pieces pieces = cuda_pieces(&arena, plan, programs, options.precision);
    for (size_t i = 0; i < pieces.count; i++) {
        vector_push(&all, &arena, pieces.programs[i]);
        if (pieces.copies[i])
            vector_push(&all, &arena, pieces.copies[i]);
    }
    const bool built = host_cuda_build(all.items, all.count, MOST_IMAGES, argv[2]);
    arena_release(&arena);
    return !built;
}
