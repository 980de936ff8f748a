/* A program as the compiler would emit it, by hand: a linear softmax classifier on 3 x 32 x 32
 * images, ten classes. The weight is that of a convolution whose kernel covers the whole image, so
 * its layout in memory runs along the image's floats. A batch counter and a running mean (of the
 * logits) stand for what normalization brings.
 *
 * With FIXTURE_AVERAGED its recipe clips gradients, accumulates batches and averages weights,
 * and the bias is an output beside the logits. */
#include <math.h>
#include <string.h>

#include "runtime/program.h"
#ifdef FIXTURE_CUDA
#include "tests/cuda/fake_code.h"
#endif

#ifdef FIXTURE_AVERAGED
#define CLIP          0.5
#define EMA           0.8
#define RECIPE_EXTRAS .accumulate = 3, .clip = CLIP, .ema = EMA
enum { SCALES_GRADIENTS = 1 };
#else
#define CLIP          0.0
#define EMA           0.0
#define RECIPE_EXTRAS .accumulate = 1
enum { SCALES_GRADIENTS = 0 };
#endif

enum {
    SIDE = 32,
    CHANNELS = 3,
    PIXELS = SIDE * SIDE * CHANNELS,
    CLASSES = 10,
    STRIDE = 16,
    BATCH = 50,
    ROWS_PER_TASK = 96,
    WEIGHT_BYTES = PIXELS * STRIDE * 4,
    VECTOR_BYTES = STRIDE * 4,
    LOGITS_BYTES = BATCH * STRIDE * 4,
    LOSS_OFFSET = 2 * LOGITS_BYTES, /* behind the logits and their gradient */
    RANK_OFFSET = LOSS_OFFSET + 64 * 4,
};

/* (input, weight, bias, logits): one image a task. */
static void run_logits(void *const *buffers, int64_t images, int64_t first, int64_t last)
{
    const float *weight = buffers[1], *bias = buffers[2];
    (void)images;
    for (int64_t image = first; image < last; image++) {
        const float *input = (const float *)buffers[0] + image * PIXELS;
        float *logits = (float *)buffers[3] + image * STRIDE;
        memcpy(logits, bias, VECTOR_BYTES);
        for (int pixel = 0; pixel < PIXELS; pixel++)
            for (int class = 0; class < STRIDE; class ++)
                logits[class] += input[pixel] * weight[pixel * STRIDE + class];
    }
}

static float log_sum(const float *logits)
{
    float most = logits[0], sum = 0;
    for (int class = 1; class < CLASSES; class ++)
        most = fmaxf(most, logits[class]);
    for (int class = 0; class < CLASSES; class ++)
        sum += expf(logits[class] - most);
    return most + logf(sum);
}

static float rank_of(const float *logits, int label)
{
    int rank = 0;
    for (int class = 0; class < CLASSES; class ++)
        rank += logits[class] > logits[label] || (class < label && logits[class] == logits[label]);
    return (float)rank;
}

/* (logits, labels, loss, rank): one image a task. */
static void run_loss(void *const *buffers, int64_t images, int64_t first, int64_t last)
{
    const int32_t *labels = buffers[1];
    float *loss = buffers[2], *rank = buffers[3];
    (void)images;
    for (int64_t image = first; image < last; image++) {
        const float *logits = (const float *)buffers[0] + image * STRIDE;
        loss[image] = log_sum(logits) - logits[labels[image]];
        rank[image] = rank_of(logits, labels[image]);
    }
}

/* (logits, labels, gradient of the logits): one image a task. */
static void run_loss_gradient(void *const *buffers, int64_t images, int64_t first, int64_t last)
{
    const int32_t *labels = buffers[1];
    for (int64_t image = first; image < last; image++) {
        const float *logits = (const float *)buffers[0] + image * STRIDE;
        float *gradient = (float *)buffers[2] + image * STRIDE, norm = log_sum(logits);
        for (int class = 0; class < CLASSES; class ++)
            gradient[class] =
                (expf(logits[class] - norm) - (float)(class == labels[image])) / (float)images;
    }
}

