/* Elements of threads, and reductions. See block.h. */
#include "codegen/cuda/block.h"

int block_lanes(int64_t channels)
{
    return channel_stride(channels) % BLOCK_LANES == 0 ? BLOCK_LANES : 1;
}

static bool has_bfloat16(const struct kernel *kernel)
{
    for (int p = 0; p < kernel->parameter_count; p++)
        if (kernel->storage[p] == KERNEL_BF16)
            return true;
    return false;
}

int block_stream_lanes(const struct kernel *kernel, int64_t elements)
{
    if (has_bfloat16(kernel) && elements % BLOCK_ROUNDED_LANES == 0)
        return BLOCK_ROUNDED_LANES;
    return elements % BLOCK_LANES == 0 ? BLOCK_LANES : 1;
}

/* ---- units ---- */

/* One image or less a task. */
static struct block_unit open_part(struct loop_program *program, int64_t vectors)
{
    program->images_per_task = 1;
    program->tasks_per_group = (vectors + BLOCK_THREADS - 1) / BLOCK_THREADS;
    program->threads = BLOCK_THREADS;
    struct task_range range = nest_task(program);
    loop_value first = loop_times(program, range.part, BLOCK_THREADS);
    struct block_unit unit = {.image = range.first, .bodies = 1};
    unit.number = loop_add(program, first, loop_threads(program));
    if (vectors % BLOCK_THREADS != 0) {
        loop_if(program, loop_binary(program, LOOP_LESS, unit.number, loop_int(program, vectors)));
        unit.bodies++;
    }
    return unit;
}

/* Several images a task; a thread without an image has nothing to do. */
static struct block_unit open_images(struct loop_program *program, int64_t vectors)
{
    program->images_per_task = BLOCK_THREADS / vectors;
    program->tasks_per_group = 1;
    program->threads = (int32_t)(program->images_per_task * vectors);
    struct task_range range = nest_task(program);
    loop_value size = loop_int(program, vectors), thread = loop_threads(program);
    struct block_unit unit = {.bodies = 2};
    unit.image = loop_add(program, range.first, loop_binary(program, LOOP_DIVIDE, thread, size));
    unit.number = loop_binary(program, LOOP_REMAINDER, thread, size);
    loop_if(program, loop_binary(program, LOOP_LESS, unit.image, range.end));
    return unit;
}

struct block_unit block_open_units(struct loop_program *program, int64_t vectors)
{
    return vectors > BLOCK_THREADS / 2 ? open_part(program, vectors)
                                       : open_images(program, vectors);
}

struct position block_point(struct loop_program *program, loop_value index,
                            const int32_t grid[GRID_RANK])
{
    struct position point = {.index = index};
    for (int i = GRID_RANK - 1; i >= 0; i--) {
        loop_value extent = loop_int(program, grid[i]);
        bool is_first = i == 0 || (i == 1 && grid[0] == 1);
        if (grid[i] == 1) {
            point.at[i] = loop_int(program, 0);
            continue;
        }
        point.at[i] = is_first ? index : loop_binary(program, LOOP_REMAINDER, index, extent);
        if (!is_first)
            index = loop_binary(program, LOOP_DIVIDE, index, extent);
    }
    return point;
}

struct block_element block_element(struct loop_program *program, loop_value number,
                                   const int32_t grid[GRID_RANK], int64_t stride, int lanes)
{
    struct block_element element;
    loop_value vectors = loop_int(program, stride / lanes), zero = loop_int(program, 0);
    loop_value point = loop_binary(program, LOOP_DIVIDE, number, vectors);
    if (grid_points(grid) == 1)
        element.point = (struct position){.at = {zero, zero, zero}, .index = zero};
    else
        element.point = block_point(program, point, grid);
    element.channel =
        grid_points(grid) == 1 ? number : loop_binary(program, LOOP_REMAINDER, number, vectors);
    element.channel = loop_times(program, element.channel, lanes);
    return element;
}

void block_store_values(const struct kernel *kernel, struct loop_program *program,
                        const struct place *place, loop_value index)
{
    loop_value values[KERNEL_VALUES];
    uint32_t first = (uint32_t)kernel_first_output(kernel);
    for (uint32_t j = 0; j < kernel->value_count; j++)
        values[j] = loop_convert(
            program, expression_value(kernel, program, kernel->values[j], place), LOOP_F32);
    for (uint32_t j = 0; j < kernel->value_count; j++)
        loop_store(program, first + j, index, values[j]);
}

void block_store_result(const struct kernel *kernel, struct loop_program *program,
                        const struct place *place, loop_value sums)
{
    loop_value result = epilogue_value(kernel, program, *place, sums);
    loop_value index = activation_index(program, place->image, place->points, place->point,
                                        place->channels, place->channel);
    loop_store(program, (uint32_t)kernel_first_output(kernel), index, result);
}

/* ---- reductions ---- */

void block_reduce(struct loop_program *program, enum loop_op op, loop_value shared, int lines,
                  int length, int lanes)
{
    while (lines > 1) {
        const int half = (lines + 1) / 2, moved = (lines - half) * length;
        loop_value thread = loop_threads(program);
        loop_value index = loop_times(program, thread, lanes);
        loop_if(program, loop_binary(program, LOOP_LESS, index, loop_int(program, moved)));
        loop_value other = loop_plus(program, index, (int64_t)half * length);
        loop_value a = loop_load_local(program, shared, index, lanes);
        loop_value b = loop_load_local(program, shared, other, lanes);
        loop_store_local(program, shared, index, loop_binary(program, op, a, b));
        nest_close(program, 2);
        lines = half;
    }
}
