/* The operations of a network that come from a span, use by use.
 *
 * One text may be used many times: in a loop, in a stage, in a block. A use begins with each
 * operation from the same part of the text as the first one, but another use of that part. */
#include "driver/lsp_cost.h"

#include <string.h>

enum { SHAPES_SHOWN = 8 };

/* What makes an operation come from a span: the outermost use there, or its own text. */
struct origin {
    struct span span;
    const void *identity; /* of the use, or of the operation */
};

struct cost {
    const struct graph *graph;
    struct span span;
    struct arena *arena;
    struct origin first, last; /* of the first operation; of the last one from the same text */
    int64_t uses, operations, parameters, macs;
    tensor_id input, output;     /* of the use that is read now */
    VECTOR(const char *) shapes; /* "`[3, 32, 32]` → `[16, 32, 32]`" */
    VECTOR(int64_t) counts;      /* how many uses have these */
};

static bool is_inside(struct span inner, struct span outer)
{
    return inner.source == outer.source && outer.begin <= inner.begin && inner.end <= outer.end;
}

static bool find_origin(const struct cost *cost, const struct op *op, struct origin *out)
{
    bool found = is_inside(op->span, cost->span);

    if (found)
        *out = (struct origin){op->span, op};
    for (const struct use_site *site = op->site; site; site = site->outer) {
        if (!is_inside(site->span, cost->span))
            continue;
        *out = (struct origin){site->span, site};
        found = true;
    }
    return found;
}

static void end_use(struct cost *cost)
{
    const struct tensor *tensors = cost->graph->tensors.items;
    const char *text = arena_format(cost->arena, "`%s` → `%s`",
                                    tensor_shape_text(&tensors[cost->input], cost->arena),
                                    tensor_shape_text(&tensors[cost->output], cost->arena));

    for (size_t i = 0; i < cost->shapes.count; i++) {
        if (strcmp(cost->shapes.items[i], text) == 0) {
            cost->counts.items[i]++;
            return;
        }
    }
    vector_push(&cost->shapes, cost->arena, text);
    vector_push(&cost->counts, cost->arena, 1);
}

static void begin_use(struct cost *cost, const struct op *op, const struct origin *origin)
{
    if (cost->uses++ > 0)
        end_use(cost);
    cost->last = *origin;
    cost->input = op->input_count > 0 ? op->inputs[0] : op->outputs[0];
}

static int64_t parameters_of(const struct graph *graph, const struct op *op)
{
    int64_t total = 0;

    for (int i = 0; i < op->input_count; i++) {
        const struct tensor *tensor = &graph->tensors.items[op->inputs[i]];
        int64_t size = 1;

        for (int axis = 0; axis < tensor->rank; axis++)
            size *= tensor->shape[axis];
        total += tensor->kind == TENSOR_PARAMETER ? size : 0;
    }
    return total;
}

static void add_operation(struct cost *cost, const struct op *op)
{
    const struct op_definition *definition = op_definition((enum op_kind)op->kind);
    struct origin origin;

    if (!find_origin(cost, op, &origin))
        return;
    if (cost->uses == 0)
        cost->first = origin;
    if (cost->uses == 0 ||
        (memcmp(&origin.span, &cost->first.span, sizeof origin.span) == 0 &&
         origin.identity != cost->last.identity))
        begin_use(cost, op, &origin);
    cost->operations++;
    cost->output = op->outputs[0];
    cost->parameters += parameters_of(cost->graph, op);
    cost->macs += definition->macs ? definition->macs(cost->graph, op) : 0;
}

/* ---- text ---- */

/* 25557032 as "25,557,032". */
static void add_number(struct text_builder *out, int64_t number)
{
    char digits[32];
    const int length = snprintf(digits, sizeof digits, "%lld", (long long)number);

    for (int i = 0; i < length; i++)
        text_add(out, "%s%c", i > 0 && (length - i) % 3 == 0 ? "," : "", digits[i]);
}

static void add_cost(struct text_builder *out, const struct cost *cost, bool names_network)
{
    text_add(out, "\n");
    if (names_network)
        text_add(out, "in network `%s`: ", cost->graph->network);
    for (size_t i = 0; i < cost->shapes.count && i < SHAPES_SHOWN; i++) {
        text_add(out, "%s%s", i > 0 ? ", " : "", cost->shapes.items[i]);
        if (cost->counts.items[i] > 1)
            text_add(out, " (%lld times)", (long long)cost->counts.items[i]);
    }
    text_add(out, "%s\n\n", cost->shapes.count > SHAPES_SHOWN ? ", ..." : "");
    add_number(out, cost->parameters);
    text_add(out, " parameters, ");
    add_number(out, cost->macs);
    text_add(out, " multiply-adds");
    if (cost->uses > 1)
        text_add(out, " in %lld uses", (long long)cost->uses);
    text_add(out, "\n");
}

bool lsp_add_costs(struct text_builder *out, const struct lsp_analysis *analysis,
                   struct span span)
{
    bool found = false;

    for (size_t i = 0; i < analysis->networks.count; i++) {
        struct cost cost = {.graph = analysis->networks.items[i].graph,
                            .span = span,
                            .arena = out->arena};

        for (size_t op = 0; op < cost.graph->ops.count; op++)
            add_operation(&cost, &cost.graph->ops.items[op]);
        if (cost.uses == 0)
            continue;
        end_use(&cost);
        add_cost(out, &cost, analysis->networks.count > 1);
        found = true;
    }
    return found;
}
