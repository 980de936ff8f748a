/* Channel sums that ride in the store of a convolution. */
#include "base/integer.h"
#include "compiler/filtering.h"
#include "compiler/fuse_internal.h"

#include <string.h>

enum {
    PART_BYTES = 64 << 10,         /* of the rows of a part */
    LARGE_PART_BYTES = 256 << 10,  /* ... where the weights are worth larger pieces of work */
    WEIGHT_BYTES = 256 << 10,      /* ... larger ones than this */
    SMALL_WEIGHT_BYTES = 32 << 10, /* such weights leave the near cache to the rows */
};

/* Bytes of the rows that a part of `rows` rows reads; or, where weights compete with them for the
 * cache, that it writes if that is more. A data gradient reads fewer rows than it writes. */
static int64_t part_bytes(const struct kernel *kernel, int32_t rows)
{
    const struct window *window = &kernel->window;
    const bool gradient = kernel->anchor == KERNEL_DATA_GRADIENT;
    const int32_t reach = (window->kernel[1] - 1) * window->dilation[1];
    const int32_t in_rows =
        gradient ? rows / window->stride[1] : (rows - 1) * window->stride[1] + reach + 1;
    const int64_t in = in_rows * kernel->in_grid[2] * channel_stride(kernel->in_channels);
    const int64_t out = rows * kernel->out_grid[2] * channel_stride(kernel->out_channels);
    const int64_t weight = kernel_weight_elements(kernel, false) * (int64_t)sizeof(float);

    return (weight <= SMALL_WEIGHT_BYTES || in > out ? in : out) * (int64_t)sizeof(float);
}

/* Rows of the output in a part: a piece of work whose rows stay in a near cache, a whole number of
 * strides for a data gradient. */
static int32_t part_rows(const struct kernel *kernel)
{
    const int64_t weight = kernel_weight_elements(kernel, false) * (int64_t)sizeof(float);
    const bool large = kernel->groups == 1 && weight > WEIGHT_BYTES;
    const int64_t limit = large ? LARGE_PART_BYTES : PART_BYTES;
    const int32_t step = kernel->anchor == KERNEL_DATA_GRADIENT ? kernel->window.stride[1] : 1;
    const int32_t all = integer_divide_up(kernel->out_grid[1], step);
    int32_t rows = all;

    if (filtering_suits(kernel))
        return filtering_rows(kernel);
    while (rows > 1 && part_bytes(kernel, rows * step) > limit)
        rows--;
    return integer_divide_up(all, integer_divide_up(all, rows)) * step;
}

/* Whether everything that the sum reads, but for `result`, is there when call `id` runs. */
static bool is_ready(const struct fusion *fusion, call_id sum, buffer_id result, call_id id)
{
    const struct call *call = &fusion->before[sum];
    const int inputs = kernel_first_output(fusion_kernel(fusion, sum));

    for (int p = 0; p < inputs; p++) {
        const buffer_id buffer = call->arguments[p];
        const call_id producer = fusion->producer[buffer];

        if (buffer != result && producer != CALL_NONE && producer >= id)
            return false;
    }
    return true;
}

/* Whether the sum reads the result at its own points only. */
static bool reads_points(const struct fusion *fusion, call_id sum, buffer_id result)
{
    const struct kernel *kernel = fusion_kernel(fusion, sum);

    for (int i = 0; i < kernel->expression_count; i++) {
        const struct expression *load = &kernel->expressions[i];

        if (load->op == EXPRESSION_LOAD && load->access != ACCESS_POINT &&
            fusion->before[sum].arguments[load->parameter] == result)
            return false;
    }
    return true;
}

static bool has_room(const struct fusion *fusion, const struct call_builder *call, call_id sum)
{
    const struct kernel *kernel = fusion_kernel(fusion, sum);
    const int parameters =
        call->input_count + 1 + call->output_count + kernel->parameter_count + fusion->load[sum];
    const int expressions =
        call->kernel.expression_count + 1 + kernel->expression_count + fusion->size[sum];

    return parameters <= KERNEL_PARAMETERS && expressions <= KERNEL_EXPRESSIONS &&
           call->kernel.sum_count + kernel->value_count <= KERNEL_SUMS;
}

static bool can_collect(const struct fusion *fusion, const struct call_builder *call, call_id id,
                        call_id sum)
{
    const struct kernel *kernel = fusion_kernel(fusion, sum);

    return kernel->anchor == KERNEL_CHANNEL_SUM && sum > id &&
           fusion->before[sum].phase == fusion->before[id].phase &&
           fusion->before[sum].images == call->images &&
           memcmp(kernel->in_grid, call->kernel.out_grid, sizeof kernel->in_grid) == 0 &&
           kernel->in_channels == call->kernel.out_channels &&
           reads_points(fusion, sum, call->outputs[0]) &&
           is_ready(fusion, sum, call->outputs[0], id) && has_room(fusion, call, sum);
}

static void collect(struct fusion *fusion, struct call_builder *call, call_id sum)
{
    const struct kernel *from = fusion_kernel(fusion, sum);
    const struct call *before = &fusion->before[sum];
    const int64_t parts = kernel_sum_parts(&call->kernel);

    for (int value = 0; value < from->value_count; value++) {
        const buffer_id buffer = before->arguments[kernel_first_output(from) + value];

        call->kernel.sums[call->kernel.sum_count++] =
            fuse_copy_value(fusion, call, from, before->arguments, from->values[value]);
        call_output(call, buffer);
        fusion->parts[buffer] = (int32_t)parts;
        fusion->calls->buffers.items[buffer].bytes =
            (uint64_t)(fusion->calls->batch * parts * channel_stride(from->in_channels)) *
            sizeof(float);
    }
    fusion->is_absorbed[sum] = true;
}

/* Whether sums by part suit it. A data gradient whose depth has a stride computes several depths
 * in one piece of work; parts have one. */
static bool has_parts(const struct kernel *kernel)
{
    const bool skips_depths =
        kernel->anchor == KERNEL_DATA_GRADIENT && kernel->window.stride[0] > 1;

    return kernel_is_convolution(kernel) && grid_points(kernel->out_grid) > 1 && !skips_depths;
}

void fuse_sums(struct fusion *fusion, struct call_builder *call, call_id id)
{
    const struct readers *readers = &fusion->readers[call->outputs[0]];

    if (!has_parts(&call->kernel))
        return;
    call->kernel.sum_rows = part_rows(&call->kernel);
    for (size_t i = 0; i < readers->calls.count; i++)
        if (can_collect(fusion, call, id, readers->calls.items[i]))
            collect(fusion, call, readers->calls.items[i]);
    if (call->kernel.sum_count == 0)
        call->kernel.sum_rows = 0;
}
