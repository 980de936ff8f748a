/* Weight gradients product by product: a thread has an element of the result. For what has no tile
 * (weight_tile.c), such as a convolution with one channel a group; it takes any shape. */
#include "codegen/cuda/block.h"
#include "codegen/cuda/schedules.h"
#include "codegen/reference/naive.h"

static bool weight_direct_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_WEIGHT_GRADIENT;
}

/* Element `number` of the result: [window][input of the group][output, padded]. */
static loop_value element_sum(const struct kernel *kernel, struct loop_program *program,
                              const struct task_range *range, loop_value number)
{
    loop_value width = loop_int(program, vector_stride(kernel->out_channels));
    loop_value inputs = loop_int(program, kernel->in_channels / kernel->groups);
    loop_value row = loop_binary(program, LOOP_DIVIDE, number, width);
    loop_value output = loop_binary(program, LOOP_REMAINDER, number, width);
    loop_value within = loop_binary(program, LOOP_REMAINDER, row, inputs);
    struct position w =
        block_point(program, loop_binary(program, LOOP_DIVIDE, row, inputs), kernel->window.kernel);
    loop_value group = loop_binary(program, LOOP_DIVIDE, output,
                                   loop_int(program, kernel->out_channels / kernel->groups));
    loop_value input =
        loop_add(program, loop_binary(program, LOOP_MULTIPLY, group, inputs), within);
    loop_value sum = loop_local(program, LOOP_F32, 1);
    nest_store_one(program, sum, nest_zero(program, 1));
    loop_if(program,
            loop_binary(program, LOOP_LESS, output, loop_int(program, kernel->out_channels)));
    naive_weight_products(kernel, program, range, &w, input, output, sum);
    loop_end(program);
    return nest_load_one(program, sum, 1);
}

static void weight_direct_build(const struct kernel *kernel, struct loop_program *program)
{
    const int64_t elements = kernel_weight_elements(kernel, false);
    program->images_per_task = kernel->chunk_images;
    program->tasks_per_group = (elements + BLOCK_THREADS - 1) / BLOCK_THREADS;
    program->threads = BLOCK_THREADS;
    struct task_range range = nest_task(program);
    loop_value chunk = loop_binary(program, LOOP_DIVIDE, loop_task(program),
                                   loop_int(program, program->tasks_per_group));
    loop_value first = loop_times(program, range.part, BLOCK_THREADS);
    loop_value number = loop_add(program, first, loop_threads(program));
    loop_if(program, loop_binary(program, LOOP_LESS, number, loop_int(program, elements)));
    loop_value result = element_sum(kernel, program, &range, number);
    loop_value index = loop_add(program, loop_times(program, chunk, elements), number);
    loop_store(program, (uint32_t)kernel_first_output(kernel), index, result);
    nest_close(program, 2);
}

const struct schedule cuda_weight_direct_schedule = {
    .name = "cuda_weight_direct",
    .applies = weight_direct_applies,
    .build = weight_direct_build,
};
