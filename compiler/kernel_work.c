/* Counting what kernels compute and move. A table says for each anchor where its results lie;
 * expressions add what they load. */
#include "compiler/kernel_work.h"

#include <string.h>

/* Where an output lies. */
enum place {
    PLACE_IN,           /* on in_grid */
    PLACE_OUT,          /* on out_grid */
    PLACE_IMAGE,        /* one element an image */
    PLACE_IMAGE_VECTOR, /* one element a channel and image */
    PLACE_PIXEL,        /* one element a point of in_grid */
    PLACE_PARTS,        /* one element a channel and part of an image: side sums */
    PLACE_VECTOR,       /* one element a channel */
    PLACE_CHUNK_VECTOR, /* one element a channel and chunk */
    PLACE_CHUNK_WEIGHT, /* as the weight, one a chunk */
    PLACE_TRANSPOSED,   /* as the transposed weight */
};

struct anchor_places {
    uint8_t output; /* enum place */
    bool weight;    /* reads a weight */
};

static const struct anchor_places anchor_places[KERNEL_ANCHOR_COUNT] = {
    [KERNEL_POINTWISE] = {PLACE_IN, false},
    [KERNEL_CHANNEL_SUM] = {PLACE_CHUNK_VECTOR, false},
    [KERNEL_VECTOR] = {PLACE_VECTOR, false},
    [KERNEL_CONVOLUTION] = {PLACE_OUT, true},
    [KERNEL_DATA_GRADIENT] = {PLACE_OUT, true},
    [KERNEL_WEIGHT_GRADIENT] = {PLACE_CHUNK_WEIGHT, false},
    [KERNEL_TRANSPOSE] = {PLACE_TRANSPOSED, true},
    [KERNEL_MAX_POOL] = {PLACE_OUT, false},
    [KERNEL_MAX_POOL_GRADIENT] = {PLACE_IN, false},
    [KERNEL_AVERAGE_POOL] = {PLACE_OUT, false},
    [KERNEL_AVERAGE_POOL_GRADIENT] = {PLACE_IN, false},
    [KERNEL_SOFTMAX_LOSS] = {PLACE_IMAGE, false},
    [KERNEL_GROUP_SUM] = {PLACE_IMAGE_VECTOR, false},
    [KERNEL_POINT_SUM] = {PLACE_PIXEL, false},
    [KERNEL_JOIN] = {PLACE_OUT, false},
    [KERNEL_ROWS] = {PLACE_OUT, false},
};

/* What has been counted, so that an operand loaded twice counts once. */
struct counter {
    const struct kernel *kernel;
    struct rnet_work work;
    uint16_t loaded[KERNEL_PARAMETERS][2]; /* on side in, out: a bit for each access */
};

static int64_t element_bytes(const struct kernel *kernel, int parameter)
{
    return kernel_storage_bytes((enum kernel_storage)kernel->storage[parameter]);
}

/* The points of in_grid that some window covers. */
static int64_t covered_points(const struct kernel *kernel)
{
    int64_t points = 1;

    if (!kernel_has_window(kernel) || kernel->anchor == KERNEL_DATA_GRADIENT)
        return grid_points(kernel->in_grid);
    for (int i = 0; i < GRID_RANK; i++) {
        const int64_t most = (int64_t)kernel->out_grid[i] * kernel->window.kernel[i];

        points *= most < kernel->in_grid[i] ? most : kernel->in_grid[i];
    }
    return points;
}

static int64_t side_channels(const struct kernel *kernel, bool out)
{
    return out && kernel->out_channels ? kernel->out_channels : kernel->in_channels;
}

/* One activation of an image. */
static int64_t point_bytes(const struct kernel *kernel, int parameter, bool out, int64_t points)
{
    return points * channel_stride(side_channels(kernel, out)) * element_bytes(kernel, parameter);
}

static void count_load(struct counter *counter, const struct expression *load, bool out)
{
    const struct kernel *kernel = counter->kernel;
    struct rnet_work *work = &counter->work;
    const int64_t size = element_bytes(kernel, load->parameter);
    const int64_t channels = side_channels(kernel, out);
    const int64_t points = out ? grid_points(kernel->out_grid) : covered_points(kernel);

    switch ((enum access)load->access) {
    case ACCESS_POINT:
        work->image_bytes += point_bytes(kernel, load->parameter, out, points);
        break;
    case ACCESS_IMAGE_CHANNEL:
        work->image_bytes += channel_stride(channels) * size;
        break;
    case ACCESS_CHANNEL:
    case ACCESS_FIRST:
        work->fixed_bytes += vector_stride(channels) * size;
        break;
    case ACCESS_PIXEL:
        work->image_bytes += points * size;
        break;
    case ACCESS_IMAGE:
        work->image_bytes += size;
        break;
    case ACCESS_SCALAR:
        break;
    case ACCESS_CHUNK_SUM:
        work->chunk_bytes += vector_stride(channels) * size * kernel->chunk_parts;
        break;
    }
}