/* (input, gradient of the logits, gradient of the weight): ROWS_PER_TASK pixels a task. */
static void run_weight_gradient(void *const *buffers, int64_t images, int64_t first, int64_t last)
{
    float *out = buffers[2];
    memset(out + first * ROWS_PER_TASK * STRIDE, 0,
           (size_t)(last - first) * ROWS_PER_TASK * VECTOR_BYTES);
    for (int64_t image = 0; image < images; image++) {
        const float *input = (const float *)buffers[0] + image * PIXELS;
        const float *gradient = (const float *)buffers[1] + image * STRIDE;
        for (int64_t pixel = first * ROWS_PER_TASK; pixel < last * ROWS_PER_TASK; pixel++)
            for (int class = 0; class < CLASSES; class ++)
                out[pixel * STRIDE + class] += input[pixel] * gradient[class];
    }
}

/* (logits, gradient of the logits, gradient of the bias, running mean): one task. */
static void run_vectors(void *const *buffers, int64_t images, int64_t first, int64_t last)
{
    const float *logits = buffers[0], *gradient = buffers[1];
    float *bias = buffers[2], *mean = buffers[3];
    (void)first, (void)last;
    for (int class = 0; class < CLASSES; class ++) {
        float sum = 0, logit_sum = 0;
        for (int64_t image = 0; image < images; image++) {
            sum += gradient[image * STRIDE + class];
            logit_sum += logits[image * STRIDE + class];
        }
        bias[class] = sum;
        mean[class] += 0.1f * (logit_sum / (float)images - mean[class]);
    }
}

/* (values, gradients, momentum, scalars): one row of 16 a task, `images` rows. */
static void run_update(void *const *buffers, int64_t rows, int64_t first, int64_t last)
{
    float *values = buffers[0], *momentum = buffers[2];
    const float *gradients = buffers[1], *scalars = buffers[3];
    const float scale = SCALES_GRADIENTS ? scalars[RNET_SCALAR_GRADIENT_SCALE] : 1;
    (void)rows;
    for (int64_t i = first * STRIDE; i < last * STRIDE; i++) {
        float gradient = scale * gradients[i] + scalars[RNET_SCALAR_WEIGHT_DECAY] * values[i];
        momentum[i] = scalars[RNET_SCALAR_MOMENTUM] * momentum[i] + gradient;
        values[i] -= scalars[RNET_SCALAR_LEARNING_RATE] * momentum[i];
    }
}

enum { LOGITS, LOSS, LOSS_GRADIENT, WEIGHT_GRADIENT, VECTORS, UPDATE, KERNELS };

#ifdef FIXTURE_CUDA
/* ---- what a GPU has beside the kernels: enum rnet_cuda_function_kind ---- */

/* (out, in): a row of 16 a task. */
static void run_add(void *const *buffers, int64_t rows, int64_t first, int64_t last)
{
    float *out = buffers[0];
    const float *in = buffers[1];
    (void)rows;
    for (int64_t i = first * STRIDE; i < last * STRIDE; i++)
        out[i] += in[i];
}

/* (average, values): a row of 16 a task. */
static void run_average(void *const *buffers, int64_t rows, int64_t first, int64_t last)
{
    float *average = buffers[0];
    const float *values = buffers[1], share = (float)(1 - EMA);
    (void)rows;
    for (int64_t i = first * STRIDE; i < last * STRIDE; i++)
        average[i] += share * (values[i] - average[i]);
}

static void pair_store(float *pair, double value)
{
    pair[0] = (float)value;
    pair[1] = (float)(value - (double)pair[0]);
}

