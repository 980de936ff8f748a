/* Winograd's filtering: what the compiler chooses it for, and cuts side sums for, the schedule can
 * build. One that could not would be left to plain loops, hundreds of times slower. */
#include "base/vector.h"
#include "codegen/cpu/schedules.h"
#include "compiler/filtering.h"
#include "tests/unit/suite.h"

static const int32_t channels[] = {16, 32, 48, 64, 96, 160, 256, 512, 640, 1024, 2048};
static const int32_t sides[] = {4, 7, 9, 14, 19, 32, 56, 75, 128, 224, 300, 512};

/* A convolution of 3x3 with padding 1. */
static struct kernel convolution(int32_t inputs, int32_t outputs, int32_t groups, int32_t height,
                                 int32_t width)
{
    struct kernel kernel = {
        .anchor = KERNEL_CONVOLUTION,
        .parameter_count = 3,
        .expression_count = 1,
        .value_count = 1,
        .output_count = 1,
        .weight_block = 32,
        .in_channels = inputs,
        .out_channels = outputs,
        .groups = groups,
        .in_grid = {1, height, width},
        .out_grid = {1, height, width},
        .window = {.kernel = {1, 3, 3},
                   .stride = {1, 1, 1},
                   .padding = {0, 1, 1},
                   .dilation = {1, 1, 1}},
        .expressions = {{.op = EXPRESSION_LOAD, .access = ACCESS_POINT}},
    };

    return kernel;
}

static int check_convolution(const struct kernel *plain)
{
    struct kernel with_sums = *plain;

    if (!filtering_suits(plain))
        return 0;
    with_sums.sum_count = 2;
    with_sums.parameter_count += 2;
    with_sums.output_count += 2;
    with_sums.sum_rows = filtering_rows(plain);
    ck_assert_msg(winograd_schedule.applies(plain) && winograd_schedule.applies(&with_sums),
                  "%d to %d channels, %d groups, %dx%d", plain->in_channels, plain->out_channels,
                  plain->groups, plain->in_grid[1], plain->in_grid[2]);
    return 1;
}

START_TEST(what_suits_is_built)
{
    int suitable = 0;

    for (size_t i = 0; i < countof(channels); i++)
        for (size_t o = 0; o < countof(channels); o++)
            for (size_t h = 0; h < countof(sides); h++)
                for (size_t w = 0; w < countof(sides); w++)
                    for (int32_t groups = 1; groups <= 64; groups *= 4) {
                        const struct kernel kernel = convolution(
                            channels[i] * groups, channels[o] * groups, groups, sides[h], sides[w]);
                        suitable += check_convolution(&kernel);
                    }
    ck_assert_int_gt(suitable, 1000);
}
END_TEST

/* Wide rows of many channels find no room, and small grids waste their tiles. */
START_TEST(what_does_not_suit)
{
    const struct kernel wide = convolution(2048, 64, 1, 512, 512);
    const struct kernel small = convolution(64, 64, 1, 3, 2), odd = convolution(64, 64, 1, 5, 5);
    struct kernel strided = convolution(64, 64, 1, 32, 32);

    strided.window.stride[2] = 2;
    ck_assert(!filtering_suits(&wide));
    ck_assert(!filtering_suits(&small));
    ck_assert(!filtering_suits(&odd));
    ck_assert(!filtering_suits(&strided));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_suits_is_built, what_does_not_suit};

    return run_suite("filtering", tests, countof(tests));
}
