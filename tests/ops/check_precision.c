/* A whole training in bfloat16 beside the same in single precision: every kernel as the GPU's
 * schedules have it, interpreted in single precision on memory as it is planned. The network has
 * one of each kind of layer, so that activations, statistics and sums of every kind meet. */
#include <math.h>

#include "codegen/loop_eval.h"
#include "codegen/schedule.h"
#include "compiler/pass.h"
#include "tests/unit/elaborate_fixture.h"

enum { IMAGES = 6, STEPS = 8 };

static const char network[] =
    "recipe tiny() {\n"
    "    data = cifar10\n"
    "    epochs = 1\n"
    "    batch = 6\n"
    "    optimizer = sgd(lr = 0.05, momentum = 0.9)\n"
    "}\n"
    "block gate() = identity * (global_avg_pool >> conv(1, input.channels, bias = true) >> "
    "sigmoid)\n"
    "network mixed(classes = 5) {\n"
    "    input image(3, 8, 8)\n"
    "    conv(3, 16) >> bn >> relu >> max_pool(3, stride = 2)\n"
    "    (conv(3, 16, groups = 4) >> group_norm(4) >> silu >> gate) + identity\n"
    "    [conv(1, 8), conv(3, 24)] >> layer_norm >> gelu\n"
    "    (conv(3, 32, stride = 2) >> bn >> drop_path(0.1)) + avg_pool(2, stride = 2)\n"
    "    dropout(0.1) >> global_avg_pool >> linear(classes)\n"
    "}\n"
    "train mixed = tiny\n";

/* A plan with its memory. */
struct computer {
    struct fixture fixture;
    struct compilation compilation;
    struct loop_program **programs;
    char *regions[RNET_REGION_COUNT];
};

static void schedule_all(struct computer *computer)
{
    struct arena *arena = &computer->fixture.arena;
    const struct kernel_set *kernels = &computer->compilation.plan.kernels;

    computer->programs = ARENA_ARRAY(arena, struct loop_program *, kernels->items.count);
    for (size_t k = 0; k < kernels->items.count; k++)
        computer->programs[k] = schedule_kernel(arena, kernels->items.items[k], &cuda_target, NULL);
}

/* Reproducible numbers in [-1, 1). */
static float number(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(*state >> 40) * 0x1p-23 - 1);
}

static void fill_parameters(struct computer *computer)
{
    const struct plan *plan = &computer->compilation.plan;
    uint64_t state = 1;

    for (size_t t = 0; t < plan->graph->tensors.count; t++) {
        const struct tensor *tensor = &plan->graph->tensors.items[t];
        const bool is_weight = tensor->kind == TENSOR_PARAMETER;
        const int64_t stride = vector_stride(tensor->channels);
        const struct parameter_start start = parameter_start(tensor, plan->recipe);
        int64_t rows = 1;

        if (!is_weight && tensor->kind != TENSOR_STATISTIC)
            continue;
        for (int axis = 1; axis < tensor->rank; axis++)
            rows *= tensor->shape[axis];
        float *values = (float *)(void *)(computer->regions[is_weight ? RNET_REGION_WEIGHTS
                                                                      : RNET_REGION_STATISTICS] +
                                          plan->layout.offsets[t]);
        for (int64_t i = 0; i < rows * stride; i++)
            if (i % stride < tensor->channels)
                values[i] = (float)start.value *
                            (start.init == RNET_INIT_CONSTANT ? 1 : number(&state) * 1.7f);
    }
}

static void fill_inputs(struct computer *computer)
{
    const struct plan *plan = &computer->compilation.plan;
    float *image = (float *)(void *)computer->regions[RNET_REGION_INPUT];
    float *scalars = (float *)(void *)computer->regions[RNET_REGION_SCALARS];
    uint64_t state = 2;

    for (size_t i = 0; i < plan->region_bytes[RNET_REGION_INPUT] / sizeof(float); i++)
        image[i] = number(&state);
    for (int32_t n = 0; n < IMAGES; n++)
        ((int32_t *)(void *)computer->regions[RNET_REGION_LABELS])[n] = n % 5;
    scalars[RNET_SCALAR_LEARNING_RATE] = 0.05f;
    scalars[RNET_SCALAR_MOMENTUM] = 0.9f;
}

static void computer_begin(struct computer *computer, enum rnet_precision precision)
{
    struct arena *arena = &computer->fixture.arena;
    size_t count;
    const struct pass *passes = compiler_passes(&count);

    fixture_begin(&computer->fixture);
    ck_assert_msg(fixture_elaborate(&computer->fixture, network), "%s",
                  fixture_codes(&computer->fixture));
    computer->compilation = (struct compilation){.arena = arena,
                                                 .sources = &computer->fixture.sources,
                                                 .elaboration = computer->fixture.out,
                                                 .keeps_convolutions = true,
                                                 .precision = precision};
    for (size_t i = 0; i < count; i++) {
        passes[i].run(&computer->compilation);
        ck_assert_pstr_eq(passes[i].check(&computer->compilation), NULL);
    }
    schedule_all(computer);
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        computer->regions[region] =
            arena_alloc(arena, computer->compilation.plan.region_bytes[region] + 1);
    fill_parameters(computer);
    fill_inputs(computer);
}

