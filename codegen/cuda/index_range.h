/* Between which bounds the integers of a loop program lie, so that a target can compute with 32
 * bits where they suffice. */
#ifndef CODEGEN_CUDA_INDEX_RANGE_H
#define CODEGEN_CUDA_INDEX_RANGE_H

#include <stdbool.h>

#include "codegen/loop.h"

/* Saturates: INT64_MIN and INT64_MAX also mean "or anything beyond". */
struct index_range {
    int64_t low, high;
};

/* Sets the range of each instruction that is an INT, for runs over at most `most_images` images.
 * `out_ranges` has an element for each instruction. The program is one that loop_check accepts. */
void index_ranges(const struct loop_program *program, int64_t most_images,
                  struct index_range *out_ranges);

/* Whether 32 bits, signed, hold the range and what one more step of a loop may add. */
bool index_range_is_narrow(struct index_range range);

#endif
