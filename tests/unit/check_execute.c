/* The walk over steps: every task once, steps in order, the same bits for any number of threads. */
#include <check.h>
#include <stdatomic.h>
#include <string.h>

#include "runtime/evaluate.h"
#include "runtime/initialize.h"
#include "runtime/loader.h"
#include "tests/unit/suite.h"

enum { COUNTERS = 1000, STEPS = 40, BATCH = 7 };

/* Counts its tasks; each must find the count that all earlier steps left. */
static void run_count(void *const *buffers, int64_t images, int64_t first, int64_t last)
{
    int32_t *counters = buffers[0];
    (void)images;
    for (int64_t task = first; task < last; task++)
        counters[task]++;
}

/* Checks that the step before has finished everywhere. */
static void run_compare(void *const *buffers, int64_t images, int64_t first, int64_t last)
{
    const int32_t *counters = buffers[0];
    int32_t *wrong = buffers[1];
    (void)images, (void)first, (void)last;
    for (int64_t i = 1; i < COUNTERS; i++)
        *wrong += counters[i] != counters[0];
}

static const struct rnet_kernel kernels[] = {
    {"count", run_count, 0, COUNTERS, {0}},
    {"compare", run_compare, 0, 1, {0}},
    {"images", run_count, 2, 3, {0}},
};
static const struct rnet_argument arguments[] = {
    {.region = RNET_REGION_WORKSPACE},
    {.region = RNET_REGION_WORKSPACE, .offset = COUNTERS * 4},
};

static struct rnet_program counting_program(struct rnet_step *steps, uint64_t count)
{
    struct rnet_program program = {
        .version = RNET_PROGRAM_VERSION,
        .batch = BATCH,
        .kernels = kernels,
        .arguments = arguments,
        .kernel_count = 3,
        .argument_count = 2,
        .region_bytes[RNET_REGION_WORKSPACE] = (COUNTERS + 1) * 4,
        .phases[RNET_PHASE_INFER] = {steps, count},
    };
    return program;
}

START_TEST(every_task_runs_once_between_barriers)
{
    static const int64_t threads[] = {1, 2, 3, 9};
    struct rnet_step steps[STEPS];
    for (int i = 0; i < STEPS; i++)
        steps[i] = (struct rnet_step){.kernel = (uint32_t)i % 2, .argument_count = 2};
    struct rnet_program program = counting_program(steps, STEPS);
    struct executor executor = {0};
    ck_assert_str_eq(executor_open(&executor, &program, threads[_i]).message, "");
    for (int round = 0; round < 20; round++)
        executor_run(&executor, RNET_PHASE_INFER, BATCH);
    const void *workspace = executor.regions[RNET_REGION_WORKSPACE];
    const int32_t *counters = workspace;
    for (int i = 0; i < COUNTERS; i++)
        ck_assert_int_eq(counters[i], 20 * STEPS / 2);
    ck_assert_int_eq(counters[COUNTERS], 0);
    executor_release(&executor);
}
END_TEST

START_TEST(tasks_follow_the_images)
{
    struct rnet_step steps[] = {{.kernel = 2}, {.kernel = 2, .images = 1}};
    struct rnet_program program = counting_program(steps, 2);
    struct executor executor = {0};
    ck_assert_str_eq(executor_open(&executor, &program, 2).message, "");
    executor_run(&executor, RNET_PHASE_INFER, 5);
    const void *workspace = executor.regions[RNET_REGION_WORKSPACE];
    const int32_t *counters = workspace;
    for (int i = 0; i < 12; i++)
        ck_assert_int_eq(counters[i], i < 3 ? 2 : i < 9 ? 1 : 0);
    executor_release(&executor);
}
END_TEST

