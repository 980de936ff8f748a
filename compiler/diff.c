/* Comparing networks. Each layer gets a key that does not depend on what stands elsewhere; equal
 * keys are compared by attributes, shapes and by what they read. */
#include "compiler/diff.h"

#include <string.h>

#include "base/text.h"
#include "compiler/layer_text.h"
#include "compiler/op.h"
#include "compiler/stage_path.h"

/* One side: keys by operation, and both directions of the lookup. */
struct side {
    const struct report *report;
    const struct graph *graph;
    const char **keys;   /* of each op; NULL where it is no layer */
    op_id *anchors;      /* of each op: the nearest labelled layer or sum, itself or behind it */
    struct table layers; /* key -> op */
    struct table blocks; /* block's name -> 1 */
    struct table seen;   /* key without its number -> how many have it */
};

struct comparison {
    struct arena *arena;
    struct side a, b;
    struct diff *diff;
};

/* ---- keys ---- */

static const char *last_part(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot ? dot + 1 : path;
}

static bool has_label(const struct op *op)
{
    const char *last = last_part(op->path);

    return strspn(last, "0123456789") < strlen(last);
}

static op_id producer(const struct side *side, const struct op *op, int input)
{
    return side->graph->tensors.items[op->inputs[input]].producer;
}

/* How a layer at `path` speaks of what it reads: by the name within its block, and of everything
 * outside the block alike, so that changes elsewhere do not show here. */
static const char *source_text(const struct side *side, const char *path, op_id source,
                               struct arena *arena)
{
    const char *key = side->keys[source];
    struct stage_path place, other;

    if (!key)
        return "the input";
    if (stage_path_read(path, &place)) {
        const bool is_inside = strncmp(key, path, place.block) == 0 && key[place.block] == '.';

        return is_inside ? key + place.block + 1 : "the block's input";
    }
    return stage_path_read(key, &other) ? arena_copy_text(arena, key, other.stage) : key;
}

/* "layer1.0.conv1" or "layer1.0.relu after bn1", with a number where that is not enough. */
static const char *make_key(struct side *side, const struct op *op, struct arena *arena)
{
    const size_t scope = scope_length(op->path);
    struct text_builder text = {.arena = arena};
    const struct table_entry *entry;
    uint64_t before;

    text_add(&text, "%.*s%s", (int)scope, op->path, scope > 0 ? "." : "");
    if (has_label(op))
        text_add(&text, "%s", last_part(op->path));
    else
        text_add(&text, "%s after %s", op_name((enum op_kind)op->kind),
                 source_text(side, op->path, side->anchors[producer(side, op, 0)], arena));
    entry = table_find(&side->seen, text.data, text.length);
    before = entry ? entry->value : 0;
    table_set(&side->seen, text.data, text.length, before + 1);
    if (before > 0)
        text_add(&text, " (%llu)", (unsigned long long)before + 1);
    return text_result(&text);
}

static struct side read_side(const struct report *report, struct arena *arena)
{
    const struct graph *graph = report->compilation->elaboration.graph;
    struct side side = {.report = report,
                        .graph = graph,
                        .keys = ARENA_ARRAY(arena, const char *, graph->ops.count),
                        .anchors = ARENA_ARRAY(arena, op_id, graph->ops.count),
                        .layers = {.arena = arena},
                        .blocks = {.arena = arena},
                        .seen = {.arena = arena}};
    struct stage_path place;

    for (size_t i = 0; i < report->layers.count; i++) {
        const op_id id = report->layers.items[i].op;
        const struct op *op = &graph->ops.items[id];

        side.anchors[id] = has_label(op) ? id : side.anchors[producer(&side, op, 0)];
        side.keys[id] = make_key(&side, op, arena);
        table_set(&side.layers, side.keys[id], strlen(side.keys[id]), id);
        if (stage_path_read(op->path, &place))
            table_set(&side.blocks, op->path, place.block, 1);
    }
    return side;
}

static const char *sources_text(const struct side *side, const struct op *op, struct arena *arena)
{
    struct text_builder text = {.arena = arena};

    for (int i = 0; i < op->input_count; i++)
        if (side->graph->tensors.items[op->inputs[i]].kind == TENSOR_ACTIVATION)
            text_add(&text, "%s%s", text.length > 0 ? " and " : "",
                     source_text(side, op->path, producer(side, op, i), arena));
    return text_result(&text);
}

/* ---- changes ---- */

static void add_change(struct text_builder *text, const char *what, const char *a, const char *b)
{
    if (strcmp(a, b) != 0)
        text_add(text, "%s%s%s \xE2\x86\x92 %s", text->length > 0 ? "; " : "", what, a, b);
}

static const char *settings_text(const struct side *side, const struct op *op, struct arena *arena)
{
    struct text_builder text = {.arena = arena};

    text_add(&text, "%s", op_name((enum op_kind)op->kind));
    layer_add_attributes(&text, side->graph, op);
    layer_add_details(&text, side->graph, op);
    return text_result(&text);
}

