/* What cuDNN would compute in one piece with a convolution, on a GPU that is only described: for
 * each pattern, type of activations and shape, whether there is an engine that is deterministic,
 * rounds no more than the type does and makes a plan within the workspace. Nothing is run.
 *
 *   survey_fusions GPU.json [PATTERN]      built by survey-fusions.sh with NVIDIA's headers */
#include <cudnn_graph.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIGS = 24, OPERATIONS = 12, DESCRIPTORS = 256, RANK = 4 };
static const int64_t most_workspace = INT64_C(512) << 20;

struct shape {
    const char *name;
    int64_t images, size, x, y, window, stride; /* channels of x and y */
};

static const struct shape shapes[] = {
    {"CIFAR 32 3x3 16-16", 64, 32, 16, 16, 3, 1},
    {"CIFAR 32 1x1 16-64", 64, 32, 16, 64, 1, 1},
    {"CIFAR 32 1x1 64-16", 64, 32, 64, 16, 1, 1},
    {"CIFAR 16 3x3 32-32", 64, 16, 32, 32, 3, 1},
    {"CIFAR 16 1x1 128-32", 64, 16, 128, 32, 1, 1},
    {"CIFAR 8 3x3 64-64", 64, 8, 64, 64, 3, 1},
    {"CIFAR 8 1x1 64-256", 64, 8, 64, 256, 1, 1},
    {"CIFAR 32 3x3/2 32-32", 64, 32, 32, 32, 3, 2},
    {"ImageNet 224 7x7/2 3-64", 256, 224, 3, 64, 7, 2},
    {"ImageNet 56 3x3 64-64", 256, 56, 64, 64, 3, 1},
    {"ImageNet 56 1x1 64-256", 256, 56, 64, 256, 1, 1},
    {"ImageNet 56 3x3/2 128-128", 256, 56, 128, 128, 3, 2},
    {"ImageNet 14 1x1 1024-256", 256, 14, 1024, 256, 1, 1},
    {"ImageNet 7 3x3 512-512", 256, 7, 512, 512, 3, 1},
};

typedef cudnnBackendDescriptor_t descriptor; /* NVIDIA's name for a pointer */

/* A graph under way. */
struct describe {
    const struct shape *shape;
    cudnnDataType_t type; /* of activations */
    descriptor made[DESCRIPTORS], operations[OPERATIONS];
    int count, operation_count;
    cudnnStatus_t failure; /* the first */
};

/* ---- describing ---- */

static void note(struct describe *d, cudnnStatus_t status)
{
    if (d->failure == CUDNN_STATUS_SUCCESS)
        d->failure = status;
}

static descriptor make(struct describe *d, cudnnBackendDescriptorType_t type)
{
    descriptor made = NULL;
    note(d, cudnnBackendCreateDescriptor(type, &made));
    d->made[d->count++] = made;
    return made;
}

static void set(struct describe *d, descriptor made, cudnnBackendAttributeName_t name,
                cudnnBackendAttributeType_t type, int64_t count, const void *values)
{
    if (d->failure == CUDNN_STATUS_SUCCESS)
        note(d, cudnnBackendSetAttribute(made, name, type, count, values));
}

