/* A kernel's expressions as loop values: written once, used by every schedule. */
#ifndef CODEGEN_EXPRESSION_H
#define CODEGEN_EXPRESSION_H

#include "codegen/loop.h"
#include "compiler/kernel.h"

/* Where an expression is evaluated, and in which type. */
struct place {
    loop_value image;   /* INT; unused by expressions without ACCESS_POINT or IMAGE_CHANNEL */
    loop_value point;   /* INT: index of the grid point */
    loop_value channel; /* INT: first of `lanes` channels */
    int64_t points;     /* grid points of the tensor that ACCESS_POINT reads */
    int64_t channels;   /* its channels; their stride is channel_stride(channels) */
    int lanes;
    enum loop_scalar scalar; /* LOOP_F32, or LOOP_F64 for VECTOR kernels */
    loop_value result;       /* what EXPRESSION_RESULT stands for */
    /* NULL, or by parameter what ACCESS_CHUNK_SUM stands for, where it is added up already */
    const loop_value *chunk_sums;
};

/* Marks the parameters that `root` loads at its own points. */
void expression_points(const struct kernel *kernel, uint16_t root,
                       bool out_parameters[KERNEL_PARAMETERS]);

/* Emits the number of partial sums that ACCESS_CHUNK_SUM adds up, for the images of this run. */
loop_value chunk_count(const struct kernel *kernel, struct loop_program *program);

/* Emits the value of expression `root` at a place. */
loop_value expression_value(const struct kernel *kernel, struct loop_program *program,
                            uint16_t root, const struct place *place);

#endif
