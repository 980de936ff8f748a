/* What the files of the reference share. */
#ifndef TESTS_REFERENCE_INTERNAL_H
#define TESTS_REFERENCE_INTERNAL_H

#include "tests/reference/reference.h"

/* A value and what its rounding error is relative to. */
struct number {
    double value, magnitude;
};

struct reference {
    const struct kernel *kernel;
    int64_t images;
    const struct reference_data *data;
    double *const *magnitudes;
};

/* Where an expression is evaluated; result is what EXPRESSION_RESULT stands for. */
struct element {
    int64_t image, point, channel;
    int64_t points, channels; /* of the tensor that the point belongs to */
    struct number result;
};

struct number reference_evaluate(const struct reference *reference, uint16_t root,
                                 const struct element *element);

/* Value `number` at every element: [images][points][channels], without padding; to be freed. */
struct number *reference_values(const struct reference *reference, int number,
                                const int32_t grid[GRID_RANK], int64_t channels);

double reference_load(const struct reference *reference, int parameter, int64_t index);
void reference_store(const struct reference *reference, int output, int64_t index,
                     struct number number);
struct number reference_sum(struct number a, struct number b);
struct number reference_product(struct number a, struct number b);

/* Splits a row-major index into coordinates. */
void reference_coordinates(const int32_t extents[GRID_RANK], int64_t index, int32_t at[GRID_RANK]);
/* The point where position w of the window at q falls, or -1 outside the grid. */
int64_t reference_window_point(const struct window *window, const int32_t grid[GRID_RANK],
                               const int32_t windows[GRID_RANK], int64_t q, int64_t w);

void reference_convolution(const struct reference *reference);
void reference_data_gradient(const struct reference *reference);
void reference_weight_gradient(const struct reference *reference);
void reference_transpose(const struct reference *reference);
void reference_max_pool(const struct reference *reference);
void reference_max_pool_gradient(const struct reference *reference);
void reference_average_pool(const struct reference *reference);
void reference_average_pool_gradient(const struct reference *reference);
void reference_softmax_loss(const struct reference *reference);
void reference_group_sum(const struct reference *reference);
void reference_point_sum(const struct reference *reference);
void reference_join(const struct reference *reference);
void reference_rows(const struct reference *reference);

#endif
