/* Buffers, expressions and the anchors without a window. See reference.h. */
#include "tests/reference/reference.h"

#include <math.h>
#include <stdlib.h>

#include "base/philox.h"
#include "runtime/program.h"
#include "tests/reference/reference_internal.h"

/* ---- buffers ---- */

double reference_load(const struct reference *reference, int parameter, int64_t index)
{
    const void *buffer = reference->data->buffers[parameter];
    return reference->data->wide ? ((const double *)buffer)[index]
                                 : (double)((const float *)buffer)[index];
}

void reference_store(const struct reference *reference, int output, int64_t index,
                     struct number number)
{
    void *buffer = reference->data->buffers[kernel_first_output(reference->kernel) + output];
    if (reference->data->wide)
        ((double *)buffer)[index] = number.value;
    else
        ((float *)buffer)[index] = (float)number.value;
    if (reference->magnitudes && reference->magnitudes[output])
        reference->magnitudes[output][index] = number.magnitude;
}

static int64_t round_up(int64_t value, int64_t step)
{
    return (value + step - 1) / step * step;
}

static int64_t chunk_count(const struct kernel *kernel, int64_t images)
{
    return (images + kernel->chunk_images - 1) / kernel->chunk_images;
}

static int64_t output_elements(const struct kernel *kernel, int64_t images, int output)
{
    int64_t in = grid_points(kernel->in_grid) * channel_stride(kernel->in_channels);
    int64_t out = grid_points(kernel->out_grid) * channel_stride(kernel->out_channels);
    if (output >= kernel->output_count - kernel->sum_count)
        return images * kernel_sum_parts(kernel) * channel_stride(kernel->out_channels);
    switch ((enum kernel_anchor)kernel->anchor) {
    case KERNEL_CHANNEL_SUM:
        return chunk_count(kernel, images) * channel_stride(kernel->in_channels);
    case KERNEL_VECTOR:
        return round_up(kernel->in_channels, 16);
    case KERNEL_CONVOLUTION:
    case KERNEL_DATA_GRADIENT:
    case KERNEL_MAX_POOL:
    case KERNEL_AVERAGE_POOL:
    case KERNEL_JOIN:
    case KERNEL_ROWS:
        return images * out;
    case KERNEL_GROUP_SUM:
        return images * channel_stride(kernel->in_channels);
    case KERNEL_POINT_SUM:
        return images * grid_points(kernel->in_grid);
    case KERNEL_WEIGHT_GRADIENT:
        return chunk_count(kernel, images) * kernel_weight_elements(kernel, false);
    case KERNEL_TRANSPOSE:
        return kernel_weight_elements(kernel, true);
    case KERNEL_SOFTMAX_LOSS:
        return output < 2 ? images : images * in;
    default:
        return images * in;
    }
}

/* The roots of a kernel's expressions: its values, then its epilogue and sums. */
static int root_count(const struct kernel *kernel)
{
    return kernel->value_count + (kernel->epilogue > 0) + kernel->sum_count;
}

static uint16_t root_at(const struct kernel *kernel, int number)
{
    int rest = number - kernel->value_count;
    if (rest < 0)
        return kernel->values[number];
    if (kernel->epilogue > 0 && rest == 0)
        return (uint16_t)(kernel->epilogue - 1);
    return kernel->sums[rest - (kernel->epilogue > 0)];
}

/* Whether root `number` lives on the side of out_grid. */
static bool on_out_side(const struct kernel *kernel, int number)
{
    if (number >= kernel->value_count)
        return true;
    bool second =
        kernel->anchor == KERNEL_WEIGHT_GRADIENT || kernel->anchor == KERNEL_MAX_POOL_GRADIENT;
    return (second && number == 1) || kernel->anchor == KERNEL_AVERAGE_POOL_GRADIENT;
}

/* The channels of the tensor that value `number` is of. */
static int64_t value_channels(const struct kernel *kernel, int number)
{
    if (kernel->anchor == KERNEL_JOIN)
        return kernel->parts[number].channels;
    return on_out_side(kernel, number) ? kernel->out_channels : kernel->in_channels;
}

/* Marks the loads of `parameter` below `root`. */
static void mark_loads(const struct kernel *kernel, uint16_t root, int parameter,
                       bool out_loads[KERNEL_EXPRESSIONS])
{
    bool needed[KERNEL_EXPRESSIONS];
    kernel_needed(kernel, root, needed);
    for (int i = root; i >= 0; i--) {
        const struct expression *e = &kernel->expressions[i];
        out_loads[i] = needed[i] && e->op == EXPRESSION_LOAD && e->parameter == parameter;
    }
}

