/* An imitation of cuDNN's graph API, for convolutions in plain loops on the streams of the imitated
 * driver (fake_driver.c), and for what is done to their results at each point and sums of that. It
 * is strict: attributes have their types and counts, descriptors are finalized before they are
 * used, filters are dense [outputs][window][inputs], shapes agree, nothing is used before it is
 * computed.
 *
 * Its heuristics propose engines 0 to 5: one that is not deterministic, one that rounds its inputs,
 * one on tensor cores, two plain ones, and one that wants 64 GiB.
 *
 *   FAKE_CUDNN_VERSION=V     (91300)
 *   FAKE_CUDNN_REFUSE=PASS   supports no convolution of that pass (0 forward, 1 data, 2 filter) or
 *                            none at all (all)
 *   FAKE_CUDNN_ONE=1         the engine on tensor cores alone is proposed
 *   FAKE_CUDNN_REFUSE_CHAINS=1  supports convolutions alone
 *   FAKE_CUDNN_WRONG=SUMS    sums of chains are too large; TENSORS: tensors are; STORES: none is
 * stored FAKE_CUDNN_FAILS=1       chains are supported, and fail when they run FAKE_CUDNN_NOTHING=1
 * computes nothing, quickly FAKE_CUDNN_REPORT=FILE   how often each engine ran, chains among them,
 * and descriptors that are left
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bfloat16.h"
#include "runtime/cuda/cudnn_api.h"
#include "tests/cuda/fake_code.h"

enum {
    ATTRIBUTES = 16,
    VALUE_BYTES = 256,
    BAD_PARAM = 2000,
    NOT_SUPPORTED = 3000,
    ENGINES = 6,
    RANK_MOST = 5,
    NOT_DETERMINISTIC = 0,
    ROUNDS_INPUTS = 1,
    TENSOR_CORES = 2,
    GREEDY = 5,
    POINT_OPERATIONS = 24,
    VALUES = 40,
};

struct attribute {
    unsigned int name, type;
    int64_t count;
    char value[VALUE_BYTES];
};

struct descriptor {
    unsigned int type;
    bool is_final;
    int engine; /* of a configuration, an engine, a plan */
    struct attribute attributes[ATTRIBUTES];
    int attribute_count;
};

struct cudnnContext {
    struct CUstream_st *stream;
};

static struct {
    long descriptors, handles, runs[ENGINES], chains;
} fake;

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "imitated cuDNN: %s: %s does not hold\n", __func__, #condition);       \
            return BAD_PARAM;                                                                      \
        }                                                                                          \
    } while (0)

/* ---- attributes ---- */

static const struct attribute *attribute_find(const struct descriptor *descriptor,
                                              unsigned int name)
{
    for (int i = 0; i < descriptor->attribute_count; i++)
        if (descriptor->attributes[i].name == name)
            return &descriptor->attributes[i];
    return NULL;
}

static struct descriptor *descriptor_at(const struct descriptor *descriptor, unsigned int name)
{
    const struct attribute *attribute = attribute_find(descriptor, name);
    struct descriptor *value = NULL;
    if (attribute != NULL && attribute->type == TYPE_DESCRIPTOR && attribute->count == 1)
        memcpy(&value, attribute->value, sizeof value);
    return value != NULL && value->is_final ? value : NULL;
}

static int64_t integer_at(const struct descriptor *descriptor, unsigned int name, int at)
{
    const struct attribute *attribute = attribute_find(descriptor, name);
    int64_t value = INT64_MIN;
    if (attribute != NULL && attribute->type == TYPE_INT64 && at < attribute->count)
        memcpy(&value, attribute->value + at * (int)sizeof value, sizeof value);
    return value;
}

static int count_of(const struct descriptor *descriptor, unsigned int name)
{
    const struct attribute *attribute = attribute_find(descriptor, name);
    return attribute != NULL ? (int)attribute->count : -1;
}

static size_t type_bytes(unsigned int type)
{
    switch (type) {
    case TYPE_INT64:
    case TYPE_HANDLE:
    case TYPE_POINTER:
    case TYPE_DESCRIPTOR:
        return 8;
    case TYPE_BOOLEAN:
        return 1;
    case TYPE_POINT_MODE:
    case TYPE_REDUCTION_OPERATOR:
    case TYPE_DATA_TYPE:
    case TYPE_FLOAT:
    case TYPE_CONVOLUTION_MODE:
    case TYPE_HEURISTICS_MODE:
        return 4;
    default:
        return 0;
    }
}

/* ---- what a convolution is ---- */

/* A tensor beside the convolution's operands: on the grid of its result, or one value a channel. */
struct value {
    int64_t id;
    float *lies; /* in memory, if the tensor does */
    bool is_virtual, is_vector, is_bfloat16, is_made;
};

