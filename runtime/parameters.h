/* Between PyTorch's layout of a parameter, which files hold, and the layout that kernels use.
 *
 * A weight is [outputs][inputs per group][kernel ...] in a file and [kernel ...][inputs per group]
 * [outputs padded to 16] in memory, perhaps in blocks of outputs (program.h); a vector is padded to
 * 16. Padding is kept zero. */
#ifndef RUNTIME_PARAMETERS_H
#define RUNTIME_PARAMETERS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/program.h"

/* How many numbers the parameter has, without padding; 1 for a batch counter. */
int64_t parameter_elements(const struct rnet_parameter *parameter);

/* How many numbers it takes up in its region, with padding; 0 for a batch counter. */
int64_t parameter_stored(const struct rnet_parameter *parameter);

/* Copies parameter_elements numbers from a file's layout to memory, or back. Not for counters. */
void parameter_pack(const struct rnet_parameter *parameter, const float *file, float *memory);
void parameter_unpack(const struct rnet_parameter *parameter, const float *memory, float *file);

/* Rearranges all weights of a region of weights, or of what lies as they do, in place: from blocks
 * to one block a weight (`joins`), which is the same for every program of a network, or back. */
void parameters_rearrange(const struct rnet_program *program, float *weights, bool joins);

#endif
