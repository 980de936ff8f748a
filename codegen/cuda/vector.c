/* Kernels of one value a channel, in double precision: a channel a thread. Channels may be the
 * elements of a whole weight.
 *
 * Partial sums of chunks of images are added up first, by lines of threads side by side, each of
 * which has every LINES-th chunk: one thread would wait for one after the other. */
#include "codegen/cuda/block.h"
#include "codegen/cuda/schedules.h"

enum {
    VECTOR_THREADS = 64,
    CHANNELS = 8, /* of a task with sums of chunks: 32 bytes, the least that memory moves */
    LINES = BLOCK_THREADS / CHANNELS,
};

struct vector {
    const struct kernel *kernel;
    struct loop_program *program;
    loop_value first;                     /* channel of the task */
    loop_value shared[KERNEL_PARAMETERS]; /* doubles, [line][channel], of parameters with chunks */
    bool has_chunks[KERNEL_PARAMETERS];
};

static bool vector_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_VECTOR;
}

/* Opens a body where the thread's channel, counted from the task's first, exists. */
static loop_value open_channel(const struct vector *vector, loop_value number)
{
    struct loop_program *program = vector->program;
    loop_value channel = loop_add(program, vector->first, number);
    loop_if(program, loop_binary(program, LOOP_LESS, channel,
                                 loop_int(program, vector->kernel->in_channels)));
    return channel;
}

/* Stores the values of a channel. */
static void store_values(const struct vector *vector, loop_value channel,
                         const loop_value *chunk_sums)
{
    loop_value zero = loop_int(vector->program, 0);
    struct place place = place_in(vector->kernel, zero, zero, channel, 1);
    place.scalar = LOOP_F64;
    place.chunk_sums = chunk_sums;
    block_store_values(vector->kernel, vector->program, &place, channel);
}

/* ---- sums of chunks ---- */

/* Marks the parameters that hold partial sums; returns whether there are any. */
static bool find_chunks(struct vector *vector)
{
    const struct kernel *kernel = vector->kernel;
    bool any = false;
    for (int i = 0; i < kernel->expression_count; i++) {
        const struct expression *expression = &kernel->expressions[i];
        if (expression->op != EXPRESSION_LOAD || expression->access != ACCESS_CHUNK_SUM)
            continue;
        vector->has_chunks[expression->parameter] = true;
        any = true;
    }
    return any;
}

/* Adds up the chunks of one parameter, into line 0 of its shared array. */
static void add_chunks(struct vector *vector, uint32_t parameter)
{
    struct loop_program *program = vector->program;
    const int64_t stride = channel_stride(vector->kernel->in_channels);
    loop_value zero = loop_int(program, 0), channels = loop_int(program, CHANNELS);
    loop_value sum = loop_local(program, LOOP_F64, 1);
    loop_value shared = loop_shared(program, LOOP_F64, BLOCK_THREADS);
    loop_value thread = loop_threads(program);
    loop_store_local(program, sum, zero, loop_float(program, LOOP_F64_TYPE(1), 0.0));
    loop_value channel =
        open_channel(vector, loop_binary(program, LOOP_REMAINDER, thread, channels));
    loop_value chunk = loop_for(program, loop_binary(program, LOOP_DIVIDE, thread, channels),
                                chunk_count(vector->kernel, program), LINES);
    loop_value index = loop_add(program, loop_times(program, chunk, stride), channel);
    loop_value value = loop_convert(program, loop_load(program, parameter, index, 1), LOOP_F64);
    loop_value before = loop_load_local(program, sum, zero, 1);
    loop_store_local(program, sum, zero, loop_binary(program, LOOP_ADD, before, value));
    nest_close(program, 2);
    loop_store_local(program, shared, thread, loop_load_local(program, sum, zero, 1));
    loop_end(program);
    block_reduce(program, LOOP_ADD, shared, LINES, CHANNELS, 1);
    vector->shared[parameter] = shared;
}

static void build_with_chunks(struct vector *vector)
{
    struct loop_program *program = vector->program;
    loop_value sums[KERNEL_PARAMETERS] = {0};
    program->images_per_task = 0;
    program->tasks_per_group = (vector->kernel->in_channels + CHANNELS - 1) / CHANNELS;
    program->threads = BLOCK_THREADS;
    vector->first = loop_times(program, nest_task(program).part, CHANNELS);
    for (uint32_t p = 0; p < KERNEL_PARAMETERS; p++)
        if (vector->has_chunks[p])
            add_chunks(vector, p);
    loop_value thread = loop_threads(program);
    loop_if(program, loop_binary(program, LOOP_LESS, thread, loop_int(program, CHANNELS)));
    loop_value channel = open_channel(vector, thread);
    for (uint32_t p = 0; p < KERNEL_PARAMETERS; p++)
        if (vector->has_chunks[p])
            sums[p] = loop_load_local(program, vector->shared[p], thread, 1);
    store_values(vector, channel, sums);
    nest_close(program, 3);
}

/* ---- without ---- */

static void build_plain(struct vector *vector)
{
    struct loop_program *program = vector->program;
    program->images_per_task = 0;
    program->tasks_per_group = (vector->kernel->in_channels + VECTOR_THREADS - 1) / VECTOR_THREADS;
    program->threads = VECTOR_THREADS;
    vector->first = loop_times(program, nest_task(program).part, VECTOR_THREADS);
    store_values(vector, open_channel(vector, loop_threads(program)), NULL);
    nest_close(program, 2);
}

static void vector_build(const struct kernel *kernel, struct loop_program *program)
{
    struct vector vector = {.kernel = kernel, .program = program};
    if (find_chunks(&vector))
        build_with_chunks(&vector);
    else
        build_plain(&vector);
}

const struct schedule cuda_vector_schedule = {
    .name = "cuda_vector",
    .applies = vector_applies,
    .build = vector_build,
};