/* The elements that the loads of `parameter` below `root` may reach. */
static int64_t loaded_elements(const struct kernel *kernel, int64_t images, int parameter,
                               uint16_t root, bool out_side, int64_t channels)
{
    int64_t points = grid_points(out_side ? kernel->out_grid : kernel->in_grid);
    int64_t stride = channel_stride(channels), most = 0;
    int64_t chunks = kernel->chunk_images ? chunk_count(kernel, images) * kernel->chunk_parts : 0;
    const int64_t counts[] = {
        [ACCESS_POINT] = images * points * stride,
        [ACCESS_CHANNEL] = round_up(channels, 16),
        [ACCESS_IMAGE_CHANNEL] = images * stride,
        [ACCESS_FIRST] = round_up(channels, 16),
        [ACCESS_SCALAR] = 16,
        [ACCESS_CHUNK_SUM] = chunks * stride,
        [ACCESS_PIXEL] = images * points,
        [ACCESS_IMAGE] = images,
    };
    bool loads[KERNEL_EXPRESSIONS] = {false};
    mark_loads(kernel, root, parameter, loads);
    for (int i = 0; i <= root; i++)
        if (loads[i] && counts[kernel->expressions[i].access] > most)
            most = counts[kernel->expressions[i].access];
    return most;
}

static bool has_channels(enum access access)
{
    return access != ACCESS_SCALAR && access != ACCESS_PIXEL && access != ACCESS_IMAGE;
}

int64_t reference_input_channels(const struct kernel *kernel, int parameter)
{
    int64_t channels = 0;
    for (int j = 0; j < root_count(kernel); j++) {
        uint16_t root = root_at(kernel, j);
        bool loads[KERNEL_EXPRESSIONS] = {false};
        mark_loads(kernel, root, parameter, loads);
        for (int i = 0; i <= root; i++)
            if (loads[i] && has_channels((enum access)kernel->expressions[i].access))
                channels = value_channels(kernel, j);
    }
    return channels;
}

int reference_weight(const struct kernel *kernel)
{
    bool weight = kernel_is_convolution(kernel) || kernel->anchor == KERNEL_TRANSPOSE;
    return weight ? kernel_weight_parameter(kernel) : -1;
}

int64_t reference_elements(const struct kernel *kernel, int64_t images, int parameter)
{
    int first_output = kernel_first_output(kernel);
    if (parameter >= first_output)
        return output_elements(kernel, images, parameter - first_output);
    if (parameter == reference_weight(kernel))
        return kernel_weight_elements(kernel, false);
    if (parameter == first_output - 1 && kernel->anchor == KERNEL_SOFTMAX_LOSS)
        return images;
    if (kernel->storage[parameter] == KERNEL_I32)
        return RNET_KEY_WORDS;
    int64_t most = 1;
    for (int i = 0; i < root_count(kernel); i++) {
        int64_t count = loaded_elements(kernel, images, parameter, root_at(kernel, i),
                                        on_out_side(kernel, i), value_channels(kernel, i));
        most = count > most ? count : most;
    }
    return most;
}

void reference_lanes(const struct kernel *kernel, int output, int64_t *out_channels,
                     int64_t *out_stride)
{
    bool weight = kernel->anchor == KERNEL_WEIGHT_GRADIENT || kernel->anchor == KERNEL_TRANSPOSE;
    bool scalar =
        (kernel->anchor == KERNEL_SOFTMAX_LOSS && output < 2) || kernel->anchor == KERNEL_POINT_SUM;
    bool out_side = kernel->anchor == KERNEL_CONVOLUTION ||
                    kernel->anchor == KERNEL_DATA_GRADIENT || kernel->anchor == KERNEL_JOIN ||
                    kernel->anchor == KERNEL_ROWS;
    *out_channels = out_side ? kernel->out_channels : kernel->in_channels;
    *out_stride = channel_stride(*out_channels);
    if (kernel->anchor == KERNEL_VECTOR)
        *out_stride = round_up(*out_channels, 16);
    if (weight || scalar)
        *out_channels = *out_stride = 1;
}

/* ---- expressions ---- */

struct number reference_sum(struct number a, struct number b)
{
    return (struct number){a.value + b.value, a.magnitude + b.magnitude};
}

