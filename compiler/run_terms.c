/* Sums, products and joins: several blocks on one tensor, their outputs combined. Where shapes do
 * not agree, both are shown, and the layers that they come from. */
#include <string.h>

#include "compiler/run.h"

/* What is combined: the tensors, and where each was written. */
struct terms {
    const tensor_id *tensors;
    const struct span *spans;
    size_t count;
    struct span span; /* of the whole */
};

struct combination {
    const char *name;      /* in paths */
    const char *complaint; /* where shapes do not agree */
    const char *sign;      /* between the shapes */
    bool (*shape)(const struct graph *graph, const tensor_id *terms, size_t count,
                  struct tensor *out_shape);
    tensor_id (*add)(struct graph *graph, const tensor_id *terms, size_t count, const char *path,
                     struct span span);
};

static bool sum_shape(const struct graph *graph, const tensor_id *terms, size_t count,
                      struct tensor *out_shape)
{
    const struct tensor *tensors = graph->tensors.items;

    for (size_t i = 1; i < count; i++) {
        if (!tensor_same_shape(&tensors[terms[0]], &tensors[terms[i]]))
            return false;
    }
    *out_shape = tensors[terms[0]];
    return true;
}

static const struct combination *combination_of(enum block_kind kind)
{
    static const struct combination sum = {"add", "the terms of this sum have different shapes",
                                           "+", sum_shape, graph_add_sum};
    static const struct combination product = {"multiply",
                                               "the factors of this product do not fit each other",
                                               "*", product_shape, graph_add_product};
    static const struct combination join = {"join", "the parts of this join have different grids",
                                            "beside", join_shape, graph_add_join};

    return kind == BLOCK_SUM ? &sum : kind == BLOCK_PRODUCT ? &product : &join;
}

/* ---- where shapes come from ---- */

static bool same_grid(const struct tensor *a, const struct tensor *b)
{
    return a->spatial_rank == b->spatial_rank && memcmp(a->grid, b->grid, sizeof a->grid) == 0;
}

/* The operation that gave `tensor` its channels, or its grid: back through all that keep them. */
static const struct op *origin_of(const struct graph *graph, tensor_id tensor, bool of_grid)
{
    for (;;) {
        const struct tensor *value = &graph->tensors.items[tensor];
        const struct op *op = &graph->ops.items[value->producer];
        const struct tensor *before;

        if (op->input_count == 0)
            return op;
        before = &graph->tensors.items[op->inputs[0]];
        if (of_grid ? !same_grid(value, before)
                    : op->attributes.channels > 0 || value->channels != before->channels)
            return op;
        tensor = op->inputs[0];
    }
}

static const char *grid_text(struct context *context, const struct tensor *tensor)
{
    const char *text = "";

    for (int axis = GRID_RANK - tensor->spatial_rank; axis < GRID_RANK; axis++)
        text = arena_format(context->arena, "%s%s%d", text, *text ? " x " : "", tensor->grid[axis]);
    return *text ? arena_format(context->arena, "a grid of %s", text) : "no grid";
}

static const char *channels_text(struct context *context, const struct tensor *tensor)
{
    return arena_format(context->arena, "%d channel%s", tensor->channels,
                        tensor->channels == 1 ? "" : "s");
}

static bool same_span(struct span a, struct span b)
{
    return a.source == b.source && a.begin == b.begin && a.end == b.end;
}

/* Notes what a term gives, and the layer that made it so. */
static void note_term(struct context *context, struct diagnostic *diagnostic, struct span span,
                      tensor_id tensor, bool of_grid)
{
    const struct tensor *value = &context->graph->tensors.items[tensor];
    const struct op *origin = origin_of(context->graph, tensor, of_grid);
    const char *from = *origin->path ? arena_format(context->arena, "layer `%s`", origin->path)
                                     : "the network's input";

    if (same_span(origin->span, span)) {
        diagnostic_note(context->diagnostics, diagnostic, span, "this gives %s, from %s",
                        tensor_shape_text(value, context->arena), from);
        return;
    }
    diagnostic_note(context->diagnostics, diagnostic, span, "this gives %s",
                    tensor_shape_text(value, context->arena));
    diagnostic_note(context->diagnostics, diagnostic, origin->span, "%s from here, %s",
                    of_grid ? grid_text(context, value) : channels_text(context, value), from);
}

static void report_pair(struct context *context, const struct combination *combination,
                        const struct terms *terms, size_t first, size_t second)
{
    const struct tensor *tensors = context->graph->tensors.items;
    const struct tensor *a = &tensors[terms->tensors[first]];
    const struct tensor *b = &tensors[terms->tensors[second]];
    const bool of_grid = combination->shape == join_shape || a->channels == b->channels;
    struct diagnostic *diagnostic =
        report(context, DIAGNOSTIC_SHAPE_MISMATCH, terms->span, "%s", combination->complaint);

    if (!diagnostic)
        return;
    diagnostic_label(context->diagnostics, diagnostic, "%s %s %s",
                     tensor_shape_text(a, context->arena), combination->sign,
                     tensor_shape_text(b, context->arena));
    note_term(context, diagnostic, terms->spans[first], terms->tensors[first], of_grid);
    note_term(context, diagnostic, terms->spans[second], terms->tensors[second], of_grid);
    report_chain(context, diagnostic);
}

