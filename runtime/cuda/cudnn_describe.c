/* Descriptors of tensors, convolutions, operations at a point and sums. See cudnn_describe.h. */
#include "runtime/cuda/cudnn_describe.h"

enum {
    RANK = RNET_GRID_RANK + 2, /* images, channels, grid */
    ALIGNMENT = 16,            /* bytes; all our tensors have more */
    OPERATIONS = 1 + RNET_CUDA_CHAIN_OPERATIONS + RNET_CUDA_CHAIN_RESULTS,
};

/* ---- descriptors ---- */

void describe_note(struct cudnn_describe *describe, unsigned int result)
{
    if (describe->failure == CUDNN_OK)
        describe->failure = result;
}

void *describe_make(struct cudnn_describe *describe, unsigned int type)
{
    struct cudnn_plans *plans = describe->plans;
    void *made = NULL;
    if (plans->descriptor_count == CUDNN_DESCRIPTORS) {
        describe_note(describe, DRIVER_OUT_OF_MEMORY);
        return NULL;
    }
    unsigned int result = describe->cudnn->descriptor_create(type, &made);
    describe_note(describe, result);
    if (result == CUDNN_OK)
        plans->descriptors[plans->descriptor_count++] = made;
    return made;
}

void describe_set(struct cudnn_describe *describe, void *made, unsigned int attribute,
                  unsigned int type, int64_t count, const void *values)
{
    if (describe->failure == CUDNN_OK)
        describe_note(describe, describe->cudnn->set(made, attribute, type, count, values));
}

void describe_set_one(struct cudnn_describe *describe, void *made, unsigned int attribute,
                      unsigned int type, int64_t value)
{
    int narrow = (int)value; /* an enumeration */
    describe_set(describe, made, attribute, type, 1,
                 type == TYPE_INT64 ? (const void *)&value : (const void *)&narrow);
}

static void set_yes(struct cudnn_describe *describe, void *made, unsigned int attribute)
{
    const _Bool yes = 1;
    describe_set(describe, made, attribute, TYPE_BOOLEAN, 1, &yes);
}

void describe_set_descriptor(struct cudnn_describe *describe, void *made, unsigned int attribute,
                             void *value)
{
    describe_set(describe, made, attribute, TYPE_DESCRIPTOR, 1, &value);
}

void describe_set_gpu(struct cudnn_describe *describe, void *made, unsigned int handle,
                      unsigned int gpu)
{
    const struct cudnn *cudnn = describe->cudnn;
    if (cudnn->described_gpu == NULL && handle != 0)
        describe_set(describe, made, handle, TYPE_HANDLE, 1, &cudnn->handle);
    if (cudnn->described_gpu != NULL && gpu != 0)
        describe_set_descriptor(describe, made, gpu, cudnn->described_gpu);
}

void describe_finalize(struct cudnn_describe *describe, void *made)
{
    if (describe->failure == CUDNN_OK)
        describe_note(describe, describe->cudnn->finalize(made));
}

/* ---- tensors ---- */

/* Of grids with one depth two axes are named: cuDNN knows more engines for them. */
static int spatial_rank(const struct rnet_cuda_convolution *facts)
{
    bool is_flat = facts->x_grid[0] == 1 && facts->y_grid[0] == 1 && facts->window[0] == 1 &&
                   facts->padding[0] == 0;
    return is_flat ? RNET_GRID_RANK - 1 : RNET_GRID_RANK;
}

/* What a tensor is, of dimensions [images, or outputs][channels][grid], the channels innermost in
 * memory with the distance `stride` from point to point. */
struct tensor {
    int id, data_type;
    int64_t outer, channels, stride;
    int32_t grid[RNET_GRID_RANK];
    bool is_virtual; /* it lies nowhere */
};

static void *tensor(struct cudnn_describe *describe, const struct tensor *tensor)
{
    int64_t dimensions[RANK] = {tensor->outer, tensor->channels}, strides[RANK] = {0, 1};
    int rank = spatial_rank(describe->convolution) + 2;
    int64_t step = tensor->stride;
    for (int axis = rank - 1; axis >= 2; axis--) {
        dimensions[axis] = tensor->grid[RNET_GRID_RANK - rank + axis];
        strides[axis] = step;
        step *= dimensions[axis];
    }
    strides[0] = step;
    void *made = describe_make(describe, DESCRIPTOR_TENSOR);
    int id = tensor->is_virtual ? CUDNN_ID_VIRTUAL + describe->plans->descriptor_count : tensor->id;
    describe_set_one(describe, made, TENSOR_ID, TYPE_INT64, id);
    describe_set_one(describe, made, TENSOR_DATA_TYPE, TYPE_DATA_TYPE, tensor->data_type);
    describe_set_one(describe, made, TENSOR_ALIGNMENT, TYPE_INT64, ALIGNMENT);
    describe_set(describe, made, TENSOR_DIMENSIONS, TYPE_INT64, rank, dimensions);
    describe_set(describe, made, TENSOR_STRIDES, TYPE_INT64, rank, strides);
    if (tensor->is_virtual)
        set_yes(describe, made, TENSOR_IS_VIRTUAL);
    describe_finalize(describe, made);
    return made;
}

