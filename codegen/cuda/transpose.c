/* Exchanging a weight's inputs and outputs: an element of the result a thread. */
#include "codegen/cuda/block.h"
#include "codegen/cuda/schedules.h"
#include "codegen/reference/naive.h"

static bool transpose_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_TRANSPOSE;
}

static void transpose_build(const struct kernel *kernel, struct loop_program *program)
{
    const int64_t elements = kernel_weight_elements(kernel, true);
    const int32_t outputs = kernel->out_channels / kernel->groups;
    const int64_t stride = elements / (grid_points(kernel->window.kernel) * outputs);
    program->images_per_task = 0;
    program->tasks_per_group = (elements + BLOCK_THREADS - 1) / BLOCK_THREADS;
    program->threads = BLOCK_THREADS;
    loop_value first = loop_times(program, nest_task(program).part, BLOCK_THREADS);
    loop_value width = loop_int(program, stride), height = loop_int(program, outputs);
    loop_value index = loop_add(program, first, loop_threads(program));
    loop_if(program, loop_binary(program, LOOP_LESS, index, loop_int(program, elements)));
    loop_value row = loop_binary(program, LOOP_DIVIDE, index, width);
    loop_value input = loop_binary(program, LOOP_REMAINDER, index, width);
    loop_value w = loop_binary(program, LOOP_DIVIDE, row, height);
    loop_value output = loop_binary(program, LOOP_REMAINDER, row, height);
    naive_transpose_element(kernel, program, w, output, input, index);
    nest_close(program, 2);
}

const struct schedule cuda_transpose_schedule = {
    .name = "cuda_transpose",
    .applies = transpose_applies,
    .build = transpose_build,
};
