/* Activations and random layers that keep their input's shape, and a scale for each channel.
 * They are known to the checker and the reports; none has code. */
#include "compiler/op_window.h"

enum { DROP_RATE };
enum { SCALE_INIT };

static void same_shape(struct layer_call *call)
{
    call->output = *call->input;
}

static void drop_shape(struct layer_call *call)
{
    call->output = *call->input;
    call->attributes.rate = call->values[DROP_RATE].values[0];
    if (call->attributes.rate >= 1)
        layer_fail(call, DIAGNOSTIC_BAD_SHAPE, DROP_RATE,
                   "a rate of %g would drop everything: it must be below 1",
                   call->attributes.rate);
}

static int scale_parameters(struct graph *graph, const struct layer_call *call, const char *path,
                            tensor_id *out)
{
    const int32_t channels = call->input->channels;

    out[0] = graph_add_tensor(
        graph, (struct tensor){
                   .kind = TENSOR_PARAMETER,
                   .rank = 1,
                   .initializer = INITIALIZER_VALUE,
                   .initial_value = call->values[SCALE_INIT].values[0],
                   .channels = channels,
                   .shape = {channels},
                   .name = arena_format(graph->arena, "%s%sweight", path, *path ? "." : ""),
               });
    return 1;
}

const struct op_definition sigmoid_definition = {.is_layer = true, .shape = same_shape};
const struct op_definition silu_definition = {.is_layer = true, .shape = same_shape};
const struct op_definition gelu_definition = {.is_layer = true, .shape = same_shape};

const struct op_definition scale_definition = {
    .is_layer = true,
    .arguments = {{"init", ARGUMENT_NUMBER, false, -1e30, 1}},
    .argument_count = 1,
    .shape = same_shape,
    .parameters = scale_parameters,
};

const struct op_definition dropout_definition = {
    .is_layer = true,
    .arguments = {{"rate", ARGUMENT_NUMBER, true, 0, 0}},
    .argument_count = 1,
    .shape = drop_shape,
};

const struct op_definition drop_path_definition = {
    .is_layer = true,
    .arguments = {{"rate", ARGUMENT_NUMBER, true, 0, 0}},
    .argument_count = 1,
    .shape = drop_shape,
};