/* ---- combining ---- */

static size_t widest(const struct graph *graph, const struct terms *terms)
{
    size_t best = 0;

    for (size_t i = 1; i < terms->count; i++) {
        if (grid_points(graph->tensors.items[terms->tensors[i]].grid) >
            grid_points(graph->tensors.items[terms->tensors[best]].grid))
            best = i;
    }
    return best;
}

/* Finds two terms that do not agree and reports them. */
static void report_shapes(struct context *context, const struct combination *combination,
                          const struct terms *terms)
{
    const size_t references[] = {0, widest(context->graph, terms)};
    struct tensor shape;

    for (size_t reference = 0; reference < countof(references); reference++) {
        const size_t first = references[reference];

        for (size_t i = 0; i < terms->count; i++) {
            const tensor_id pair[] = {terms->tensors[first], terms->tensors[i]};

            if (combination->shape(context->graph, pair, 2, &shape))
                continue;
            report_pair(context, combination, terms, first < i ? first : i, first < i ? i : first);
            return;
        }
    }
    report_chain(context, report(context, DIAGNOSTIC_TOO_LARGE, terms->span,
                                 "a %s of %zu terms is beyond what a tensor or a kernel holds",
                                 combination->name, terms->count));
}

/* Combines terms into an operation named in `scope`; TENSOR_NONE after a mistake, here or in one.
 */
static tensor_id combine(struct context *context, const struct combination *combination,
                         const struct terms *terms, const char *scope)
{
    struct tensor shape;

    for (size_t i = 0; i < terms->count; i++) {
        if (terms->tensors[i] == TENSOR_NONE)
            return TENSOR_NONE;
    }
    if (terms->count == 1)
        return terms->tensors[0];
    if (!run_count_layer(context, terms->span))
        return TENSOR_NONE;
    if (terms->count > TERM_LIMIT) {
        report_chain(context, report(context, DIAGNOSTIC_TOO_LARGE, terms->span,
                                     "this combines more than %d blocks", TERM_LIMIT));
        return TENSOR_NONE;
    }
    if (!combination->shape(context->graph, terms->tensors, terms->count, &shape)) {
        report_shapes(context, combination, terms);
        return TENSOR_NONE;
    }
    return run_check_size(context,
                          combination->add(context->graph, terms->tensors, terms->count,
                                           name_join(context, scope, combination->name),
                                           terms->span),
                          terms->span);
}

tensor_id run_terms(struct context *context, const struct block *block, tensor_id input)
{
    const size_t count = block->part_count;
    tensor_id *tensors;
    struct span *spans;

    if (!context_step(context, block->span, STEPS_PER_COMBINATION + (int64_t)count))
        return TENSOR_NONE;
    tensors = ARENA_ARRAY(context->arena, tensor_id, count);
    spans = ARENA_ARRAY(context->arena, struct span, count);
    for (size_t i = 0; i < count; i++) {
        tensors[i] = run_block(context, block->parts[i], input);
        spans[i] = block->parts[i]->span;
    }
    return combine(context, combination_of(block->kind),
                   &(struct terms){tensors, spans, count, block->span}, context->naming->prefix);
}

/* ---- outputs ---- */

/* The outputs of one name. */
struct output_group {
    const char *name;
    tensor_id *tensors;
    struct span *spans;
    size_t count;
};

struct output_groups {
    VECTOR(struct output_group) items;
};

static struct output_group *group_of(struct context *context, struct output_groups *groups,
                                     struct table *numbers, const char *name)
{
    const struct table_entry *entry = table_find(numbers, &name, sizeof name);

    if (entry)
        return &groups->items.items[entry->value];
    table_set(numbers, &name, sizeof name, groups->items.count);
    vector_push(&groups->items, context->arena, ((struct output_group){.name = name}));
    return &groups->items.items[groups->items.count - 1];
}

static void fill_groups(struct context *context, struct output_groups *groups,
                        struct table *numbers)
{
    for (size_t i = 0; i < context->outputs.count; i++)
        group_of(context, groups, numbers, context->outputs.items[i].name)->count++;
    for (size_t i = 0; i < groups->items.count; i++) {
        struct output_group *group = &groups->items.items[i];

        group->tensors = ARENA_ARRAY(context->arena, tensor_id, group->count);
        group->spans = ARENA_ARRAY(context->arena, struct span, group->count);
        group->count = 0;
    }
    for (size_t i = 0; i < context->outputs.count; i++) {
        const struct output_part *part = &context->outputs.items[i];
        struct output_group *group = group_of(context, groups, numbers, part->name);

        group->tensors[group->count] = part->tensor;
        group->spans[group->count++] = part->span;
    }
}

void run_join_outputs(struct context *context)
{
    struct table numbers = {.arena = context->arena};
    struct output_groups groups = {0};

    fill_groups(context, &groups, &numbers);
    for (size_t i = 0; i < groups.items.count; i++) {
        const struct output_group *group = &groups.items.items[i];
        const struct terms terms = {group->tensors, group->spans, group->count, group->spans[0]};
        const struct graph_output output = {
            group->name, combine(context, combination_of(BLOCK_JOIN), &terms, group->name)};

        vector_push(&context->graph->outputs, context->arena, output);
    }
}
