/* The plan of a tiled convolution: its axes, its tasks, and what of the input they read. */
#include "codegen/cpu/conv_tile.h"

#include "base/integer.h"

enum {
    PACK_BYTES = 96 << 10,        /* packed rows wanted at most */
    PACK_LARGE_BYTES = 448 << 10, /* ... where weights are large */
    MOST_BYTES = 896 << 10,       /* of all locals */
    WEIGHT_BYTES = 32 << 10,      /* larger weights are worth larger tasks */
    TASK_PRODUCTS = 2 << 20,      /* multiplications wanted in a task */
    IMAGES_BYTES = 320 << 10,     /* packed rows of several images wanted at most */
    IMAGES_POINTS = 196,          /* of several images: enough for weights that are read once */
    MOST_IMAGES = 4,              /* in a task: few tasks leave processors idle */
};

/* ---- axes ---- */

static struct tile_axis forward_axis(const struct kernel *kernel, int i)
{
    const struct window *window = &kernel->window;
    return (struct tile_axis){
        .outputs = kernel->out_grid[i],
        .out_step = 1,
        .taps = window->kernel[i],
        .tap_step = 1,
        .in_stride = window->stride[i],
        .in_first = -window->padding[i],
        .in_step = window->dilation[i],
    };
}

static int32_t greatest_common_divisor(int32_t a, int32_t b)
{
    while (b) {
        int32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The class of results whose coordinate is `residue` by the stride. */
static struct tile_axis backward_axis(const struct kernel *kernel, int i, int32_t residue)
{
    const struct window *window = &kernel->window;
    int32_t stride = window->stride[i], dilation = window->dilation[i];
    int32_t step = stride / greatest_common_divisor(dilation, stride), first = 0;
    int32_t base = residue + window->padding[i];
    while (first < step && (base - first * dilation) % stride != 0)
        first++;
    struct tile_axis axis = {
        .outputs = (kernel->out_grid[i] - residue + stride - 1) / stride,
        .out_first = residue,
        .out_step = stride,
        .tap_first = first,
        .tap_step = step,
        .in_stride = 1,
    };
    if (first < step && first < window->kernel[i]) {
        axis.taps = (window->kernel[i] - first + step - 1) / step;
        axis.in_first = (base - first * dilation) / stride;
        axis.in_step = -dilation * step / stride;
    }
    return axis;
}

static void set_axes(struct conv_plan *plan)
{
    for (int i = 0; i < GRID_RANK; i++) {
        bool gradient = plan->kernel->anchor == KERNEL_DATA_GRADIENT;
        plan->classes[i] = gradient ? plan->kernel->window.stride[i] : 1;
        for (int r = 0; r < plan->classes[i] && r < TILE_CLASSES; r++) {
            plan->axes[i][r] =
                gradient ? backward_axis(plan->kernel, i, r) : forward_axis(plan->kernel, i);
            plan->outputs[i] = integer_most(plan->outputs[i], plan->axes[i][r].outputs);
        }
    }
}

/* The input coordinates that outputs 0 to count - 1 of an axis read, over all classes. */
static void input_range(const struct conv_plan *plan, int i, int32_t count, int32_t *out_low,
                        int32_t *out_high)
{
    *out_low = INT32_MAX;
    *out_high = INT32_MIN;
    for (int r = 0; r < plan->classes[i]; r++) {
        const struct tile_axis *axis = &plan->axes[i][r];
        int32_t last = axis->in_first + (axis->taps - 1) * axis->in_step;
        if (axis->taps == 0)
            continue;
        *out_low = integer_least(*out_low, integer_least(axis->in_first, last));
        *out_high = integer_most(*out_high, integer_most(axis->in_first, last) +
                                                (count - 1) * axis->in_stride);
    }
}

/* Whether all that is read is inside the grid. */
static bool stays_inside(const struct conv_plan *plan)
{
    for (int i = 0; i < GRID_RANK; i++) {
        int32_t low, high;
        input_range(plan, i, plan->outputs[i], &low, &high);
        if (low < 0 || high >= plan->kernel->in_grid[i])
            return false;
    }
    return true;
}

/* ---- tasks and the input ---- */

static int64_t packed_bytes(const struct conv_plan *plan, int32_t rows)
{
    int64_t bytes = plan->input.stride * (int64_t)sizeof(float);
    for (int i = 0; i < GRID_RANK; i++) {
        int32_t low, high, count = i == 0 ? 1 : i == 1 ? rows : plan->outputs[i];
        input_range(plan, i, count, &low, &high);
        bytes *= high - low + 1;
    }
    return bytes;
}

/* Multiplications for one row of outputs. */
static int64_t row_products(const struct conv_plan *plan)
{
    const struct kernel *kernel = plan->kernel;
    int64_t products = kernel->out_channels * (int64_t)plan->blocks.channels * plan->outputs[LAST];
    for (int i = 0; i < GRID_RANK; i++)
        products *= kernel->window.kernel[i];
    return products;
}

/* Rows of outputs in a task, for one whose kernel says how sums are cut; 0 if they cannot be. */
static int32_t rows_of_sums(const struct conv_plan *plan)
{
    int32_t step = plan->axes[1][0].out_step;
    if (plan->kernel->sum_rows % step || plan->axes[0][0].out_step > 1)
        return 0;
    return integer_least(plan->kernel->sum_rows / step, plan->outputs[1]);
}

static int32_t choose_rows(const struct conv_plan *plan)
{
    if (plan->kernel->sum_count)
        return rows_of_sums(plan);
    int64_t weight_bytes = kernel_weight_elements(plan->kernel, false) * (int64_t)sizeof(float);
    int64_t limit = weight_bytes > WEIGHT_BYTES ? PACK_LARGE_BYTES : PACK_BYTES;
    int64_t products = row_products(plan), wanted = TASK_PRODUCTS / products;
    if (weight_bytes > WEIGHT_BYTES)
        wanted = plan->outputs[1];
    int32_t rows = (int32_t)(wanted < 1 ? 1 : wanted);
    rows = integer_least(rows, plan->outputs[1]);
    while (plan->input.packed && rows > 1 && packed_bytes(plan, rows) > limit)
        rows--;
    int32_t parts = (plan->outputs[1] + rows - 1) / rows;
    return (plan->outputs[1] + parts - 1) / parts;
}

/* Whether rows that need no packing are packed all the same: neighbouring points fall into few sets
 * of a cache, and the rows of a task find room. */
static bool gains_by_packing(const struct conv_plan *plan)
{
    const struct kernel *kernel = plan->kernel;
    int32_t rows = kernel->sum_count ? rows_of_sums(plan) : 1;
    return !plan->input.packed && conv_input_is_aliasing(&plan->input) &&
           grid_points(kernel->in_grid) > 1 && packed_bytes(plan, rows) <= PACK_LARGE_BYTES;
}

/* A grid of one point makes a row of images. */
static void set_image_row(struct conv_plan *plan)
{
    const struct kernel *kernel = plan->kernel;
    int64_t points = grid_points(kernel->out_grid);
    plan->image_row = kernel->sum_count == 0 && points == 1 && grid_points(kernel->in_grid) == 1 &&
                      stays_inside(plan);
    if (plan->image_row)
        plan->axes[LAST][0].outputs = plan->outputs[LAST] = ROW_IMAGES;
}

static void set_extents(struct conv_plan *plan)
{
    struct conv_input *input = &plan->input;
    for (int i = 0; i < GRID_RANK; i++) {
        int32_t low, high, count = i == 0 ? 1 : i == 1 ? plan->rows : plan->outputs[i];
        input_range(plan, i, count, &low, &high);
        input->low[i] = low;
        input->extent[i] = input->packed ? high - low + 1 : plan->kernel->in_grid[i];
        input->in_stride[i] = plan->axes[i][0].in_stride;
    }
}

/* Small grids: several images use a block's weights while they are in a near cache. */
static void set_images(struct conv_plan *plan)
{
    const struct kernel *kernel = plan->kernel;
    int64_t points = grid_points(kernel->out_grid);
    int64_t bytes = plan->input.packed ? packed_bytes(plan, plan->rows) : 0;
    plan->images = 1;
    if (plan->image_row || plan->rows < plan->outputs[1] || kernel->out_grid[0] > 1)
        return;
    while (plan->images < MOST_IMAGES && plan->images * points < IMAGES_POINTS &&
           (plan->images + 1) * bytes <= IMAGES_BYTES)
        plan->images++;
}

static bool suits(const struct kernel *kernel)
{
    if (kernel->anchor == KERNEL_CONVOLUTION)
        return true;
    for (int i = 0; i < GRID_RANK; i++)
        if (kernel->window.stride[i] > TILE_CLASSES)
            return false;
    return kernel->anchor == KERNEL_DATA_GRADIENT;
}

int64_t conv_plan_weights(const struct conv_plan *plan)
{
    if (!plan->blocks.diagonal)
        return 0;
    return grid_points(plan->kernel->window.kernel) * plan->blocks.channels * VECTOR_LANES;
}

int64_t conv_plan_sums(const struct conv_plan *plan)
{
    return plan->images * plan->kernel->sum_count * channel_stride(plan->kernel->out_channels);
}

bool conv_plan_make(const struct kernel *kernel, struct conv_plan *plan)
{
    *plan = (struct conv_plan){.kernel = kernel};
    if (!suits(kernel) || !conv_blocks_cut(kernel, &plan->blocks))
        return false;
    set_axes(plan);
    plan->input = conv_input_of(kernel, 0, false);
    if (!stays_inside(plan) || gains_by_packing(plan))
        conv_input_set_packed(&plan->input);
    set_image_row(plan);
    plan->rows = choose_rows(plan);
    if (plan->rows == 0)
        return false;
    set_extents(plan);
    set_images(plan);
    conv_blocks_split(&plan->blocks, plan->images * plan->rows * row_products(plan));
    int64_t pack = plan->input.packed ? plan->images * packed_bytes(plan, plan->rows) : 0;
    int64_t sums = conv_plan_sums(plan) * (int64_t)sizeof(float);
    int64_t weights = conv_plan_weights(plan) * (int64_t)sizeof(float);
    return pack + sums + weights <= MOST_BYTES;
}