static void count_value(struct counter *counter, uint16_t root, bool out)
{
    const struct kernel *kernel = counter->kernel;
    bool needed[KERNEL_EXPRESSIONS];

    kernel_needed(kernel, root, needed);
    for (int i = 0; i <= root; i++) {
        const struct expression *load = &kernel->expressions[i];

        if (!needed[i] || load->op != EXPRESSION_LOAD)
            continue;
        uint16_t *loaded = &counter->loaded[load->parameter][out];
        if (!(*loaded & 1u << load->access))
            count_load(counter, load, out);
        *loaded |= (uint16_t)(1u << load->access);
    }
}

static void count_output(struct counter *counter, int parameter, enum place place)
{
    const struct kernel *kernel = counter->kernel;
    struct rnet_work *work = &counter->work;
    const int64_t size = element_bytes(kernel, parameter);
    const int64_t vector = vector_stride(kernel->in_channels) * size;

    switch (place) {
    case PLACE_IN:
        work->image_bytes += point_bytes(kernel, parameter, false, grid_points(kernel->in_grid));
        break;
    case PLACE_OUT:
        work->image_bytes += point_bytes(kernel, parameter, true, grid_points(kernel->out_grid));
        break;
    case PLACE_IMAGE:
        work->image_bytes += size;
        break;
    case PLACE_IMAGE_VECTOR:
        work->image_bytes += channel_stride(kernel->in_channels) * size;
        break;
    case PLACE_PIXEL:
        work->image_bytes += grid_points(kernel->in_grid) * size;
        break;
    case PLACE_PARTS:
        work->image_bytes += kernel_sum_parts(kernel) * vector_stride(kernel->out_channels) * size;
        break;
    case PLACE_VECTOR:
        work->fixed_bytes += vector;
        break;
    case PLACE_CHUNK_VECTOR:
        work->chunk_bytes += vector;
        break;
    case PLACE_CHUNK_WEIGHT:
        work->chunk_bytes += kernel_weight_elements(kernel, false) * size;
        break;
    case PLACE_TRANSPOSED:
        work->fixed_bytes += kernel_weight_elements(kernel, true) * size;
        break;
    }
}

/* The outputs of a loss are loss, rank and, if it is there, the gradient of the logits. */
static enum place output_place(const struct kernel *kernel, int output)
{
    enum { LOSS_GRADIENT = 2 };

    if (kernel->anchor == KERNEL_SOFTMAX_LOSS && output == LOSS_GRADIENT)
        return PLACE_IN;
    if (output >= kernel->output_count - kernel->sum_count)
        return PLACE_PARTS;
    return (enum place)anchor_places[kernel->anchor].output;
}

static int64_t multiply_adds(const struct kernel *kernel)
{
    const bool gradient = kernel->anchor == KERNEL_DATA_GRADIENT;

    if (kernel->anchor != KERNEL_CONVOLUTION && kernel->anchor != KERNEL_WEIGHT_GRADIENT &&
        !gradient)
        return 0;
    return grid_points(gradient ? kernel->in_grid : kernel->out_grid) *
           grid_points(kernel->window.kernel) * (kernel->in_channels / kernel->groups) *
           kernel->out_channels;
}

/* The parts of a JOIN are together as large as in_grid with in_channels: they count as one. */
static int counted_values(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_JOIN ? 1 : kernel->value_count;
}

struct rnet_work kernel_work(const struct kernel *kernel)
{
    const struct anchor_places *places = &anchor_places[kernel->anchor];
    struct counter counter = {.kernel = kernel};

    counter.work.image_multiply_adds = multiply_adds(kernel);
    counter.work.chunk_images = kernel->chunk_images;
    for (int i = 0; i < counted_values(kernel); i++)
        count_value(&counter, kernel->values[i], kernel_value_is_on_out_side(kernel, i));
    if (kernel->epilogue)
        count_value(&counter, (uint16_t)(kernel->epilogue - 1), true);
    for (int i = 0; i < kernel->sum_count; i++)
        count_value(&counter, kernel->sums[i], true);
    if (places->weight)
        counter.work.fixed_bytes += kernel_weight_elements(kernel, false) *
                                    element_bytes(kernel, kernel_weight_parameter(kernel));
    if (kernel->anchor == KERNEL_SOFTMAX_LOSS)
        counter.work.image_bytes += element_bytes(kernel, kernel_weight_parameter(kernel));
    for (int i = 0; i < kernel->output_count; i++)
        count_output(&counter, kernel_first_output(kernel) + i, output_place(kernel, i));
    return counter.work;
}