static void set_descriptor(struct describe *d, descriptor made, cudnnBackendAttributeName_t name,
                           descriptor value)
{
    set(d, made, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

static void set_float_math(struct describe *d, descriptor made, cudnnBackendAttributeName_t name)
{
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    set(d, made, name, CUDNN_TYPE_DATA_TYPE, 1, &compute);
}

static void finalize(struct describe *d, descriptor made)
{
    if (d->failure == CUDNN_STATUS_SUCCESS)
        note(d, cudnnBackendFinalize(made));
}

static void add_operation(struct describe *d, descriptor operation)
{
    finalize(d, operation);
    d->operations[d->operation_count++] = operation;
}

/* Channels last; virtual: it is never in memory. */
static descriptor tensor(struct describe *d, cudnnDataType_t type, const int64_t dimensions[RANK],
                         bool is_virtual)
{
    const int64_t c = dimensions[1], h = dimensions[2], w = dimensions[3];
    const int64_t strides[RANK] = {h * w * c, 1, w * c, c}, alignment = 16, id = d->count + 1;
    descriptor made = make(d, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    set(d, made, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id);
    set(d, made, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(d, made, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    set(d, made, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, RANK, dimensions);
    set(d, made, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, RANK, strides);
    if (is_virtual)
        set(d, made, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
    finalize(d, made);
    return made;
}

static descriptor tensor_x(struct describe *d, cudnnDataType_t type, bool is_virtual)
{
    const struct shape *s = d->shape;
    return tensor(d, type, (int64_t[]){s->images, s->x, s->size, s->size}, is_virtual);
}

static descriptor tensor_y(struct describe *d, cudnnDataType_t type, bool is_virtual)
{
    const struct shape *s = d->shape;
    const int64_t size = (s->size + s->stride - 1) / s->stride;
    return tensor(d, type, (int64_t[]){s->images, s->y, size, size}, is_virtual);
}

static descriptor tensor_w(struct describe *d)
{
    const struct shape *s = d->shape;
    return tensor(d, d->type, (int64_t[]){s->y, s->x, s->window, s->window}, false);
}

static descriptor vector(struct describe *d, cudnnDataType_t type, int64_t channels)
{
    return tensor(d, type, (int64_t[]){1, channels, 1, 1}, false);
}

enum pass { FORWARD, DATA_GRADIENT, WEIGHT_GRADIENT };

/* What a pass's operation and its attributes are called. */
static const struct {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
} passes[] = {
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA},
};

static descriptor window(struct describe *d)
{
    const struct shape *s = d->shape;
    const int64_t rank = 2, ones[] = {1, 1}, strides[] = {s->stride, s->stride};
    const int64_t padding[] = {s->window / 2, s->window / 2};
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    descriptor made = make(d, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    set_float_math(d, made, CUDNN_ATTR_CONVOLUTION_COMP_TYPE);
    set(d, made, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    set(d, made, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &rank);
    set(d, made, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, ones);
    set(d, made, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, strides);
    set(d, made, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, padding);
    set(d, made, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, padding);
    finalize(d, made);
    return made;
}

static void convolution(struct describe *d, enum pass pass, descriptor x, descriptor w,
                        descriptor y)
{
    const float one = 1, zero = 0;
    descriptor made = window(d), operation = make(d, passes[pass].operation);
    set_descriptor(d, operation, passes[pass].convolution, made);
    set_descriptor(d, operation, passes[pass].x, x);
    set_descriptor(d, operation, passes[pass].w, w);
    set_descriptor(d, operation, passes[pass].y, y);
    set(d, operation, passes[pass].alpha, CUDNN_TYPE_FLOAT, 1, &one);
    set(d, operation, passes[pass].beta, CUDNN_TYPE_FLOAT, 1, &zero);
    add_operation(d, operation);
}

static descriptor pointwise_begin(struct describe *d, cudnnPointwiseMode_t mode)
{
    descriptor made = make(d, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    descriptor operation = make(d, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    set(d, made, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    set_float_math(d, made, CUDNN_ATTR_POINTWISE_MATH_PREC);
    finalize(d, made);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, made);
    return operation;
}

/* y = mode(x, b); without b where it is NULL. */
static void pointwise(struct describe *d, cudnnPointwiseMode_t mode, descriptor x, descriptor b,
                      descriptor y)
{
    descriptor operation = pointwise_begin(d, mode);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    if (b != NULL)
        set_descriptor(d, operation, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    add_operation(d, operation);
}

static void relu_gradient(struct describe *d, descriptor dy, descriptor x, descriptor dx)
{
    descriptor operation = pointwise_begin(d, CUDNN_POINTWISE_RELU_BWD);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, dy);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_POINTWISE_DXDESC, dx);
    add_operation(d, operation);
}

/* Sums and sums of squares a channel. */
static void statistics(struct describe *d, descriptor x, int64_t channels)
{
    const cudnnGenStatsMode_t mode = CUDNN_GENSTATS_SUM_SQSUM;
    descriptor operation = make(d, CUDNN_BACKEND_OPERATION_GEN_STATS_DESCRIPTOR);
    set(d, operation, CUDNN_ATTR_OPERATION_GENSTATS_MODE, CUDNN_TYPE_GENSTATS_MODE, 1, &mode);
    set_float_math(d, operation, CUDNN_ATTR_OPERATION_GENSTATS_MATH_PREC);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_GENSTATS_XDESC, x);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_GENSTATS_SUMDESC,
                   vector(d, CUDNN_DATA_FLOAT, channels));
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_GENSTATS_SQSUMDESC,
                   vector(d, CUDNN_DATA_FLOAT, channels));
    add_operation(d, operation);
}

/* The sum a channel, to be the same every time. */
static void reduce(struct describe *d, descriptor x, int64_t channels)
{
    const cudnnReduceTensorOp_t mode = CUDNN_REDUCE_TENSOR_ADD;
    const bool always = true;
    descriptor made = make(d, CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    descriptor operation = make(d, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    set(d, made, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1, &mode);
    set_float_math(d, made, CUDNN_ATTR_REDUCTION_COMP_TYPE);
    set(d, made, CUDNN_ATTR_REDUCTION_IS_DETERMINISTIC, CUDNN_TYPE_BOOLEAN, 1, &always);
    finalize(d, made);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_REDUCTION_YDESC,
                   vector(d, CUDNN_DATA_FLOAT, channels));
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_REDUCTION_DESC, made);
    add_operation(d, operation);
}

/* ---- patterns ---- */

static void convolution_statistics(struct describe *d)
{
    descriptor y = tensor_y(d, d->type, false);
    convolution(d, FORWARD, tensor_x(d, d->type, false), tensor_w(d), y);
    statistics(d, y, d->shape->y);
}

/* Sums of y - shift and of its squares. */
static void convolution_shifted(struct describe *d)
{
    const int64_t channels = d->shape->y;
    descriptor sums = tensor_y(d, CUDNN_DATA_FLOAT, true);
    descriptor shifted = tensor_y(d, CUDNN_DATA_FLOAT, true);
    descriptor square = tensor_y(d, CUDNN_DATA_FLOAT, true);
    convolution(d, FORWARD, tensor_x(d, d->type, false), tensor_w(d), sums);
    pointwise(d, CUDNN_POINTWISE_IDENTITY, sums, NULL, tensor_y(d, d->type, false));
    pointwise(d, CUDNN_POINTWISE_SUB, sums, vector(d, CUDNN_DATA_FLOAT, channels), shifted);
    reduce(d, shifted, channels);
    pointwise(d, CUDNN_POINTWISE_MUL, shifted, shifted, square);
    reduce(d, square, channels);
}

/* relu(scale x + bias), which is not stored. */
static descriptor normalized(struct describe *d)
{
    descriptor scaled = tensor_x(d, CUDNN_DATA_FLOAT, true);
    descriptor biased = tensor_x(d, CUDNN_DATA_FLOAT, true);
    descriptor activated = tensor_x(d, d->type, true);
    pointwise(d, CUDNN_POINTWISE_MUL, tensor_x(d, d->type, false), vector(d, d->type, d->shape->x),
              scaled);
    pointwise(d, CUDNN_POINTWISE_ADD, scaled, vector(d, d->type, d->shape->x), biased);
    pointwise(d, CUDNN_POINTWISE_RELU_FWD, biased, NULL, activated);
    return activated;
}

static void normalized_convolution(struct describe *d)
{
    descriptor y = tensor_y(d, d->type, false);
    convolution(d, FORWARD, normalized(d), tensor_w(d), y);
    statistics(d, y, d->shape->y);
}

static void normalized_weight_gradient(struct describe *d)
{
    convolution(d, WEIGHT_GRADIENT, normalized(d), tensor_w(d), tensor_y(d, d->type, false));
}

static void data_gradient_relu(struct describe *d)
{
    descriptor dx = tensor_x(d, CUDNN_DATA_FLOAT, true);
    convolution(d, DATA_GRADIENT, dx, tensor_w(d), tensor_y(d, d->type, false));
    relu_gradient(d, dx, tensor_x(d, d->type, false), tensor_x(d, d->type, false));
}

/* As cuDNN's documentation has it: ReLU's input is made of the normalization's again, and an
 * operation of its own makes the gradients of scale and bias. */
static void data_gradient_normalization(struct describe *d)
{
    static const cudnnBackendAttributeName_t results[] = {
        CUDNN_ATTR_OPERATION_BN_BWD_WEIGHTS_DBN_SCALE_DESC,
        CUDNN_ATTR_OPERATION_BN_BWD_WEIGHTS_DBN_BIAS_DESC,
        CUDNN_ATTR_OPERATION_BN_BWD_WEIGHTS_EQ_DY_SCALE_DESC,
        CUDNN_ATTR_OPERATION_BN_BWD_WEIGHTS_EQ_X_SCALE_DESC,
        CUDNN_ATTR_OPERATION_BN_BWD_WEIGHTS_EQ_BIAS,
    };
    const cudnnDataType_t f = CUDNN_DATA_FLOAT;
    const int64_t channels = d->shape->x;
    descriptor dx = tensor_x(d, f, true), x = tensor_x(d, d->type, false), steps[4];
    descriptor mean = vector(d, f, channels), inverse = vector(d, f, channels);
    descriptor scale = vector(d, f, channels), out = tensor_x(d, d->type, false);
    for (int i = 0; i < 4; i++)
        steps[i] = tensor_x(d, f, true);
    convolution(d, DATA_GRADIENT, dx, tensor_w(d), tensor_y(d, d->type, false));
    pointwise(d, CUDNN_POINTWISE_SUB, x, mean, steps[0]);
    pointwise(d, CUDNN_POINTWISE_MUL, steps[0], inverse, steps[1]);
    pointwise(d, CUDNN_POINTWISE_MUL, steps[1], scale, steps[2]);
    pointwise(d, CUDNN_POINTWISE_ADD, steps[2], vector(d, f, channels), steps[3]);
    relu_gradient(d, dx, steps[3], out);
    descriptor operation = make(d, CUDNN_BACKEND_OPERATION_BN_BWD_WEIGHTS_DESCRIPTOR);
    set_float_math(d, operation, CUDNN_ATTR_OPERATION_BN_BWD_WEIGHTS_MATH_PREC);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_BN_BWD_WEIGHTS_MEAN_DESC, mean);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_BN_BWD_WEIGHTS_INVSTD_DESC, inverse);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_BN_BWD_WEIGHTS_BN_SCALE_DESC, scale);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_BN_BWD_WEIGHTS_X_DESC, x);
    set_descriptor(d, operation, CUDNN_ATTR_OPERATION_BN_BWD_WEIGHTS_DY_DESC, out);
    for (int i = 0; i < 5; i++)
        set_descriptor(d, operation, results[i], vector(d, f, channels));
    add_operation(d, operation);
}

/* Sums of the gradient behind ReLU, and of it times x - mean. */
static void data_gradient_reductions(struct describe *d)
{
    const cudnnDataType_t f = CUDNN_DATA_FLOAT;
    const int64_t channels = d->shape->x;
    descriptor dx = tensor_x(d, f, true), behind = tensor_x(d, f, true);
    descriptor distance = tensor_x(d, f, true), product = tensor_x(d, f, true);
    convolution(d, DATA_GRADIENT, dx, tensor_w(d), tensor_y(d, d->type, false));
    relu_gradient(d, dx, tensor_x(d, d->type, false), behind);
    pointwise(d, CUDNN_POINTWISE_IDENTITY, behind, NULL, tensor_x(d, d->type, false));
    reduce(d, behind, channels);
    pointwise(d, CUDNN_POINTWISE_SUB, tensor_x(d, d->type, false), vector(d, f, channels),
              distance);
    pointwise(d, CUDNN_POINTWISE_MUL, distance, behind, product);
    reduce(d, product, channels);
}

static const struct {
    const char *name;
    void (*describe)(struct describe *d);
} patterns[] = {
    {"convolution, sums and squares", convolution_statistics},
    {"convolution, shifted sums and squares", convolution_shifted},
    {"scale, bias, ReLU, convolution, sums and squares", normalized_convolution},
    {"data gradient, ReLU gradient", data_gradient_relu},
    {"data gradient, ReLU and normalization gradient", data_gradient_normalization},
    {"data gradient, ReLU gradient, two sums", data_gradient_reductions},
    {"scale, bias, ReLU, weight gradient", normalized_weight_gradient},
};

/* ---- asking ---- */

static bool notes_fit(descriptor config, cudnnDataType_t type)
{
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    descriptor engine = NULL;
    int64_t count = 0, one;
    bool fit = true;
    cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine);
    cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                             &one, &engine);
    cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                             CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, notes);
    cudnnBackendDestroyDescriptor(engine);
    for (int64_t i = 0; i < count; i++)
        fit &= notes[i] != CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC &&
               notes[i] != CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION &&
               (notes[i] != CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS || type != CUDNN_DATA_FLOAT);
    return fit;
}

