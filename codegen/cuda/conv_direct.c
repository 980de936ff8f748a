/* Convolutions and data gradients, product by product: a thread has up to four output channels of a
 * point. For groups too narrow to fill a tile (conv_tile.c); it takes any shape. */
#include "codegen/cuda/block.h"
#include "codegen/cuda/schedules.h"

struct direct {
    const struct kernel *kernel;
    struct loop_program *program;
    int32_t inputs, outputs; /* channels of a group on x's and the result's side */
    int lanes;               /* output channels of a thread, all of one group */
    int in_lanes;            /* input channels loaded at once */
    loop_value image, channel;
    loop_value first_input; /* of the channel's group */
    struct position point;
    loop_value sum;   /* local */
    loop_value inner; /* local: elements of x */
};

static bool conv_direct_applies(const struct kernel *kernel)
{
    return kernel_is_convolution(kernel) && kernel->sum_count == 0;
}

/* Adds the product of element `k` of `inner`, input `input` of the group, and its weights. */
static void add_product(const struct direct *direct, loop_value w, loop_value input, loop_value k)
{
    struct loop_program *program = direct->program;
    const struct kernel *kernel = direct->kernel;
    loop_value row =
        loop_add(program, loop_times(program, w, direct->inputs), loop_add(program, input, k));
    loop_value index = loop_add(
        program, loop_times(program, row, vector_stride(kernel->out_channels)), direct->channel);
    loop_value weight =
        loop_load(program, (uint32_t)kernel_weight_parameter(kernel), index, direct->lanes);
    loop_value x =
        loop_broadcast(program, loop_load_local(program, direct->inner, k, 1), direct->lanes);
    nest_add_product(program, direct->sum, x, weight, direct->lanes);
}

/* Adds the products of window position w, whose input is at `point`. */
static void add_position(const struct direct *direct, loop_value point, loop_value w)
{
    struct loop_program *program = direct->program;
    loop_value input = loop_for(program, loop_int(program, 0), loop_int(program, direct->inputs),
                                direct->in_lanes);
    loop_value channel = loop_add(program, direct->first_input, input);
    struct place place = place_in(direct->kernel, direct->image, point, channel, direct->in_lanes);
    nest_store_one(program, direct->inner,
                   expression_value(direct->kernel, program, direct->kernel->values[0], &place));
    add_product(direct, w, input, loop_for_unrolled(program, direct->in_lanes, 1));
    nest_close(program, 2);
}

static void add_window(const struct direct *direct)
{
    struct loop_program *program = direct->program;
    const struct kernel *kernel = direct->kernel;
    struct position w, p;
    int bodies = nest_open(program, kernel->window.kernel, &w);
    bodies += nest_open_if(program, window_source(program, kernel, &direct->point, &w, &p));
    add_position(direct, p.index, w.index);
    nest_close(program, bodies);
}

static void store_result(const struct direct *direct)
{
    struct loop_program *program = direct->program;
    const struct kernel *kernel = direct->kernel;
    struct place place =
        place_out(kernel, direct->image, direct->point.index, direct->channel, direct->lanes);
    block_store_result(kernel, program, &place, nest_load_one(program, direct->sum, direct->lanes));
}

/* Channels that lie side by side in one group, so that vectors of them share their inputs. */
static int common_lanes(const struct kernel *kernel, int32_t channels, int32_t of_group)
{
    if (kernel->groups > 1 && of_group % BLOCK_LANES != 0)
        return 1;
    return block_lanes(channels);
}

static void conv_direct_build(const struct kernel *kernel, struct loop_program *program)
{
    struct direct direct = {.kernel = kernel,
                            .program = program,
                            .inputs = kernel->in_channels / kernel->groups,
                            .outputs = kernel->out_channels / kernel->groups};
    direct.lanes = common_lanes(kernel, kernel->out_channels, direct.outputs);
    direct.in_lanes = direct.inputs % BLOCK_LANES == 0 ? BLOCK_LANES : 1;
    const int64_t stride = channel_stride(kernel->out_channels);
    struct block_unit unit =
        block_open_units(program, grid_points(kernel->out_grid) * stride / direct.lanes);
    struct block_element element =
        block_element(program, unit.number, kernel->out_grid, stride, direct.lanes);
    direct.image = unit.image;
    direct.point = element.point;
    direct.channel = element.channel;
    loop_if(program, loop_binary(program, LOOP_LESS, direct.channel,
                                 loop_int(program, kernel->out_channels)));
    loop_value group = loop_int(program, 0);
    if (kernel->groups > 1)
        group =
            loop_binary(program, LOOP_DIVIDE, direct.channel, loop_int(program, direct.outputs));
    direct.first_input = loop_times(program, group, direct.inputs);
    direct.sum = loop_local(program, LOOP_F32, direct.lanes);
    direct.inner = loop_local(program, LOOP_F32, direct.in_lanes);
    nest_store_one(program, direct.sum, nest_zero(program, direct.lanes));
    add_window(&direct);
    store_result(&direct);
    nest_close(program, unit.bodies + 1);
}

const struct schedule cuda_conv_direct_schedule = {
    .name = "cuda_conv_direct",
    .applies = conv_direct_applies,
    .build = conv_direct_build,
};