/* to = mode(a, b), or the sums of a; values by number, 0 being the convolution's result. */
struct point_operation {
    int mode, a, b, to;
    bool is_sum;
};

/* By the numbers of the forward pass; everything in elements. */
struct task {
    int pass; /* 0 forward, 1 data gradient, 2 filter gradient */
    int spatial_rank;
    bool is_bfloat16; /* else float */
    int64_t x[RANK_MOST], x_strides[RANK_MOST], y[RANK_MOST], y_strides[RANK_MOST];
    int64_t w[RANK_MOST], stride[3], padding[3], dilation[3];
    const void *pointers[3]; /* x, w, y; those of results are written */
    struct value values[VALUES];
    struct point_operation operations[POINT_OPERATIONS];
    int value_count, operation_count; /* no operations: the convolution alone */
};

static void integers_take(const struct descriptor *from, unsigned int name, int count, int64_t *out)
{
    for (int i = 0; i < count; i++)
        out[i] = integer_at(from, name, i);
}

static bool filter_is_dense(const struct descriptor *w, int rank)
{
    int64_t step = integer_at(w, TENSOR_DIMENSIONS, 1);
    bool dense = integer_at(w, TENSOR_STRIDES, 1) == 1;
    for (int axis = rank - 1; axis >= 2; axis--) {
        dense = dense && integer_at(w, TENSOR_STRIDES, axis) == step;
        step *= integer_at(w, TENSOR_DIMENSIONS, axis);
    }
    return dense && integer_at(w, TENSOR_STRIDES, 0) == step;
}

static const unsigned int names[3][5] = {
    /* convolution, x, w, y, alpha */
    {FORWARD_CONVOLUTION, FORWARD_X, FORWARD_W, FORWARD_Y, FORWARD_ALPHA},
    {DATA_GRADIENT_CONVOLUTION, DATA_GRADIENT_DX, DATA_GRADIENT_W, DATA_GRADIENT_DY,
     DATA_GRADIENT_ALPHA},
    {FILTER_GRADIENT_CONVOLUTION, FILTER_GRADIENT_X, FILTER_GRADIENT_DW, FILTER_GRADIENT_DY,
     FILTER_GRADIENT_ALPHA},
};

static unsigned int task_check(const struct task *task)
{
    int rank = task->spatial_rank + 2;
    REQUIRE(task->x[0] == task->y[0] && task->w[0] == task->y[1]);
    REQUIRE(task->x[1] % task->w[1] == 0 && task->y[1] % (task->x[1] / task->w[1]) == 0);
    REQUIRE(task->x_strides[1] == 1 && task->y_strides[1] == 1);
    for (int axis = 2; axis < rank; axis++) {
        int s = axis - 2;
        int64_t reach = task->dilation[s] * (task->w[axis] - 1) + 1;
        REQUIRE(task->y[axis] ==
                (task->x[axis] + 2 * task->padding[s] - reach) / task->stride[s] + 1);
    }
    return CUDNN_OK;
}

static int type_at(const struct descriptor *tensor)
{
    int type;
    memcpy(&type, attribute_find(tensor, TENSOR_DATA_TYPE)->value, sizeof type);
    return type;
}

static bool is_virtual(const struct descriptor *tensor)
{
    return attribute_find(tensor, TENSOR_IS_VIRTUAL) != NULL;
}

