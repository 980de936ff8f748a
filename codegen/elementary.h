/* exp and log of 32-bit floats as the loop IR means them: sequences of additions, products, fused
 * products and choices of bits, each rounded once, so that whatever computes them, in vectors of
 * any width or alone, gives the same bits. At most 1.01 units in the last place from the exact
 * value; denormals, infinities and NaN as the C library has them. */
#ifndef CODEGEN_ELEMENTARY_H
#define CODEGEN_ELEMENTARY_H

#include <stdint.h>

enum {
    FLOAT_FRACTION_BITS = 23,
    FLOAT_EXPONENT_BIAS = 127,
    EXP_TERMS = 5,
    LOG_TERMS = 8,
};

/* exp(x) = 2^n exp(r), where n = round(x / ln 2) and exp(r) = 1 + r + r^2 polynomial(r). */
struct exp_constants {
    float lowest, highest; /* beyond them the result is 0, or infinite */
    float inverse_ln_2;
    float round; /* a float so large that its last bit is one: added to a number, it rounds it */
    float ln_2, ln_2_rest;       /* ln 2 is their sum */
    float polynomial[EXP_TERMS]; /* from the highest power down */
};

/* log(x) = k ln 2 + log(1 + f), where 2/3 <= 1 + f < 4/3 and
 * log(1 + f) = f + f^2 (-1/2 + f polynomial(f)). */
struct log_constants {
    float least_normal; /* what is smaller is first taken times two_to_23 */
    float two_to_23;
    uint32_t two_thirds; /* the bits of 2/3 */
    float ln_2;
    float polynomial[LOG_TERMS]; /* from the highest power down */
};

extern const struct exp_constants exp_constants;
extern const struct log_constants log_constants;

float elementary_exp(float x);
float elementary_log(float x);

#endif
