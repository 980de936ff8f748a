/* Pools and their gradients: a thread has some channels of a point of the result, and gathers; for
 * the gradient of a maximum, of a few points. Windows are added in order. */
#include <math.h>

#include "codegen/cuda/block.h"
#include "codegen/cuda/schedules.h"

/* What the loops of one thread share. */
struct pool {
    const struct kernel *kernel;
    struct loop_program *program;
    int lanes;
    loop_value image, channel;
    struct position point; /* of the result */
    loop_value sum;        /* local: what is gathered */
    int bodies;
};

static bool pool_applies(const struct kernel *kernel)
{
    return kernel->anchor >= KERNEL_MAX_POOL && kernel->anchor <= KERNEL_AVERAGE_POOL_GRADIENT;
}

static struct pool pool_begin(const struct kernel *kernel, struct loop_program *program,
                              const int32_t result_grid[GRID_RANK], double start)
{
    struct pool pool = {.kernel = kernel, .program = program};
    const int64_t stride = channel_stride(kernel->in_channels);
    pool.lanes = block_stream_lanes(kernel, channel_stride(kernel->in_channels));
    struct block_unit unit =
        block_open_units(program, grid_points(result_grid) * stride / pool.lanes);
    struct block_element element =
        block_element(program, unit.number, result_grid, stride, pool.lanes);
    pool.image = unit.image;
    pool.point = element.point;
    pool.channel = element.channel;
    pool.bodies = unit.bodies;
    pool.sum = loop_local(program, LOOP_F32, pool.lanes);
    nest_store_one(program, pool.sum, loop_float(program, LOOP_F32_TYPE(pool.lanes), start));
    return pool;
}

/* Stores the result and ends the thread. */
static void pool_end(const struct pool *pool, const int32_t result_grid[GRID_RANK],
                     loop_value result)
{
    loop_value index =
        activation_index(pool->program, pool->image, grid_points(result_grid), pool->point.index,
                         pool->kernel->in_channels, pool->channel);
    loop_store(pool->program, (uint32_t)kernel_first_output(pool->kernel), index, result);
    nest_close(pool->program, pool->bodies);
}

/* x at a point of in_grid. */
static loop_value value_in(const struct pool *pool, loop_value point)
{
    struct place place = place_in(pool->kernel, pool->image, point, pool->channel, pool->lanes);
    return expression_value(pool->kernel, pool->program, pool->kernel->values[0], &place);
}

/* Value `number` at a point of out_grid. */
static loop_value value_out(const struct pool *pool, int number, loop_value point)
{
    struct place place = place_out(pool->kernel, pool->image, point, pool->channel, pool->lanes);
    return expression_value(pool->kernel, pool->program, pool->kernel->values[number], &place);
}

static loop_value gathered(const struct pool *pool)
{
    return nest_load_one(pool->program, pool->sum, pool->lanes);
}

/* sum = sum op value; the value comes first, as LOOP_MAXIMUM keeps its second on ties. */
static void gather(const struct pool *pool, enum loop_op op, loop_value value)
{
    nest_store_one(pool->program, pool->sum, loop_binary(pool->program, op, value, gathered(pool)));
}

static struct condition window_point(const struct pool *pool, const struct position *q,
                                     const struct position *w, struct position *out_point)
{
    const struct kernel *kernel = pool->kernel;
    return window_input(pool->program, &kernel->window, kernel->in_grid, kernel->out_grid, q, w,
                        out_point);
}

/* The window that holds the result's point at its position w. */
static struct condition point_window(const struct pool *pool, const struct position *w,
                                     struct position *out_window)
{
    const struct kernel *kernel = pool->kernel;
    return window_output(pool->program, &kernel->window, kernel->out_grid, &pool->point, w,
                         out_window);
}

static loop_value mean(const struct pool *pool)
{
    double size = (double)grid_points(pool->kernel->window.kernel);
    return loop_binary(pool->program, LOOP_DIVIDE, gathered(pool),
                       loop_float(pool->program, LOOP_F32_TYPE(pool->lanes), size));
}

static void build_pool(const struct kernel *kernel, struct loop_program *program)
{
    const bool is_max = kernel->anchor == KERNEL_MAX_POOL;
    struct pool pool = pool_begin(kernel, program, kernel->out_grid, is_max ? -HUGE_VAL : 0.0);
    struct position w, p;
    int bodies = nest_open(program, kernel->window.kernel, &w);
    bodies += nest_open_if(program, window_point(&pool, &pool.point, &w, &p));
    gather(&pool, is_max ? LOOP_MAXIMUM : LOOP_ADD, value_in(&pool, p.index));
    nest_close(program, bodies);
    pool_end(&pool, kernel->out_grid, is_max ? gathered(&pool) : mean(&pool));
}

static void build_average_gradient(const struct kernel *kernel, struct loop_program *program)
{
    struct pool pool = pool_begin(kernel, program, kernel->in_grid, 0.0);
    struct position w, q;
    int bodies = nest_open(program, kernel->window.kernel, &w);
    bodies += nest_open_if(program, point_window(&pool, &w, &q));
    gather(&pool, LOOP_ADD, value_out(&pool, 0, q.index));
    nest_close(program, bodies);
    pool_end(&pool, kernel->in_grid, mean(&pool));
}