static void run(struct computer *computer, enum rnet_phase phase)
{
    const struct plan *plan = &computer->compilation.plan;
    const bool training = phase == RNET_PHASE_TRAIN || phase == RNET_PHASE_UPDATE;
    const struct calls *calls = training ? plan->train : plan->infer;

    for (size_t c = 0; c < calls->items.count; c++) {
        const struct call *call = &calls->items.items[c];
        const struct loop_program *program = computer->programs[call->kernel];
        const int64_t images = call->images > 0 ? call->images : IMAGES;
        struct loop_buffer buffers[KERNEL_PARAMETERS];

        for (int a = 0; a < call->argument_count; a++) {
            const struct buffer *buffer = &calls->buffers.items[call->arguments[a]];

            buffers[a].data = computer->regions[buffer->region] + buffer->offset;
            buffers[a].count = buffer->bytes / (uint64_t)kernel_storage_bytes(buffer->storage);
        }
        if (call->phase == phase)
            ck_assert_pstr_eq(loop_eval(program, buffers, images, 0,
                                        loop_task_count(program, images), LOOP_SINGLE),
                              NULL);
    }
}

static const float *at(const struct computer *computer, const struct calls *calls, buffer_id id)
{
    const struct buffer *buffer = &calls->buffers.items[id];

    ck_assert_int_eq(buffer->storage, KERNEL_F32);
    return (const float *)(const void *)(computer->regions[buffer->region] + buffer->offset);
}

static double loss_of(const struct computer *computer)
{
    const struct calls *train = computer->compilation.plan.train;
    const float *losses = at(computer, train, train->loss);
    double sum = 0;

    for (int n = 0; n < IMAGES; n++)
        sum += (double)losses[n];
    return sum / IMAGES;
}

/* |a - b| / |a| over the regions' floats. */
static double distance(const struct computer *a, const struct computer *b, enum rnet_region region)
{
    const size_t count = a->compilation.plan.region_bytes[region] / sizeof(float);
    const float *x = (const float *)(const void *)a->regions[region];
    const float *y = (const float *)(const void *)b->regions[region];
    double difference = 0, norm = 0;

    for (size_t i = 0; i < count; i++) {
        difference += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
        norm += (double)x[i] * (double)x[i];
    }
    return sqrt(difference / norm);
}

static bool near(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance * fabs(a);
}

START_TEST(training_follows_single_precision)
{
    static struct computer single, half;
    double first = 0;

    computer_begin(&single, RNET_PRECISION_TF32);
    computer_begin(&half, RNET_PRECISION_BF16);
    for (int step = 0; step < STEPS; step++) {
        run(&single, RNET_PHASE_TRAIN);
        run(&half, RNET_PHASE_TRAIN);
        ck_assert_msg(near(loss_of(&single), loss_of(&half), 3e-2), "step %d: loss %g, not %g",
                      step, loss_of(&half), loss_of(&single));
        const double gradients = distance(&single, &half, RNET_REGION_GRADIENTS);
        if (step == 0) {
            first = loss_of(&single);
            ck_assert_msg(gradients > 1e-4 && gradients < 5e-2, "gradients: %g", gradients);
        }
        run(&single, RNET_PHASE_UPDATE);
        run(&half, RNET_PHASE_UPDATE);
    }
    ck_assert_msg(loss_of(&half) < 0.8 * first, "%g after %g", loss_of(&half), first);
    ck_assert_msg(distance(&single, &half, RNET_REGION_STATISTICS) < 1e-2, "statistics: %g",
                  distance(&single, &half, RNET_REGION_STATISTICS));
    fixture_end(&single.fixture);
    fixture_end(&half.fixture);
}
END_TEST

START_TEST(logits_are_near)
{
    static struct computer single, half;

    computer_begin(&single, RNET_PRECISION_TF32);
    computer_begin(&half, RNET_PRECISION_BF16);
    run(&single, RNET_PHASE_INFER);
    run(&half, RNET_PHASE_INFER);
    const struct calls *a = single.compilation.plan.infer, *b = half.compilation.plan.infer;
    const float *x = at(&single, a, a->outputs.items[0]), *y = at(&half, b, b->outputs.items[0]);
    double range = 0, difference = 0;
    for (int i = 0; i < IMAGES * 16; i++)
        if (i % 16 < 5) {
            range = fmax(range, fabs((double)x[i]));
            difference = fmax(difference, fabs((double)x[i] - (double)y[i]));
        }
    ck_assert_msg(difference > 0 && difference < 5e-2 * range, "%g of %g", difference, range);
    fixture_end(&single.fixture);
    fixture_end(&half.fixture);
}
END_TEST

START_TEST(activations_take_less_memory)
{
    static struct computer single, half;

    computer_begin(&single, RNET_PRECISION_TF32);
    computer_begin(&half, RNET_PRECISION_BF16);
    const uint64_t *wide = single.compilation.plan.region_bytes;
    const uint64_t *narrow = half.compilation.plan.region_bytes;
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        if (region != RNET_REGION_WORKSPACE)
            ck_assert_uint_eq(wide[region], narrow[region]);
    ck_assert_uint_lt(narrow[RNET_REGION_WORKSPACE], wide[RNET_REGION_WORKSPACE] * 9 / 10);
    fixture_end(&single.fixture);
    fixture_end(&half.fixture);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {training_follows_single_precision, logits_are_near,
                                  activations_take_less_memory};
    return run_suite("bfloat16", tests, countof(tests));
}
