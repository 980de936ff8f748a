/* exp and log of 32-bit floats. See elementary.h.
 *
 * The polynomials are Remez' for the relative error of the result, on intervals a little wider than
 * needed: 3e-9 for exp, 5e-9 for log, where half a unit in the last place is 3e-8 or more. */
#include "codegen/elementary.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

const struct exp_constants exp_constants = {
    .lowest = -104,
    .highest = 89,
    .inverse_ln_2 = 0x1.715476p+0f,
    .round = 0x1.8p23f,
    .ln_2 = 0x1.62e43p-1f,
    .ln_2_rest = -0x1.05c61p-29f,
    .polynomial = {0x1.6a23dp-10f, 0x1.123a2p-7f, 0x1.5558f2p-5f, 0x1.555492p-3f, 0x1.fffffcp-2f},
};

const struct log_constants log_constants = {
    .least_normal = 0x1p-126f,
    .two_to_23 = 0x1p23f,
    .two_thirds = 0x3f2aaaab,
    .ln_2 = 0x1.62e43p-1f,
    .polynomial = {-0x1.08058ep-3f, 0x1.1e66b8p-3f, -0x1.f3113cp-4f, 0x1.1ed718p-3f,
                   -0x1.559dccp-3f, 0x1.99d028p-3f, -0x1.fffefp-3f, 0x1.555506p-2f},
};

static uint32_t bits_of(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static float polynomial(const float *terms, int count, float x)
{
    float sum = terms[0];
    for (int i = 1; i < count; i++)
        sum = fmaf(sum, x, terms[i]);
    return sum;
}

/* 2^n of a normal float. */
static float power_of_two(uint32_t n)
{
    return float_of((n + FLOAT_EXPONENT_BIAS) << FLOAT_FRACTION_BITS);
}

float elementary_exp(float x)
{
    const struct exp_constants *c = &exp_constants;
    x = x < c->lowest ? c->lowest : x;
    x = x > c->highest ? c->highest : x;
    const float shifted = fmaf(x, c->inverse_ln_2, c->round), n = shifted - c->round;
    const float r = fmaf(n, -c->ln_2_rest, fmaf(n, -c->ln_2, x));
    const float p = fmaf(r * r, polynomial(c->polynomial, EXP_TERMS, r), r) + 1;
    /* Two powers, the first of which leaves a normal number: the second then rounds once. */
    const uint32_t power = bits_of(shifted) - bits_of(c->round);
    const uint32_t half = (uint32_t)((int32_t)power >> 1);
    return p * power_of_two(half) * power_of_two(power - half);
}

float elementary_log(float x)
{
    const struct log_constants *c = &log_constants;
    const bool is_small = x < c->least_normal;
    const uint32_t bits = bits_of(is_small ? x * c->two_to_23 : x);
    const uint32_t exponent = (bits - c->two_thirds) & ~UINT32_C(0) << FLOAT_FRACTION_BITS;
    const float k = (float)((int32_t)exponent >> FLOAT_FRACTION_BITS) +
                    (is_small ? -(float)FLOAT_FRACTION_BITS : 0);
    const float f = float_of(bits - exponent) - 1;
    const float inner = fmaf(f, polynomial(c->polynomial, LOG_TERMS, f), -0.5f);
    const float result = fmaf(k, c->ln_2, fmaf(f * f, inner, f));
    if (x == 0)
        return -INFINITY;
    if (x < 0)
        return NAN;
    return x < INFINITY ? result : x;
}
