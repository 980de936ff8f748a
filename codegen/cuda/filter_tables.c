/* Copies by tables: a task is a part of one of them, its threads store to neighbouring places. See
 * filter_tables.h. */
#include "codegen/cuda/filter_tables.h"

#include <stdio.h>
#include <stdlib.h>

#include "codegen/cuda/block.h"

enum { FROM, TO, COPIES, PARTS };

/* Number `number` of the copy whose numbers begin at `first`. */
static loop_value number_of(struct loop_program *program, loop_value first,
                            enum rnet_cuda_copy number)
{
    return loop_load(program, COPIES, loop_plus(program, first, number), 1);
}

/* The same, times `factor`. */
static loop_value times_number(struct loop_program *program, loop_value first,
                               enum rnet_cuda_copy number, loop_value factor)
{
    return loop_binary(program, LOOP_MULTIPLY, number_of(program, first, number), factor);
}

/* Stores element `element` of the copy. */
static void copy_element(struct loop_program *program, loop_value first, loop_value element)
{
    loop_value extent = number_of(program, first, RNET_CUDA_COPY_EXTENT_2);
    loop_value k = loop_binary(program, LOOP_REMAINDER, element, extent);
    loop_value row = loop_binary(program, LOOP_DIVIDE, element, extent);
    extent = number_of(program, first, RNET_CUDA_COPY_EXTENT_1);
    loop_value j = loop_binary(program, LOOP_REMAINDER, row, extent);
    loop_value i = loop_binary(program, LOOP_DIVIDE, row, extent);
    loop_value from = number_of(program, first, RNET_CUDA_COPY_FROM);
    from = loop_add(program, from, times_number(program, first, RNET_CUDA_COPY_STRIDE_0, i));
    from = loop_add(program, from, times_number(program, first, RNET_CUDA_COPY_STRIDE_1, j));
    from = loop_add(program, from, times_number(program, first, RNET_CUDA_COPY_STRIDE_2, k));
    loop_value to = loop_add(program, number_of(program, first, RNET_CUDA_COPY_TO), element);
    loop_if(program,
            loop_binary(program, LOOP_LESS, k, number_of(program, first, RNET_CUDA_COPY_VALID)));
    loop_store(program, TO, to, loop_load(program, FROM, from, 1));
    loop_else(program);
    loop_store(program, TO, to, nest_zero(program, 1));
    loop_end(program);
}

static struct loop_program *copies_program(struct arena *arena, const char *name,
                                           enum loop_storage from, enum loop_storage to)
{
    struct loop_program *program = loop_program_new(arena, name, "filter_tables");
    loop_parameter(program, "from", from, false);
    loop_parameter(program, "to", to, true);
    loop_parameter(program, "copies", LOOP_STORAGE_I32, false);
    loop_parameter(program, "parts", LOOP_STORAGE_I32, false);
    program->images_per_task = 1;
    program->tasks_per_group = 1;
    program->threads = BLOCK_THREADS;
    loop_value part = loop_times(program, loop_task(program), 2);
    loop_value thread = loop_threads(program);
    loop_value first =
        loop_times(program, loop_load(program, PARTS, part, 1), RNET_CUDA_COPY_NUMBERS);
    loop_value begin = loop_load(program, PARTS, loop_plus(program, part, 1), 1);
    loop_value end = loop_binary(program, LOOP_MINIMUM, loop_plus(program, begin, RNET_CUDA_PART),
                                 number_of(program, first, RNET_CUDA_COPY_COUNT));
    copy_element(program, first,
                 loop_for(program, loop_add(program, begin, thread), end, BLOCK_THREADS));
    nest_close(program, 2);
    const char *wrong = loop_check(program);
    if (wrong) {
        fprintf(stderr, "internal error: %s: %s\n", name, wrong);
        abort();
    }
    return program;
}

void filter_tables(struct arena *arena, enum rnet_precision precision,
                   struct loop_program *out_programs[RNET_CUDA_FUNCTION_COUNT])
{
    const enum loop_storage filter =
        precision == RNET_PRECISION_BF16 ? LOOP_STORAGE_BF16 : LOOP_STORAGE_F32;
    out_programs[RNET_CUDA_TO_FILTERS] =
        copies_program(arena, "weights_to_filters", LOOP_STORAGE_F32, filter);
    out_programs[RNET_CUDA_FROM_FILTERS] =
        copies_program(arena, "filters_to_gradients", filter, LOOP_STORAGE_F32);
}
