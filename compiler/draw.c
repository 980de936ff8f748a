/* What is drawn and where: layers are gathered into blocks, equal neighbours of these folded into
 * one, and chains of layers into nodes. Then it is all a matter of text. */
#include "compiler/draw.h"

#include <string.h>

#include "base/text.h"
#include "base/vector.h"
#include "compiler/draw_text.h"
#include "compiler/layer_text.h"
#include "compiler/op.h"
#include "compiler/stage_path.h"

enum {
    UNFOLDED_BLOCKS = 20, /* a network with no more than these is drawn in full */
    COLUMNS_LEAST = 3,    /* stages stand side by side where there are so many */
    COLUMNS_MOST = 12,
};

/* A block of a stage, or a stretch of layers outside of stages. */
struct drawn_block {
    size_t stage;
    size_t first, end;     /* of the report's layers */
    const char *name;      /* "layer1.0"; NULL outside of stages */
    const char *signature; /* equal for blocks that look alike */
    size_t copies;         /* how many it stands for; 0: an earlier one stands for it */
};

struct drawing {
    struct arena arena;
    const struct report *report;
    const struct graph *graph;
    FILE *stream;
    VECTOR(struct drawn_block) blocks;
    size_t *layer_of; /* for each op: its number among the report's layers */
    size_t *block_of; /* for each layer */
    op_id *shown;     /* for each op: the one drawn in its place */
    op_id *node;      /* for each op that is drawn: the first op of its node */
    uint32_t *uses;   /* for each op: how many others read its result */
    bool in_columns;
};

static const struct op *layer_op(const struct drawing *drawing, size_t layer)
{
    return &drawing->graph->ops.items[drawing->report->layers.items[layer].op];
}

static bool is_data(const struct drawing *drawing, const struct op *op, int input)
{
    return drawing->graph->tensors.items[op->inputs[input]].kind == TENSOR_ACTIVATION;
}

static op_id producer(const struct drawing *drawing, const struct op *op, int input)
{
    return drawing->graph->tensors.items[op->inputs[input]].producer;
}

/* ---- blocks ---- */

/* Layers by what was said of them, not by channels that come from their input, so that the blocks
 * of a densely connected stage are equal too. Inputs by distance, or as from outside. */
static const char *block_signature(struct drawing *drawing, const struct drawn_block *block)
{
    struct text_builder text = {.arena = &drawing->arena};
    const op_id begin = drawing->report->layers.items[block->first].op;

    for (size_t layer = block->first; layer < block->end; layer++) {
        const op_id id = drawing->report->layers.items[layer].op;
        const struct op *op = &drawing->graph->ops.items[id];

        text_add(&text, "%d %d ", op->kind, drawing->report->layers.items[layer].on_main_path);
        text_add_bytes(&text, op->path + strlen(block->name),
                       strlen(op->path) - strlen(block->name));
        layer_add_attributes(&text, drawing->graph, op);
        for (int i = 0; i < op->input_count; i++)
            if (is_data(drawing, op, i))
                text_add(&text, " %d",
                         producer(drawing, op, i) >= begin ? (int)(id - producer(drawing, op, i))
                                                           : 0);
        text_add(&text, "\n");
    }
    return text_result(&text);
}

static bool starts_block(const struct drawing *drawing, size_t stage, size_t layer)
{
    const char *path = layer_op(drawing, layer)->path, *before;
    struct stage_path place, place_before;

    if (layer == drawing->report->stages.items[stage].first)
        return true;
    before = layer_op(drawing, layer - 1)->path;
    if (!stage_path_read(path, &place) || !stage_path_read(before, &place_before))
        return false;
    return place.block != place_before.block || strncmp(path, before, place.block) != 0;
}

static void add_block(struct drawing *drawing, size_t stage, size_t layer)
{
    const char *path = layer_op(drawing, layer)->path;
    struct drawn_block block = {.stage = stage, .first = layer, .copies = 1};
    struct stage_path place;

    if (stage_path_read(path, &place))
        block.name = arena_copy_text(&drawing->arena, path, place.block);
    vector_push(&drawing->blocks, &drawing->arena, block);
}