/* Asking for times sets one for each step, and changes nothing else. */
START_TEST(each_step_is_timed)
{
    struct rnet_step steps[STEPS];
    double seconds[STEPS + 1];
    for (int i = 0; i < STEPS; i++)
        steps[i] = (struct rnet_step){.kernel = (uint32_t)i % 2, .argument_count = 2};
    for (int i = 0; i <= STEPS; i++)
        seconds[i] = -1;
    struct rnet_program program = counting_program(steps, STEPS);
    struct executor executor = {0};
    ck_assert_str_eq(executor_open(&executor, &program, _i).message, "");
    ck_assert(executor_run_timed(&executor, RNET_PHASE_INFER, BATCH, seconds).code == STATUS_OK);
    const void *workspace = executor.regions[RNET_REGION_WORKSPACE];
    const int32_t *counters = workspace;
    ck_assert_int_eq(counters[0], STEPS / 2);
    ck_assert_int_eq(counters[COUNTERS], 0);
    for (int i = 0; i < STEPS; i++)
        ck_assert_double_ge(seconds[i], 0);
    ck_assert_double_eq(seconds[STEPS], -1);
    executor_release(&executor);
}
END_TEST

START_TEST(version_is_checked)
{
    struct rnet_program program = {.version = RNET_PROGRAM_VERSION + 1};
    struct executor executor;
    ck_assert_int_eq(executor_open(&executor, &program, 1).code, STATUS_INVALID);
    executor_release(&executor);
}
END_TEST

/* Trains the linear program for a few steps and copies its weights out. */
static void train_steps(int64_t threads, float *weights)
{
    struct data_set data = {0};
    struct executor executor = {0};
    struct loader loader;
    struct loader_options options = {
        .part = DATA_VALIDATION,
        .shuffle = true,
        .augmentation = {rnet_program.recipe.augment, rnet_program.recipe.augment_count},
    };
    ck_assert(data_set_open(&data, "shapes", DATA_NEEDS_VALIDATION, &rnet_program).code == 0);
    ck_assert(executor_open(&executor, &rnet_program, threads).code == STATUS_OK);
    ck_assert(loader_open(&loader, &data.arena, &data, &executor, &options).code == STATUS_OK);
    parameters_initialize(&executor, 1);
    executor_scalars(&executor)[RNET_SCALAR_LEARNING_RATE] = 0.001f;
    executor_scalars(&executor)[RNET_SCALAR_MOMENTUM] = 0.9f;
    struct tally first = {0}, last = {0};
    for (int64_t done = 0; done < 500; done += rnet_program.batch) {
        int64_t images;
        ck_assert(loader_fill(&loader, done, &images).code == STATUS_OK);
        executor_run(&executor, RNET_PHASE_TRAIN, images);
        tally_add(done == 0 ? &first : &last, &executor, rnet_program.train_loss,
                  rnet_program.train_rank, images);
        executor_run(&executor, RNET_PHASE_UPDATE, images);
    }
    ck_assert_double_lt(tally_loss(&last), tally_loss(&first));
    memcpy(weights, executor.regions[RNET_REGION_WEIGHTS],
           rnet_program.region_bytes[RNET_REGION_WEIGHTS]);
    executor_release(&executor);
    data_set_release(&data);
}

START_TEST(threads_change_no_bit_of_a_training)
{
    static float expected[49200], weights[49200];
    ck_assert_uint_le(rnet_program.region_bytes[RNET_REGION_WEIGHTS], sizeof expected);
    train_steps(1, expected);
    train_steps(2, weights);
    ck_assert_mem_eq(weights, expected, sizeof expected);
    train_steps(5, weights);
    ck_assert_mem_eq(weights, expected, sizeof expected);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("execute");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, every_task_runs_once_between_barriers, 0, 4);
    tcase_add_test(tests, tasks_follow_the_images);
    tcase_add_loop_test(tests, each_step_is_timed, 1, 4);
    tcase_add_test(tests, version_is_checked);
    tcase_add_test(tests, threads_change_no_bit_of_a_training);
    return run_case("execute", tests);
}