static const char *shape_text(const struct side *side, tensor_id tensor, struct arena *arena)
{
    return tensor_shape_text(&side->graph->tensors.items[tensor], arena);
}

/* Whether the first inputs come from layers that correspond: then any change is told there. */
static bool same_producer(const struct comparison *comparison, const struct op *a,
                          const struct op *b)
{
    const char *key_a = comparison->a.keys[producer(&comparison->a, a, 0)];
    const char *key_b = comparison->b.keys[producer(&comparison->b, b, 0)];

    return key_a && key_b && strcmp(key_a, key_b) == 0;
}

static bool same_shape(const struct comparison *comparison, tensor_id a, tensor_id b)
{
    return tensor_same_shape(&comparison->a.graph->tensors.items[a],
                             &comparison->b.graph->tensors.items[b]);
}

/* NULL where nothing changed, or only what follows from changes before. */
static const char *change_text(const struct comparison *comparison, const struct op *a,
                               const struct op *b)
{
    struct arena *arena = comparison->arena;
    struct text_builder text = {.arena = arena};

    add_change(&text, "", settings_text(&comparison->a, a, arena),
               settings_text(&comparison->b, b, arena));
    if (!same_producer(comparison, a, b))
        add_change(&text, "input ", shape_text(&comparison->a, a->inputs[0], arena),
                   shape_text(&comparison->b, b->inputs[0], arena));
    if (text.length == 0 && same_shape(comparison, a->inputs[0], b->inputs[0]))
        add_change(&text, "output ", shape_text(&comparison->a, a->outputs[0], arena),
                   shape_text(&comparison->b, b->outputs[0], arena));
    if (has_label(a))
        add_change(&text, "reads ", sources_text(&comparison->a, a, arena),
                   sources_text(&comparison->b, b, arena));
    return text.length > 0 ? text_result(&text) : NULL;
}

/* ---- one side against the other ---- */

static bool is_same_text(const char *a, const char *b, size_t length)
{
    return a && strlen(a) == length && memcmp(a, b, length) == 0;
}

/* Adds the layer that `with` has and `without` lacks, or its whole block, once. */
static void add_missing(struct comparison *comparison, const struct side *with,
                        const struct side *without, op_id id, const char **last_block)
{
    const struct op *op = &with->graph->ops.items[id];
    struct difference difference = {
        .kind = with == &comparison->a ? DIFFERENCE_ONLY_A : DIFFERENCE_ONLY_B,
        .name = op->path,
        .place = with->keys[id],
        .op = op_name((enum op_kind)op->kind)};
    struct text_builder text = {.arena = comparison->arena};
    struct stage_path place;

    if (stage_path_read(op->path, &place) &&
        !table_find(&without->blocks, op->path, place.block)) {
        if (is_same_text(*last_block, op->path, place.block))
            return;
        *last_block = arena_copy_text(comparison->arena, op->path, place.block);
        difference.is_block = true;
        difference.name = difference.place = *last_block;
        difference.op = "block";
    } else {
        layer_add_attributes(&text, with->graph, op);
    }
    difference.detail = text_result(&text);
    difference.detail += strspn(difference.detail, ", ");
    vector_push(&comparison->diff->items, comparison->arena, difference);
}

static void add_changed(struct comparison *comparison, op_id a, const char *change)
{
    const struct op *op = &comparison->a.graph->ops.items[a];
    const struct difference difference = {
        .kind = DIFFERENCE_CHANGED,
        .name = op->path,
        .place = comparison->a.keys[a],
        .op = op_name((enum op_kind)op->kind),
        .detail = change,
    };

    vector_push(&comparison->diff->items, comparison->arena, difference);
}

static void compare_from(struct comparison *comparison, const struct side *with,
                         const struct side *without)
{
    const char *last_block = NULL;

    for (size_t i = 0; i < with->report->layers.count; i++) {
        const op_id id = with->report->layers.items[i].op;
        const struct op *op = &with->graph->ops.items[id];
        const struct table_entry *other =
            table_find(&without->layers, with->keys[id], strlen(with->keys[id]));
        const char *change;

        if (!other) {
            add_missing(comparison, with, without, id, &last_block);
            continue;
        }
        if (with != &comparison->a)
            continue;
        change = change_text(comparison, op, &without->graph->ops.items[other->value]);
        if (change)
            add_changed(comparison, id, change);
    }
}

struct diff *diff_networks(const struct report *a, const struct report *b, struct arena *arena)
{
    struct comparison comparison = {arena, read_side(a, arena), read_side(b, arena),
                                    ARENA_NEW(arena, struct diff)};

    comparison.diff->a = a;
    comparison.diff->b = b;
    compare_from(&comparison, &comparison.a, &comparison.b);
    compare_from(&comparison, &comparison.b, &comparison.a);
    return comparison.diff;
}
