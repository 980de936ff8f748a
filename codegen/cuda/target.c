/* The GPU's schedules, in order of preference. */
#include "codegen/cuda/schedules.h"
#include "codegen/reference/naive.h"

static const struct schedule *const schedules[] = {
    &cuda_conv_tile_schedule,
    &cuda_conv_direct_schedule,
    &cuda_weight_tile_schedule,
    &cuda_weight_direct_schedule,
    &cuda_pointwise_schedule,
    &cuda_channel_sum_schedule,
    &cuda_point_sum_schedule,
    &cuda_vector_schedule,
    &cuda_pool_schedule,
    &cuda_loss_schedule,
    &cuda_transpose_schedule,
    &naive_schedule,
    NULL,
};

const struct target cuda_target = {.name = "cuda", .schedules = schedules};
