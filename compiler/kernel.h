/* The unit of generated code: one anchor computation with expressions on what it loads and stores.
 *
 * A kernel is closed: it holds shapes, windows and expressions, and no name, layer, weight,
 * learning rate or pointer. Two layers that compute the same thing give the same bytes, so a
 * network of 3002 layers has as few kernels as one of 164. The struct is plain data, zeroed before
 * it is filled; kernels are equal when their bytes are.
 *
 * The number of images is a run-time argument. All activations have the layout of
 * runtime/program.h: [image][grid point][channel], channels padded to their stride.
 *
 * Anchors. `x` is what the first expressions give at a point; n image, p grid point, c channel, q a
 * point of the other grid, k a channel of the other side.
 *
 *   POINTWISE             out_j[n,p,c] = value_j           any number of outputs
 *   CHANNEL_SUM           out_j[chunk,c] = sum of value_j over the chunk's images and all points,
 *                         in f32; chunk = image / chunk_images
 *   VECTOR                out_j[c] = value_j, all in f64, independent of the images
 *   CONVOLUTION           out[n,q,k] = epilogue(sum over window w and channels c of k's group
 *                         x[n, q stride - padding + w dilation, c] weight[w,c,k]); x is 0 outside
 *   DATA_GRADIENT         out[n,p,c] = sum over w, k of c's group where it divides:
 *                         x[n,(p + padding - w dilation)/stride,k] weight[w,k',c], the weight being
 *                         transposed (see TRANSPOSE)
 *   WEIGHT_GRADIENT       out[chunk,w,c,k] = sum over the chunk's images and q of
 *                         x[n, q stride - padding + w dilation, c] dy[n,q,k]; values 0 and 1 are
 *                         x and dy
 *   TRANSPOSE             out[w,k',c] = weight[w,c',k]: outputs and inputs of each group exchanged;
 *                         with `flip` the window is reversed too, which makes the data gradient of
 * a convolution of stride 1 a convolution MAX_POOL              out[n,q,c] = maximum of x over the
 * window; points outside do not count MAX_POOL_GRADIENT     out[n,p,c] = sum of dy[n,q,c] over the
 * windows q whose first maximum (in the order of the window) is p; values 0 and 1 are x, dy
 *   AVERAGE_POOL          out[n,q,c] = sum of x over the window / size of the window
 *   AVERAGE_POOL_GRADIENT out[n,p,c] = sum of x[n,q,c] over the windows q that hold p / size
 *   SOFTMAX_LOSS          of logits x[n,0,c] and labels[n]: loss[n], rank[n] and, if there is a
 * third output, its gradient (softmax - target) / images. The target is one-hot; a second value, a
 * constant s, mixes it with s / classes for every class GROUP_SUM             out_j[n,c] = sum of
 * value_j over all points and the channels of c's group POINT_SUM             out_j[n,p] = sum of
 * value_j over all channels JOIN                  out[n,p] = the parts' channels one after the
 * other: parts[j].count of value j from parts[j].first on, of a tensor of parts[j].channels ROWS
 * channels to rows: out[n,j,a P + p] = x[n,p,j A + a], where x has P points and out A P channels.
 * With `flip` back: out[n,p,j A + a] = x[n,j,a P + p]
 *
 * Side sums. While CONVOLUTION and DATA_GRADIENT store, they can add up values a channel, as batch
 * normalization wants them: out_{1+j}[part,k] = sum of sums_j over a part of an image's points, in
 * f32. A part is `sum_rows` rows (axis 1) of one depth; parts are numbered by image, depth, rows.
 */
#ifndef COMPILER_KERNEL_H
#define COMPILER_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/table.h"
#include "base/vector.h"

enum kernel_anchor {
    KERNEL_POINTWISE,
    KERNEL_CHANNEL_SUM,
    KERNEL_VECTOR,
    KERNEL_CONVOLUTION,
    KERNEL_DATA_GRADIENT,
    KERNEL_WEIGHT_GRADIENT,
    KERNEL_TRANSPOSE,
    KERNEL_MAX_POOL,
    KERNEL_MAX_POOL_GRADIENT,
    KERNEL_AVERAGE_POOL,
    KERNEL_AVERAGE_POOL_GRADIENT,
    KERNEL_SOFTMAX_LOSS,
    KERNEL_GROUP_SUM,
    KERNEL_POINT_SUM,
    KERNEL_JOIN,
    KERNEL_ROWS,
    KERNEL_ANCHOR_COUNT
};

/* Which element of its parameter a LOAD reads, at image n, point p (or q in an epilogue) and
 * channel c. */
