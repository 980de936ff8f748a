/* What kernels compute and move: by hand, and for whole networks against the report. */
#include "compiler/kernel_work.h"
#include "compiler/report.h"
#include "tests/unit/elaborate_fixture.h"

/* A convolution of an 8x8 image, 16 to 32 channels, both sides `stride` apart. */
static struct kernel convolution(int32_t extent, int32_t stride)
{
    const int32_t out = 8 / stride;
    const struct window window = {
        .kernel = {1, extent, extent},
        .stride = {1, stride, stride},
        .padding = {0, extent / 2, extent / 2},
        .dilation = {1, 1, 1},
    };
    struct kernel kernel = {
        .anchor = KERNEL_CONVOLUTION,
        .parameter_count = 3,
        .output_count = 1,
        .in_grid = {1, 8, 8},
        .out_grid = {1, out, out},
        .in_channels = 16,
        .out_channels = 32,
        .groups = 1,
        .window = window,
    };

    kernel.values[kernel.value_count++] = kernel_load(&kernel, 0, ACCESS_POINT);
    return kernel;
}

static void expect(const struct kernel *kernel, const struct rnet_work *expected)
{
    const struct rnet_work work = kernel_work(kernel);

    ck_assert_int_eq(work.image_multiply_adds, expected->image_multiply_adds);
    ck_assert_int_eq(work.image_bytes, expected->image_bytes);
    ck_assert_int_eq(work.chunk_bytes, expected->chunk_bytes);
    ck_assert_int_eq(work.chunk_images, expected->chunk_images);
    ck_assert_int_eq(work.fixed_bytes, expected->fixed_bytes);
}

START_TEST(convolutions)
{
    struct kernel kernel = convolution(3, 1);

    expect(&kernel, &(struct rnet_work){.image_multiply_adds = 64 * 9 * 16 * 32,
                                        .image_bytes = 4 * 64 * (16 + 32),
                                        .fixed_bytes = 4 * 9 * 16 * 32});
    kernel.groups = 4;
    expect(&kernel, &(struct rnet_work){.image_multiply_adds = 64 * 9 * 4 * 32,
                                        .image_bytes = 4 * 64 * (16 + 32),
                                        .fixed_bytes = 4 * 9 * 4 * 32});
    kernel = convolution(1, 2); /* reads one point of four */
    expect(&kernel, &(struct rnet_work){.image_multiply_adds = 16 * 16 * 32,
                                        .image_bytes = 4 * 16 * (16 + 32),
                                        .fixed_bytes = 4 * 16 * 32});
    kernel = convolution(3, 2);
    ck_assert_int_eq(kernel_work(&kernel).image_bytes, 4 * (64 * 16 + 16 * 32));
}
END_TEST

START_TEST(an_operand_counts_once)
{
    struct kernel kernel = {
        .anchor = KERNEL_POINTWISE,
        .in_grid = {1, 2, 2},
        .in_channels = 3,
        .parameter_count = 4, /* x, scale, y, and z in place */
        .output_count = 2,
    };
    const uint16_t x = kernel_load(&kernel, 0, ACCESS_POINT);
    const uint16_t scaled =
        kernel_binary(&kernel, EXPRESSION_MULTIPLY, x, kernel_load(&kernel, 1, ACCESS_CHANNEL));
    const uint16_t z = kernel_load(&kernel, 3, ACCESS_POINT);

    kernel_load(&kernel, 0, ACCESS_IMAGE_CHANNEL); /* which no value needs */
    kernel.values[kernel.value_count++] = kernel_binary(&kernel, EXPRESSION_ADD, scaled, x);
    kernel.values[kernel.value_count++] = kernel_binary(&kernel, EXPRESSION_ADD, scaled, z);
    /* Read: x and z; written: y and z. Three channels are stored as three, a vector of them as 16.
     */
    expect(&kernel, &(struct rnet_work){.image_bytes = 4 * 4 * 4 * 3, .fixed_bytes = 4 * 16});
}
END_TEST

START_TEST(partial_sums)
{
    struct kernel kernel = convolution(3, 1);
    struct kernel sum = {
        .anchor = KERNEL_CHANNEL_SUM,
        .in_grid = {1, 8, 8},
        .in_channels = 40,
        .chunk_images = 8,
        .parameter_count = 2,
        .output_count = 1,
    };

    kernel.anchor = KERNEL_WEIGHT_GRADIENT;
    kernel.chunk_images = 4;
    kernel.values[kernel.value_count++] = kernel_load(&kernel, 1, ACCESS_POINT);
    expect(&kernel, &(struct rnet_work){.image_multiply_adds = 64 * 9 * 16 * 32,
                                        .image_bytes = 4 * 64 * (16 + 32),
                                        .chunk_bytes = 4 * 9 * 16 * 32,
                                        .chunk_images = 4});
    sum.values[sum.value_count++] = kernel_load(&sum, 0, ACCESS_POINT);
    expect(&sum, &(struct rnet_work){
                     .image_bytes = 4 * 64 * 48, .chunk_bytes = 4 * 48, .chunk_images = 8});
}
END_TEST