static bool plan_fits(descriptor config, descriptor gpu)
{
    descriptor plan = NULL;
    int64_t one, bytes = 0;
    cudnnBackendCreateDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan);
    cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP,
                             CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &gpu);
    cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
                             CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &config);
    bool fits =
        cudnnBackendFinalize(plan) == CUDNN_STATUS_SUCCESS &&
        cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                                 1, &one, &bytes) == CUDNN_STATUS_SUCCESS &&
        bytes <= most_workspace;
    cudnnBackendDestroyDescriptor(plan);
    return fits;
}

static bool heuristics_find(struct describe d, descriptor graph, cudnnBackendHeurMode_t mode,
                            descriptor gpu)
{
    descriptor asked = make(&d, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR), configs[CONFIGS];
    int64_t count = 0;
    set_descriptor(&d, asked, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    set(&d, asked, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    set_descriptor(&d, asked, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, gpu);
    finalize(&d, asked);
    for (int i = 0; i < CONFIGS; i++)
        configs[i] = make(&d, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    if (d.failure == CUDNN_STATUS_SUCCESS)
        note(&d, cudnnBackendGetAttribute(asked, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                          CUDNN_TYPE_BACKEND_DESCRIPTOR, CONFIGS, &count, configs));
    for (int64_t i = 0; d.failure == CUDNN_STATUS_SUCCESS && i < count && i < CONFIGS; i++)
        if (notes_fit(configs[i], d.type) && plan_fits(configs[i], gpu))
            return true;
    return false;
}

static bool is_taken(int pattern, const struct shape *shape, cudnnDataType_t type, descriptor gpu)
{
    struct describe d = {.shape = shape, .type = type};
    patterns[pattern].describe(&d);
    descriptor graph = make(&d, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    set(&d, graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, d.operation_count,
        d.operations);
    finalize(&d, graph);
    return d.failure == CUDNN_STATUS_SUCCESS &&
           (heuristics_find(d, graph, CUDNN_HEUR_MODE_A, gpu) ||
            heuristics_find(d, graph, CUDNN_HEUR_MODE_FALLBACK, gpu));
}

static descriptor gpu_read(const char *path)
{
    static char json[1 << 16];
    descriptor gpu = NULL;
    FILE *stream = fopen(path, "r");
    if (stream == NULL)
        return NULL;
    const size_t length = fread(json, 1, sizeof json - 1, stream);
    fclose(stream);
    cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &gpu);
    cudnnBackendSetAttribute(gpu, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                             (int64_t)length, json);
    return cudnnBackendFinalize(gpu) == CUDNN_STATUS_SUCCESS ? gpu : NULL;
}

int main(int argc, char **argv)
{
    static const cudnnDataType_t types[] = {CUDNN_DATA_FLOAT, CUDNN_DATA_BFLOAT16, CUDNN_DATA_HALF};
    static const char *const names[] = {"float32", "bfloat16", "float16"};
    enum { PATTERNS = sizeof patterns / sizeof *patterns, SHAPES = sizeof shapes / sizeof *shapes };
    descriptor gpu = argc > 1 ? gpu_read(argv[1]) : NULL;
    if (gpu == NULL) {
        fprintf(stderr, "cuDNN %zu takes no such description of a GPU\n", cudnnGetVersion());
        return 1;
    }
    printf("cuDNN %zu\n", cudnnGetVersion());
    for (int p = 0; p < PATTERNS; p++)
        for (int t = 0; t < 3 && (argc < 3 || atoi(argv[2]) == p); t++) {
            int taken = 0;
            printf("%s, %s:", patterns[p].name, names[t]);
            for (int i = 0; i < SHAPES; i++) {
                const bool found = is_taken(p, &shapes[i], types[t], gpu);
                taken += found;
                if (!found)
                    printf(" not %s;", shapes[i].name);
            }
            printf(" %d of %d\n", taken, SHAPES);
            fflush(stdout);
        }
    return 0;
}
