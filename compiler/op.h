/* What the compiler knows of each operation: one definition a kind, in op_*.c. */
#ifndef COMPILER_OP_H
#define COMPILER_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler/graph.h"
#include "lang/diagnostic.h"

struct lowering;      /* compiler/lower.h */
struct gradient_pass; /* compiler/gradient.h */

enum argument_type {
    ARGUMENT_AXES,    /* positive integers: one for every axis, or a list of one an axis */
    ARGUMENT_INTEGER,
    ARGUMENT_NUMBER,
    ARGUMENT_BOOLEAN,
};

enum { LAYER_ARGUMENTS = 8 };

/* One parameter of a layer as the language has it. */
struct layer_argument {
    const char *name;
    enum argument_type type;
    bool required;
    double minimum;  /* smallest value allowed (numbers and integers and each axis) */
    double fallback; /* where it is not given and not required; a shape rule may know better */
};

/* The value of one argument, after types were checked. */
struct layer_value {
    bool given;
    int axis_count;          /* ARGUMENT_AXES written as a list: its length; else 0 */
    double values[GRID_RANK]; /* [0] alone where axis_count is 0 */
};

/* What a shape rule sees and says. */
struct layer_call {
    struct graph *graph;
    const struct layer_value *values; /* in the order of the definition's arguments */
    const struct tensor *input;
    struct attributes attributes;     /* out */
    struct tensor output;             /* out */
    const char *error;                /* out: a sentence, or NULL */
    enum diagnostic_code code;        /* out: with the error */
    int culprit;                      /* out: which argument is to blame, or -1 */
};

struct op_definition {
    /* A layer of the language: its arguments. `is_layer` false: only the compiler makes it. */
    bool is_layer;
    struct layer_argument arguments[LAYER_ARGUMENTS];
    int argument_count;
    /* Fills attributes and output, or error. */
    void (*shape)(struct layer_call *call);
    /* Appends the layer's parameters to the graph, named `path`.weight and so on; returns how many
     * were put into `out` (at most 5). NULL: none. */
    int (*parameters)(struct graph *graph, const struct layer_call *call, const char *path,
                      tensor_id *out);
    /* How many VECTOR tensors follow the output: what a layer keeps for its gradient. */
    int vector_outputs;
    /* How many outputs of this shape follow: values for each image or grid point that it keeps. */
    int kept_outputs;
    struct tensor (*kept_shape)(const struct layer_call *call);
    /* Multiply-adds of convolutions and linear layers, for one image. NULL: 0. */
    int64_t (*macs)(const struct graph *graph, const struct op *op);
    /* Appends to the graph what computes the gradients of the inputs. NULL: no gradient. */
    void (*gradient)(struct gradient_pass *pass, op_id op);
    /* Appends the kernels' calls that compute the op. NULL: nothing to do. */
    void (*lower)(struct lowering *lowering, const struct op *op);
};

const struct op_definition *op_definition(enum op_kind kind);

/* Finds a layer by its name in the language; false if there is none. */
bool op_find_layer(const char *name, enum op_kind *out_kind);

/* Why a layer could not be added. */
struct layer_error {
    const char *text;          /* a sentence, in the graph's arena */
    enum diagnostic_code code;
    int culprit;               /* the argument to blame, or -1 */
};

/* Appends a layer on `input`, its parameters named by `path` ("layer1.0.conv1"; "" for none).
 * `values` are as many as the definition's arguments. Returns the layer's output, or TENSOR_NONE
 * with `*out_error` filled. */
tensor_id graph_add_layer(struct graph *graph, enum op_kind kind, const struct layer_value *values,
                          tensor_id input, const char *path, struct span span,
                          struct layer_error *out_error);

/* Appends the sum of two or more tensors of one shape. */
tensor_id graph_add_sum(struct graph *graph, const tensor_id *terms, size_t count,
                        const char *path, struct span span);

/* The shape of a product: that of its terms with a grid; terms with one value a channel are spread
 * over it. False if the terms do not agree. */
bool product_shape(const struct graph *graph, const tensor_id *terms, size_t count,
                   struct tensor *out_shape);

/* Appends the product of two or more tensors; product_shape must hold. */
tensor_id graph_add_product(struct graph *graph, const tensor_id *terms, size_t count,
                            const char *path, struct span span);

/* The shape of a join along the first axis, the channels: grids must be equal. */
bool join_shape(const struct graph *graph, const tensor_id *parts, size_t count,
                struct tensor *out_shape);

/* Appends the join of two or more tensors; join_shape must hold. */
tensor_id graph_add_join(struct graph *graph, const tensor_id *parts, size_t count,
                         const char *path, struct span span);

/* Whether code can be generated for the op; what can't can still be checked, drawn and reported. */
bool op_has_code(enum op_kind kind);

#endif