/* A convolution that adds to a shortcut, and sums up what it stores by parts of four rows. */
START_TEST(side_sums)
{
    struct kernel kernel = convolution(3, 1);
    const uint16_t shortcut = kernel_load(&kernel, 1, ACCESS_POINT);
    const uint16_t result = kernel_unary(&kernel, EXPRESSION_RESULT, 0);
    const uint16_t sum = kernel_binary(&kernel, EXPRESSION_ADD, result, shortcut);

    kernel.parameter_count = 6; /* x, shortcut, weight; result, its sum, that of its square */
    kernel.output_count = 3;
    kernel.epilogue = (uint16_t)(sum + 1);
    kernel.sums[kernel.sum_count++] = sum;
    kernel.sums[kernel.sum_count++] = kernel_binary(&kernel, EXPRESSION_MULTIPLY, sum, sum);
    kernel.sum_rows = 4;
    expect(&kernel, &(struct rnet_work){.image_multiply_adds = 64 * 9 * 16 * 32,
                                        .image_bytes = 4 * 64 * (16 + 32 + 32) + 4 * 2 * 2 * 32,
                                        .fixed_bytes = 4 * 9 * 16 * 32});
}
END_TEST

START_TEST(sums_and_joins)
{
    struct kernel kernel = {
        .in_grid = {1, 4, 4},
        .in_channels = 32,
        .out_grid = {1, 4, 4},
        .out_channels = 32,
        .groups = 2,
        .parameter_count = 2,
        .output_count = 1,
    };

    kernel.values[kernel.value_count++] = kernel_load(&kernel, 0, ACCESS_POINT);
    kernel.anchor = KERNEL_GROUP_SUM;
    expect(&kernel, &(struct rnet_work){.image_bytes = 4 * (16 * 32 + 32)});
    kernel.anchor = KERNEL_POINT_SUM;
    expect(&kernel, &(struct rnet_work){.image_bytes = 4 * (16 * 32 + 16)});
    kernel.anchor = KERNEL_JOIN; /* of two tensors of 16 channels */
    kernel.parameter_count = 3;
    kernel.values[kernel.value_count++] = kernel_load(&kernel, 1, ACCESS_POINT);
    expect(&kernel, &(struct rnet_work){.image_bytes = 4 * 2 * 16 * 32});
}
END_TEST

START_TEST(losses)
{
    struct kernel kernel = {
        .anchor = KERNEL_SOFTMAX_LOSS,
        .storage = {[1] = KERNEL_I32},
        .in_grid = {1, 1, 1},
        .in_channels = 10,
        .parameter_count = 5, /* logits, labels, loss, rank, gradient */
        .output_count = 3,
    };

    kernel.values[kernel.value_count++] = kernel_load(&kernel, 0, ACCESS_POINT);
    expect(&kernel, &(struct rnet_work){.image_bytes = 4 * (16 + 1 + 1 + 1 + 16)});
}
END_TEST

/* The multiply-adds of all calls of some phases, for one image. */
static int64_t calls_multiply_adds(const struct calls *calls, const struct kernel_set *kernels)
{
    int64_t sum = 0;

    for (size_t c = 0; c < calls->items.count; c++) {
        const struct call *call = &calls->items.items[c];

        sum += kernel_work(kernels->items.items[call->kernel]).image_multiply_adds;
    }
    return sum;
}

/* The forward pass does what the report says; a step of training three times that, less the
 * gradient to the image, which nobody asks for. */
START_TEST(a_network_does_what_its_report_says)
{
    static const struct {
        const char *file;
        int64_t stem; /* multiply-adds of the first convolution */
    } networks[] = {
        {"examples/cifar/iresnet.rnet", 32 * 32 * 9 * 3 * 16},
        {"examples/imagenet/iresgroup.rnet", 112 * 112 * 49 * 3 * 64},
        {"examples/video/iresnet3d.rnet", 0},
    };

    for (size_t i = 0; i < countof(networks); i++) {
        struct fixture f;
        size_t count;
        const struct pass *passes = compiler_passes(&count);

        fixture_begin(&f);
        ck_assert(fixture_elaborate_file(&f, networks[i].file));
        struct compilation compilation = {
            .arena = &f.arena, .sources = &f.sources, .elaboration = f.out};
        const int64_t macs = report_make(&compilation, REPORT_MACS, &f.arena)->total.macs;

        for (size_t p = 0; p < count; p++)
            passes[p].run(&compilation);
        const struct plan *plan = &compilation.plan;

        ck_assert_int_eq(calls_multiply_adds(plan->infer, &plan->kernels), macs);
        if (networks[i].stem)
            ck_assert_int_eq(calls_multiply_adds(plan->train, &plan->kernels),
                             3 * macs - networks[i].stem);
        fixture_end(&f);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        convolutions,
        an_operand_counts_once,
        partial_sums,
        side_sums,
        sums_and_joins,
        losses,
        a_network_does_what_its_report_says,
    };

    return run_suite("kernel_work", tests, countof(tests));
}
