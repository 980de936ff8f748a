/* Blocks of output channels, and how long tiles are. See conv_tile.h. */
#include "codegen/cpu/conv_tile.h"

enum {
    SPLIT_PRODUCTS = 8 << 20, /* tasks with more are split by output channels */
    MOST_SPLITS = 4,
    REGISTERS = 32,   /* vector registers of the processor that tiles are made for */
    MOST_LENGTH = 16, /* of a tile */
};

bool conv_blocks_cut(const struct kernel *kernel, struct conv_blocks *out_blocks)
{
    int32_t groups = kernel->groups, outputs = kernel->out_channels / groups;
    struct conv_blocks blocks = {
        .kernel = kernel,
        .splits = 1,
        .channels = kernel->in_channels / groups,
    };
    *out_blocks = blocks;
    if (channel_stride(kernel->out_channels) % VECTOR_LANES)
        return false;
    if (groups == 1 || outputs % VECTOR_LANES == 0) {
        int32_t vectors = (outputs + VECTOR_LANES - 1) / VECTOR_LANES;
        int32_t pairs = groups > 1 && vectors % 2 ? 0 : vectors / 2; /* none across weight blocks */
        out_blocks->pairs = groups * pairs;
        out_blocks->singles = groups * (vectors - 2 * pairs);
        return true;
    }
    if (VECTOR_LANES % outputs || kernel->out_channels % VECTOR_LANES)
        return false;
    out_blocks->diagonal = out_blocks->channels != outputs;
    out_blocks->spread = out_blocks->diagonal ? 0 : outputs;
    out_blocks->channels *= VECTOR_LANES / outputs;
    out_blocks->singles = kernel->out_channels / VECTOR_LANES;
    return true;
}

void conv_blocks_split(struct conv_blocks *blocks, int64_t products)
{
    int64_t splits = products / SPLIT_PRODUCTS;
    int32_t count = blocks->pairs > blocks->singles ? blocks->pairs : blocks->singles;
    splits = splits > MOST_SPLITS ? MOST_SPLITS : splits;
    splits = splits > count ? count : splits;
    blocks->splits = splits < 1 ? 1 : (int32_t)splits;
}

/* The first channels of block `number` of `vectors` vectors. */
static struct conv_block block_at(const struct conv_blocks *blocks, struct loop_program *program,
                                  loop_value number, int vectors)
{
    const struct kernel *kernel = blocks->kernel;
    struct conv_block block = {.vectors = vectors};
    if (blocks->diagonal || blocks->spread) {
        block.output = loop_times(program, number, VECTOR_LANES);
        block.channel = loop_times(program, number, blocks->channels);
        block.weight = nest_weight_column(kernel, program, false, block.output);
        return block;
    }
    int32_t count = vectors == 2 ? blocks->pairs : blocks->singles;
    int32_t pairs = blocks->pairs / kernel->groups, outputs = kernel->out_channels / kernel->groups;
    loop_value group = loop_int(program, 0), within = number;
    if (kernel->groups > 1) {
        loop_value each = loop_int(program, count / kernel->groups);
        group = loop_binary(program, LOOP_DIVIDE, number, each);
        within = loop_binary(program, LOOP_REMAINDER, number, each);
    }
    loop_value first = loop_times(program, within, (int64_t)vectors * VECTOR_LANES);
    if (vectors == 1)
        first = loop_plus(program, first, (int64_t)pairs * 2 * VECTOR_LANES);
    block.output = loop_add(program, loop_times(program, group, outputs), first);
    block.channel = loop_times(program, group, blocks->channels);
    block.weight = nest_weight_column(kernel, program, false, block.output);
    return block;
}

int conv_blocks_open(const struct conv_blocks *blocks, struct loop_program *program,
                     loop_value split, int vectors, struct conv_block *out_block)
{
    int32_t count = vectors == 2 ? blocks->pairs : blocks->singles;
    int32_t each = (count + blocks->splits - 1) / blocks->splits;
    if (count == 0)
        return 0;
    loop_value begin = loop_times(program, split, each);
    loop_value end = loop_int(program, count);
    if (blocks->splits > 1)
        end = loop_binary(program, LOOP_MINIMUM, loop_plus(program, begin, each), end);
    loop_value number = loop_for(program, begin, end, 1);
    *out_block = block_at(blocks, program, number, vectors);
    out_block->number = vectors == 2 ? number : loop_plus(program, number, blocks->pairs);
    return 1;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

/* Tenths of cycles that a step of a tile takes on a processor with two vector units, two loads and
 * five operations a cycle, and four cycles from a sum to the next. */
static int step_cost(int length, int vectors, int taps)
{
    int sums = length * vectors * taps, loads = length + taps - 1 + vectors * taps;
    int operations = 2 * (sums + loads + 4);
    return most(most(40 * taps, 5 * sums), most(7 * loads, operations));
}

static int row_cost(int row, int length, int vectors, int taps)
{
    int rest = row % length, cost = row / length * step_cost(length, vectors, taps);
    return rest ? cost + step_cost(rest, vectors, taps) + 1 : cost;
}

int conv_tile_length(int row, int vectors, int taps)
{
    int limit = (REGISTERS - 2 - taps * vectors) / vectors, best = 1;
    limit = limit < MOST_LENGTH ? limit : MOST_LENGTH;
    for (int length = 1; length <= limit && length <= row; length++)
        if (row_cost(row, length, vectors, taps) <= row_cost(row, best, vectors, taps))
            best = length;
    return best;
}
