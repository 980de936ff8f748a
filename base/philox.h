/* Philox2x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): random bits
 * as a function of a key and a counter, so that a number depends on what it is for and on nothing
 * that happened before. This is what LOOP_RANDOM means; lowerers compute the same bits. */
#ifndef BASE_PHILOX_H
#define BASE_PHILOX_H

#include <stdint.h>

enum { PHILOX2_ROUNDS = 10 };

#define PHILOX2_MULTIPLIER 0xD256D193U
#define PHILOX2_WEYL       0x9E3779B9U

/* The first of the two words at the counter (counter_0, counter_1). */
static inline uint32_t philox2(uint32_t key, uint32_t counter_0, uint32_t counter_1)
{
    for (int round = 0; round < PHILOX2_ROUNDS; round++) {
        const uint64_t product = (uint64_t)PHILOX2_MULTIPLIER * counter_0;

        counter_0 = (uint32_t)(product >> 32) ^ key ^ counter_1;
        counter_1 = (uint32_t)product;
        key += PHILOX2_WEYL;
    }
    return counter_0;
}

/* The upper 24 bits of a word as a number in [0, 1): exact in single precision. */
static inline double philox2_uniform(uint32_t word)
{
    return (double)(word >> 8) * 0x1p-24;
}

#endif
