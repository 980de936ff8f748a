/* Choosing Winograd's minimal filtering. See filtering.h. */
#include "compiler/filtering.h"

#include "base/integer.h"

enum {
    LANES = 16,               /* of a vector */
    PIECE_TILES = 64,         /* of a piece of work at most */
    PIECE_CHANNELS = 64,      /* of groups that are taken together at most */
    PIECE_BYTES = 1200 << 10, /* of a piece's transformed inputs, wanted at most */
    MOST_BYTES = 3300 << 10,  /* of all that a row of tiles needs */
    BLOCK_CHANNELS = 32, /* outputs whose sums are kept at a time, twice where some are left over */
};

int32_t filtering_tiles(const struct kernel *kernel, int i)
{
    return integer_divide_up(kernel->out_grid[i], FILTERING_RESULTS);
}

int32_t filtering_groups(const struct kernel *kernel)
{
    int32_t groups = PIECE_CHANNELS / (kernel->in_channels / kernel->groups);

    groups = groups < 1 ? 1 : groups > kernel->groups ? kernel->groups : groups;
    while (kernel->groups % groups)
        groups--;
    return groups;
}

static int64_t piece_channels(const struct kernel *kernel)
{
    return (int64_t)kernel->in_channels / kernel->groups * filtering_groups(kernel);
}

/* Bytes of a row of tiles, its inputs transformed. */
static int64_t row_bytes(const struct kernel *kernel)
{
    return piece_channels(kernel) * FILTERING_POINTS * filtering_tiles(kernel, 2) *
           (int64_t)sizeof(float);
}

/* ... with the rows that it reads, packed, the sums of a block of outputs, and all side sums. */
static int64_t row_locals(const struct kernel *kernel)
{
    const int64_t width = filtering_tiles(kernel, 2) * FILTERING_RESULTS + FILTERING_SPAN;
    const int64_t packed = FILTERING_SPAN * width * (piece_channels(kernel) + LANES);
    const int64_t sums =
        FILTERING_POINTS * (int64_t)filtering_tiles(kernel, 2) * BLOCK_CHANNELS * 2;
    const int64_t side_sums = KERNEL_SUMS * channel_stride(kernel->out_channels);

    return row_bytes(kernel) + (packed + sums + side_sums) * (int64_t)sizeof(float);
}

int32_t filtering_rows(const struct kernel *kernel)
{
    const int32_t all = filtering_tiles(kernel, 1);
    int64_t rows = PIECE_TILES / filtering_tiles(kernel, 2);

    while (rows > 1 && rows * row_bytes(kernel) > PIECE_BYTES)
        rows--;
    rows = rows < 1 ? 1 : rows > all ? all : rows;
    rows = integer_divide_up(all, integer_divide_up(all, (int32_t)rows)) * FILTERING_RESULTS;
    return rows < kernel->out_grid[1] ? (int32_t)rows : kernel->out_grid[1];
}

static bool has_window(const struct kernel *kernel)
{
    const struct window *window = &kernel->window;

    for (int i = 0; i < GRID_RANK; i++)
        if (window->kernel[i] != (i == 0 ? 1 : FILTERING_TAPS) || window->stride[i] != 1 ||
            window->dilation[i] != 1 || window->padding[i] >= FILTERING_TAPS)
            return false;
    return kernel->out_grid[0] == 1 && kernel->in_grid[0] == 1 && window->padding[0] == 0;
}

/* Whether the tiles have not many more results than the grid: of the products, which are a quarter
 * of the plain ones, twice as many may be needed. */
static bool fills_tiles(const struct kernel *kernel)
{
    const int64_t tiles = (int64_t)filtering_tiles(kernel, 1) * filtering_tiles(kernel, 2);

    return grid_points(kernel->out_grid) * FILTERING_TAPS * FILTERING_TAPS >=
           2 * tiles * FILTERING_POINTS;
}

bool filtering_suits(const struct kernel *kernel)
{
    return (kernel->anchor == KERNEL_CONVOLUTION || kernel->anchor == KERNEL_WEIGHT_GRADIENT) &&
           has_window(kernel) && fills_tiles(kernel) &&
           kernel->in_channels / kernel->groups % LANES == 0 &&
           kernel->out_channels / kernel->groups % LANES == 0 && row_locals(kernel) <= MOST_BYTES;
}
