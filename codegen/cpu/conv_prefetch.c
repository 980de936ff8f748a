/* Asking for memory ahead. A task packs and stores, bound by memory, and sums products in between,
 * bound by arithmetic: what it will touch next is fetched meanwhile. */
#include <string.h>

#include "codegen/cpu/conv_tile.h"

enum {
    AT_ONCE = 24,   /* lines that a tile asks for before its sum */
    MOST_PARTS = 8, /* of a tile's results that are asked for one after the other */
};

/* Marks the tensors that a tile's end accesses at its own points. */
static int mark_results(const struct conv_tile *tile, bool wanted[KERNEL_PARAMETERS])
{
    const struct kernel *kernel = tile->kernel;
    int count = 0;
    wanted[kernel_first_output(kernel)] = !kernel->streams;
    if (kernel->epilogue)
        expression_points(kernel, (uint16_t)(kernel->epilogue - 1), wanted);
    for (int i = 0; i < kernel->sum_count; i++)
        expression_points(kernel, kernel->sums[i], wanted);
    for (uint32_t p = 0; p < kernel->parameter_count; p++)
        count += wanted[p];
    return count;
}

int conv_prefetch_parts(const struct conv_tile *tile, const struct conv_spot *spot, int pixels,
                        int32_t steps)
{
    bool wanted[KERNEL_PARAMETERS] = {false};
    int lines = mark_results(tile, wanted) * spot->block.vectors * pixels;
    return lines > AT_ONCE && steps >= MOST_PARTS && steps % MOST_PARTS == 0 ? MOST_PARTS : 1;
}

void conv_prefetch_results(const struct conv_tile *tile, const struct conv_spot *spot, int pixels,
                           int parts, loop_value part)
{
    bool wanted[KERNEL_PARAMETERS] = {false};
    struct loop_program *program = tile->program;
    struct conv_spot from = *spot;
    int each = (pixels + parts - 1) / parts;
    if (tile->plan.image_row)
        return;
    mark_results(tile, wanted);
    from.at[LAST] = loop_add(program, from.at[LAST], loop_times(program, part, each));
    for (int j = 0; j < each; j++) {
        struct place place = conv_tile_place(tile, &from, j);
        for (int v = 0; v < spot->block.vectors; v++) {
            loop_value index = conv_tile_index(tile, &place, v);
            for (uint32_t p = 0; p < tile->kernel->parameter_count; p++)
                if (wanted[p])
                    loop_prefetch(program, p, index, false);
        }
    }
}

void conv_prefetch_points(const struct conv_tile *tile, const struct conv_block *block,
                          loop_value first, int count)
{
    bool wanted[KERNEL_PARAMETERS] = {false};
    struct loop_program *program = tile->program;
    const struct kernel *kernel = tile->kernel;
    int64_t stride = channel_stride(kernel->out_channels), points = grid_points(kernel->out_grid);
    loop_value point = loop_times(program, tile->part_row, kernel->out_grid[LAST]);
    point = loop_add(program, point, loop_times(program, tile->image, points));
    point = loop_add(program, point, first);
    loop_value index = loop_add(program, loop_times(program, point, stride), block->output);
    mark_results(tile, wanted);
    for (int i = 0; i < count * block->vectors; i++) {
        int64_t offset = i / block->vectors * stride + i % block->vectors * VECTOR_LANES;
        for (uint32_t p = 0; p < kernel->parameter_count; p++)
            if (wanted[p])
                loop_prefetch(program, p, loop_plus(program, index, offset), true);
    }
}

/* Whether the next task's rows are worth asking for: those of a convolution without stride that
 * packs, once for all its outputs. */
static bool wants_next(const struct conv_tile *tile)
{
    const struct kernel *kernel = tile->kernel;
    const struct conv_plan *plan = &tile->plan;
    return plan->input.packed && !plan->image_row && plan->blocks.splits == 1 &&
           kernel->anchor == KERNEL_CONVOLUTION && kernel->groups == 1 &&
           kernel->in_channels % VECTOR_LANES == 0 &&
           memcmp(kernel->in_grid, kernel->out_grid, sizeof kernel->in_grid) == 0;
}

/* Elements of the next rows that a block asks for in a tile. */
static int64_t share_of(const struct conv_plan *plan, int pixels)
{
    int64_t blocks = plan->blocks.pairs + plan->blocks.singles;
    int64_t elements = pixels * channel_stride(plan->kernel->in_channels);
    return (elements / VECTOR_LANES + blocks - 1) / blocks * VECTOR_LANES;
}

/* Prefetches that find no room beside those under way are waited for. */
bool conv_prefetch_by_steps(const struct conv_tile *tile, int pixels)
{
    return share_of(&tile->plan, pixels) > AT_ONCE * VECTOR_LANES;
}

void conv_prefetch_next(const struct conv_tile *tile, const struct conv_spot *spot, int pixels,
                        loop_value step)
{
    bool wanted[KERNEL_PARAMETERS] = {false};
    struct loop_program *program = tile->program;
    const struct kernel *kernel = tile->kernel;
    const struct conv_plan *plan = &tile->plan;
    if (!wants_next(tile))
        return;
    int64_t stride = channel_stride(kernel->in_channels), share = share_of(plan, pixels);
    bool by_steps = conv_prefetch_by_steps(tile, pixels);
    int64_t steps = by_steps ? grid_points(kernel->window.kernel) * plan->blocks.channels : 1;
    int64_t each = (share + steps - 1) / steps, row = kernel->in_grid[LAST] * stride;
    loop_value place[] = {tile->image, spot->at[0], spot->at[1], spot->at[LAST]};
    loop_value index = nest_index(program, kernel->in_grid, &place[1]);
    index = loop_add(program, loop_times(program, place[0], grid_points(kernel->in_grid)), index);
    index = loop_plus(program, loop_times(program, index, stride), plan->images * plan->rows * row);
    index = loop_add(program, index, loop_times(program, spot->block.number, share));
    index = loop_add(program, index, loop_times(program, step, each));
    expression_points(kernel, kernel->values[0], wanted);
    for (uint32_t p = 0; p < kernel->parameter_count; p++)
        for (int64_t c = 0; wanted[p] && c < each; c += VECTOR_LANES)
            loop_prefetch(program, p, loop_plus(program, index, c), true);
}