static unsigned int operation_read(const struct descriptor *operation, struct task *task)
{
    task->pass = operation->type == DESCRIPTOR_FORWARD         ? 0
                 : operation->type == DESCRIPTOR_DATA_GRADIENT ? 1
                                                               : 2;
    const unsigned int *name = names[task->pass];
    const struct descriptor *convolution = descriptor_at(operation, name[0]);
    const struct descriptor *x = descriptor_at(operation, name[1]);
    const struct descriptor *w = descriptor_at(operation, name[2]);
    const struct descriptor *y = descriptor_at(operation, name[3]);
    REQUIRE(convolution != NULL && x != NULL && w != NULL && y != NULL);
    REQUIRE(integer_at(x, TENSOR_ID, 0) != integer_at(w, TENSOR_ID, 0) &&
            integer_at(w, TENSOR_ID, 0) != integer_at(y, TENSOR_ID, 0));
    REQUIRE(attribute_find(operation, name[4]) != NULL &&
            attribute_find(operation, name[4] + 1) != NULL);
    const struct descriptor *result = task->pass == 0 ? y : task->pass == 1 ? x : w;
    const struct descriptor *operand = task->pass == 1 ? y : x;
    task->spatial_rank = (int)integer_at(convolution, CONVOLUTION_SPATIAL_RANK, 0);
    task->is_bfloat16 = type_at(operand) == DATA_BFLOAT16;
    REQUIRE(!is_virtual(operand) && !is_virtual(w));
    REQUIRE(type_at(task->pass == 2 ? y : w) == type_at(operand));
    REQUIRE(type_at(result) == (is_virtual(result) ? DATA_FLOAT : type_at(operand)));
    task->values[0] = (struct value){.id = integer_at(result, TENSOR_ID, 0),
                                     .is_virtual = is_virtual(result),
                                     .is_bfloat16 = type_at(result) == DATA_BFLOAT16,
                                     .is_made = true};
    task->value_count = 1;
    int rank = task->spatial_rank + 2;
    REQUIRE(rank == 4 || rank == 5);
    REQUIRE(count_of(x, TENSOR_DIMENSIONS) == rank && count_of(y, TENSOR_STRIDES) == rank);
    REQUIRE(count_of(convolution, CONVOLUTION_PRE_PADDINGS) == task->spatial_rank &&
            count_of(convolution, CONVOLUTION_POST_PADDINGS) == task->spatial_rank);
    integers_take(x, TENSOR_DIMENSIONS, rank, task->x);
    integers_take(x, TENSOR_STRIDES, rank, task->x_strides);
    integers_take(y, TENSOR_DIMENSIONS, rank, task->y);
    integers_take(y, TENSOR_STRIDES, rank, task->y_strides);
    integers_take(w, TENSOR_DIMENSIONS, rank, task->w);
    integers_take(convolution, CONVOLUTION_STRIDES, task->spatial_rank, task->stride);
    integers_take(convolution, CONVOLUTION_DILATIONS, task->spatial_rank, task->dilation);
    integers_take(convolution, CONVOLUTION_PRE_PADDINGS, task->spatial_rank, task->padding);
    REQUIRE(filter_is_dense(w, rank));
    return task_check(task);
}

/* ---- what is done to its result ---- */

/* The number of a tensor among the task's values, added if it is new; -1: it suits no chain. */
static int value_find(struct task *task, const struct descriptor *tensor)
{
    const int rank = task->spatial_rank + 2;
    const int64_t *extents = task->pass == 0 ? task->y : task->x,
                  one[RANK_MOST] = {1, extents[1], 1, 1, 1};
    bool is_grid = true, is_vector = true;
    if (tensor == NULL || count_of(tensor, TENSOR_DIMENSIONS) != rank ||
        integer_at(tensor, TENSOR_STRIDES, 1) != 1)
        return -1;
    for (int i = 0; i < task->value_count; i++)
        if (task->values[i].id == integer_at(tensor, TENSOR_ID, 0))
            return i;
    const int64_t *strides = task->pass == 0 ? task->y_strides : task->x_strides;
    for (int axis = 0; axis < rank; axis++) {
        is_grid = is_grid && integer_at(tensor, TENSOR_DIMENSIONS, axis) == extents[axis] &&
                  integer_at(tensor, TENSOR_STRIDES, axis) == strides[axis];
        is_vector = is_vector && integer_at(tensor, TENSOR_DIMENSIONS, axis) == one[axis];
    }
    if ((!is_grid && !is_vector) || task->value_count == VALUES)
        return -1;
    task->values[task->value_count] =
        (struct value){.id = integer_at(tensor, TENSOR_ID, 0),
                       .is_virtual = is_virtual(tensor),
                       .is_vector = !is_grid,
                       .is_bfloat16 = type_at(tensor) == DATA_BFLOAT16,
                       .is_made = false};
    return task->value_count++;
}

static int enumeration_at(const struct descriptor *descriptor, unsigned int name, unsigned int type)
{
    const struct attribute *attribute = attribute_find(descriptor, name);
    int value = -1;
    if (attribute != NULL && attribute->type == type && attribute->count == 1)
        memcpy(&value, attribute->value, sizeof value);
    return value;
}

static unsigned int sum_read(const struct descriptor *operation, struct task *task,
                             struct point_operation *out)
{
    const struct descriptor *reduction = descriptor_at(operation, REDUCTION_OPERATION_REDUCTION);
    REQUIRE(reduction != NULL && attribute_find(reduction, REDUCTION_IS_DETERMINISTIC) != NULL);
    REQUIRE(enumeration_at(reduction, REDUCTION_OPERATOR, TYPE_REDUCTION_OPERATOR) ==
            REDUCTION_ADD);
    REQUIRE(enumeration_at(reduction, REDUCTION_COMPUTE_TYPE, TYPE_DATA_TYPE) == DATA_FLOAT);
    out->is_sum = true;
    out->a = value_find(task, descriptor_at(operation, REDUCTION_OPERATION_X));
    out->to = value_find(task, descriptor_at(operation, REDUCTION_OPERATION_Y));
    REQUIRE(out->a >= 0 && out->to >= 0);
    const struct value *to = &task->values[out->to];
    REQUIRE(to->is_vector && !to->is_virtual && !to->is_bfloat16);
    return CUDNN_OK;
}

