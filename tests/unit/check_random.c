/* Philox against its published vectors; distributions by their moments. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "runtime/random.h"
#include "tests/unit/suite.h"

static void check_block(uint64_t seed, uint64_t stream, uint64_t index, const uint32_t expected[4])
{
    struct random_block block = random_block(seed, stream, index);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(block.words[i], expected[i]);
}

START_TEST(matches_known_answers)
{
    check_block(0, 0, 0, (const uint32_t[]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    check_block(UINT64_MAX, UINT64_MAX, UINT64_MAX,
                (const uint32_t[]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    check_block(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88,
                (const uint32_t[]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}
END_TEST

START_TEST(uniform_has_its_moments)
{
    enum { COUNT = 100000 };
    struct random_source random = {7, random_stream(RANDOM_SHAPES, 1), 0};
    double sum = 0, squares = 0;
    for (int i = 0; i < COUNT; i++) {
        double value = random_uniform(&random);
        ck_assert(value >= 0 && value < 1);
        sum += value;
        squares += value * value;
    }
    ck_assert_double_eq_tol(sum / COUNT, 0.5, 0.005);
    ck_assert_double_eq_tol(squares / COUNT, 1.0 / 3, 0.005);
}
END_TEST

START_TEST(normals_have_their_moments)
{
    enum { BLOCKS = 50000 };
    double sum = 0, squares = 0, fourth = 0;
    for (uint64_t i = 0; i < BLOCKS; i++) {
        float normals[4];
        random_normals(3, random_stream(RANDOM_PARAMETER, 0), i, normals);
        for (int j = 0; j < 4; j++) {
            double value = (double)normals[j];
            sum += value;
            squares += value * value;
            fourth += pow(value, 4);
        }
    }
    ck_assert_double_eq_tol(sum / (4 * BLOCKS), 0, 0.01);
    ck_assert_double_eq_tol(squares / (4 * BLOCKS), 1, 0.02);
    ck_assert_double_eq_tol(fourth / (4 * BLOCKS), 3, 0.15);
}
END_TEST

START_TEST(below_reaches_all_and_only_the_range)
{
    int seen[7] = {0};
    struct random_source random = {1, 2, 0};
    for (int i = 0; i < 7000; i++) {
        int64_t value = random_below(&random, 7);
        ck_assert(value >= 0 && value < 7);
        seen[value]++;
    }
    for (int i = 0; i < 7; i++)
        ck_assert(abs(seen[i] - 1000) < 150);
}
END_TEST

START_TEST(order_is_a_permutation_of_its_stream)
{
    int64_t first[100], second[100], other[100];
    struct random_source random = {5, random_stream(RANDOM_SHUFFLE, 0), 0};
    struct random_source again = random;
    struct random_source next = {5, random_stream(RANDOM_SHUFFLE, 1), 0};
    int seen[100] = {0}, equal = 0;
    random_order(&random, first, 100);
    random_order(&again, second, 100);
    random_order(&next, other, 100);
    for (int i = 0; i < 100; i++) {
        seen[first[i]]++;
        ck_assert_int_eq(first[i], second[i]);
        equal += first[i] == other[i];
    }
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(seen[i], 1);
    ck_assert_int_lt(equal, 10);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("random");
    tcase_add_test(tests, matches_known_answers);
    tcase_add_test(tests, uniform_has_its_moments);
    tcase_add_test(tests, normals_have_their_moments);
    tcase_add_test(tests, below_reaches_all_and_only_the_range);
    tcase_add_test(tests, order_is_a_permutation_of_its_stream);
    return run_case("random", tests);
}
