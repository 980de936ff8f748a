/* The GPU's schedules, in order of preference. */
#include "codegen/cuda/schedules.h"
#include "codegen/reference/naive.h"

static const struct schedule *const schedules[] = {&naive_schedule, NULL};

const struct target cuda_target = {.name = "cuda", .schedules = schedules};