static unsigned int point_read(const struct descriptor *operation, struct task *task,
                               struct point_operation *out)
{
    const struct descriptor *point = descriptor_at(operation, POINT_OPERATION_POINT);
    REQUIRE(point != NULL);
    REQUIRE(enumeration_at(point, POINT_COMPUTE_TYPE, TYPE_DATA_TYPE) == DATA_FLOAT);
    out->mode = enumeration_at(point, POINT_MODE, TYPE_POINT_MODE);
    const bool is_gradient = out->mode == MODE_RELU_GRADIENT;
    const bool is_unary = out->mode == MODE_IDENTITY || out->mode == MODE_RELU;
    out->a = value_find(task, descriptor_at(operation, POINT_OPERATION_X));
    out->b = is_unary ? 0
                      : value_find(task, descriptor_at(operation, is_gradient ? POINT_OPERATION_DY
                                                                              : POINT_OPERATION_B));
    out->to = value_find(
        task, descriptor_at(operation, is_gradient ? POINT_OPERATION_DX : POINT_OPERATION_Y));
    REQUIRE(out->a >= 0 && out->b >= 0 && out->to >= 0 && !task->values[out->to].is_vector);
    REQUIRE(is_gradient || is_unary || out->mode == MODE_ADD || out->mode == MODE_SUBTRACT ||
            out->mode == MODE_MULTIPLY);
    REQUIRE(!is_unary || attribute_find(operation, POINT_OPERATION_B) == NULL);
    return CUDNN_OK;
}

static unsigned int point_operation_read(const struct descriptor *operation, struct task *task)
{
    struct point_operation *out = &task->operations[task->operation_count];
    REQUIRE(task->operation_count < POINT_OPERATIONS);
    REQUIRE(operation->type == DESCRIPTOR_POINT_OPERATION ||
            operation->type == DESCRIPTOR_REDUCTION_OPERATION);
    const unsigned int result = operation->type == DESCRIPTOR_POINT_OPERATION
                                    ? point_read(operation, task, out)
                                    : sum_read(operation, task, out);
    if (result != CUDNN_OK)
        return result;
    const struct value *a = &task->values[out->a], *b = &task->values[out->b];
    struct value *to = &task->values[out->to];
    REQUIRE((a->is_made || !a->is_virtual) && (b->is_made || !b->is_virtual) && !to->is_made);
    to->is_made = true;
    task->operation_count++;
    return CUDNN_OK;
}

/* A whole graph: the convolution and what follows. */
static unsigned int graph_read(const struct descriptor *graph, struct task *task)
{
    const struct attribute *all = attribute_find(graph, GRAPH_OPERATIONS);
    const struct descriptor *operations[POINT_OPERATIONS];
    REQUIRE(all != NULL && all->type == TYPE_DESCRIPTOR && all->count <= POINT_OPERATIONS);
    memcpy(operations, all->value, (size_t)all->count * sizeof *operations);
    for (int i = 0; i < all->count; i++) {
        REQUIRE(operations[i] != NULL && operations[i]->is_final);
        const unsigned int result = i == 0 ? operation_read(operations[i], task)
                                           : point_operation_read(operations[i], task);
        if (result != CUDNN_OK)
            return result;
    }
    REQUIRE((task->operation_count > 0) == task->values[0].is_virtual);
    return CUDNN_OK;
}

/* ---- computing it ---- */

static int64_t product(const int64_t *extents, int count)
{
    int64_t all = 1;
    for (int i = 0; i < count; i++)
        all *= extents[i];
    return all;
}

/* Takes a row-major number apart. */
static void unravel(int64_t number, const int64_t *extents, int count, int64_t *out)
{
    for (int i = count - 1; i >= 0; i--) {
        out[i] = number % extents[i];
        number /= extents[i];
    }
}

static int64_t offset(const int64_t *at, const int64_t *strides, int rank)
{
    int64_t sum = 0;
    for (int i = 0; i < rank; i++)
        sum += at[i] * strides[i];
    return sum;
}

