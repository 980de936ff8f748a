/* Counting work. Besides plain multiply-adds there is the counter that published tables of
 * residual networks often show (`thop` 0.0.22 and its neighbours): it charges four for each
 * normalized element, the window's side for each max-pooled one, and a ReLU module once, for its
 * last call, however often a block calls it. All sums are of integers. */
#include <string.h>

#include "base/table.h"
#include "compiler/op.h"
#include "compiler/report.h"
#include "compiler/stage_path.h"

static const char *const count_names[] = {
    [REPORT_MACS] = "macs", [REPORT_THOP] = "thop", [REPORT_THOP_ALL] = "thop-all"};

const char *report_count_name(enum report_count count)
{
    return count_names[count];
}

bool report_count_find(const char *name, enum report_count *out)
{
    for (int count = 0; count < REPORT_COUNT_COUNT; count++) {
        if (strcmp(name, count_names[count]) == 0) {
            *out = (enum report_count)count;
            return true;
        }
    }
    return false;
}

int64_t report_op_macs(const struct graph *graph, const struct op *op)
{
    const struct op_definition *definition = op_definition((enum op_kind)op->kind);

    return definition->macs && !op->is_backward ? definition->macs(graph, op) : 0;
}

static int64_t window_points(const struct op *op)
{
    int64_t points = 1;

    for (int axis = 0; axis < GRID_RANK; axis++)
        points *= op->attributes.window.kernel[axis];
    return points;
}

/* The counter took the window as it was written: one number as that number, a list as the product
 * of its members. */
static int64_t written_window(const struct op *op)
{
    return op->attributes.listed ? window_points(op)
                                 : op->attributes.window.kernel[GRID_RANK - 1];
}

/* A bias was charged once for every input channel of the group, not once for an output. */
static int64_t convolution_charge(const struct graph *graph, const struct op *op)
{
    const int64_t macs = report_op_macs(graph, op);

    return op->attributes.bias ? macs + macs / window_points(op) : macs;
}

static int64_t counter_charge(const struct graph *graph, const struct op *op)
{
    const struct tensor *input = &graph->tensors.items[op->inputs[0]];
    const struct tensor *output = &graph->tensors.items[op->outputs[0]];
    const int64_t elements = grid_points(output->grid) * output->channels;

    switch (op->kind) {
    case OP_CONV:
        return convolution_charge(graph, op);
    case OP_LINEAR:
        return 2 * report_op_macs(graph, op) - output->channels;
    case OP_BN:
        return 4 * elements;
    case OP_RELU:
        return elements;
    case OP_MAX_POOL:
        return written_window(op) * elements;
    case OP_AVERAGE_POOL:
        return (written_window(op) + 1) * elements;
    case OP_GLOBAL_AVERAGE_POOL:
        return (grid_points(input->grid) + 1) * elements;
    default:
        return 0;
    }
}

/* Takes back the charges of all ReLUs but the last in each scope that holds a sum: a residual
 * block has one ReLU module. */
static void keep_last_relus(const struct graph *graph, int64_t *work, struct arena *arena)
{
    struct table last = {.arena = arena}; /* scope -> the ReLU seen last, or 0 */

    for (op_id id = 1; id < graph->ops.count; id++) {
        const struct op *op = &graph->ops.items[id];

        if (op->kind == OP_ADD && !op->is_backward)
            table_set(&last, op->path, scope_length(op->path), 0);
    }
    for (op_id id = 1; id < graph->ops.count; id++) {
        const struct op *op = &graph->ops.items[id];
        struct table_entry *entry;

        if (op->kind != OP_RELU)
            continue;
        entry = table_find(&last, op->path, scope_length(op->path));
        if (!entry)
            continue;
        if (entry->value != 0)
            work[entry->value] = 0;
        entry->value = id;
    }
}

int64_t *report_work(const struct graph *graph, enum report_count count, struct arena *arena)
{
    int64_t *work = ARENA_ARRAY(arena, int64_t, graph->ops.count);

    for (op_id id = 1; id < graph->ops.count; id++) {
        const struct op *op = &graph->ops.items[id];

        if (!op->is_backward)
            work[id] = count == REPORT_MACS ? report_op_macs(graph, op)
                                            : counter_charge(graph, op);
    }
    if (count == REPORT_THOP)
        keep_last_relus(graph, work, arena);
    return work;
}