static int activation_type(bool is_bfloat16)
{
    return is_bfloat16 ? DATA_BFLOAT16 : DATA_FLOAT;
}

static struct tensor activation(const struct cudnn_describe *describe, int id,
                                const int32_t grid[RNET_GRID_RANK], int32_t channels)
{
    struct tensor tensor = {
        .id = id,
        .data_type = activation_type(describe->convolution->is_bfloat16),
        .outer = describe->plans->images,
        .channels = channels,
        .stride = channel_stride(channels),
    };
    for (int axis = 0; axis < RNET_GRID_RANK; axis++)
        tensor.grid[axis] = grid[axis];
    return tensor;
}

static struct tensor tensor_x(const struct cudnn_describe *describe)
{
    const struct rnet_cuda_convolution *facts = describe->convolution;
    return activation(describe, CUDNN_ID_X, facts->x_grid, facts->x_channels);
}

static struct tensor tensor_y(const struct cudnn_describe *describe)
{
    const struct rnet_cuda_convolution *facts = describe->convolution;
    return activation(describe, CUDNN_ID_Y, facts->y_grid, facts->y_channels);
}

/* In bf16 a filter's gradient too: cuDNN knows no engine that leaves it in float32. */
static struct tensor tensor_w(const struct cudnn_describe *describe)
{
    const struct rnet_cuda_convolution *facts = describe->convolution;
    const int32_t inputs = facts->x_channels / (int32_t)facts->groups;
    struct tensor w = activation(describe, CUDNN_ID_W, facts->window, inputs);
    w.outer = facts->y_channels;
    w.stride = inputs;
    return w;
}

/* ---- the convolution ---- */

static void set_axes(struct cudnn_describe *describe, void *made, unsigned int attribute,
                     const int32_t *axes)
{
    int64_t values[RNET_GRID_RANK];
    int rank = spatial_rank(describe->convolution);
    for (int axis = 0; axis < rank; axis++)
        values[axis] = axes[RNET_GRID_RANK - rank + axis];
    describe_set(describe, made, attribute, TYPE_INT64, rank, values);
}

static void *window(struct cudnn_describe *describe)
{
    const struct rnet_cuda_convolution *facts = describe->convolution;
    void *made = describe_make(describe, DESCRIPTOR_CONVOLUTION);
    describe_set_one(describe, made, CONVOLUTION_COMPUTE_TYPE, TYPE_DATA_TYPE, DATA_FLOAT);
    describe_set_one(describe, made, CONVOLUTION_MODE, TYPE_CONVOLUTION_MODE,
                     MODE_CROSS_CORRELATION);
    describe_set_one(describe, made, CONVOLUTION_SPATIAL_RANK, TYPE_INT64, spatial_rank(facts));
    set_axes(describe, made, CONVOLUTION_DILATIONS, facts->dilation);
    set_axes(describe, made, CONVOLUTION_STRIDES, facts->stride);
    set_axes(describe, made, CONVOLUTION_PRE_PADDINGS, facts->padding);
    set_axes(describe, made, CONVOLUTION_POST_PADDINGS, facts->padding);
    describe_finalize(describe, made);
    return made;
}

/* How a pass names what an operation has. */
struct pass_names {
    unsigned int descriptor, alpha, beta, convolution, x, w, y;
};

static const struct pass_names passes[] = {
    [RNET_CUDA_FORWARD] = {DESCRIPTOR_FORWARD, FORWARD_ALPHA, FORWARD_BETA, FORWARD_CONVOLUTION,
                           FORWARD_X, FORWARD_W, FORWARD_Y},
    [RNET_CUDA_DATA_GRADIENT] = {DESCRIPTOR_DATA_GRADIENT, DATA_GRADIENT_ALPHA, DATA_GRADIENT_BETA,
                                 DATA_GRADIENT_CONVOLUTION, DATA_GRADIENT_DX, DATA_GRADIENT_W,
                                 DATA_GRADIENT_DY},
    [RNET_CUDA_WEIGHT_GRADIENT] = {DESCRIPTOR_FILTER_GRADIENT, FILTER_GRADIENT_ALPHA,
                                   FILTER_GRADIENT_BETA, FILTER_GRADIENT_CONVOLUTION,
                                   FILTER_GRADIENT_X, FILTER_GRADIENT_DW, FILTER_GRADIENT_DY},
};

