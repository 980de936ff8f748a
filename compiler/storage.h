/* How tensors lie in memory, by the precision of the program. */
#ifndef COMPILER_STORAGE_H
#define COMPILER_STORAGE_H

#include "compiler/graph.h"
#include "runtime/program.h"

/* The enum kernel_storage of each tensor. In RNET_PRECISION_BF16, activations and their gradients
 * are bfloat16, but for the network's outputs, and for what normalizations keep of their
 * statistics; all else is single precision. In the arena. */
uint8_t *tensor_storages(const struct graph *graph, enum rnet_precision precision,
                         struct arena *arena);

#endif
