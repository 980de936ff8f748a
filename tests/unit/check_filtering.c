/* Winograd's filtering: what the compiler chooses it for, and cuts side sums for, the schedule can
 * build. One that could not would be left to plain loops, hundreds of times slower. */
#include "base/vector.h"
#include "codegen/cpu/schedules.h"
#include "compiler/filtering.h"
#include "runtime/threads.h"
#include "tests/unit/suite.h"

/* What codegen/loop.h says of the stacks that locals lie on. */
_Static_assert(2 * LOOP_LOCAL_BYTES <= THREAD_STACK_BYTES, "stacks are too small for locals");

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

/* The largest that find room, and blocks of both widths: the verifier counts their locals, and ends
 * the program if they are too many. */
START_TEST(what_is_built_has_room)
{
    static const int32_t shapes[][4] = {{720, 720, 8, 8},   {624, 624, 12, 12}, {240, 240, 16, 240},
                                        {512, 512, 7, 7},   {512, 512, 8, 120}, {1024, 1024, 7, 7},
                                        {48, 2064, 8, 802}, {64, 2064, 8, 660}, {64, 64, 8, 1000}};
    struct arena arena = {0};

    for (size_t i = 0; i < countof(shapes); i++) {
        struct kernel kernel =
            convolution(shapes[i][0], shapes[i][1], 1, shapes[i][2], shapes[i][3]);
        ck_assert(!filtering_suits(&kernel) ||
                  schedule_kernel(&arena, &kernel, &cpu_target, "winograd"));
        ck_assert_ptr_nonnull(schedule_kernel(&arena, &kernel, &cpu_target, NULL));
        kernel.anchor = KERNEL_WEIGHT_GRADIENT;
        kernel.chunk_images = 4;
        kernel.value_count = 2;
        ck_assert_ptr_nonnull(schedule_kernel(&arena, &kernel, &cpu_target, NULL));
        arena_reset(&arena);
    }
    arena_release(&arena);
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
    const TTest *const tests[] = {what_suits_is_built, what_is_built_has_room, what_does_not_suit};

    return run_suite("filtering", tests, countof(tests));
}