/* Describes the pass; `x`, `w` and `y` are its tensors. */
static void *pass(struct cudnn_describe *describe, void *x, void *w, void *y)
{
    const struct pass_names *names = &passes[describe->convolution->pass];
    const float one = 1, zero = 0;
    void *made = window(describe), *result = describe_make(describe, names->descriptor);
    describe_set_descriptor(describe, result, names->convolution, made);
    describe_set_descriptor(describe, result, names->x, x);
    describe_set_descriptor(describe, result, names->w, w);
    describe_set_descriptor(describe, result, names->y, y);
    describe_set(describe, result, names->alpha, TYPE_FLOAT, 1, &one);
    describe_set(describe, result, names->beta, TYPE_FLOAT, 1, &zero);
    describe_finalize(describe, result);
    return result;
}

/* ---- chains ---- */

/* A chain's values as tensors, and the operations so far. */
struct chain_graph {
    struct cudnn_describe *describe;
    const struct rnet_cuda_chain *chain;
    struct tensor result; /* as the convolution's lies in memory */
    void *values[RNET_CUDA_CHAIN_OPERATION + RNET_CUDA_CHAIN_OPERATIONS];
    void *operations[OPERATIONS];
    int operation_count;
};

static void add(struct chain_graph *graph, void *operation)
{
    describe_finalize(graph->describe, operation);
    graph->operations[graph->operation_count++] = operation;
}

/* A tensor on the grid of the chain that lies nowhere: in single precision. */
static void *virtual_tensor(struct chain_graph *graph)
{
    struct tensor made = graph->result;
    made.data_type = DATA_FLOAT;
    made.is_virtual = true;
    return tensor(graph->describe, &made);
}

static void *operand(struct chain_graph *graph, const struct rnet_cuda_operand *operand, int id)
{
    struct tensor made = graph->result;
    made.id = id;
    made.data_type = activation_type(operand->is_bfloat16);
    if (operand->kind != RNET_CUDA_TENSOR) {
        made.outer = 1;
        for (int axis = 0; axis < RNET_GRID_RANK; axis++)
            made.grid[axis] = 1;
    }
    return tensor(graph->describe, &made);
}

/* An operation at a point, its operands still to be set. */
static void *point_begin(struct chain_graph *graph, unsigned int mode)
{
    struct cudnn_describe *describe = graph->describe;
    void *made = describe_make(describe, DESCRIPTOR_POINT);
    void *operation = describe_make(describe, DESCRIPTOR_POINT_OPERATION);
    describe_set_one(describe, made, POINT_MODE, TYPE_POINT_MODE, mode);
    describe_set_one(describe, made, POINT_COMPUTE_TYPE, TYPE_DATA_TYPE, DATA_FLOAT);
    describe_finalize(describe, made);
    describe_set_descriptor(describe, operation, POINT_OPERATION_POINT, made);
    return operation;
}

/* to = mode(a, b); b NULL: of one operand. */
static void point(struct chain_graph *graph, unsigned int mode, void *a, void *b, void *to)
{
    struct cudnn_describe *describe = graph->describe;
    void *operation = point_begin(graph, mode);
    describe_set_descriptor(describe, operation, POINT_OPERATION_X, a);
    if (b != NULL)
        describe_set_descriptor(describe, operation, POINT_OPERATION_B, b);
    describe_set_descriptor(describe, operation, POINT_OPERATION_Y, to);
    add(graph, operation);
}

/* to = a > 0 ? b : 0, which is ReLU's gradient. */
static void if_positive(struct chain_graph *graph, void *a, void *b, void *to)
{
    struct cudnn_describe *describe = graph->describe;
    void *operation = point_begin(graph, MODE_RELU_GRADIENT);
    describe_set_descriptor(describe, operation, POINT_OPERATION_DY, b);
    describe_set_descriptor(describe, operation, POINT_OPERATION_X, a);
    describe_set_descriptor(describe, operation, POINT_OPERATION_DX, to);
    add(graph, operation);
}

static void chain_operation(struct chain_graph *graph, const struct rnet_cuda_operation *operation,
                            void *to)
{
    static const unsigned int modes[] = {
        [RNET_CUDA_POINT_ADD] = MODE_ADD,
        [RNET_CUDA_POINT_SUBTRACT] = MODE_SUBTRACT,
        [RNET_CUDA_POINT_MULTIPLY] = MODE_MULTIPLY,
        [RNET_CUDA_POINT_RELU] = MODE_RELU,
    };
    void *a = graph->values[operation->a], *b = graph->values[operation->b];
    if (operation->kind == RNET_CUDA_POINT_IF_POSITIVE)
        if_positive(graph, a, b, to);
    else
        point(graph, modes[operation->kind], a, operation->kind == RNET_CUDA_POINT_RELU ? NULL : b,
              to);
}

