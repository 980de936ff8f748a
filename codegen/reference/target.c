/* The reference target: naive loops only. */
#include "codegen/reference/naive.h"

static const struct schedule *const schedules[] = {&naive_schedule, NULL};

const struct target reference_target = {
    .name = "reference", .schedules = schedules, .cuts_weights = true};
