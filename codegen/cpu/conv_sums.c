/* The side sums of a tiled convolution: a tile adds up its pixels in registers and adds that to the
 * image's sums in a local, which the task stores at its end. */
#include "codegen/cpu/conv_tile.h"

void conv_sums_add(const struct conv_tile *tile, const struct place *place, bool is_first,
                   loop_value *sums)
{
    for (int i = 0; i < tile->kernel->sum_count; i++) {
        loop_value value =
            expression_value(tile->kernel, tile->program, tile->kernel->sums[i], place);
        sums[i] = is_first ? value : loop_binary(tile->program, LOOP_ADD, sums[i], value);
    }
}

void conv_sums_keep(const struct conv_tile *tile, const struct conv_spot *spot, int v,
                    const loop_value *sums)
{
    struct loop_program *program = tile->program;
    int64_t stride = channel_stride(tile->kernel->out_channels);
    loop_value channel = loop_plus(program, spot->block.output, (int64_t)v * VECTOR_LANES);
    channel = loop_add(program, channel,
                       loop_times(program, tile->slot, tile->kernel->sum_count * stride));
    for (int i = 0; i < tile->kernel->sum_count; i++) {
        loop_value at = loop_plus(program, channel, i * stride);
        loop_value before = loop_load_local(program, tile->sums, at, VECTOR_LANES);
        loop_store_local(program, tile->sums, at, loop_binary(program, LOOP_ADD, before, sums[i]));
    }
}

void conv_sums_declare(struct conv_tile *tile)
{
    int64_t elements = conv_plan_sums(&tile->plan);
    tile->sums = loop_local(tile->program, LOOP_F32, elements);
    local_clear(tile->program, tile->sums, loop_int(tile->program, 0), elements);
}

/* Stores the side sums of the image's blocks of `vectors` vectors; `local` is where the image's
 * begin, `first` where they go. */
static void store_sums(const struct conv_tile *tile, loop_value local, loop_value first,
                       int vectors)
{
    struct loop_program *program = tile->program;
    const struct kernel *kernel = tile->kernel;
    int64_t stride = channel_stride(kernel->out_channels);
    struct conv_block block;
    int bodies = conv_blocks_open(&tile->plan.blocks, program, tile->part_split, vectors, &block);
    if (bodies == 0)
        return;
    for (int v = 0; v < vectors; v++) {
        loop_value channel = loop_plus(program, block.output, (int64_t)v * VECTOR_LANES);
        loop_value index = loop_add(program, first, channel);
        for (int i = 0; i < kernel->sum_count; i++) {
            loop_value at = loop_add(program, local, loop_plus(program, channel, i * stride));
            loop_store(program, (uint32_t)(kernel_first_output(kernel) + 1 + i), index,
                       loop_load_local(program, tile->sums, at, VECTOR_LANES));
        }
    }
    nest_close(program, bodies);
}

void conv_sums_store(const struct conv_tile *tile)
{
    struct loop_program *program = tile->program;
    int64_t stride = channel_stride(tile->kernel->out_channels);
    bool several = tile->plan.images > 1;
    loop_value part = loop_binary(program, LOOP_DIVIDE, loop_task(program),
                                  loop_int(program, tile->plan.blocks.splits));
    loop_value slot = tile->slot;
    if (several) {
        slot = loop_for(program, tile->slot, tile->images, 1);
        part = loop_add(program, tile->image, slot);
    }
    loop_value local = loop_times(program, slot, tile->kernel->sum_count * stride);
    loop_value first = loop_times(program, part, stride);
    store_sums(tile, local, first, 2);
    store_sums(tile, local, first, 1);
    nest_close(program, several);
}
