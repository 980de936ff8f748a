/* Kernels of one value a channel, in double precision: a channel a thread. Channels may be the
 * elements of a whole weight. */
#include "codegen/cuda/block.h"
#include "codegen/cuda/schedules.h"

enum { VECTOR_THREADS = 64 };

static bool vector_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_VECTOR;
}

static void vector_build(const struct kernel *kernel, struct loop_program *program)
{
    program->images_per_task = 0;
    program->tasks_per_group = (kernel->in_channels + VECTOR_THREADS - 1) / VECTOR_THREADS;
    program->threads = VECTOR_THREADS;
    loop_value first = loop_times(program, nest_task(program).part, VECTOR_THREADS);
    loop_value zero = loop_int(program, 0), channels = loop_int(program, kernel->in_channels);
    loop_value channel = loop_add(program, first, loop_threads(program));
    loop_if(program, loop_binary(program, LOOP_LESS, channel, channels));
    struct place place = place_in(kernel, zero, zero, channel, 1);
    place.scalar = LOOP_F64;
    block_store_values(kernel, program, &place, channel);
    nest_close(program, 2);
}

const struct schedule cuda_vector_schedule = {
    .name = "cuda_vector",
    .applies = vector_applies,
    .build = vector_build,
};
