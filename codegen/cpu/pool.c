/* Pools and their gradients: the loops of codegen/pool.h on vectors of 16 channels. */
#include "codegen/pool.h"

#include "codegen/cpu/schedules.h"
#include "codegen/nest.h"

static bool pool_applies(const struct kernel *kernel)
{
    return kernel->anchor >= KERNEL_MAX_POOL && kernel->anchor <= KERNEL_AVERAGE_POOL_GRADIENT &&
           channel_stride(kernel->in_channels) % VECTOR_LANES == 0;
}

static void pool_build(const struct kernel *kernel, struct loop_program *program)
{
    switch ((enum kernel_anchor)kernel->anchor) {
    case KERNEL_MAX_POOL:
        pool_max(kernel, program, VECTOR_LANES);
        break;
    case KERNEL_MAX_POOL_GRADIENT:
        pool_max_gradient(kernel, program, VECTOR_LANES);
        break;
    case KERNEL_AVERAGE_POOL:
        pool_average(kernel, program, VECTOR_LANES);
        break;
    default:
        pool_average_gradient(kernel, program, VECTOR_LANES);
        break;
    }
}

const struct schedule pool_schedule = {
    .name = "pool",
    .applies = pool_applies,
    .build = pool_build,
};
