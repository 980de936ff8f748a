/* Group and layer normalization: over groups of an image's channels and its grid (Wu and He, 2018),
 * or over the channels of each grid point. No code yet. */
#include "compiler/op_window.h"

enum { GROUP_GROUPS, GROUP_EPSILON };
enum { LAYER_EPSILON };

static void group_norm_shape(struct layer_call *call)
{
    const double groups = call->values[GROUP_GROUPS].values[0];

    call->output = *call->input;
    call->attributes.epsilon = call->values[GROUP_EPSILON].values[0];
    if (groups > call->input->channels || call->input->channels % (int32_t)groups != 0) {
        layer_fail(call, DIAGNOSTIC_GROUPS, GROUP_GROUPS,
                   "%.0f groups do not divide the %d channels that enter", groups,
                   call->input->channels);
        return;
    }
    call->attributes.groups = (int32_t)groups;
}

static void layer_norm_shape(struct layer_call *call)
{
    call->output = *call->input;
    call->attributes.epsilon = call->values[LAYER_EPSILON].values[0];
}

static int norm_parameters(struct graph *graph, const struct layer_call *call, const char *path,
                           tensor_id *out)
{
    static const char *const suffixes[] = {"weight", "bias"};
    const int32_t channels = call->input->channels;

    for (int i = 0; i < 2; i++)
        out[i] = graph_add_tensor(
            graph,
            (struct tensor){
                .kind = TENSOR_PARAMETER,
                .rank = 1,
                .initializer = i == 0 ? INITIALIZER_ONE : INITIALIZER_ZERO,
                .channels = channels,
                .shape = {channels},
                .name = arena_format(graph->arena, "%s%s%s", path, *path ? "." : "", suffixes[i]),
            });
    return 2;
}

const struct op_definition group_norm_definition = {
    .is_layer = true,
    .arguments = {{"groups", ARGUMENT_INTEGER, true, 1, 0},
                  {"epsilon", ARGUMENT_NUMBER, false, 0, 1e-5}},
    .argument_count = 2,
    .shape = group_norm_shape,
    .parameters = norm_parameters,
};

const struct op_definition layer_norm_definition = {
    .is_layer = true,
    .arguments = {{"epsilon", ARGUMENT_NUMBER, false, 0, 1e-6}},
    .argument_count = 1,
    .shape = layer_norm_shape,
    .parameters = norm_parameters,
};
