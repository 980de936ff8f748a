/* Pools and their gradients: a thread has four channels of a point of the result, and gathers.
 *
 * The maximum's gradient at p adds dy of each window that p is the first maximum of: no earlier
 * element of that window reaches x[p] and no later one exceeds it. Windows are added in order. */
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

/* Takes the share away where another element of the window comes first. `own` is x at position w of
 * the window at q. */
static void lose_to_others(const struct pool *pool, const struct position *q,
                           const struct position *w, loop_value own, loop_value share)
{
    struct loop_program *program = pool->program;
    struct position other, p;
    int bodies = nest_open(program, pool->kernel->window.kernel, &other);
    bodies += nest_open_if(program, window_point(pool, q, &other, &p));
    loop_value value = value_in(pool, p.index), zero = nest_zero(program, pool->lanes);
    loop_value is_earlier = loop_binary(program, LOOP_LESS, other.index, w->index);
    loop_value earlier = loop_broadcast(program, is_earlier, pool->lanes);
    loop_value reaches = loop_binary(program, LOOP_LESS_EQUAL, own, value);
    loop_value exceeds = loop_binary(program, LOOP_LESS, own, value);
    loop_value wins =
        loop_binary(program, LOOP_OR, exceeds, loop_binary(program, LOOP_AND, earlier, reaches));
    loop_value before = nest_load_one(program, share, pool->lanes);
    nest_store_one(program, share, loop_ternary(program, LOOP_SELECT, wins, zero, before));
    nest_close(program, bodies);
}

static void build_max_gradient(const struct kernel *kernel, struct loop_program *program)
{
    struct pool pool = pool_begin(kernel, program, kernel->in_grid, 0.0);
    loop_value share = loop_local(program, LOOP_F32, pool.lanes);
    loop_value own = value_in(&pool, pool.point.index);
    struct position w, q;
    int bodies = nest_open(program, kernel->window.kernel, &w);
    bodies += nest_open_if(program, point_window(&pool, &w, &q));
    nest_store_one(program, share, value_out(&pool, 1, q.index));
    lose_to_others(&pool, &q, &w, own, share);
    gather(&pool, LOOP_ADD, nest_load_one(program, share, pool.lanes));
    nest_close(program, bodies);
    pool_end(&pool, kernel->in_grid, gathered(&pool));
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