/* (gradients, blocks, norms): a block a task; squares are summed as the processor does. */
static void run_block_norms(void *const *buffers, int64_t blocks, int64_t first, int64_t last)
{
    const int32_t *table = buffers[1];
    (void)blocks;
    for (int64_t block = first; block < last; block++) {
        const float *values = (const float *)buffers[0] + (int64_t)table[2 * block] * STRIDE;
        double lanes[STRIDE] = {0}, sum = 0;
        for (int64_t i = 0; i < table[2 * block + 1]; i++)
            lanes[i % STRIDE] += (double)values[i] * (double)values[i];
        for (int lane = 0; lane < STRIDE; lane++)
            sum += lanes[lane];
        pair_store((float *)buffers[2] + 2 * block, sqrt(sum));
    }
}

/* (norms, scalars, norm): one task. */
static void run_limit(void *const *buffers, int64_t blocks, int64_t first, int64_t last)
{
    const float *norms = buffers[0];
    float *scalars = buffers[1];
    double share = 1 / (double)scalars[RNET_SCALAR_BATCHES], sum = 0;
    (void)first, (void)last;
    for (int64_t block = 0; block < blocks; block++) {
        double norm = (double)norms[2 * block] + (double)norms[2 * block + 1];
        sum += norm * norm;
    }
    double norm = share * sqrt(sum);
    pair_store(buffers[2], norm);
    scalars[RNET_SCALAR_GRADIENT_SCALE] = (float)(share * fmin(1, CLIP / (norm + 1e-6)));
}

/* A GPU's kernels, for the imitated driver. */
static const struct fake_code code = {
    FAKE_CODE_MAGIC,
    KERNELS + RNET_CUDA_FUNCTION_COUNT,
    {
        {"logits", run_logits, 4, 0},
        {"loss", run_loss, 4, 0},
        {"loss_gradient", run_loss_gradient, 3, 0},
        {"weight_gradient", run_weight_gradient, 3, 0},
        {"vectors", run_vectors, 4, 0},
        {"update", run_update, 4, 0},
        {"gradient_add", run_add, 2, 0},
        {"weight_average", run_average, 2, 0},
        {"gradient_block_norms", run_block_norms, 3, 0},
        {"gradient_limit", run_limit, 3, 0},
    },
};

static const struct rnet_cuda_module modules[] = {
    {.cubin = &code, .cubin_bytes = sizeof code, .ptx = "//", .ptx_bytes = 3},
};

static const struct rnet_cuda_kernel cuda_kernels[KERNELS] = {
    [LOGITS] = {.threads = 64, .tasks_per_block = 1},
    [LOSS] = {.threads = 128, .tasks_per_block = 128},
    [LOSS_GRADIENT] = {.threads = 128, .tasks_per_block = 128},
    [WEIGHT_GRADIENT] = {.threads = 256, .tasks_per_block = 1, .shared_bytes = 100 << 10},
    [VECTORS] = {.threads = 32, .tasks_per_block = 1},
    [UPDATE] = {.threads = 256, .tasks_per_block = 256},
};

static const struct rnet_cuda cuda = {
    .modules = modules,
    .kernels = cuda_kernels,
    .module_count = 1,
    .architecture = 90,
    .precision = RNET_PRECISION_FP32,
#ifdef FIXTURE_AVERAGED
    .functions =
        {
            [RNET_CUDA_ADD] = {"gradient_add", 0, 256, 64, 0, 1, 1},
            [RNET_CUDA_AVERAGE] = {"weight_average", 0, 256, 64, 0, 1, 1},
            [RNET_CUDA_BLOCK_NORMS] = {"gradient_block_norms", 0, 256, 1, 2048, 1, 1},
            [RNET_CUDA_LIMIT] = {"gradient_limit", 0, 256, 1, 2048, 0, 1},
        },
#endif
};

/* What a program for the processor has in their place. */
#define run_logits          NULL
#define run_loss            NULL
#define run_loss_gradient   NULL
#define run_weight_gradient NULL
#define run_vectors         NULL
#define run_update          NULL
#endif

