/* The interpreter: the definition of the loop IR, and the slow truth beside every back end. */
#ifndef CODEGEN_LOOP_EVAL_H
#define CODEGEN_LOOP_EVAL_H

#include "codegen/loop.h"

/* In double precision, F32 and BF16 parameters are arrays of double, nothing is rounded to less and
 * all float arithmetic is in double: what gradient checks against finite differences need. */
enum loop_precision {
    LOOP_SINGLE, /* F32 parameters are arrays of float, BF16 ones of uint16_t; F32 arithmetic rounds
                    to float */
    LOOP_DOUBLE,
};

struct loop_buffer {
    void *data;   /* float, double, uint16_t or int32_t, by storage and precision */
    size_t count; /* elements; every access is checked against it */
};

/* Runs tasks [first, last) of a checked program. Returns NULL, or what went wrong (an index out of
 * bounds names the instruction, the index and the parameter), in the program's arena. */
const char *loop_eval(const struct loop_program *program, const struct loop_buffer *buffers,
                      int64_t images, int64_t first, int64_t last, enum loop_precision precision);

#endif
