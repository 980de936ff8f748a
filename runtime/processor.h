/* What the processor at hand can do, against what kernels were compiled for. */
#ifndef RUNTIME_PROCESSOR_H
#define RUNTIME_PROCESSOR_H

#include "base/status.h"

/* STATUS_INVALID where this processor, or the operating system, lacks one of the instruction sets
 * (rnet_program.instruction_sets; NULL: none), naming those. Names that are not known here are
 * taken to be there: they mean no instructions that a compiler chooses by itself. */
struct status processor_check(const char *instruction_sets);

#endif
