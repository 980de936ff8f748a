/* The GPU's schedules, one a file. */
#ifndef CODEGEN_CUDA_SCHEDULES_H
#define CODEGEN_CUDA_SCHEDULES_H

#include "codegen/schedule.h"

extern const struct schedule cuda_pointwise_schedule;
extern const struct schedule cuda_channel_sum_schedule;
extern const struct schedule cuda_point_sum_schedule;
extern const struct schedule cuda_vector_schedule;
extern const struct schedule cuda_pool_schedule;
extern const struct schedule cuda_loss_schedule;
extern const struct schedule cuda_transpose_schedule;
extern const struct schedule cuda_conv_tile_schedule;
extern const struct schedule cuda_conv_direct_schedule;
extern const struct schedule cuda_weight_tile_schedule;
extern const struct schedule cuda_weight_direct_schedule;

#endif
