/* The random numbers of dropout: philox2 against its published vectors, and as masks. */
#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/philox.h"
#include "base/vector.h"
#include "tests/unit/suite.h"

enum { COUNT = 1 << 18 };

/* From the test vectors of Random123: philox2x32, 10 rounds. */
START_TEST(matches_known_answers)
{
    ck_assert_uint_eq(philox2(0, 0, 0), 0xff1dae59);
    ck_assert_uint_eq(philox2(UINT32_MAX, UINT32_MAX, UINT32_MAX), 0x2c3f628b);
    ck_assert_uint_eq(philox2(0x13198a2e, 0x243f6a88, 0x85a308d3), 0xdd7ce038);
}
END_TEST

/* Whether element i is kept under a key, as op_drop.c decides. */
static bool is_kept(uint32_t key, uint32_t counter, uint32_t i, float keep)
{
    return keep - (float)philox2_uniform(philox2(key, i, counter)) > 0;
}

/* How far a count of `count` events of probability p is from what is expected, in standard
 * deviations. */
static double deviations(double found, double count, double p)
{
    return fabs(found - count * p) / sqrt(count * p * (1 - p));
}

START_TEST(keeps_its_share)
{
    static const double shares[] = {0.01, 0.5, 0.7, 0.9, 0.999};

    for (size_t s = 0; s < countof(shares); s++) {
        double kept = 0;

        for (uint32_t i = 0; i < COUNT; i++)
            kept += is_kept(17, 4, i, (float)shares[s]);
        ck_assert_double_lt(deviations(kept, COUNT, shares[s]), 4.5);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        ck_assert(is_kept(17, 4, i, 1.0F));
}
END_TEST

/* Neighbours, and the same element under another key or counter, are kept independently. */
START_TEST(is_independent)
{
    double pairs[4] = {0};

    for (uint32_t i = 0; i < COUNT; i++) {
        if (!is_kept(17, 4, i, 0.5F))
            continue;
        pairs[0] += is_kept(17, 4, i + 1, 0.5F);
        pairs[1] += is_kept(17, 4, i + 64, 0.5F);
        pairs[2] += is_kept(18, 4, i, 0.5F);
        pairs[3] += is_kept(17, 5, i, 0.5F);
    }
    for (int p = 0; p < 4; p++)
        ck_assert_double_lt(deviations(pairs[p], COUNT, 0.25), 4.5);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {matches_known_answers, keeps_its_share, is_independent};

    return run_suite("philox", tests, countof(tests));
}
