/* The network as a typed graph: operations in topological order on tensors, both named by 32-bit
 * numbers. The same structure holds the network as elaborated and, after the gradient pass, the
 * whole training step. Passes are loops over the arrays; nothing recurses over depth. */
#ifndef COMPILER_GRAPH_H
#define COMPILER_GRAPH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/table.h"
#include "base/vector.h"
#include "compiler/kernel.h"
#include "lang/source.h"

typedef uint32_t tensor_id;
typedef uint32_t op_id;

enum { TENSOR_NONE = UINT32_MAX };

enum op_kind {
#define OP(kind, name, family) OP_##kind,
#include "compiler/op.def"
#undef OP
    OP_KIND_COUNT
};

enum tensor_kind {
    TENSOR_ACTIVATION, /* one value for every image, grid point and channel */
    TENSOR_PARAMETER,  /* trained: weights, biases, scales */
    TENSOR_STATISTIC,  /* saved but not trained: running mean and variance */
    TENSOR_COUNTER,    /* saved, and kept by the runtime alone: num_batches_tracked */
    TENSOR_VECTOR,     /* one value a channel, within a step: batch mean, gradient of a bias */
    TENSOR_GRADIENT,   /* of a parameter; `of` names it */
    TENSOR_LABELS,     /* the class of each image */
    TENSOR_PER_IMAGE,  /* one number an image: loss, rank */
};

enum initializer {
    INITIALIZER_ZERO,
    INITIALIZER_ONE,
    INITIALIZER_WEIGHT, /* as the recipe's `init` says: convolutions */
    INITIALIZER_LINEAR, /* uniform in +-1/sqrt(inputs), PyTorch's for linear layers; the bias too */
    INITIALIZER_VALUE,  /* `initial_value` */
};

/* A value of the graph. */
struct tensor {
    uint8_t kind;         /* enum tensor_kind */
    uint8_t spatial_rank; /* activations: axes of the grid, 0 to 3 */
    uint8_t rank;         /* parameters: axes of `shape` */
    uint8_t initializer;  /* parameters: enum initializer */
    int32_t channels;     /* activations, vectors */
    int32_t grid[GRID_RANK]; /* activations: depth, height, width, with leading 1s */
    int32_t shape[5];     /* parameters, as PyTorch has them: [outputs, inputs/groups, kernel...] */
    int32_t fan_in;       /* parameters of INITIALIZER_LINEAR: inputs of the layer */
    double initial_value; /* parameters of INITIALIZER_VALUE */
    tensor_id of;         /* TENSOR_GRADIENT: the parameter */
    op_id producer;       /* what gives it; parameters and labels: the INPUT op, 0 */
    const char *name;     /* parameters and statistics: "layer1.0.conv1.weight"; else NULL */
};

/* What layers are told; each reads the fields that its kind has. */
struct attributes {
    struct window window;
    int32_t channels; /* conv, linear: outputs */
    int32_t groups;
    bool bias;
    double epsilon, momentum; /* normalizations */
    double rate;      /* dropout, drop_path: the share that is dropped */
    int32_t random_layer; /* dropout, drop_path: which of the graph's it is, from 0 */
    int32_t first_channel; /* join_gradient: where the part begins */
    bool listed;      /* pools: the kernel was written as a list (compiler/report_count.c) */
};

/* Where the block or stage is used that operations lie in, and the one that it lies in itself. */
struct use_site {
    const struct use_site *outer;
    struct span span;
};

struct op {
    uint8_t kind; /* enum op_kind */
    uint16_t input_count, output_count;
    bool is_backward;   /* made by the gradient pass */
    struct attributes attributes;
    tensor_id *inputs;  /* data first, then parameters in the order of the family's declaration */
    tensor_id *outputs;
    const char *path;   /* "layer1.0.conv1" */
    struct span span;   /* where the user wrote it */
    const struct use_site *site; /* the innermost block around it; NULL: the network itself */
};

/* `output name = ...`, or the network's last tensor under the name "logits". */
struct graph_output {
    const char *name;
    tensor_id tensor;
};

struct graph {
    struct arena *arena;
    const char *network;
    VECTOR(struct op) ops;         /* ops[0] is INPUT */
    VECTOR(struct tensor) tensors; /* tensors[0] is the input image */
    VECTOR(struct graph_output) outputs;
    const struct use_site *site; /* of operations that are added now */
    int32_t random_layer_count;
};

struct graph *graph_new(struct arena *arena, const char *network);

tensor_id graph_add_tensor(struct graph *graph, struct tensor tensor);

/* Appends an operation with room for its inputs and outputs (copied); sets the outputs' producer. */
op_id graph_add_op(struct graph *graph, enum op_kind kind, const tensor_id *inputs,
                   size_t input_count, const tensor_id *outputs, size_t output_count);

/* The network's input: call first. `grid` has `spatial_rank` entries. */
tensor_id graph_add_input(struct graph *graph, int32_t channels, const int32_t *grid,
                          int spatial_rank);

/* Whether the network has one output with one value a class: what classification needs. */
bool graph_has_logits(const struct graph *graph);

bool tensor_same_shape(const struct tensor *a, const struct tensor *b);

/* "[64, 56, 56]", as users speak of shapes: channels first. In the arena. */
const char *tensor_shape_text(const struct tensor *tensor, struct arena *arena);

/* An activation like `like`, with other channels. */
struct tensor tensor_like(const struct tensor *like, int32_t channels);

const char *op_name(enum op_kind kind);

/* graph_print.c: one operation a line. */
void graph_print(const struct graph *graph, const struct source_set *sources, FILE *stream);

/* graph_check.c: the verifier. NULL, or what is wrong (in the graph's arena): order, tensors
 * defined once and before use, shapes as the ops' rules give them. */
const char *graph_check(const struct graph *graph);

#endif