static void find_blocks(struct drawing *drawing)
{
    const struct report *report = drawing->report;

    for (size_t stage = 0; stage < report->stages.count; stage++) {
        for (size_t layer = report->stages.items[stage].first;
             layer < report->stages.items[stage].end; layer++) {
            if (starts_block(drawing, stage, layer))
                add_block(drawing, stage, layer);
            drawing->block_of[layer] = drawing->blocks.count - 1;
            drawing->blocks.items[drawing->blocks.count - 1].end = layer + 1;
        }
    }
}

static bool are_alike(const struct drawn_block *a, const struct drawn_block *b)
{
    return a->name && b->name && a->stage == b->stage && strcmp(a->signature, b->signature) == 0;
}

/* Lets the first of equal neighbours stand for all of them. */
static void fold_blocks(struct drawing *drawing)
{
    struct drawn_block *stands = NULL;

    for (size_t b = 0; b < drawing->blocks.count; b++) {
        struct drawn_block *block = &drawing->blocks.items[b];

        block->signature = block->name ? block_signature(drawing, block) : "";
        if (!stands || !are_alike(stands, block)) {
            stands = block;
            continue;
        }
        stands->copies++;
        block->copies = 0;
        for (size_t i = 0; i < block->end - block->first; i++)
            drawing->shown[drawing->report->layers.items[block->first + i].op] =
                drawing->report->layers.items[stands->first + i].op;
    }
}

/* ---- nodes ---- */

static void count_uses(struct drawing *drawing)
{
    for (size_t layer = 0; layer < drawing->report->layers.count; layer++) {
        const struct op *op = layer_op(drawing, layer);

        for (int i = 0; i < op->input_count; i++)
            if (is_data(drawing, op, i))
                drawing->uses[producer(drawing, op, i)]++;
    }
    for (size_t i = 0; i < drawing->graph->outputs.count; i++)
        drawing->uses[drawing->graph->tensors.items[drawing->graph->outputs.items[i].tensor]
                          .producer] += 2;
}

/* Whether a layer goes on in the node of the one before it. */
static bool continues_node(const struct drawing *drawing, size_t layer)
{
    const op_id id = drawing->report->layers.items[layer].op;
    const struct op *op = &drawing->graph->ops.items[id];
    const op_id before = producer(drawing, op, 0);

    for (int i = 1; i < op->input_count; i++)
        if (is_data(drawing, op, i))
            return false;
    return before != 0 && drawing->uses[before] == 1 &&
           drawing->block_of[drawing->layer_of[before]] == drawing->block_of[layer] &&
           drawing->report->path.ops[before] == drawing->report->path.ops[id];
}

static void find_nodes(struct drawing *drawing)
{
    for (size_t layer = 0; layer < drawing->report->layers.count; layer++) {
        const op_id id = drawing->report->layers.items[layer].op;
        const struct op *op = &drawing->graph->ops.items[id];

        drawing->node[id] = continues_node(drawing, layer)
                                ? drawing->node[producer(drawing, op, 0)]
                                : id;
    }
}

/* ---- columns ---- */

static size_t stage_of(const struct drawing *drawing, op_id op)
{
    return drawing->blocks.items[drawing->block_of[drawing->layer_of[op]]].stage;
}

/* Whether every stage reads from the one before it alone. */
static bool stages_are_a_chain(const struct drawing *drawing)
{
    for (size_t layer = 0; layer < drawing->report->layers.count; layer++) {
        const op_id id = drawing->report->layers.items[layer].op;
        const struct op *op = &drawing->graph->ops.items[id];

        for (int i = 0; i < op->input_count; i++) {
            const op_id from = producer(drawing, op, i);

            if (is_data(drawing, op, i) && from != 0 &&
                stage_of(drawing, id) - stage_of(drawing, from) > 1)
                return false;
        }
    }
    return true;
}

/* ---- text ---- */

static void draw_node(struct drawing *drawing, const struct drawn_block *block, op_id first)
{
    const size_t prefix = block->name ? strlen(block->name) : 0;

    draw_begin_node(drawing->stream, first, drawing->report->path.ops[first]);
    for (size_t layer = block->first; layer < block->end; layer++)
        if (drawing->node[drawing->report->layers.items[layer].op] == first)
            draw_row(drawing->stream, drawing->graph, layer_op(drawing, layer), prefix);
    draw_end_node(drawing->stream);
}