/* Sums a channel, the same every time. */
static void sum(struct chain_graph *graph, void *value, void *to)
{
    struct cudnn_describe *describe = graph->describe;
    void *made = describe_make(describe, DESCRIPTOR_REDUCTION);
    void *operation = describe_make(describe, DESCRIPTOR_REDUCTION_OPERATION);
    describe_set_one(describe, made, REDUCTION_OPERATOR, TYPE_REDUCTION_OPERATOR, REDUCTION_ADD);
    describe_set_one(describe, made, REDUCTION_COMPUTE_TYPE, TYPE_DATA_TYPE, DATA_FLOAT);
    set_yes(describe, made, REDUCTION_IS_DETERMINISTIC);
    describe_finalize(describe, made);
    describe_set_descriptor(describe, operation, REDUCTION_OPERATION_X, value);
    describe_set_descriptor(describe, operation, REDUCTION_OPERATION_Y, to);
    describe_set_descriptor(describe, operation, REDUCTION_OPERATION_REDUCTION, made);
    add(graph, operation);
}

/* How often a chain's operations and results use a value. */
static int uses(const struct rnet_cuda_chain *chain, uint32_t value)
{
    int count = 0;
    for (uint32_t i = 0; i < chain->operation_count; i++) {
        const struct rnet_cuda_operation *operation = &chain->operations[i];
        count += operation->a == value;
        count += operation->b == value && operation->kind != RNET_CUDA_POINT_RELU;
    }
    for (uint32_t i = 0; i < chain->result_count; i++)
        count += chain->values[i] == value;
    return count;
}

/* Where an operation leaves its value: in the result that alone uses it, or nowhere. */
static void *operation_target(struct chain_graph *graph, uint32_t value, bool *is_stored)
{
    const struct rnet_cuda_chain *chain = graph->chain;
    for (uint32_t i = 0; i < chain->result_count; i++)
        if (chain->values[i] == value && chain->results[i].kind == RNET_CUDA_TENSOR &&
            uses(chain, value) == 1) {
            is_stored[i] = true;
            return operand(graph, &chain->results[i], CUDNN_ID_RESULT + (int)i);
        }
    return virtual_tensor(graph);
}

static void chain_operations(struct chain_graph *graph)
{
    const struct rnet_cuda_chain *chain = graph->chain;
    bool is_stored[RNET_CUDA_CHAIN_RESULTS] = {false};
    for (uint32_t i = 0; i < chain->input_count; i++)
        graph->values[RNET_CUDA_CHAIN_INPUT + i] =
            operand(graph, &chain->inputs[i], CUDNN_ID_INPUT + (int)i);
    for (uint32_t i = 0; i < chain->operation_count; i++) {
        const uint32_t value = RNET_CUDA_CHAIN_OPERATION + i;
        graph->values[value] = operation_target(graph, value, is_stored);
        chain_operation(graph, &chain->operations[i], graph->values[value]);
    }
    for (uint32_t i = 0; i < chain->result_count; i++) {
        if (is_stored[i])
            continue;
        void *to = operand(graph, &chain->results[i], CUDNN_ID_RESULT + (int)i);
        void *value = graph->values[chain->values[i]];
        if (chain->results[i].kind == RNET_CUDA_SUMS)
            sum(graph, value, to);
        else
            point(graph, MODE_IDENTITY, value, NULL, to);
    }
}

/* ---- the graph ---- */

void *describe_graph(struct cudnn_describe *describe)
{
    const bool is_backward = describe->convolution->pass == RNET_CUDA_DATA_GRADIENT;
    struct chain_graph graph = {.describe = describe, .chain = describe->chain};
    struct tensor sides[] = {tensor_x(describe), tensor_w(describe), tensor_y(describe)};
    if (graph.chain != NULL) {
        struct tensor *result = &sides[is_backward ? 0 : 2];
        graph.result = *result;
        result->data_type = DATA_FLOAT;
        result->is_virtual = true;
    }
    void *x = tensor(describe, &sides[0]), *w = tensor(describe, &sides[1]);
    void *y = tensor(describe, &sides[2]);
    graph.operations[graph.operation_count++] = pass(describe, x, w, y);
    graph.values[0] = is_backward ? x : y;
    if (graph.chain != NULL)
        chain_operations(&graph);
    void *made = describe_make(describe, DESCRIPTOR_GRAPH);
    describe_set_gpu(describe, made, GRAPH_HANDLE, 0);
    describe_set(describe, made, GRAPH_OPERATIONS, TYPE_DESCRIPTOR, graph.operation_count,
                 graph.operations);
    describe_finalize(describe, made);
    return made;
}
