/* The processor's schedules, in order of preference. */
#include "codegen/cpu/schedules.h"
#include "codegen/reference/naive.h"

static const struct schedule *const schedules[] = {
    &winograd_schedule,  &winograd_gradient_schedule,
    &conv_tile_schedule, &weight_gradient_schedule,
    &pointwise_schedule, &channel_sum_schedule,
    &vector_schedule,    &pool_schedule,
    &group_sum_schedule, &point_sum_schedule,
    &join_schedule,      &transpose_schedule,
    &naive_schedule,     NULL,
};

const struct target cpu_target = {.name = "cpu", .schedules = schedules, .cuts_weights = true};