static void draw_block(struct drawing *drawing, const struct drawn_block *block)
{
    if (block->name)
        draw_begin_block(drawing->stream, block->first, block->name, block->copies);
    for (size_t layer = block->first; layer < block->end; layer++) {
        const op_id id = drawing->report->layers.items[layer].op;

        if (drawing->node[id] == id)
            draw_node(drawing, block, id);
    }
    if (block->name)
        fprintf(drawing->stream, "}\n");
}

static void draw_stage(struct drawing *drawing, size_t index)
{
    const struct report_stage *stage = &drawing->report->stages.items[index];
    const struct op *last = layer_op(drawing, stage->end - 1);
    const char *shape = tensor_shape_text(&drawing->graph->tensors.items[last->outputs[0]],
                                          &drawing->arena);

    draw_begin_stage(drawing->stream, index, stage, shape);
    if (drawing->in_columns && index > 0)
        draw_entry(drawing->stream, index, stage[-1].name);
    if (drawing->in_columns && index + 1 < drawing->report->stages.count)
        draw_exit(drawing->stream, index + 1, stage[1].name);
    for (size_t b = 0; b < drawing->blocks.count; b++)
        if (drawing->blocks.items[b].stage == index && drawing->blocks.items[b].copies > 0)
            draw_block(drawing, &drawing->blocks.items[b]);
    fprintf(drawing->stream, "}\n");
}

static void draw_edges_into(struct drawing *drawing, op_id id)
{
    const struct op *op = &drawing->graph->ops.items[id];

    for (int i = 0; i < op->input_count; i++) {
        const op_id from = producer(drawing, op, i);
        const struct main_path *path = &drawing->report->path;
        const bool is_main = path->ops[id] && path->from[id] == from;

        if (!is_data(drawing, op, i))
            continue;
        if (drawing->in_columns && from != 0 && stage_of(drawing, from) != stage_of(drawing, id))
            draw_edge_across(drawing->stream, drawing->node[drawing->shown[from]],
                             drawing->node[id], stage_of(drawing, id), is_main);
        else
            draw_edge(drawing->stream, drawing->node[drawing->shown[from]], drawing->node[id],
                      is_main);
    }
}

static void draw_edges(struct drawing *drawing)
{
    for (size_t layer = 0; layer < drawing->report->layers.count; layer++) {
        const op_id id = drawing->report->layers.items[layer].op;

        if (drawing->shown[id] == id && drawing->node[id] == id)
            draw_edges_into(drawing, id);
    }
    for (size_t i = 0; i < drawing->graph->outputs.count; i++) {
        const struct graph_output *output = &drawing->graph->outputs.items[i];
        const op_id from = drawing->graph->tensors.items[output->tensor].producer;

        draw_output(drawing->stream, drawing->graph, output,
                    drawing->node[drawing->shown[from]], i == 0, &drawing->arena);
    }
}

void draw_network(const struct report *report, FILE *stream)
{
    const struct graph *graph = report->compilation->elaboration.graph;
    struct drawing drawing = {.report = report, .graph = graph, .stream = stream};
    struct arena *arena = &drawing.arena;

    drawing.layer_of = ARENA_ARRAY(arena, size_t, graph->ops.count);
    drawing.block_of = ARENA_ARRAY(arena, size_t, report->layers.count + 1);
    drawing.shown = ARENA_ARRAY(arena, op_id, graph->ops.count);
    drawing.node = ARENA_ARRAY(arena, op_id, graph->ops.count);
    drawing.uses = ARENA_ARRAY(arena, uint32_t, graph->ops.count);
    for (op_id id = 0; id < graph->ops.count; id++)
        drawing.shown[id] = id;
    for (size_t layer = 0; layer < report->layers.count; layer++)
        drawing.layer_of[report->layers.items[layer].op] = layer;
    find_blocks(&drawing);
    if (drawing.blocks.count > UNFOLDED_BLOCKS)
        fold_blocks(&drawing);
    count_uses(&drawing);
    find_nodes(&drawing);
    drawing.in_columns = report->stages.count >= COLUMNS_LEAST &&
                         report->stages.count <= COLUMNS_MOST && stages_are_a_chain(&drawing);
    draw_begin(stream, graph, arena);
    for (size_t stage = 0; stage < report->stages.count; stage++)
        draw_stage(&drawing, stage);
    draw_edges(&drawing);
    fprintf(stream, "}\n");
    arena_release(arena);
}
