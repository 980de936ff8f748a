/* How much a kernel has to do, whatever code does it: the least that any schedule must compute and
 * move. What a profile's rates are rates of. */
#ifndef COMPILER_KERNEL_WORK_H
#define COMPILER_KERNEL_WORK_H

#include "compiler/kernel.h"
#include "runtime/program.h"

/* Counts every operand once as read and every result once as written, with the padding lanes that
 * are stored, however often the loops touch them. Multiply-adds are those of convolutions and their
 * gradients, on padding too, as plain sums need them: a schedule that multiplies less
 * (codegen/cpu/winograd.h) may pass the peak of the machine. Points that a window with gaps passes
 * over do not count, nor do scalars. */
struct rnet_work kernel_work(const struct kernel *kernel);

#endif