enum access {
    ACCESS_POINT,         /* [n][p][c] */
    ACCESS_CHANNEL,       /* [c] */
    ACCESS_IMAGE_CHANNEL, /* [n][c]: one value a channel and image, such as a pooled one */
    ACCESS_FIRST,         /* [0][0][c]: a representative value of the channel */
    ACCESS_SCALAR,        /* [index]: the run-time scalars */
    ACCESS_CHUNK_SUM,     /* sum over chunks j, in order and in f64, of [j][c]; VECTOR only. There
                             are ceil(images / chunk_images) chunk_parts chunks */
    ACCESS_PIXEL,         /* [n][p]: one value a grid point */
    ACCESS_IMAGE,         /* [n]: one value an image */
};

enum expression_op {
#define EXPRESSION(op, name, operands) EXPRESSION_##op,
#include "compiler/expression.def"
#undef EXPRESSION
    EXPRESSION_OP_COUNT
};

/* One operation; operands are indices of earlier expressions of the same kernel. */
struct expression {
    uint8_t op;        /* enum expression_op */
    uint8_t access;    /* LOAD, RANDOM: enum access */
    uint8_t parameter; /* LOAD, RANDOM: which */
    uint8_t index;     /* LOAD of ACCESS_SCALAR: which */
    uint16_t a, b;
    double number; /* CONSTANT */
};

enum {
    KERNEL_PARAMETERS = 24,
    KERNEL_EXPRESSIONS = 80,
    KERNEL_VALUES = 6,
    KERNEL_SUMS = 4,
    GRID_RANK = 3, /* depth, height, width; leading 1s for fewer */
};

/* ORDER PARAMETER ROLE: inputs of expressions, then weight or labels, then outputs. */
enum kernel_storage {
    KERNEL_F32,
    KERNEL_I32,  /* labels; keys of random numbers, which are two words: philox2's key and counter_1
                    (base/philox.h), counter_0 being the element's number */
    KERNEL_BF16, /* of activations and their gradients, on GPUs: every value is computed in single
                    precision, and rounded as it is stored (base/bfloat16.h) */
};

/* A convolution's or pool's window; leading axes that are not there have kernel 1, stride 1. */
struct window {
    int32_t kernel[GRID_RANK], stride[GRID_RANK], padding[GRID_RANK], dilation[GRID_RANK];
};

/* Consecutive channels of a tensor. */
struct channel_part {
    int32_t channels; /* of the tensor */
    int32_t first, count;
};

struct kernel {
    uint8_t anchor; /* enum kernel_anchor */
    uint8_t parameter_count;
    uint8_t expression_count;
    uint8_t value_count;  /* see `values` */
    uint8_t output_count; /* the last parameters are the outputs */
    uint8_t flip;         /* TRANSPOSE, ROWS */
    uint8_t sum_count;    /* side sums; they are the last outputs */
    uint8_t streams;      /* POINTWISE, CONVOLUTION, DATA_GRADIENT: the results are larger than
                             caches, so storing may bypass them */
    uint8_t storage[KERNEL_PARAMETERS]; /* enum kernel_storage */
    /* Roots among `expressions`. POINTWISE and the sums, VECTOR: one an output. JOIN: one a part,
     * at the part's channels. Others: the operands as loaded (x; x and dy for WEIGHT_GRADIENT and
     * MAX_POOL_GRADIENT, at their own points). */
    uint16_t values[KERNEL_VALUES];
    uint16_t epilogue;     /* root + 1 of what CONVOLUTION and DATA_GRADIENT store; 0: the result
                              itself */
    uint16_t weight_block; /* CONVOLUTION and its gradients, TRANSPOSE and its result: columns of a
                              block of the weight, see struct weight_block; 0: all are one */
    uint16_t sums[KERNEL_SUMS]; /* roots, evaluated where the epilogue is */
    /* x is on in_grid with in_channels. POINTWISE, the sums and VECTOR use in_* alone, JOIN in_grid
     * and out_channels. For DATA_GRADIENT, in_* is the grid of dy (its x) and out_* that of the
     * result; for MAX_POOL_GRADIENT and AVERAGE_POOL_GRADIENT, in_* is the pooled tensor's input
     * and the result's, out_* that of dy; WEIGHT_GRADIENT: in_* that of x, out_* that of dy.
     * TRANSPOSE: in_channels and out_channels are those of the forward convolution. */
    int32_t in_grid[GRID_RANK], out_grid[GRID_RANK];
    int32_t in_channels, out_channels;
    int32_t groups;
    int32_t chunk_images; /* CHANNEL_SUM, WEIGHT_GRADIENT and ACCESS_CHUNK_SUM */
    int32_t chunk_parts;  /* ACCESS_CHUNK_SUM: chunks for each chunk_images images */
    int32_t sum_rows;     /* rows of a part, for side sums */
    struct window window;
    struct channel_part parts[KERNEL_VALUES]; /* JOIN */
    struct expression expressions[KERNEL_EXPRESSIONS];
};
/* Parameters in order: those that expressions load, by first use; then `weight` (CONVOLUTION,
 * DATA_GRADIENT, TRANSPOSE) or `labels` (SOFTMAX_LOSS); then the outputs. In place: expressions of
 * POINTWISE and VECTOR may also load from an output, at the point that is stored; all values of a
 * point are computed before any is stored. No other two parameters overlap. */

