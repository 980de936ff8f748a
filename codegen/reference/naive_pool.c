/* Naive pools and their gradients, in vectors of any number of lanes: the processor's schedule is
 * the same loops with 16. */
#include "codegen/pool.h"
#include "codegen/reference/naive.h"

void naive_max_pool(const struct kernel *kernel, struct loop_program *program)
{
    pool_max(kernel, program, 1);
}

void naive_max_pool_gradient(const struct kernel *kernel, struct loop_program *program)
{
    pool_max_gradient(kernel, program, 1);
}

void naive_average_pool(const struct kernel *kernel, struct loop_program *program)
{
    pool_average(kernel, program, 1);
}

void naive_average_pool_gradient(const struct kernel *kernel, struct loop_program *program)
{
    pool_average_gradient(kernel, program, 1);
}
