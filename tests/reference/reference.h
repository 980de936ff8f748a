/* Plain loops that compute every anchor of a kernel straight from the definitions in
 * compiler/kernel.h, in double precision, with an own evaluator of expressions. Independent of the
 * loop IR and of every schedule. */
#ifndef TESTS_REFERENCE_REFERENCE_H
#define TESTS_REFERENCE_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler/kernel.h"

/* The buffers of a kernel, one a parameter in its order. */
struct reference_data {
    void *const *buffers; /* float, or double if `wide`; int32_t for labels and keys */
    bool wide;
};

/* Computes the kernel over `images` images into its output buffers. Where `magnitudes` is not
 * NULL, magnitudes[j] has as many doubles as output j and receives for each element what its
 * rounding error is relative to: the sum of the magnitudes of everything that was added. */
void reference_run(const struct kernel *kernel, int64_t images, const struct reference_data *data,
                   double *const *magnitudes);

/* The elements of a parameter's buffer: of an activation, a vector, a weight ... */
int64_t reference_elements(const struct kernel *kernel, int64_t images, int parameter);

/* The number of the parameter that is a convolution's weight, or -1. */
int reference_weight(const struct kernel *kernel);

/* The channels of the tensor or vector that input `parameter` is; 0 for scalars. */
int64_t reference_input_channels(const struct kernel *kernel, int parameter);

/* The channels of output `j` and their stride in its buffer; where the padding lanes must be zero
 * (weights), channels = stride. */
void reference_lanes(const struct kernel *kernel, int output, int64_t *out_channels,
                     int64_t *out_stride);

#endif
