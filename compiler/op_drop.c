/* Random layers: dropout (Srivastava et al., 2014) and stochastic depth (Huang et al., 2016). They
 * are known to the checker and the reports; they have no code yet. */
#include "compiler/op_window.h"

enum { DROP_RATE };

static void drop_shape(struct layer_call *call)
{
    call->output = *call->input;
    call->attributes.rate = call->values[DROP_RATE].values[0];
    if (call->attributes.rate >= 1)
        layer_fail(call, DIAGNOSTIC_BAD_SHAPE, DROP_RATE,
                   "a rate of %g would drop everything: it must be below 1",
                   call->attributes.rate);
}

#define DROP_LAYER                                                                                 \
    {                                                                                              \
        .is_layer = true, .arguments = {{"rate", ARGUMENT_NUMBER, true, 0, 0}},                    \
        .argument_count = 1, .shape = drop_shape                                                   \
    }

const struct op_definition dropout_definition = DROP_LAYER;
const struct op_definition drop_path_definition = DROP_LAYER;