/* Adds what one output, window position and input have to do with each other. */
static void pair_add(const struct task *task, const int64_t *out, const int64_t *position,
                     int64_t input)
{
    int rank = task->spatial_rank + 2;
    int64_t at[RANK_MOST] = {out[0]}, per_group = task->y[1] / (task->x[1] / task->w[1]);
    at[1] = out[1] / per_group * task->w[1] + input;
    for (int axis = 2; axis < rank; axis++) {
        int s = axis - 2;
        at[axis] = out[axis] * task->stride[s] - task->padding[s] + position[s] * task->dilation[s];
        if (at[axis] < 0 || at[axis] >= task->x[axis])
            return;
    }
    int64_t place = out[1];
    for (int s = 0; s < task->spatial_rank; s++)
        place = place * task->w[s + 2] + position[s];
    float *x = (float *)(uintptr_t)task->pointers[0] + offset(at, task->x_strides, rank);
    float *w = (float *)(uintptr_t)task->pointers[1] + place * task->w[1] + input;
    float *y = (float *)(uintptr_t)task->pointers[2] + offset(out, task->y_strides, rank);
    if (task->pass == 0)
        *y += *x * *w;
    else if (task->pass == 1)
        *x += *y * *w;
    else
        *w += *x * *y;
}

static void result_clear(const struct task *task)
{
    int rank = task->spatial_rank + 2;
    const int64_t *extents = task->pass == 0 ? task->y : task->x;
    const int64_t *strides = task->pass == 0 ? task->y_strides : task->x_strides;
    float *result = (float *)(uintptr_t)task->pointers[task->pass == 0 ? 2 : 0];
    int64_t at[RANK_MOST];
    if (task->pass == 2) {
        memset((void *)(uintptr_t)task->pointers[1], 0,
               (size_t)product(task->w, rank) * sizeof(float));
        return;
    }
    for (int64_t i = 0; i < product(extents, rank); i++) {
        unravel(i, extents, rank, at);
        result[offset(at, strides, rank)] = 0;
    }
}

static void floats_run(const struct task *task)
{
    int rank = task->spatial_rank + 2;
    int64_t out[RANK_MOST], position[3];
    result_clear(task);
    for (int64_t i = 0; i < product(task->y, rank); i++) {
        unravel(i, task->y, rank, out);
        for (int64_t p = 0; p < product(task->w + 2, task->spatial_rank); p++) {
            unravel(p, task->w + 2, task->spatial_rank, position);
            for (int64_t input = 0; input < task->w[1]; input++)
                pair_add(task, out, position, input);
        }
    }
}

/* The same of bfloat16: on copies in float, of which the result is rounded back. */
static void halves_run(struct task task)
{
    const int rank = task.spatial_rank + 2, result = task.pass == 0 ? 2 : task.pass == 1 ? 0 : 1;
    const int64_t counts[] = {task.x[0] * task.x_strides[0], product(task.w, rank),
                              task.y[0] * task.y_strides[0]};
    uint16_t *halves[3];
    float *floats[3];
    for (int i = 0; i < 3; i++) {
        halves[i] = (uint16_t *)(uintptr_t)task.pointers[i];
        floats[i] = malloc((size_t)counts[i] * sizeof **floats);
        for (int64_t j = 0; j < counts[i]; j++)
            floats[i][j] = bfloat16_value(halves[i][j]);
        task.pointers[i] = floats[i];
    }
    floats_run(&task);
    for (int64_t j = 0; j < counts[result]; j++)
        halves[result][j] = bfloat16_of(floats[result][j]);
    for (int i = 0; i < 3; i++)
        free(floats[i]);
}

/* ---- computing the rest ---- */

/* The elements of the chain's grid, densely, and of its channels. */
static int64_t grid_count(const struct task *task)
{
    return product(task->pass == 0 ? task->y : task->x, task->spatial_rank + 2);
}

static int64_t channel_count(const struct task *task)
{
    return task->pass == 0 ? task->y[1] : task->x[1];
}

/* The place of a dense element, [images][grid][channels], in a tensor as it lies. */
static int64_t place_of(const struct task *task, int64_t element)
{
    const int64_t channels = channel_count(task);
    const int64_t *strides = task->pass == 0 ? task->y_strides : task->x_strides;
    return element / channels * strides[task->spatial_rank + 1] + element % channels;
}

/* The convolution's result in float, densely but for the padding of points. */
static float *result_compute(struct task task)
{
    const int result = task.pass == 0 ? 2 : 0, other = 2 - result;
    const int64_t *extents = result == 2 ? task.x : task.y;
    const int64_t *strides = result == 2 ? task.x_strides : task.y_strides;
    const int64_t counts[] = {
        [0] = extents[0] * strides[0], [1] = product(task.w, task.spatial_rank + 2)};
    const int sides[] = {other, 1};
    const int64_t *own = result == 2 ? task.y_strides : task.x_strides;
    float *out = calloc((size_t)(task.x[0] * own[0]), sizeof *out), *copies[2] = {NULL, NULL};
    for (int i = 0; i < 2 && task.is_bfloat16; i++) {
        const uint16_t *halves = task.pointers[sides[i]];
        copies[i] = malloc((size_t)counts[i] * sizeof *copies[i]);
        for (int64_t j = 0; j < counts[i]; j++)
            copies[i][j] = bfloat16_value(halves[j]);
        task.pointers[sides[i]] = copies[i];
    }
    task.pointers[result] = out;
    floats_run(&task);
    free(copies[0]);
    free(copies[1]);
    return out;
}

