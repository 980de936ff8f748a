/* Sums, norms and averages of parameters. See step_functions.h.
 *
 * Norms are sums of squares in float64. A thread adds every BLOCK_THREADS-th number of its block,
 * or of the blocks' norms, in their order; the threads' sums are combined in pairs. So the order
 * depends on the parameters alone. What goes from one launch to the next is the root, which a float
 * can hold, in two floats: 48 bits. */
#include "codegen/cuda/step_functions.h"

#include <stdio.h>
#include <stdlib.h>

#include "codegen/cuda/block.h"

static const struct loop_type wide = {LOOP_F64, 1};

/* PyTorch's, which keeps a gradient of zero from a division by zero. */
static const double norm_epsilon = 1e-6;

/* ---- rows ---- */

/* out = out + in, or out + share (in - out). */
static struct loop_program *rows_program(struct arena *arena, const char *name, const double *share)
{
    struct loop_program *program = loop_program_new(arena, name, "step");
    const struct loop_type type = LOOP_F32_TYPE(BLOCK_LANES);
    const uint32_t out = loop_parameter(program, "out", LOOP_STORAGE_F32, true);
    const uint32_t in = loop_parameter(program, "in", LOOP_STORAGE_F32, false);
    struct block_unit unit = block_open_units(program, RNET_CHANNEL_PADDING / BLOCK_LANES);
    loop_value index = loop_add(program, loop_times(program, unit.image, RNET_CHANNEL_PADDING),
                                loop_times(program, unit.number, BLOCK_LANES));
    loop_value before = loop_load(program, out, index, BLOCK_LANES);
    loop_value change = loop_load(program, in, index, BLOCK_LANES);
    if (share) {
        change = loop_binary(program, LOOP_SUBTRACT, change, before);
        change = loop_binary(program, LOOP_MULTIPLY, loop_float(program, type, *share), change);
    }
    loop_store(program, out, index, loop_binary(program, LOOP_ADD, before, change));
    nest_close(program, unit.bodies);
    return program;
}

/* ---- norms ---- */

/* Adds the square of a float64 to the one number of a local. */
static void add_square(struct loop_program *program, loop_value local, loop_value value)
{
    loop_value square = loop_binary(program, LOOP_MULTIPLY, value, value);
    loop_value before = loop_load_local(program, local, loop_int(program, 0), 1);
    loop_store_local(program, local, loop_int(program, 0),
                     loop_binary(program, LOOP_ADD, before, square));
}

static loop_value load_wide(struct loop_program *program, uint32_t parameter, loop_value index)
{
    return loop_convert(program, loop_load(program, parameter, index, 1), LOOP_F64);
}

/* Stores a float64 as pair `number`: the nearest float, and what is left. */
static void store_pair(struct loop_program *program, uint32_t parameter, loop_value number,
                       loop_value value)
{
    loop_value index = loop_times(program, number, 2);
    loop_value nearest = loop_convert(program, value, LOOP_F32);
    loop_value left =
        loop_binary(program, LOOP_SUBTRACT, value, loop_convert(program, nearest, LOOP_F64));
    loop_store(program, parameter, index, nearest);
    loop_store(program, parameter, loop_plus(program, index, 1),
               loop_convert(program, left, LOOP_F32));
}

static loop_value load_pair(struct loop_program *program, uint32_t parameter, loop_value number)
{
    loop_value index = loop_times(program, number, 2);
    return loop_binary(program, LOOP_ADD, load_wide(program, parameter, index),
                       load_wide(program, parameter, loop_plus(program, index, 1)));
}

/* The threads of a task that sum squares. */
struct square_sum {
    struct loop_program *program;
    loop_value shared; /* a float64 a thread; the first is then of all */
    loop_value own;    /* local: the thread's */
};

/* Opens the threads; the value is the thread's number. */
static loop_value sum_open(struct square_sum *sum)
{
    struct loop_program *program = sum->program;
    sum->shared = loop_shared(program, LOOP_F64, BLOCK_THREADS);
    loop_value thread = loop_threads(program);
    sum->own = loop_local(program, LOOP_F64, 1);
    loop_store_local(program, sum->own, loop_int(program, 0), loop_float(program, wide, 0));
    return thread;
}

/* Closes them, and opens the first thread alone; the value is the root of the sum. */
static loop_value sum_root(const struct square_sum *sum, loop_value thread)
{
    struct loop_program *program = sum->program;
    const loop_value zero = loop_int(program, 0);
    loop_store_local(program, sum->shared, thread, loop_load_local(program, sum->own, zero, 1));
    loop_end(program);
    block_reduce(program, LOOP_ADD, sum->shared, BLOCK_THREADS, 1, 1);
    thread = loop_threads(program);
    loop_if(program, loop_binary(program, LOOP_EQUAL, thread, loop_int(program, 0)));
    return loop_unary(program, LOOP_SQRT,
                      loop_load_local(program, sum->shared, loop_int(program, 0), 1));
}

