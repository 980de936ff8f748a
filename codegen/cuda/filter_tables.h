/* Copies between weights and the filters of libraries, many in one launch. */
#ifndef CODEGEN_CUDA_FILTER_TABLES_H
#define CODEGEN_CUDA_FILTER_TABLES_H

#include "codegen/loop.h"
#include "runtime/program.h"

/* Sets the functions TO_FILTERS and FROM_FILTERS of enum rnet_cuda_function_kind, which says what
 * they do. Filters are bfloat16 in BF16, else float32. In the arena. */
void filter_tables(struct arena *arena, enum rnet_precision precision,
                   struct loop_program *out_programs[RNET_CUDA_FUNCTION_COUNT]);

#endif
