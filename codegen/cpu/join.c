/* Joins of channels: at each grid point the parts one after the other, 16 channels at a time, then
 * fewer where a part ends. */
#include "codegen/cpu/schedules.h"
#include "codegen/nest.h"

enum { TASK_BYTES = 32768 };

static bool join_applies(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_JOIN;
}

/* Moves `lanes` channels of part j from `channel` of the part on; `before` are those of earlier
 * parts. */
static void move(const struct kernel *kernel, struct loop_program *program,
                 const struct place *point, int j, int32_t before, loop_value channel, int lanes)
{
    struct place place = *point;
    loop_value index = activation_index(program, point->image, point->points, point->point,
                                        kernel->out_channels, loop_plus(program, channel, before));
    place.channels = kernel->parts[j].channels;
    place.channel = loop_plus(program, channel, kernel->parts[j].first);
    place.lanes = lanes;
    loop_store(program, (uint32_t)kernel_first_output(kernel), index,
               expression_value(kernel, program, kernel->values[j], &place));
}

static void move_part(const struct kernel *kernel, struct loop_program *program,
                      const struct place *point, int j, int32_t before)
{
    int32_t whole = kernel->parts[j].count / VECTOR_LANES * VECTOR_LANES;
    if (whole > 0) {
        loop_value channel =
            loop_for(program, loop_int(program, 0), loop_int(program, whole), VECTOR_LANES);
        move(kernel, program, point, j, before, channel, VECTOR_LANES);
        loop_end(program);
    }
    for (int lanes = VECTOR_LANES / 2; lanes >= 1; lanes /= 2) {
        if (!(kernel->parts[j].count & lanes))
            continue;
        move(kernel, program, point, j, before, loop_int(program, whole), lanes);
        whole += lanes;
    }
}

static void join_build(const struct kernel *kernel, struct loop_program *program)
{
    struct nest_parts parts = nest_parts(kernel, program, TASK_BYTES);
    loop_value image;
    int bodies = nest_open_images(program, &parts.range, &image);
    loop_value point = loop_for(program, parts.first, parts.end, 1);
    struct place place = place_out(kernel, image, point, loop_int(program, 0), 1);
    int32_t before = 0;
    for (int j = 0; j < kernel->value_count; j++) {
        move_part(kernel, program, &place, j, before);
        before += kernel->parts[j].count;
    }
    nest_close(program, bodies + 1);
}

const struct schedule join_schedule = {
    .name = "join",
    .applies = join_applies,
    .build = join_build,
};
