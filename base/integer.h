/* Arithmetic on small integers that C has no operator for. */
#ifndef BASE_INTEGER_H
#define BASE_INTEGER_H

#include <stdint.h>

static inline int32_t integer_least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline int32_t integer_most(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* a / b rounded up, for a >= 0 and b > 0. */
static inline int32_t integer_divide_up(int32_t a, int32_t b)
{
    return (a + b - 1) / b;
}

#endif
