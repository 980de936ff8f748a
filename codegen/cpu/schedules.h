/* The processor's vectorized schedules, one a file. All work on 16 channels at a time. */
#ifndef CODEGEN_CPU_SCHEDULES_H
#define CODEGEN_CPU_SCHEDULES_H

#include "codegen/schedule.h"

extern const struct schedule pointwise_schedule;
extern const struct schedule channel_sum_schedule;
extern const struct schedule vector_schedule;
extern const struct schedule winograd_schedule;
extern const struct schedule conv_tile_schedule;
extern const struct schedule winograd_gradient_schedule;
extern const struct schedule weight_gradient_schedule;
extern const struct schedule pool_schedule;
extern const struct schedule group_sum_schedule;
extern const struct schedule point_sum_schedule;
extern const struct schedule join_schedule;
extern const struct schedule transpose_schedule;

#endif