static struct loop_program *block_norms_program(struct arena *arena)
{
    struct loop_program *program = loop_program_new(arena, "gradient_block_norms", "step");
    const uint32_t gradients = loop_parameter(program, "gradients", LOOP_STORAGE_F32, false);
    const uint32_t blocks = loop_parameter(program, "blocks", LOOP_STORAGE_I32, false);
    const uint32_t norms = loop_parameter(program, "norms", LOOP_STORAGE_F32, true);
    struct square_sum sum = {.program = program};
    program->images_per_task = 1;
    program->tasks_per_group = 1;
    program->threads = BLOCK_THREADS;
    loop_value block = loop_task(program), entry = loop_times(program, block, 2);
    loop_value thread = sum_open(&sum);
    loop_value row = loop_load(program, blocks, entry, 1);
    loop_value count = loop_load(program, blocks, loop_plus(program, entry, 1), 1);
    loop_value first = loop_times(program, row, RNET_CHANNEL_PADDING);
    loop_value place = loop_for(program, thread, count, BLOCK_THREADS);
    add_square(program, sum.own, load_wide(program, gradients, loop_add(program, first, place)));
    loop_end(program);
    store_pair(program, norms, block, sum_root(&sum, thread));
    nest_close(program, 2);
    return program;
}

/* norm = root / batches; scale = 1 / batches, times limit / (norm + epsilon) if that is less than
 * 1. */
static void store_scale(struct loop_program *program, uint32_t scalars, uint32_t out,
                        loop_value root, double limit)
{
    const loop_value one = loop_float(program, wide, 1);
    loop_value batches = load_wide(program, scalars, loop_int(program, RNET_SCALAR_BATCHES));
    loop_value share = loop_binary(program, LOOP_DIVIDE, one, batches);
    loop_value norm = loop_binary(program, LOOP_MULTIPLY, share, root);
    loop_value most =
        loop_binary(program, LOOP_DIVIDE, loop_float(program, wide, limit),
                    loop_binary(program, LOOP_ADD, norm, loop_float(program, wide, norm_epsilon)));
    loop_value scale =
        loop_binary(program, LOOP_MULTIPLY, share, loop_binary(program, LOOP_MINIMUM, most, one));
    store_pair(program, out, loop_int(program, 0), norm);
    loop_store(program, scalars, loop_int(program, RNET_SCALAR_GRADIENT_SCALE),
               loop_convert(program, scale, LOOP_F32));
}

static struct loop_program *limit_program(struct arena *arena, double limit)
{
    struct loop_program *program = loop_program_new(arena, "gradient_limit", "step");
    const uint32_t norms = loop_parameter(program, "norms", LOOP_STORAGE_F32, false);
    const uint32_t scalars = loop_parameter(program, "scalars", LOOP_STORAGE_F32, true);
    const uint32_t norm = loop_parameter(program, "norm", LOOP_STORAGE_F32, true);
    struct square_sum sum = {.program = program};
    program->images_per_task = 0;
    program->tasks_per_group = 1;
    program->threads = BLOCK_THREADS;
    loop_value thread = sum_open(&sum);
    loop_value block = loop_for(program, thread, loop_images(program), BLOCK_THREADS);
    add_square(program, sum.own, load_pair(program, norms, block));
    loop_end(program);
    store_scale(program, scalars, norm, sum_root(&sum, thread), limit);
    nest_close(program, 2);
    return program;
}

/* ---- all ---- */

static void check(const struct loop_program *program)
{
    const char *wrong = program ? loop_check(program) : NULL;
    if (wrong) {
        fprintf(stderr, "internal error: %s: %s\n", program->name, wrong);
        abort();
    }
}

void step_functions(struct arena *arena, const struct step_recipe *recipe,
                    struct loop_program *out_programs[RNET_CUDA_FUNCTION_COUNT])
{
    const double share = (double)(float)(1 - recipe->ema);
    for (int f = 0; f < RNET_CUDA_FUNCTION_COUNT; f++)
        out_programs[f] = NULL;
    if (recipe->accumulate > 1)
        out_programs[RNET_CUDA_ADD] = rows_program(arena, "gradient_add", NULL);
    if (recipe->ema > 0)
        out_programs[RNET_CUDA_AVERAGE] = rows_program(arena, "weight_average", &share);
    if (recipe->clip > 0) {
        out_programs[RNET_CUDA_BLOCK_NORMS] = block_norms_program(arena);
        out_programs[RNET_CUDA_LIMIT] = limit_program(arena, recipe->clip);
    }
    for (int f = 0; f < RNET_CUDA_FUNCTION_COUNT; f++)
        check(out_programs[f]);
}
