/* Pools: see pool.h. A task is one image and, with more than one lane, one vector of channels, so
 * that the maximum's gradient can add to its result in the order of the windows. */
#include "codegen/pool.h"

#include <math.h>

#include "codegen/nest.h"

/* What the loops of one task share. */
struct pool {
    const struct kernel *kernel;
    struct loop_program *program;
    int lanes;
    loop_value image, channel;
    loop_value sum; /* local: what a window gathers */
    int bodies;     /* opened for the channels */
};

static struct pool pool_begin(const struct kernel *kernel, struct loop_program *program, int lanes)
{
    struct pool pool = {.kernel = kernel, .program = program, .lanes = lanes};
    program->images_per_task = 1;
    program->tasks_per_group = lanes == 1 ? 1 : channel_stride(kernel->in_channels) / lanes;
    struct task_range range = nest_task(program);
    pool.image = range.first;
    pool.sum = loop_local(program, LOOP_F32, lanes);
    pool.channel = loop_times(program, range.part, lanes);
    if (lanes == 1) {
        loop_value channels = loop_int(program, kernel->in_channels);
        pool.channel = loop_for(program, loop_int(program, 0), channels, 1);
        pool.bodies = 1;
    }
    return pool;
}

/* Value `number` of the kernel, x or dy, at a point of its own grid. */
static loop_value value_in(const struct pool *pool, int number, loop_value point)
{
    struct place place = place_in(pool->kernel, pool->image, point, pool->channel, pool->lanes);
    return expression_value(pool->kernel, pool->program, pool->kernel->values[number], &place);
}

static loop_value value_out(const struct pool *pool, int number, loop_value point)
{
    struct place place = place_out(pool->kernel, pool->image, point, pool->channel, pool->lanes);
    return expression_value(pool->kernel, pool->program, pool->kernel->values[number], &place);
}

static loop_value result_index(const struct pool *pool, const int32_t grid[GRID_RANK],
                               loop_value point)
{
    return activation_index(pool->program, pool->image, grid_points(grid), point,
                            pool->kernel->in_channels, pool->channel);
}

static void store_result(const struct pool *pool, const int32_t grid[GRID_RANK], loop_value point,
                         loop_value value)
{
    loop_store(pool->program, (uint32_t)kernel_first_output(pool->kernel),
               result_index(pool, grid, point), value);
}

static void set_sum(const struct pool *pool, double value)
{
    nest_store_one(pool->program, pool->sum,
                   loop_float(pool->program, LOOP_F32_TYPE(pool->lanes), value));
}

/* sum = sum op value; the value comes first, as LOOP_MAXIMUM keeps its second on ties. */
static void gather(const struct pool *pool, enum loop_op op, loop_value value)
{
    loop_value sum = nest_load_one(pool->program, pool->sum, pool->lanes);
    nest_store_one(pool->program, pool->sum, loop_binary(pool->program, op, value, sum));
}

static struct condition window_point(const struct pool *pool, const struct position *q,
                                     const struct position *w, struct position *out_point)
{
    const struct kernel *kernel = pool->kernel;
    return window_input(pool->program, &kernel->window, kernel->in_grid, kernel->out_grid, q, w,
                        out_point);
}

/* Gathers x over the window at q. */
static void gather_window(const struct pool *pool, const struct position *q, enum loop_op op)
{
    struct position w, p;
    int bodies = nest_open(pool->program, pool->kernel->window.kernel, &w);
    bodies += nest_open_if(pool->program, window_point(pool, q, &w, &p));
    gather(pool, op, value_in(pool, 0, p.index));
    nest_close(pool->program, bodies);
}

/* The gathered sum over the size of the window. */
static loop_value mean(const struct pool *pool)
{
    double size = (double)grid_points(pool->kernel->window.kernel);
    struct loop_type type = LOOP_F32_TYPE(pool->lanes);
    return loop_binary(pool->program, LOOP_DIVIDE,
                       nest_load_one(pool->program, pool->sum, pool->lanes),
                       loop_float(pool->program, type, size));
}