/* The stride of `channels` in memory (runtime/program.h). */
int64_t channel_stride(int64_t channels);

/* Elements of the weight of a convolution kernel, with padding; transposed: of TRANSPOSE's result,
 * [window][outputs per group][stride of inputs]. */
int64_t kernel_weight_elements(const struct kernel *kernel, bool transposed);

/* Of one element. */
int64_t kernel_storage_bytes(enum kernel_storage storage);

/* The stride of a vector of one value a channel: always padded. */
int64_t vector_stride(int64_t channels);

/* A weight is a matrix of rows [window][channels on x's side of a group] and of columns, the other
 * side's channels, padded. It lies in blocks of kernel.weight_block columns, one after the other,
 * each [rows][columns of the block]; the last may have fewer. */
struct weight_block {
    int64_t first;  /* the element of a column in row 0 */
    int64_t stride; /* from one row to the next */
};

/* Where column `column` of the weight lies, or of TRANSPOSE's result. */
struct weight_block kernel_weight_column(const struct kernel *kernel, bool transposed,
                                         int64_t column);

int64_t grid_points(const int32_t grid[GRID_RANK]);

/* Whether the anchor is CONVOLUTION or DATA_GRADIENT: those that store at the points of out_grid
 * and may have an epilogue and side sums there. */
bool kernel_is_convolution(const struct kernel *kernel);

/* Whether a library should compute this pass of a convolution of activations so stored. cuDNN's
 * deterministic engines take seconds for gradients of grouped convolutions in float32: on an H200
 * 2.1 s for a weight's of 3x3, 256 channels in 8 groups, 56x56 points and 256 images, where ours
 * takes 40 ms. */
bool kernel_suits_library(const struct kernel *kernel, enum kernel_storage storage);

/* Whether value number `value` is at the points of out_grid; the others are at those of in_grid. */
bool kernel_value_is_on_out_side(const struct kernel *kernel, int value);

/* Whether `window` means something to the kernel's anchor. */
bool kernel_has_window(const struct kernel *kernel);

/* The share of the target that SOFTMAX_LOSS spreads over all classes. */
double kernel_label_smoothing(const struct kernel *kernel);

/* The parts of an image that have a side sum each. */
int64_t kernel_sum_parts(const struct kernel *kernel);

/* The number of the parameter that is the weight or the labels, the first output. */
int kernel_weight_parameter(const struct kernel *kernel);
int kernel_first_output(const struct kernel *kernel);

/* Whether the operation reads `parameter`. */
bool expression_reads(enum expression_op op);

/* How many of a and b an operation uses. */
int expression_operands(enum expression_op op);

/* Marks the expressions that `root` is made of, itself included. */
void kernel_needed(const struct kernel *kernel, uint16_t root, bool out_needed[KERNEL_EXPRESSIONS]);

/* Appends an expression; equal ones are shared. Returns its index. */
uint16_t kernel_expression(struct kernel *kernel, struct expression expression);
uint16_t kernel_constant(struct kernel *kernel, double number);
uint16_t kernel_load(struct kernel *kernel, int parameter, enum access access);
uint16_t kernel_random(struct kernel *kernel, int parameter, enum access access);
uint16_t kernel_scalar(struct kernel *kernel, int parameter, int index);
uint16_t kernel_binary(struct kernel *kernel, enum expression_op op, uint16_t a, uint16_t b);
uint16_t kernel_unary(struct kernel *kernel, enum expression_op op, uint16_t a);
uint16_t kernel_add(struct kernel *kernel, uint16_t a, uint16_t b);
uint16_t kernel_subtract(struct kernel *kernel, uint16_t a, uint16_t b);
uint16_t kernel_multiply(struct kernel *kernel, uint16_t a, uint16_t b);
uint16_t kernel_divide(struct kernel *kernel, uint16_t a, uint16_t b);

/* The distinct kernels of a program, in order of first use. */
struct kernel_set {
    struct arena *arena;
    VECTOR(struct kernel *) items;
    struct table table; /* bytes -> index */
};

/* Returns the number of the kernel equal to `kernel`, adding a copy if it is new. */
uint32_t kernel_set_add(struct kernel_set *set, const struct kernel *kernel);

/* A symbol that says what the kernel is: "conv_k3s1_32x32x16_16_1a2b3c4d"; letters, digits, _. */
const char *kernel_name(const struct kernel *kernel, struct arena *arena);

/* Checks counts, operand order, accesses that suit the anchor, shapes that agree. NULL, or what is
 * wrong (in the arena). */
const char *kernel_check(const struct kernel *kernel, struct arena *arena);

/* `--emit kernels`: one kernel, a few lines. */
void kernel_print(const struct kernel *kernel, FILE *stream);

#endif
