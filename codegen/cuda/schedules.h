/* The GPU's schedules, one a file. */
#ifndef CODEGEN_CUDA_SCHEDULES_H
#define CODEGEN_CUDA_SCHEDULES_H

#include "codegen/schedule.h"

#endif