struct number reference_product(struct number a, struct number b)
{
    return (struct number){a.value * b.value, a.magnitude * b.magnitude};
}

static struct number exact(double value)
{
    return (struct number){value, fabs(value)};
}

static struct number quotient(struct number a, struct number b)
{
    double size = fabs(b.value);
    return (struct number){a.value / b.value, a.magnitude / size * (b.magnitude / size)};
}

static struct number square_root(struct number a)
{
    double root = sqrt(a.value);
    return (struct number){root, a.value > 0 ? root * (a.magnitude / a.value) : a.magnitude};
}

/* Where rounding could turn the decision, either result is as good. */
static struct number if_positive(struct number a, struct number b)
{
    bool unsure = a.value != 0.0 && fabs(a.value) < 1e-6 * a.magnitude;
    struct number result = a.value > 0 ? b : exact(0.0);
    if (unsure)
        result.magnitude += fabs(b.value) * 1e6;
    return result;
}

static struct number load(const struct reference *reference, const struct expression *e,
                          const struct element *at)
{
    int64_t stride = channel_stride(at->channels), index = at->channel;
    struct number sum = {0};
    switch ((enum access)e->access) {
    case ACCESS_POINT:
        index = (at->image * at->points + at->point) * stride + at->channel;
        break;
    case ACCESS_IMAGE_CHANNEL:
        index = at->image * stride + at->channel;
        break;
    case ACCESS_SCALAR:
        index = e->index;
        break;
    case ACCESS_PIXEL:
        index = at->image * at->points + at->point;
        break;
    case ACCESS_IMAGE:
        index = at->image;
        break;
    case ACCESS_CHUNK_SUM:
        for (int64_t j = 0;
             j < chunk_count(reference->kernel, reference->images) * reference->kernel->chunk_parts;
             j++)
            sum = reference_sum(
                sum, exact(reference_load(reference, e->parameter, j * stride + at->channel)));
        return sum;
    case ACCESS_CHANNEL:
    case ACCESS_FIRST:
        break;
    }
    return exact(reference_load(reference, e->parameter, index));
}

/* The number of the element, or of its image, under the key's two words. */
static double draw(const struct reference *reference, const struct expression *e,
                   const struct element *at)
{
    const int32_t *key = reference->data->buffers[e->parameter];
    int64_t element = (at->image * at->points + at->point) * channel_stride(at->channels);
    element = e->access == ACCESS_IMAGE ? at->image : element + at->channel;
    return philox2_uniform(philox2((uint32_t)key[0], (uint32_t)element, (uint32_t)key[1]));
}

struct number reference_evaluate(const struct reference *reference, uint16_t root,
                                 const struct element *at)
{
    const struct expression *e = &reference->kernel->expressions[root];
    struct number a = {0}, b = {0};
    const int operands = expression_operands((enum expression_op)e->op);
    if (operands > 0)
        a = reference_evaluate(reference, e->a, at);
    if (operands > 1)
        b = reference_evaluate(reference, e->b, at);
    switch ((enum expression_op)e->op) {
    case EXPRESSION_CONSTANT:
        return exact(e->number);
    case EXPRESSION_LOAD:
        return load(reference, e, at);
    case EXPRESSION_RANDOM:
        return exact(draw(reference, e, at));
    case EXPRESSION_RESULT:
        return at->result;
    case EXPRESSION_ELEMENTS:
        return exact((double)(reference->images * grid_points(reference->kernel->in_grid)));
    case EXPRESSION_ADD:
        return reference_sum(a, b);
    case EXPRESSION_SUBTRACT:
        return (struct number){a.value - b.value, a.magnitude + b.magnitude};
    case EXPRESSION_MULTIPLY:
        return reference_product(a, b);
    case EXPRESSION_DIVIDE:
        return quotient(a, b);
    case EXPRESSION_MAXIMUM:
        return (struct number){a.value > b.value ? a.value : b.value,
                               fmax(a.magnitude, b.magnitude)};
    case EXPRESSION_SQRT:
        return square_root(a);
    case EXPRESSION_EXP: /* an error of a in the exponent is one of a exp(a) in the value */
        return (struct number){exp(a.value), exp(a.value) * (1 + a.magnitude)};
    case EXPRESSION_IF_POSITIVE:
        return if_positive(a, b);
    case EXPRESSION_OP_COUNT:
        break;
    }
    abort();
}

