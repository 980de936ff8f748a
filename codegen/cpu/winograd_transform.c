/* The transforms of winograd.h, as few operations on vectors.
 *
 * The points are 0, a, -a, b, -b and infinity, so that rows of a pair share their even and odd
 * parts. */
#include "codegen/cpu/winograd.h"

#define POINT_A 0.75
#define POINT_B 1.5

static const double a1 = POINT_A, a2 = POINT_A * POINT_A, a3 = POINT_A * POINT_A * POINT_A;
static const double b1 = POINT_B, b2 = POINT_B * POINT_B, b3 = POINT_B * POINT_B * POINT_B;
/* What the polynomials of the other finite points are at 0, a and b. */
static const double at_0 = POINT_A * POINT_A * POINT_B * POINT_B;
static const double at_a = 2 * POINT_A * POINT_A * (POINT_A * POINT_A - POINT_B * POINT_B);
static const double at_b = 2 * POINT_B * POINT_B * (POINT_B * POINT_B - POINT_A * POINT_A);

static loop_value factor_times(struct loop_program *program, double factor, loop_value x)
{
    loop_value number = loop_float(program, loop_type_of(program, x), factor);
    return loop_binary(program, LOOP_MULTIPLY, number, x);
}

/* factor x + y */
static loop_value add_times(struct loop_program *program, double factor, loop_value x, loop_value y)
{
    loop_value number = loop_float(program, loop_type_of(program, x), factor);
    return loop_ternary(program, LOOP_FMA, number, x, y);
}

static loop_value sum(struct loop_program *program, loop_value x, loop_value y)
{
    return loop_binary(program, LOOP_ADD, x, y);
}

static loop_value difference(struct loop_program *program, loop_value x, loop_value y)
{
    return loop_binary(program, LOOP_SUBTRACT, x, y);
}

/* even + point odd and even - point odd */
static void both_points(struct loop_program *program, double point, loop_value even, loop_value odd,
                        loop_value *out)
{
    out[0] = add_times(program, point, odd, even);
    out[1] = add_times(program, -point, odd, even);
}

/* ---- one axis ---- */

static void input_axis(struct loop_program *program, const loop_value *d, loop_value *out)
{
    loop_value even_a = add_times(program, -b2, d[2], d[4]);
    loop_value odd_a = add_times(program, -b2, d[1], d[3]);
    loop_value even_b = add_times(program, -a2, d[2], d[4]);
    loop_value odd_b = add_times(program, -a2, d[1], d[3]);
    out[0] = add_times(program, at_0, d[0], add_times(program, -(a2 + b2), d[2], d[4]));
    both_points(program, a1, even_a, odd_a, &out[1]);
    both_points(program, b1, even_b, odd_b, &out[3]);
    out[5] = add_times(program, at_0, d[1], add_times(program, -(a2 + b2), d[3], d[5]));
}

static void weight_axis(struct loop_program *program, const loop_value *w, loop_value *out)
{
    loop_value even_a = add_times(program, a2 / at_a, w[2], factor_times(program, 1 / at_a, w[0]));
    loop_value even_b = add_times(program, b2 / at_b, w[2], factor_times(program, 1 / at_b, w[0]));
    out[0] = factor_times(program, 1 / at_0, w[0]);
    both_points(program, a1 / at_a, even_a, w[1], &out[1]);
    both_points(program, b1 / at_b, even_b, w[1], &out[3]);
    out[5] = w[2];
}

static void result_axis(struct loop_program *program, const loop_value *m, loop_value *out)
{
    loop_value even_a = sum(program, m[1], m[2]), odd_a = difference(program, m[1], m[2]);
    loop_value even_b = sum(program, m[3], m[4]), odd_b = difference(program, m[3], m[4]);
    out[0] = sum(program, sum(program, m[0], even_a), even_b);
    out[1] = add_times(program, b1, odd_b, factor_times(program, a1, odd_a));
    out[2] = add_times(program, b2, even_b, factor_times(program, a2, even_a));
    out[3] = add_times(program, b3, odd_b, add_times(program, a3, odd_a, m[5]));
}

static void result_gradient_axis(struct loop_program *program, const loop_value *y, loop_value *out)
{
    loop_value even_a = add_times(program, a2, y[2], y[0]);
    loop_value odd_a = add_times(program, a2, y[3], y[1]);
    loop_value even_b = add_times(program, b2, y[2], y[0]);
    loop_value odd_b = add_times(program, b2, y[3], y[1]);
    out[0] = y[0];
    both_points(program, a1, even_a, odd_a, &out[1]);
    both_points(program, b1, even_b, odd_b, &out[3]);
    out[5] = y[3];
}

static void weight_gradient_axis(struct loop_program *program, const loop_value *m, loop_value *out)
{
    loop_value even_a = sum(program, m[1], m[2]), odd_a = difference(program, m[1], m[2]);
    loop_value even_b = sum(program, m[3], m[4]), odd_b = difference(program, m[3], m[4]);
    loop_value first = factor_times(program, 1 / at_0, m[0]);
    out[0] = add_times(program, 1 / at_b, even_b, add_times(program, 1 / at_a, even_a, first));
    out[1] = add_times(program, b1 / at_b, odd_b, factor_times(program, a1 / at_a, odd_a));
    out[2] = add_times(program, b2 / at_b, even_b, add_times(program, a2 / at_a, even_a, m[5]));
}

struct axis_transform {
    int inputs, outputs;
    void (*emit)(struct loop_program *program, const loop_value *in, loop_value *out);
};

static const struct axis_transform axis_transforms[] = {
    [WINOGRAD_INPUT] = {6, 6, input_axis},
    [WINOGRAD_WEIGHT] = {3, 6, weight_axis},
    [WINOGRAD_RESULT] = {6, 4, result_axis},
    [WINOGRAD_RESULT_GRADIENT] = {4, 6, result_gradient_axis},
    [WINOGRAD_WEIGHT_GRADIENT] = {6, 3, weight_gradient_axis},
};

void winograd_transform(struct loop_program *program, enum winograd_matrix matrix,
                        const loop_value *in, loop_value *out)
{
    const struct axis_transform *axis = &axis_transforms[matrix];
    loop_value columns[FILTERING_SPAN][FILTERING_SPAN]; /* [column][row], their rows transformed */
    loop_value from[FILTERING_SPAN];
    for (int column = 0; column < axis->inputs; column++) {
        for (int row = 0; row < axis->inputs; row++)
            from[row] = in[row * axis->inputs + column];
        axis->emit(program, from, columns[column]);
    }
    for (int row = 0; row < axis->outputs; row++) {
        for (int column = 0; column < axis->inputs; column++)
            from[column] = columns[column][row];
        axis->emit(program, from, &out[row * axis->outputs]);
    }
}
