/* One pass over the tensors, then the exceptions. See storage.h. */
#include "compiler/storage.h"

#include "compiler/op.h"

/* The last outputs of a layer may be statistics, in the shape of an activation. */
static void except_kept(const struct op *op, uint8_t *storages)
{
    const int kept = op_definition((enum op_kind)op->kind)->kept_outputs;

    for (int output = op->output_count - kept; kept > 0 && output < op->output_count; output++)
        storages[op->outputs[output]] = KERNEL_F32;
}

uint8_t *tensor_storages(const struct graph *graph, enum rnet_precision precision,
                         struct arena *arena)
{
    uint8_t *storages = ARENA_ARRAY(arena, uint8_t, graph->tensors.count);

    for (size_t t = 0; t < graph->tensors.count; t++)
        storages[t] = graph->tensors.items[t].kind == TENSOR_LABELS ? KERNEL_I32 : KERNEL_F32;
    if (precision != RNET_PRECISION_BF16)
        return storages;
    for (size_t t = 0; t < graph->tensors.count; t++)
        if (graph->tensors.items[t].kind == TENSOR_ACTIVATION)
            storages[t] = KERNEL_BF16;
    for (size_t o = 0; o < graph->ops.count; o++)
        except_kept(&graph->ops.items[o], storages);
    for (size_t i = 0; i < graph->outputs.count; i++)
        storages[graph->outputs.items[i].tensor] = KERNEL_F32;
    return storages;
}
