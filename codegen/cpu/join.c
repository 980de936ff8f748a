/* Joins of channels: at each grid point the parts one after the other, 16 channels at a time, then
 * fewer where a part ends. */
#include "codegen/cpu/schedules.h"
#include "codegen/nest.h"

enum { TASK_BYTES = 32768 };

static bool join_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_JOIN;
}

/* A part on its way to a point of the result. */
struct part {
    const struct kernel *kernel;
    struct loop_program *program;
    struct place point;
    int number;
    int32_t before; /* channels of earlier parts */
};

/* Moves `lanes` channels from `channel` of the part on. */
static void move(const void *closure, loop_value channel, int lanes)
{
    const struct part *part = closure;
    const struct kernel *kernel = part->kernel;
    struct loop_program *program = part->program;
    struct place place = part->point;
    loop_value index =
        activation_index(program, place.image, place.points, place.point, kernel->out_channels,
                         loop_plus(program, channel, part->before));
    place.channels = kernel->parts[part->number].channels;
    place.channel = loop_plus(program, channel, kernel->parts[part->number].first);
    place.lanes = lanes;
    loop_store(program, (uint32_t)kernel_first_output(kernel), index,
               expression_value(kernel, program, kernel->values[part->number], &place));
}

static void join_build(const struct kernel *kernel, struct loop_program *program)
{
    struct nest_parts parts = nest_parts(kernel, program, TASK_BYTES);
    struct part part = {.kernel = kernel, .program = program};
    loop_value image;
    int bodies = nest_open_images(program, &parts.range, &image);
    loop_value point = loop_for(program, parts.first, parts.end, 1);
    part.point = place_out(kernel, image, point, loop_int(program, 0), 1);
    for (; part.number < kernel->value_count; part.number++) {
        nest_channels(program, kernel->parts[part.number].count, move, &part);
        part.before += kernel->parts[part.number].count;
    }
    nest_close(program, bodies + 1);
}

const struct schedule join_schedule = {
    .name = "join",
    .applies = join_applies,
    .build = join_build,
};
