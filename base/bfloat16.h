/* bfloat16: the upper half of a float's bits, 8 of them for the significand. What a loop program
 * that stores to memory of this kind means; lowerers compute the same bits. */
#ifndef BASE_BFLOAT16_H
#define BASE_BFLOAT16_H

#include <stdint.h>
#include <string.h>

/* The nearest bfloat16; of two that are as near, the one with an even last bit. NaN gives 0x7fff.
 */
static inline uint16_t bfloat16_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return 0x7fff;
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline float bfloat16_value(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
