/* Layouts of parameters in memory, and their first values. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "runtime/initialize.h"
#include "runtime/parameters.h"
#include "tests/unit/suite.h"

START_TEST(weight_goes_to_kernel_inputs_outputs)
{
    /* 3 outputs, 2 inputs a group, 1 x 2: memory is [position][input][output of 16]. */
    struct rnet_parameter weight = {.shape = {3, 2, 1, 2}, .rank = 4};
    float file[12], memory[64], back[12];
    for (int i = 0; i < 12; i++)
        file[i] = (float)(i + 1);
    for (int i = 0; i < 64; i++)
        memory[i] = -1;
    ck_assert_int_eq(parameter_elements(&weight), 12);
    ck_assert_int_eq(parameter_stored(&weight), 64);
    parameter_pack(&weight, file, memory);
    for (int output = 0; output < 16; output++)
        for (int input = 0; input < 2; input++)
            for (int position = 0; position < 2; position++) {
                float expected = output < 3 ? file[(output * 2 + input) * 2 + position] : 0;
                ck_assert(memory[(position * 2 + input) * 16 + output] == expected);
            }
    parameter_unpack(&weight, memory, back);
    ck_assert_mem_eq(back, file, sizeof file);
}
END_TEST

START_TEST(all_ranks_come_back)
{
    static const struct rnet_parameter shapes[] = {
        {.shape = {17}, .rank = 1, .kind = RNET_PARAMETER_VECTOR},
        {.shape = {10, 33}, .rank = 2},
        {.shape = {32, 4, 3, 3}, .rank = 4},
        {.shape = {5, 3, 2, 3, 3}, .rank = 5},
        {.shape = {75, 2, 1, 3}, .rank = 4, .block = 32},
    };
    static float file[2048], memory[4096], back[2048];
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        int64_t count = parameter_elements(&shapes[i]);
        ck_assert_int_le(parameter_stored(&shapes[i]), 4096);
        for (int64_t j = 0; j < count; j++)
            file[j] = (float)(j * 7 % 101);
        parameter_pack(&shapes[i], file, memory);
        parameter_unpack(&shapes[i], memory, back);
        ck_assert_mem_eq(back, file, (size_t)count * sizeof *file);
    }
}
END_TEST

/* 45 outputs in blocks of 32, of 2 inputs: 16 outputs are left for the last block. */
START_TEST(blocks_lie_one_after_the_other)
{
    const struct rnet_parameter weight = {
        .shape = {45, 2}, .rank = 2, .kind = RNET_PARAMETER_WEIGHT, .block = 32};
    const struct rnet_parameter plain = {
        .shape = {45, 2}, .rank = 2, .kind = RNET_PARAMETER_WEIGHT};
    const struct rnet_program program = {.parameters = &weight, .parameter_count = 1};
    float file[90], memory[96], before[96], joined[96];
    for (int i = 0; i < 90; i++)
        file[i] = (float)(i + 1);
    ck_assert_int_eq(parameter_stored(&weight), 96);
    parameter_pack(&weight, file, memory);
    for (int output = 0; output < 48; output++)
        for (int input = 0; input < 2; input++) {
            int at = output < 32 ? input * 32 + output : 64 + input * 16 + output - 32;
            ck_assert(memory[at] == (output < 45 ? file[output * 2 + input] : 0));
        }
    memcpy(before, memory, sizeof memory);
    parameters_rearrange(&program, memory, true);
    parameter_pack(&plain, file, joined);
    ck_assert_mem_eq(memory, joined, sizeof memory);
    parameters_rearrange(&program, memory, false);
    ck_assert_mem_eq(memory, before, sizeof memory);
}
END_TEST

START_TEST(counter_takes_no_memory)
{
    struct rnet_parameter counter = {.kind = RNET_PARAMETER_BATCH_COUNTER};
    ck_assert_int_eq(parameter_elements(&counter), 1);
    ck_assert_int_eq(parameter_stored(&counter), 0);
}
END_TEST

START_TEST(initial_values_follow_seed_and_kind)
{
    struct executor first = {0}, second = {0};
    ck_assert(executor_open(&first, &rnet_program, 1).code == STATUS_OK);
    ck_assert(executor_open(&second, &rnet_program, 3).code == STATUS_OK);
    parameters_initialize(&first, 4);
    parameters_initialize(&second, 4);
    uint64_t bytes = rnet_program.region_bytes[RNET_REGION_WEIGHTS];
    const float *weights = (const float *)(const void *)first.regions[RNET_REGION_WEIGHTS];
    ck_assert_mem_eq(weights, second.regions[RNET_REGION_WEIGHTS], bytes);
    double squares = 0;
    for (int row = 0; row < 3072; row++) {
        for (int output = 0; output < 10; output++)
            squares += pow((double)weights[row * 16 + output], 2);
        ck_assert(weights[row * 16 + 10] == 0);
    }
    ck_assert_double_eq_tol(sqrt(squares / 30720), 0.001, 0.00003);
    parameters_initialize(&second, 5);
    ck_assert_mem_ne(weights, second.regions[RNET_REGION_WEIGHTS], bytes);
    executor_release(&first);
    executor_release(&second);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("parameters");
    tcase_add_test(tests, weight_goes_to_kernel_inputs_outputs);
    tcase_add_test(tests, all_ranks_come_back);
    tcase_add_test(tests, blocks_lie_one_after_the_other);
    tcase_add_test(tests, counter_takes_no_memory);
    tcase_add_test(tests, initial_values_follow_seed_and_kind);
    return run_case("parameters", tests);
}