static const struct rnet_kernel kernels[KERNELS] = {
    [LOGITS] = {"logits",
                run_logits,
                1,
                1,
                {.image_multiply_adds = (int64_t)PIXELS * CLASSES,
                 .image_bytes = PIXELS * 4 + VECTOR_BYTES,
                 .fixed_bytes = WEIGHT_BYTES + VECTOR_BYTES}},
    [LOSS] = {"loss", run_loss, 1, 1, {.image_bytes = VECTOR_BYTES + 12}},
    [LOSS_GRADIENT] =
        {"loss_gradient", run_loss_gradient, 1, 1, {.image_bytes = 2 * VECTOR_BYTES + 4}},
    [WEIGHT_GRADIENT] = {"weight_gradient",
                         run_weight_gradient,
                         0,
                         PIXELS / ROWS_PER_TASK,
                         {.image_multiply_adds = (int64_t)PIXELS * CLASSES,
                          .image_bytes = PIXELS * 4 + VECTOR_BYTES,
                          .fixed_bytes = WEIGHT_BYTES}},
    [VECTORS] = {"vectors",
                 run_vectors,
                 0,
                 1,
                 {.image_bytes = 2 * VECTOR_BYTES, .fixed_bytes = 3 * VECTOR_BYTES}},
    [UPDATE] = {"update", run_update, 1, 1, {.image_bytes = 5 * VECTOR_BYTES}},
};

#define AT(name, at)                                                                               \
    {                                                                                              \
        .region = RNET_REGION_##name, .offset = (at)                                               \
    }

static const struct rnet_argument arguments[] = {
    /* 0: logits */ AT(INPUT, 0),
    AT(WEIGHTS, 0),
    AT(WEIGHTS, WEIGHT_BYTES),
    AT(WORKSPACE, 0),
    /* 4: loss */ AT(WORKSPACE, 0),
    AT(LABELS, 0),
    AT(WORKSPACE, LOSS_OFFSET),
    AT(WORKSPACE, RANK_OFFSET),
    /* 8: loss_gradient */ AT(WORKSPACE, 0),
    AT(LABELS, 0),
    AT(WORKSPACE, LOGITS_BYTES),
    /* 11: weight_gradient */ AT(INPUT, 0),
    AT(WORKSPACE, LOGITS_BYTES),
    AT(GRADIENTS, 0),
    /* 14: vectors */ AT(WORKSPACE, 0),
    AT(WORKSPACE, LOGITS_BYTES),
    AT(GRADIENTS, WEIGHT_BYTES),
    AT(STATISTICS, 0),
    /* 18: update */ AT(WEIGHTS, 0),
    AT(GRADIENTS, 0),
    AT(MOMENTUM, 0),
    AT(SCALARS, 0),
};

static const struct rnet_step train_steps[] = {
    {LOGITS, 0, 4, 0, 0},           {LOSS, 4, 4, 0, 0},     {LOSS_GRADIENT, 8, 3, 0, 0},
    {WEIGHT_GRADIENT, 11, 3, 0, 0}, {VECTORS, 14, 4, 0, 0},
};
static const struct rnet_step update_steps[] = {{UPDATE, 18, 4, 0, PIXELS + 1}};
static const struct rnet_step infer_steps[] = {{LOGITS, 0, 4, 0, 0}};
static const struct rnet_step loss_steps[] = {{LOSS, 4, 4, 0, 0}};

static const struct rnet_parameter parameters[] = {
    {.name = "fc.weight",
     .shape = {CLASSES, CHANNELS, SIDE, SIDE},
     .rank = 4,
     .region = RNET_REGION_WEIGHTS,
     .kind = RNET_PARAMETER_WEIGHT,
     .init = RNET_INIT_NORMAL,
     .init_value = 0.001},
    {.name = "fc.bias",
     .shape = {CLASSES},
     .rank = 1,
     .region = RNET_REGION_WEIGHTS,
     .offset = WEIGHT_BYTES,
     .kind = RNET_PARAMETER_VECTOR,
     .init = RNET_INIT_CONSTANT},
    {.name = "logits.running_mean",
     .shape = {CLASSES},
     .rank = 1,
     .region = RNET_REGION_STATISTICS,
     .kind = RNET_PARAMETER_VECTOR,
     .init = RNET_INIT_CONSTANT},
    {.name = "logits.num_batches_tracked", .kind = RNET_PARAMETER_BATCH_COUNTER},
};

