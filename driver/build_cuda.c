/* rnet build --target cuda. See build_cuda.h. */
#include "driver/build_cuda.h"

#include <stdlib.h>
#include <string.h>

#include "codegen/cuda/compile.h"
#include "codegen/cuda/lower_cuda.h"
#include "codegen/cuda/pieces.h"
#include "config.h"

/* The most images that any step is run over; where the executable trains, rows of 16 parameters
 * among them, which the functions of a step are run over. */
static int64_t most_images(const struct plan *plan)
{
    const struct calls *const both[] = {plan->train, plan->infer};
    const uint64_t row = RNET_CHANNEL_PADDING * sizeof(float);
    int64_t most = plan->batch;
    const int last = plan->train->items.count > 0 ? RNET_REGION_STATISTICS : -1;

    for (int region = RNET_REGION_WEIGHTS; region <= last; region++)
        if ((int64_t)(plan->region_bytes[region] / row) > most)
            most = (int64_t)(plan->region_bytes[region] / row);

    for (size_t i = 0; i < countof(both); i++)
        for (size_t c = 0; c < both[i]->items.count; c++)
            if (both[i]->items.items[c].images > most)
                most = both[i]->items.items[c].images;
    return most;
}

struct status build_cuda_architecture(const struct options *options, int *out_architecture)
{
    const char *digits = options->gpu ? options->gpu + 3 : NULL;

    *out_architecture = CUDA_DEFAULT_ARCHITECTURE;
    if (!digits) {
        const int found = cuda_gpu_architecture();

        if (found > 0)
            *out_architecture = found;
        return status_ok();
    }
    if (strncmp(options->gpu, "sm_", 3) != 0 || strlen(digits) < 2 || strlen(digits) > 3 ||
        strspn(digits, "0123456789") != strlen(digits))
        return status_error(STATUS_USAGE, "--gpu %s: expected sm_ and a number, such as sm_90",
                            options->gpu);
    *out_architecture = (int)strtol(digits, NULL, 10);
    return status_ok();
}

struct status build_cuda_code(struct arena *arena, const struct options *options,
                              const struct compilation *compilation,
                              struct loop_program *const *programs, struct program_cuda *out_cuda)
{
    const struct plan *plan = &compilation->plan;
    const struct cuda_pieces pieces = cuda_pieces(arena, plan, programs, compilation->precision);
    struct nvrtc_code *code = ARENA_ARRAY(arena, struct nvrtc_code, pieces.count);
    struct cuda_target target = {.configured_folder = RNET_CUDA_FOLDER,
                                 .most_images = most_images(plan)};

    RETURN_IF_ERROR(build_cuda_architecture(options, &target.architecture));
    RETURN_IF_ERROR(
        cuda_compile(arena, &target, pieces.programs, pieces.copies, pieces.count, code));
    *out_cuda = (struct program_cuda){
        .architecture = target.architecture,
        .precision = compilation->precision,
        .code = code,
        .code_count = pieces.count,
        .copies = pieces.copies,
        .functions = pieces.functions,
    };
    return status_ok();
}

void build_cuda_text(const struct plan *plan, struct loop_program *const *programs, FILE *stream)
{
    for (size_t k = 0; k < plan->kernels.items.count; k++) {
        if (k > 0)
            fputc('\n', stream);
        lower_cuda(programs[k], most_images(plan), stream);
    }
}