/* ---- the gradient of a maximum ---- */

/* A thread has the points of in_grid between two windows, a block of `stride` points, and goes
 * through the windows that reach into it: of each it finds the first maximum once, for all of them.
 */
struct blocks {
    int32_t grid[GRID_RANK];    /* of blocks */
    int32_t windows[GRID_RANK]; /* that reach into a block */
    int32_t first[GRID_RANK];   /* the first of them, from the block's number on */
};

static int32_t ceiling(int32_t a, int32_t b)
{
    return a > 0 ? (a + b - 1) / b : -(-a / b);
}

static struct blocks blocks_of(const struct kernel *kernel)
{
    const struct window *window = &kernel->window;
    struct blocks blocks;
    for (int i = 0; i < GRID_RANK; i++) {
        const int32_t stride = window->stride[i], padding = window->padding[i];
        const int32_t reach = (window->kernel[i] - 1) * window->dilation[i];
        blocks.grid[i] = ceiling(kernel->in_grid[i], stride);
        blocks.first[i] = ceiling(padding - reach, stride);
        blocks.windows[i] = (stride - 1 + padding) / stride - blocks.first[i] + 1;
    }
    return blocks;
}

/* Opens a body for each window that reaches into the thread's block, and one where it exists. */
static int open_windows(const struct pool *pool, const struct blocks *blocks,
                        struct position *out_window)
{
    struct loop_program *program = pool->program;
    struct condition exists = {0};
    struct position number;
    int bodies = nest_open(program, blocks->windows, &number);
    for (int i = 0; i < GRID_RANK; i++) {
        loop_value at = loop_plus(program, number.at[i], blocks->first[i]);
        const int32_t extent = pool->kernel->out_grid[i];
        at = loop_add(program, at, pool->point.at[i]);
        out_window->at[i] = at;
        if (blocks->first[i] < 0)
            condition_and(program, &exists,
                          loop_binary(program, LOOP_LESS_EQUAL, loop_int(program, 0), at));
        if (blocks->grid[i] - 1 + blocks->first[i] + blocks->windows[i] > extent)
            condition_and(program, &exists,
                          loop_binary(program, LOOP_LESS, at, loop_int(program, extent)));
    }
    out_window->index = nest_index(program, pool->kernel->out_grid, out_window->at);
    return bodies + nest_open_if(program, exists);
}

/* A number as a float in all lanes: positions are compared as such. */
static loop_value as_lanes(const struct pool *pool, loop_value number)
{
    return loop_broadcast(pool->program, loop_convert(pool->program, number, LOOP_F32),
                          pool->lanes);
}

/* The first position of the window at q that lies inside. */
static loop_value first_inside(const struct pool *pool, const struct position *q)
{
    struct loop_program *program = pool->program;
    const struct window *window = &pool->kernel->window;
    loop_value at[GRID_RANK];
    for (int i = 0; i < GRID_RANK; i++) {
        loop_value zero = loop_int(program, 0), step = loop_int(program, window->dilation[i]);
        loop_value missing = loop_plus(program, loop_times(program, q->at[i], -window->stride[i]),
                                       window->padding[i]);
        at[i] = zero;
        if (window->padding[i] > 0)
            at[i] =
                loop_binary(program, LOOP_DIVIDE,
                            loop_plus(program, loop_binary(program, LOOP_MAXIMUM, missing, zero),
                                      window->dilation[i] - 1),
                            step);
    }
    return nest_index(program, window->kernel, at);
}

/* The position of the first maximum of the window at q, in each lane. */
static loop_value find_maximum(const struct pool *pool, const struct position *q, loop_value found)
{
    struct loop_program *program = pool->program;
    const int32_t *extents = pool->kernel->window.kernel;
    struct position p;
    nest_store_one(program, pool->sum, loop_float(program, LOOP_F32_TYPE(pool->lanes), -HUGE_VAL));
    nest_store_one(program, found, as_lanes(pool, first_inside(pool, q)));
    loop_value number = loop_for_unrolled(program, grid_points(extents), 1);
    struct position w = block_point(program, number, extents);
    int bodies = nest_open_if(program, window_point(pool, q, &w, &p));
    loop_value value = value_in(pool, p.index), most = gathered(pool);
    loop_value exceeds = loop_binary(program, LOOP_LESS, most, value);
    loop_value before = nest_load_one(program, found, pool->lanes);
    nest_store_one(program, pool->sum, loop_ternary(program, LOOP_SELECT, exceeds, value, most));
    nest_store_one(program, found,
                   loop_ternary(program, LOOP_SELECT, exceeds, as_lanes(pool, number), before));
    nest_close(program, bodies + 1);
    return nest_load_one(program, found, pool->lanes);
}