struct number *reference_values(const struct reference *reference, int number,
                                const int32_t grid[GRID_RANK], int64_t channels)
{
    struct element at = {.points = grid_points(grid), .channels = channels};
    int64_t count = reference->images * at.points * channels;
    struct number *values = calloc((size_t)count, sizeof *values);
    if (!values)
        abort();
    uint16_t root = reference->kernel->values[number];
    for (int64_t i = 0; i < count; i++) {
        at.image = i / (at.points * channels);
        at.point = i / channels % at.points;
        at.channel = i % channels;
        values[i] = reference_evaluate(reference, root, &at);
    }
    return values;
}

/* ---- anchors without a window ---- */

/* out_j [images][points][channels] = value_j; all values first, since outputs may be loaded */
static void pointwise(const struct reference *reference)
{
    const struct kernel *kernel = reference->kernel;
    int64_t points = grid_points(kernel->in_grid), channels = kernel->in_channels;
    struct number *values[KERNEL_VALUES];
    for (int j = 0; j < kernel->output_count; j++)
        values[j] = reference_values(reference, j, kernel->in_grid, channels);
    for (int j = 0; j < kernel->output_count; j++) {
        for (int64_t i = 0; i < reference->images * points; i++)
            for (int64_t c = 0; c < channels; c++)
                reference_store(reference, j, i * channel_stride(channels) + c,
                                values[j][i * channels + c]);
        free(values[j]);
    }
}

/* out_j [chunks][channels] = sum over the chunk's [images][points] of value_j */
static void channel_sum(const struct reference *reference)
{
    const struct kernel *kernel = reference->kernel;
    int64_t points = grid_points(kernel->in_grid), channels = kernel->in_channels;
    int64_t chunk = kernel->chunk_images * points, rows = reference->images * points;
    for (int j = 0; j < kernel->output_count; j++) {
        struct number *values = reference_values(reference, j, kernel->in_grid, channels);
        for (int64_t first = 0; first < rows; first += chunk)
            for (int64_t c = 0; c < channels; c++) {
                struct number sum = {0};
                for (int64_t i = first; i < first + chunk && i < rows; i++)
                    sum = reference_sum(sum, values[i * channels + c]);
                reference_store(reference, j, first / chunk * channel_stride(channels) + c, sum);
            }
        free(values);
    }
}

/* out_j [channels] = value_j */
static void vector(const struct reference *reference)
{
    const struct kernel *kernel = reference->kernel;
    struct element at = {.points = 1, .channels = kernel->in_channels};
    for (at.channel = 0; at.channel < at.channels; at.channel++) {
        struct number values[KERNEL_VALUES];
        for (int j = 0; j < kernel->output_count; j++)
            values[j] = reference_evaluate(reference, kernel->values[j], &at);
        for (int j = 0; j < kernel->output_count; j++)
            reference_store(reference, j, at.channel, values[j]);
    }
}

void reference_run(const struct kernel *kernel, int64_t images, const struct reference_data *data,
                   double *const *magnitudes)
{
    static void (*const anchors[KERNEL_ANCHOR_COUNT])(const struct reference *) = {
        [KERNEL_POINTWISE] = pointwise,
        [KERNEL_CHANNEL_SUM] = channel_sum,
        [KERNEL_VECTOR] = vector,
        [KERNEL_CONVOLUTION] = reference_convolution,
        [KERNEL_DATA_GRADIENT] = reference_data_gradient,
        [KERNEL_WEIGHT_GRADIENT] = reference_weight_gradient,
        [KERNEL_TRANSPOSE] = reference_transpose,
        [KERNEL_MAX_POOL] = reference_max_pool,
        [KERNEL_MAX_POOL_GRADIENT] = reference_max_pool_gradient,
        [KERNEL_AVERAGE_POOL] = reference_average_pool,
        [KERNEL_AVERAGE_POOL_GRADIENT] = reference_average_pool_gradient,
        [KERNEL_SOFTMAX_LOSS] = reference_softmax_loss,
        [KERNEL_GROUP_SUM] = reference_group_sum,
        [KERNEL_POINT_SUM] = reference_point_sum,
        [KERNEL_JOIN] = reference_join,
        [KERNEL_ROWS] = reference_rows,
    };
    struct reference reference = {
        .kernel = kernel, .images = images, .data = data, .magnitudes = magnitudes};
    anchors[kernel->anchor](&reference);
}
