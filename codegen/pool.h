/* Pools and their gradients as loops over windows, in vectors of `lanes` channels: one body for
 * the naive schedule (1 lane) and the vectorized one (16, which needs padded channel strides).
 * Each sets the program's tasks and appends the body of one. */
#ifndef CODEGEN_POOL_H
#define CODEGEN_POOL_H

#include "codegen/schedule.h"

void pool_max(const struct kernel *kernel, struct loop_program *program, int lanes);
void pool_max_gradient(const struct kernel *kernel, struct loop_program *program, int lanes);
void pool_average(const struct kernel *kernel, struct loop_program *program, int lanes);
void pool_average_gradient(const struct kernel *kernel, struct loop_program *program, int lanes);

#endif
