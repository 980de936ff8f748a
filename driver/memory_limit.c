/* The least that a program needs, in words. */
#include "driver/memory_limit.h"

#include "base/text.h"

/* In whole MiB, so that what is named suffices. */
static unsigned long long mebibytes(uint64_t bytes)
{
    return (bytes + (1 << 20) - 1) >> 20;
}

struct status memory_limit_check(const struct compilation *compilation)
{
    const struct program_memory memory =
        compilation_training_memory(compilation, compilation->recomputation.least);
    const uint64_t tables =
        program_memory_repeated(&compilation->plan, compilation->keeps_convolutions);
    char limit[TEXT_IN_BYTES];
    struct arena arena = {0};
    struct status status;

    if (compilation_is_within_limit(compilation))
        return status_ok();
    status = status_error(
        STATUS_INVALID,
        "training needs %llu MiB at least, which is more than the limit of %s: "
        "%llu MiB for weights with their gradients and momentum, %llu for a batch of %lld images, "
        "%llu for results that have to be there at once, %llu for code, tables and libraries%s; "
        "a smaller batch needs less",
        mebibytes(program_memory_sum(&memory) + memory.data + tables),
        text_in_bytes(compilation->memory_limit, limit), mebibytes(memory.parameters),
        mebibytes(memory.batch), (long long)compilation->plan.batch, mebibytes(memory.workspace),
        mebibytes(memory.process + tables),
        memory.data == 0 ? ""
                         : arena_format(&arena, ", %llu for the images of %s",
                                        mebibytes(memory.data), compilation->plan.recipe->data));
    arena_release(&arena);
    return status;
}