/* A value as dense floats, loaded if it lies in memory and no operation has made it. */
static float *value_load(const struct task *task, const struct value *value)
{
    const int64_t count = grid_count(task), channels = channel_count(task);
    float *out = malloc((size_t)count * sizeof *out);
    for (int64_t i = 0; i < count; i++) {
        const int64_t place = value->is_vector ? i % channels : place_of(task, i);
        out[i] = value->is_bfloat16 ? bfloat16_value(((const uint16_t *)(void *)value->lies)[place])
                                    : value->lies[place];
    }
    return out;
}

static float point_compute(int mode, float a, float b)
{
    switch (mode) {
    case MODE_ADD:
        return a + b;
    case MODE_SUBTRACT:
        return a - b;
    case MODE_MULTIPLY:
        return a * b;
    case MODE_RELU:
        return a > 0 ? a : 0;
    case MODE_RELU_GRADIENT:
        return a > 0 ? b : 0;
    default:
        return a;
    }
}

/* How much too large results of a kind are. */
static float wrong(const char *kind)
{
    const char *asked = getenv("FAKE_CUDNN_WRONG");
    return asked != NULL && strcmp(asked, kind) == 0 ? 1.1F : 1;
}

static void value_store(const struct task *task, const struct value *value, const float *from)
{
    if (wrong("STORES") > 1)
        return;
    for (int64_t i = 0; i < grid_count(task); i++) {
        const int64_t place = place_of(task, i);
        if (value->is_bfloat16)
            ((uint16_t *)(void *)value->lies)[place] = bfloat16_of(from[i] * wrong("TENSORS"));
        else
            value->lies[place] = from[i] * wrong("TENSORS");
    }
}

static void sums_store(const struct task *task, const struct value *value, const float *from)
{
    const int64_t channels = channel_count(task);
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0;
        for (int64_t i = c; i < grid_count(task); i += channels)
            sum += (double)from[i];
        value->lies[c] = (float)sum * wrong("SUMS");
    }
}

static void chain_run(const struct task *task)
{
    float *values[VALUES] = {NULL}, *result = result_compute(*task);
    values[0] = malloc((size_t)grid_count(task) * sizeof *values[0]);
    for (int64_t i = 0; i < grid_count(task); i++)
        values[0][i] = result[place_of(task, i)];
    for (int o = 0; o < task->operation_count; o++) {
        const struct point_operation *operation = &task->operations[o];
        const int operands[] = {operation->a, operation->b};
        for (int i = 0; i < 2; i++)
            if (values[operands[i]] == NULL)
                values[operands[i]] = value_load(task, &task->values[operands[i]]);
        const struct value *to = &task->values[operation->to];
        const float *a = values[operation->a], *b = values[operation->b];
        if (operation->is_sum) {
            sums_store(task, to, a);
            continue;
        }
        float *made = malloc((size_t)grid_count(task) * sizeof *made);
        for (int64_t i = 0; i < grid_count(task); i++)
            made[i] = point_compute(operation->mode, a[i], b[i]);
        values[operation->to] = made;
        if (!to->is_virtual)
            value_store(task, to, made);
    }
    for (int i = 0; i < VALUES; i++)
        free(values[i]);
    free(result);
}

static void task_run(const void *context)
{
    const struct task *task = context;
    if (getenv("FAKE_CUDNN_NOTHING") != NULL)
        return;
    if (task->operation_count > 0)
        chain_run(task);
    else if (task->is_bfloat16)
        halves_run(*task);
    else
        floats_run(task);
}

/* ---- the interface ---- */

size_t cudnnGetVersion(void);
size_t cudnnGetVersion(void)
{
    const char *text = getenv("FAKE_CUDNN_VERSION");
    return text != NULL ? (size_t)strtoul(text, NULL, 10) : 91300;
}

unsigned int cudnnCreate(struct cudnnContext **handle);
unsigned int cudnnCreate(struct cudnnContext **handle)
{
    *handle = calloc(1, sizeof **handle);
    fake.handles++;
    return CUDNN_OK;
}

unsigned int cudnnDestroy(struct cudnnContext *handle);
unsigned int cudnnDestroy(struct cudnnContext *handle)
{
    free(handle);
    fake.handles--;
    return CUDNN_OK;
}

