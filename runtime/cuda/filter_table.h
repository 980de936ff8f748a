/* Tables of copies between weights, or their gradients, and filters as cuDNN wants them: dense,
 * [outputs][window][inputs]. One launch makes all copies of a table (program.h,
 * RNET_CUDA_TO_FILTERS). */
#ifndef RUNTIME_CUDA_FILTER_TABLE_H
#define RUNTIME_CUDA_FILTER_TABLE_H

#include <stdbool.h>

#include "runtime/cuda/driver_api.h"
#include "runtime/program.h"

/* The copy that makes a filter, or a gradient of one: FROM and TO are 0, or counted from there. */
struct filter_copy {
    int32_t numbers[RNET_CUDA_COPY_NUMBERS];
};

/* [y][window][x] from [window][x][y, padded]: also of a data gradient's transposed weight. */
struct filter_copy filter_copy_forward(const struct rnet_cuda_convolution *facts);

/* [y][window][x] from [window, reversed][y][x, padded], the weight of the convolution whose data
 * gradient this one is. */
struct filter_copy filter_copy_flipped(const struct rnet_cuda_convolution *facts);

/* [window][x][y, padded] from [y][window][x]. */
struct filter_copy filter_copy_gradient(const struct rnet_cuda_convolution *facts);

/* Elements of the convolution's filter. */
int64_t filter_elements(const struct rnet_cuda_convolution *facts);

/* Whether both sides of the copies of a weight at this place can be counted in 32 bits. */
bool filter_is_countable(const struct rnet_cuda_convolution *facts,
                         const struct rnet_argument *place);

/* Copies of one launch. Zero it, then open it. */
struct filter_table {
    enum rnet_cuda_function_kind function;
    int32_t *copies, *parts; /* as program.h says; freed once they are on the GPU */
    int64_t copy_count, part_count;
    device_address copies_at, parts_at;
};

/* Makes room for so many copies; false: there is no memory. Free it also then. */
bool filter_table_open(struct filter_table *table, enum rnet_cuda_function_kind function,
                       uint64_t room);

void filter_table_add(struct filter_table *table, const struct filter_copy *copy);

/* Cuts the copies into parts; false: there is no memory. */
bool filter_table_cut(struct filter_table *table);

/* Frees copies and parts; their numbers stay. */
void filter_table_free(struct filter_table *table);

#endif
