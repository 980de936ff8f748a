/* A kernel's expressions as loop values.
 *
 * Expressions stand in order, operands first, so one pass marks what a root needs and one emits
 * it: shared operands are emitted once a call. */
#include "codegen/expression.h"

struct emitter {
    const struct kernel *kernel;
    struct loop_program *program;
    const struct place *place;
    loop_value values[KERNEL_EXPRESSIONS];
};

static struct loop_type place_type(const struct place *place)
{
    return (struct loop_type){(uint8_t)place->scalar, (uint8_t)place->lanes};
}

/* A loaded value in the place's type; one lane is spread over all. */
static loop_value adapt(struct emitter *emitter, loop_value value)
{
    const struct place *place = emitter->place;
    struct loop_program *program = emitter->program;
    if (loop_type_of(program, value).scalar != place->scalar)
        value = loop_convert(program, value, place->scalar);
    if (loop_type_of(program, value).lanes != place->lanes)
        value = loop_broadcast(program, value, place->lanes);
    return value;
}

loop_value chunk_count(const struct kernel *kernel, struct loop_program *program)
{
    const int64_t images = kernel->chunk_images;
    loop_value chunks =
        loop_binary(program, LOOP_DIVIDE, loop_plus(program, loop_images(program), images - 1),
                    loop_int(program, images));
    return loop_times(program, chunks, kernel->chunk_parts);
}

static loop_value emit_chunk_sum(struct emitter *emitter, uint32_t parameter)
{
    const struct place *place = emitter->place;
    struct loop_program *program = emitter->program;
    loop_value zero = loop_int(program, 0), chunks = chunk_count(emitter->kernel, program);
    struct loop_type type = LOOP_F64_TYPE(place->lanes);
    loop_value sum = loop_local(program, LOOP_F64, place->lanes);
    loop_store_local(program, sum, zero, loop_float(program, type, 0.0));
    loop_value chunk = loop_for(program, zero, chunks, 1);
    loop_value index = loop_add(
        program, loop_times(program, chunk, channel_stride(place->channels)), place->channel);
    loop_value value =
        loop_convert(program, loop_load(program, parameter, index, place->lanes), LOOP_F64);
    loop_value before = loop_load_local(program, sum, zero, place->lanes);
    loop_store_local(program, sum, zero, loop_binary(program, LOOP_ADD, before, value));
    loop_end(program);
    return adapt(emitter, loop_load_local(program, sum, zero, place->lanes));
}

static loop_value load_index(struct emitter *emitter, const struct expression *load)
{
    const struct place *place = emitter->place;
    struct loop_program *program = emitter->program;
    int64_t stride = channel_stride(place->channels);
    loop_value row;
    switch ((enum access)load->access) {
    case ACCESS_POINT:
        row = loop_add(program, loop_times(program, place->image, place->points), place->point);
        return loop_add(program, loop_times(program, row, stride), place->channel);
    case ACCESS_IMAGE_CHANNEL:
        return loop_add(program, loop_times(program, place->image, stride), place->channel);
    case ACCESS_PIXEL:
        return loop_add(program, loop_times(program, place->image, place->points), place->point);
    case ACCESS_IMAGE:
        return place->image;
    case ACCESS_SCALAR:
        return loop_int(program, load->index);
    case ACCESS_CHANNEL:
    case ACCESS_FIRST:
    case ACCESS_CHUNK_SUM:
        break;
    }
    return place->channel;
}

/* Whether the elements of several channels differ. */
static bool has_lanes(const struct expression *load)
{
    return load->access != ACCESS_SCALAR && load->access != ACCESS_PIXEL &&
           load->access != ACCESS_IMAGE;
}