unsigned int cudnnSetStream(struct cudnnContext *handle, struct CUstream_st *stream);
unsigned int cudnnSetStream(struct cudnnContext *handle, struct CUstream_st *stream)
{
    REQUIRE(stream != NULL);
    handle->stream = stream;
    return CUDNN_OK;
}

unsigned int cudnnBackendCreateDescriptor(unsigned int type, void **descriptor);
unsigned int cudnnBackendCreateDescriptor(unsigned int type, void **descriptor)
{
    struct descriptor *made = calloc(1, sizeof *made);
    made->type = type;
    *descriptor = made;
    fake.descriptors++;
    return CUDNN_OK;
}

unsigned int cudnnBackendDestroyDescriptor(void *descriptor);
unsigned int cudnnBackendDestroyDescriptor(void *descriptor)
{
    free(descriptor);
    fake.descriptors--;
    return CUDNN_OK;
}

unsigned int cudnnBackendSetAttribute(void *made, unsigned int name, unsigned int type,
                                      int64_t count, const void *values);
unsigned int cudnnBackendSetAttribute(void *made, unsigned int name, unsigned int type,
                                      int64_t count, const void *values)
{
    struct descriptor *descriptor = made;
    size_t bytes = type_bytes(type) * (size_t)count;
    REQUIRE(descriptor != NULL && !descriptor->is_final && values != NULL);
    REQUIRE(bytes > 0 && bytes <= VALUE_BYTES && descriptor->attribute_count < ATTRIBUTES);
    struct attribute *attribute = &descriptor->attributes[descriptor->attribute_count++];
    *attribute = (struct attribute){.name = name, .type = type, .count = count};
    memcpy(attribute->value, values, bytes);
    return CUDNN_OK;
}

static unsigned int graph_finalize(const struct descriptor *graph)
{
    const char *refuse = getenv("FAKE_CUDNN_REFUSE");
    struct task task = {0};
    REQUIRE(attribute_find(graph, GRAPH_HANDLE) != NULL);
    unsigned int result = graph_read(graph, &task);
    bool refused = (refuse != NULL && (strcmp(refuse, "all") == 0 || atoi(refuse) == task.pass)) ||
                   (task.operation_count > 0 && getenv("FAKE_CUDNN_REFUSE_CHAINS") != NULL);
    return result == CUDNN_OK && refused ? (unsigned int)NOT_SUPPORTED : result;
}

unsigned int cudnnBackendFinalize(void *made);
unsigned int cudnnBackendFinalize(void *made)
{
    struct descriptor *descriptor = made;
    struct task task = {0};
    unsigned int result = CUDNN_OK;
    REQUIRE(descriptor != NULL && !descriptor->is_final);
    if (descriptor->type == DESCRIPTOR_FORWARD || descriptor->type == DESCRIPTOR_DATA_GRADIENT ||
        descriptor->type == DESCRIPTOR_FILTER_GRADIENT)
        result = operation_read(descriptor, &task);
    if (descriptor->type == DESCRIPTOR_GRAPH)
        result = graph_finalize(descriptor);
    if (descriptor->type == DESCRIPTOR_PLAN) {
        const struct descriptor *config = descriptor_at(descriptor, PLAN_ENGINE_CONFIG);
        REQUIRE(config != NULL && attribute_find(descriptor, PLAN_HANDLE) != NULL);
        descriptor->engine = config->engine;
    }
    if (descriptor->type == DESCRIPTOR_HEURISTICS)
        REQUIRE(descriptor_at(descriptor, HEURISTICS_GRAPH) != NULL &&
                attribute_find(descriptor, HEURISTICS_MODE)->type == TYPE_HEURISTICS_MODE);
    descriptor->is_final = result == CUDNN_OK;
    return result;
}

static unsigned int configs_get(const struct descriptor *heuristics, int64_t wanted, int64_t *count,
                                struct descriptor **configs)
{
    const bool one = getenv("FAKE_CUDNN_ONE") != NULL;
    const int proposed = one ? 1 : ENGINES;
    *count = wanted < proposed ? wanted : proposed;
    for (int i = 0; i < *count; i++) {
        REQUIRE(configs[i] != NULL && configs[i]->type == DESCRIPTOR_ENGINE_CONFIG);
        configs[i]->engine = one ? TENSOR_CORES : i;
        configs[i]->is_final = true;
        configs[i]->attributes[0] = *attribute_find(heuristics, HEURISTICS_GRAPH);
        configs[i]->attribute_count = 1;
    }
    return CUDNN_OK;
}

unsigned int cudnnBackendGetAttribute(void *made, unsigned int name, unsigned int type,
                                      int64_t wanted, int64_t *count, void *values);