void pool_max(const struct kernel *kernel, struct loop_program *program, int lanes)
{
    struct pool pool = pool_begin(kernel, program, lanes);
    struct position q;
    int bodies = nest_open(program, kernel->out_grid, &q);
    set_sum(&pool, -INFINITY);
    gather_window(&pool, &q, LOOP_MAXIMUM);
    store_result(&pool, kernel->out_grid, q.index, nest_load_one(program, pool.sum, lanes));
    nest_close(program, bodies + pool.bodies);
}

void pool_average(const struct kernel *kernel, struct loop_program *program, int lanes)
{
    struct pool pool = pool_begin(kernel, program, lanes);
    struct position q;
    int bodies = nest_open(program, kernel->out_grid, &q);
    set_sum(&pool, 0.0);
    gather_window(&pool, &q, LOOP_ADD);
    store_result(&pool, kernel->out_grid, q.index, mean(&pool));
    nest_close(program, bodies + pool.bodies);
}

void pool_average_gradient(const struct kernel *kernel, struct loop_program *program, int lanes)
{
    struct pool pool = pool_begin(kernel, program, lanes);
    struct position p, w, q;
    int bodies = nest_open(program, kernel->in_grid, &p);
    set_sum(&pool, 0.0);
    int inner = nest_open(program, kernel->window.kernel, &w);
    inner += nest_open_if(program,
                          window_output(program, &kernel->window, kernel->out_grid, &p, &w, &q));
    gather(&pool, LOOP_ADD, value_out(&pool, 0, q.index));
    nest_close(program, inner);
    store_result(&pool, kernel->in_grid, p.index, mean(&pool));
    nest_close(program, bodies + pool.bodies);
}

static void clear_result(const struct pool *pool)
{
    struct position p;
    int bodies = nest_open(pool->program, pool->kernel->in_grid, &p);
    store_result(pool, pool->kernel->in_grid, p.index, nest_zero(pool->program, pool->lanes));
    nest_close(pool->program, bodies);
}

/* Adds what is left of dy to the result at p where x is the maximum. */
static void give_to_maximum(const struct pool *pool, loop_value point, loop_value maximum,
                            loop_value left)
{
    struct loop_program *program = pool->program;
    loop_value zero = nest_zero(program, pool->lanes);
    loop_value dy = nest_load_one(program, left, pool->lanes);
    loop_value hit = loop_binary(program, LOOP_EQUAL, value_in(pool, 0, point), maximum);
    loop_value index = result_index(pool, pool->kernel->in_grid, point);
    uint32_t out = (uint32_t)kernel_first_output(pool->kernel);
    loop_value before = loop_load(program, out, index, pool->lanes);
    loop_value share = loop_ternary(program, LOOP_SELECT, hit, dy, zero);
    loop_store(program, out, index, loop_binary(program, LOOP_ADD, before, share));
    nest_store_one(program, left, loop_ternary(program, LOOP_SELECT, hit, zero, dy));
}

/* The first maximum takes all of dy: later ones find nothing left. */
void pool_max_gradient(const struct kernel *kernel, struct loop_program *program, int lanes)
{
    struct pool pool = pool_begin(kernel, program, lanes);
    loop_value left = loop_local(program, LOOP_F32, lanes);
    clear_result(&pool);
    struct position q, w, p;
    int bodies = nest_open(program, kernel->out_grid, &q);
    set_sum(&pool, -INFINITY);
    gather_window(&pool, &q, LOOP_MAXIMUM);
    loop_value maximum = nest_load_one(program, pool.sum, lanes);
    nest_store_one(program, left, value_out(&pool, 1, q.index));
    int inner = nest_open(program, kernel->window.kernel, &w);
    inner += nest_open_if(program, window_point(&pool, &q, &w, &p));
    give_to_maximum(&pool, p.index, maximum, left);
    nest_close(program, inner + bodies + pool.bodies);
}