/* Which position of the window at q the block's point `within` is, as an index; -1: none. */
static loop_value position_of(const struct pool *pool, const struct position *q,
                              const struct position *within)
{
    struct loop_program *program = pool->program;
    const struct window *window = &pool->kernel->window;
    struct condition is_one = {0};
    loop_value at[GRID_RANK];
    for (int i = 0; i < GRID_RANK; i++) {
        loop_value block = loop_binary(program, LOOP_SUBTRACT, pool->point.at[i], q->at[i]);
        loop_value t = loop_add(program, loop_times(program, block, window->stride[i]),
                                loop_plus(program, within->at[i], window->padding[i]));
        loop_value step = loop_int(program, window->dilation[i]);
        condition_and(program, &is_one,
                      loop_binary(program, LOOP_LESS_EQUAL, loop_int(program, 0), t));
        if (window->dilation[i] > 1)
            condition_and(program, &is_one,
                          loop_binary(program, LOOP_EQUAL, loop_int(program, 0),
                                      loop_binary(program, LOOP_REMAINDER, t, step)));
        at[i] = loop_binary(program, LOOP_DIVIDE, t, step);
        condition_and(program, &is_one,
                      loop_binary(program, LOOP_LESS, at[i], loop_int(program, window->kernel[i])));
    }
    return loop_ternary(program, LOOP_SELECT, is_one.value, nest_index(program, window->kernel, at),
                        loop_int(program, -1));
}

/* Adds dy of the window at q to the sum of the point that is its maximum. */
static void give_to_maximum(const struct pool *pool, const struct position *q, loop_value found,
                            loop_value sums)
{
    struct loop_program *program = pool->program;
    const int32_t *stride = pool->kernel->window.stride;
    loop_value dy = value_out(pool, 1, q->index), zero = nest_zero(program, pool->lanes);
    loop_value number = loop_for_unrolled(program, grid_points(stride), 1);
    struct position within = block_point(program, number, stride);
    loop_value hit =
        loop_binary(program, LOOP_EQUAL, found, as_lanes(pool, position_of(pool, q, &within)));
    loop_value index = loop_times(program, number, pool->lanes);
    loop_value before = loop_load_local(program, sums, index, pool->lanes);
    loop_value share = loop_ternary(program, LOOP_SELECT, hit, dy, zero);
    loop_store_local(program, sums, index, loop_binary(program, LOOP_ADD, before, share));
    nest_close(program, 1);
}

static void clear_sums(const struct pool *pool, loop_value sums)
{
    struct loop_program *program = pool->program;
    loop_value number = loop_for_unrolled(program, grid_points(pool->kernel->window.stride), 1);
    loop_store_local(program, sums, loop_times(program, number, pool->lanes),
                     nest_zero(program, pool->lanes));
    nest_close(program, 1);
}

static void store_sums(const struct pool *pool, loop_value sums)
{
    struct loop_program *program = pool->program;
    const struct kernel *kernel = pool->kernel;
    const int32_t *stride = kernel->window.stride;
    struct condition inside = {0};
    loop_value number = loop_for_unrolled(program, grid_points(stride), 1), at[GRID_RANK];
    struct position within = block_point(program, number, stride);
    for (int i = 0; i < GRID_RANK; i++) {
        at[i] = loop_add(program, loop_times(program, pool->point.at[i], stride[i]), within.at[i]);
        if (kernel->in_grid[i] % stride[i] != 0)
            condition_and(
                program, &inside,
                loop_binary(program, LOOP_LESS, at[i], loop_int(program, kernel->in_grid[i])));
    }
    int bodies = nest_open_if(program, inside);
    loop_value index = activation_index(program, pool->image, grid_points(kernel->in_grid),
                                        nest_index(program, kernel->in_grid, at),
                                        kernel->in_channels, pool->channel);
    loop_store(
        program, (uint32_t)kernel_first_output(kernel), index,
        loop_load_local(program, sums, loop_times(program, number, pool->lanes), pool->lanes));
    nest_close(program, bodies + 1);
}

static void build_max_gradient(const struct kernel *kernel, struct loop_program *program)
{
    const struct blocks blocks = blocks_of(kernel);
    struct pool pool = pool_begin(kernel, program, blocks.grid, 0.0);
    struct position q;
    loop_value found = loop_local(program, LOOP_F32, pool.lanes);
    loop_value sums =
        loop_local(program, LOOP_F32, grid_points(kernel->window.stride) * pool.lanes);
    clear_sums(&pool, sums);
    int bodies = open_windows(&pool, &blocks, &q);
    loop_value maximum = find_maximum(&pool, &q, found);
    give_to_maximum(&pool, &q, maximum, sums);
    nest_close(program, bodies);
    store_sums(&pool, sums);
    nest_close(program, pool.bodies);
}

static void pool_build(const struct kernel *kernel, struct loop_program *program)
{
    if (kernel->anchor == KERNEL_MAX_POOL_GRADIENT)
        build_max_gradient(kernel, program);
    else if (kernel->anchor == KERNEL_AVERAGE_POOL_GRADIENT)
        build_average_gradient(kernel, program);
    else
        build_pool(kernel, program);
}

const struct schedule cuda_pool_schedule = {
    .name = "cuda_pool",
    .applies = pool_applies,
    .build = pool_build,
};