unsigned int cudnnBackendGetAttribute(void *made, unsigned int name, unsigned int type,
                                      int64_t wanted, int64_t *count, void *values)
{
    const struct descriptor *descriptor = made;
    REQUIRE(descriptor != NULL && wanted > 0);
    *count = 1;
    switch (name) {
    case HEURISTICS_RESULTS:
        REQUIRE(type == TYPE_DESCRIPTOR && descriptor->is_final);
        return configs_get(descriptor, wanted, count, values);
    case ENGINE_CONFIG_ENGINE:
        REQUIRE(type == TYPE_DESCRIPTOR);
        (*(struct descriptor **)values)->engine = descriptor->engine;
        return CUDNN_OK;
    case ENGINE_NUMERICAL_NOTES:
        REQUIRE(type == TYPE_NUMERICAL_NOTE);
        *(int *)values = descriptor->engine == NOT_DETERMINISTIC ? NOTE_NONDETERMINISTIC
                         : descriptor->engine == ROUNDS_INPUTS   ? NOTE_DOWN_CONVERT_INPUTS
                                                                 : NOTE_TENSOR_CORE;
        *count = descriptor->engine <= TENSOR_CORES;
        return CUDNN_OK;
    case PLAN_WORKSPACE_SIZE:
        REQUIRE(type == TYPE_INT64 && descriptor->is_final);
        *(int64_t *)values =
            descriptor->engine == GREEDY ? INT64_C(64) << 30 : 1000 * (int64_t)descriptor->engine;
        return CUDNN_OK;
    default:
        return BAD_PARAM;
    }
}

/* Gives every tensor that lies in memory its place; none may be left over. */
static unsigned int pointers_take(const struct descriptor *pack, struct task *task)
{
    const int count = count_of(pack, VARIANT_PACK_IDS);
    void *pointers[VALUES];
    int taken = 0;
    REQUIRE(count > 0 && count == count_of(pack, VARIANT_PACK_POINTERS) && count <= VALUES);
    memcpy(pointers, attribute_find(pack, VARIANT_PACK_POINTERS)->value,
           (size_t)count * sizeof *pointers);
    for (int i = 0; i < count; i++) {
        const int64_t id = integer_at(pack, VARIANT_PACK_IDS, i);
        const int side = id == 'x' ? 0 : id == 'w' ? 1 : id == 'y' ? 2 : -1;
        REQUIRE(pointers[i] != NULL);
        if (side >= 0)
            task->pointers[side] = pointers[i];
        taken += side >= 0;
        for (int v = 0; side < 0 && v < task->value_count; v++)
            if (task->values[v].id == id && !task->values[v].is_virtual) {
                task->values[v].lies = pointers[i];
                taken++;
            }
    }
    REQUIRE(taken == count);
    for (int v = 1; v < task->value_count; v++)
        REQUIRE(task->values[v].is_virtual || task->values[v].lies != NULL);
    return CUDNN_OK;
}

unsigned int cudnnBackendExecute(struct cudnnContext *handle, void *plan_made, void *pack_made);
unsigned int cudnnBackendExecute(struct cudnnContext *handle, void *plan_made, void *pack_made)
{
    const struct descriptor *plan = plan_made, *pack = pack_made;
    unsigned int (*call)(struct CUstream_st *, fake_call *, const void *, size_t);
    void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    REQUIRE(plan->is_final && pack->is_final && handle->stream != NULL && driver != NULL);
    *(void **)&call = dlsym(driver, "fake_cuda_call");
    dlclose(driver);
    const struct descriptor *config = descriptor_at(plan, PLAN_ENGINE_CONFIG);
    const struct descriptor *graph = descriptor_at(config, HEURISTICS_GRAPH);
    struct task task = {0};
    unsigned int result = graph_read(graph, &task);
    if (result == CUDNN_OK)
        result = pointers_take(pack, &task);
    if (task.operation_count > 0 && getenv("FAKE_CUDNN_FAILS") != NULL)
        return NOT_SUPPORTED;
    fake.runs[plan->engine]++;
    fake.chains += task.operation_count > 0;
    return result == CUDNN_OK ? call(handle->stream, task_run, &task, sizeof task) : result;
}

__attribute__((destructor)) static void report_write(void)
{
    const char *path = getenv("FAKE_CUDNN_REPORT");
    FILE *stream = path != NULL ? fopen(path, "w") : NULL;
    if (stream == NULL)
        return;
    fprintf(stream, "leaks %ld\n", fake.descriptors + fake.handles);
    for (int i = 0; i < ENGINES; i++)
        fprintf(stream, "engine%d %ld\n", i, fake.runs[i]);
    fprintf(stream, "chains %ld\n", fake.chains);
    fclose(stream);
}