static const struct rnet_output outputs[] = {
    {.name = "logits", .location = AT(WORKSPACE, 0), .channels = CLASSES, .size = {1, 1, 1}},
#ifdef FIXTURE_AVERAGED
    /* Something that is no logits, of one image. */
    {.name = "bias", .location = AT(WEIGHTS, WEIGHT_BYTES), .channels = CLASSES, .size = {1, 1, 1}},
#endif
};

static const struct rnet_transform augment[] = {
    {.name = "pad", .arguments = {4}, .argument_count = 1},
    {.name = "random_crop", .arguments = {SIDE}, .argument_count = 1},
    {.name = "horizontal_flip"},
};

static const struct rnet_schedule schedule[] = {
    {.name = "step", .arguments = {0.1, 6, 9}, .argument_count = 3},
};

const struct rnet_program rnet_program = {
    .version = RNET_PROGRAM_VERSION,
    .spatial_rank = 2,
    .network = "linear",
    .compiled = "by hand",
#ifdef FIXTURE_CUDA
    .target = RNET_TARGET_CUDA,
    .cuda = &cuda,
#endif
    .report_json = "{\"network\":\"linear\",\"input\":[3,32,32],\"classes\":10,"
                   "\"parameters\":30730,\"macs\":30720}",
    .batch = BATCH,
    .channels = CHANNELS,
    .size = {SIDE, SIDE},
    .classes = CLASSES,
    .region_bytes =
        {
            [RNET_REGION_WEIGHTS] = WEIGHT_BYTES + VECTOR_BYTES,
            [RNET_REGION_STATISTICS] = VECTOR_BYTES,
            [RNET_REGION_GRADIENTS] = WEIGHT_BYTES + VECTOR_BYTES,
            [RNET_REGION_MOMENTUM] = WEIGHT_BYTES + VECTOR_BYTES,
            [RNET_REGION_WORKSPACE] = RANK_OFFSET + 64 * 4,
            [RNET_REGION_INPUT] = BATCH * PIXELS * 4,
            [RNET_REGION_LABELS] = BATCH * 4,
            [RNET_REGION_SCALARS] = RNET_SCALAR_COUNT * 4,
#ifdef FIXTURE_AVERAGED
            [RNET_REGION_GRADIENT_SUM] = WEIGHT_BYTES + VECTOR_BYTES,
            [RNET_REGION_AVERAGE_WEIGHTS] = WEIGHT_BYTES + VECTOR_BYTES,
            [RNET_REGION_AVERAGE_STATISTICS] = VECTOR_BYTES,
#endif
        },
    .logits = AT(WORKSPACE, 0),
    .train_loss = AT(WORKSPACE, LOSS_OFFSET),
    .train_rank = AT(WORKSPACE, RANK_OFFSET),
    .loss = AT(WORKSPACE, LOSS_OFFSET),
    .rank = AT(WORKSPACE, RANK_OFFSET),
    .kernels = kernels,
    .arguments = arguments,
    .parameters = parameters,
    .phases =
        {
            [RNET_PHASE_TRAIN] = {train_steps, sizeof train_steps / sizeof *train_steps},
            [RNET_PHASE_UPDATE] = {update_steps, 1},
            [RNET_PHASE_INFER] = {infer_steps, 1},
            [RNET_PHASE_LOSS] = {loss_steps, 1},
        },
    .outputs = outputs,
    .output_count = sizeof outputs / sizeof *outputs,
    .kernel_count = KERNELS,
    .argument_count = sizeof arguments / sizeof *arguments,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .recipe =
        {
            .name = "by_hand",
            .data = "shapes",
            .augment = augment,
            .schedule = schedule,
            .augment_count = sizeof augment / sizeof *augment,
            .schedule_count = 1,
            .epochs = 12,
            RECIPE_EXTRAS,
            .learning_rate = 0.002,
            .momentum = 0.9,
            .weight_decay = 0.0001,
        },
};