static loop_value emit_load(struct emitter *emitter, const struct expression *load)
{
    if (load->access == ACCESS_CHUNK_SUM && emitter->place->chunk_sums)
        return adapt(emitter, emitter->place->chunk_sums[load->parameter]);
    if (load->access == ACCESS_CHUNK_SUM)
        return emit_chunk_sum(emitter, load->parameter);
    loop_value index = load_index(emitter, load);
    int lanes = has_lanes(load) ? emitter->place->lanes : 1;
    return adapt(emitter, loop_load(emitter->program, load->parameter, index, lanes));
}

/* The number of an element is its index in memory, or the image's. */
static loop_value emit_random(struct emitter *emitter, const struct expression *random)
{
    struct loop_program *program = emitter->program;
    struct loop_type type = place_type(emitter->place);
    loop_value key = loop_load(program, random->parameter, loop_int(program, 0), 1);
    loop_value counter = loop_load(program, random->parameter, loop_int(program, 1), 1);
    loop_value element = load_index(emitter, random);
    if (!has_lanes(random))
        type.lanes = 1;
    return adapt(emitter, loop_random(program, type, key, counter, element));
}

static loop_value emit_elements(struct emitter *emitter)
{
    struct loop_program *program = emitter->program;
    loop_value elements =
        loop_times(program, loop_images(program), grid_points(emitter->kernel->in_grid));
    return adapt(emitter, elements);
}

static loop_value emit(struct emitter *emitter, const struct expression *expression)
{
    struct loop_program *program = emitter->program;
    loop_value a = emitter->values[expression->a], b = emitter->values[expression->b];
    switch ((enum expression_op)expression->op) {
    case EXPRESSION_CONSTANT:
        return loop_float(program, place_type(emitter->place), expression->number);
    case EXPRESSION_LOAD:
        return emit_load(emitter, expression);
    case EXPRESSION_RANDOM:
        return emit_random(emitter, expression);
    case EXPRESSION_RESULT:
        return emitter->place->result;
    case EXPRESSION_ELEMENTS:
        return emit_elements(emitter);
    case EXPRESSION_ADD:
        return loop_binary(program, LOOP_ADD, a, b);
    case EXPRESSION_SUBTRACT:
        return loop_binary(program, LOOP_SUBTRACT, a, b);
    case EXPRESSION_MULTIPLY:
        return loop_binary(program, LOOP_MULTIPLY, a, b);
    case EXPRESSION_DIVIDE:
        return loop_binary(program, LOOP_DIVIDE, a, b);
    case EXPRESSION_MAXIMUM:
        return loop_binary(program, LOOP_MAXIMUM, a, b);
    case EXPRESSION_SQRT:
        return loop_unary(program, LOOP_SQRT, a);
    case EXPRESSION_EXP:
        return loop_unary(program, LOOP_EXP, a);
    case EXPRESSION_IF_POSITIVE: {
        loop_value zero = loop_float(program, place_type(emitter->place), 0.0);
        loop_value positive = loop_binary(program, LOOP_LESS, zero, a);
        return loop_ternary(program, LOOP_SELECT, positive, b, zero);
    }
    case EXPRESSION_OP_COUNT:
        break;
    }
    __builtin_unreachable();
}

loop_value expression_value(const struct kernel *kernel, struct loop_program *program,
                            uint16_t root, const struct place *place)
{
    struct emitter emitter = {.kernel = kernel, .program = program, .place = place};
    bool needed[KERNEL_EXPRESSIONS];
    kernel_needed(kernel, root, needed);
    for (int i = 0; i <= root; i++)
        if (needed[i])
            emitter.values[i] = emit(&emitter, &kernel->expressions[i]);
    return emitter.values[root];
}

void expression_points(const struct kernel *kernel, uint16_t root,
                       bool out_parameters[KERNEL_PARAMETERS])
{
    bool needed[KERNEL_EXPRESSIONS];
    kernel_needed(kernel, root, needed);
    for (int i = 0; i <= root; i++) {
        const struct expression *expression = &kernel->expressions[i];
        if (needed[i] && expression->op == EXPRESSION_LOAD && expression->access == ACCESS_POINT)
            out_parameters[expression->parameter] = true;
    }
}
