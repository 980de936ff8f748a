/* What the files of the tiled convolutions share: blocks of channels, the input rows a task reads,
 * and the plan of a convolution. */
#ifndef CODEGEN_CPU_CONV_TILE_H
#define CODEGEN_CPU_CONV_TILE_H

#include "codegen/nest.h"

enum { LAST = GRID_RANK - 1 }; /* the axis that rows lie along */

/* ---- conv_blocks.c: output channels in blocks of one or two vectors ---- */

/* How a kernel's output channels are cut. Groups narrower than a vector share one: their weights
 * make a square block that is zero off its diagonal. */
struct conv_blocks {
    const struct kernel *kernel;
    int32_t pairs, singles; /* blocks of two vectors and of one, over all groups */
    int32_t splits;         /* parts that both are split into, for tasks */
    int32_t channels;       /* on x's side, that a block works on */
    bool diagonal;
    int32_t spread; /* groups of as many inputs and outputs, fewer than a vector's lanes, or 0: a
                       vector of inputs meets one of outputs, each input spread over its group */
};

/* One block, as values. */
struct conv_block {
    int vectors;
    loop_value number;           /* among all blocks of a task, those of two vectors first */
    loop_value output;           /* its first channel */
    loop_value channel;          /* the first channel on x's side */
    struct weight_column weight; /* where the weight's column `output` lies */
};

/* Cuts the channels; false if no cut suits the groups. `splits` is 1. */
bool conv_blocks_cut(const struct kernel *kernel, struct conv_blocks *out_blocks);

/* Sets `splits` so that tasks have not much more than a good number of products each. */
void conv_blocks_split(struct conv_blocks *blocks, int64_t products);

/* Opens a loop over the blocks of `vectors` vectors in part `split`. Returns the number of bodies
 * opened: 0 if there are no such blocks. */
int conv_blocks_open(const struct conv_blocks *blocks, struct loop_program *program,
                     loop_value split, int vectors, struct conv_block *out_block);

/* The length of tile that makes a row cheapest, with sums, `taps` weights of each vector and one
 * input value in registers. */
int conv_tile_length(int row, int vectors, int taps);

/* ---- conv_pack.c: the rows that a task reads ---- */

/* A tensor's rows: the tensor itself, or rows packed into a local with zeros around them. */
struct conv_input {
    const struct kernel *kernel;
    struct loop_program *program;
    uint16_t root; /* the expression that gives an element */
    bool packed;
    uint32_t parameter;       /* not packed: which tensor */
    loop_value local;         /* packed: [extent][extent][extent][stride] floats */
    const int32_t *grid;      /* of the tensor */
    int64_t channels;         /* of the tensor */
    int64_t elements, stride; /* of a point: how many are read, and from one to the next */
    bool is_part;             /* packed: only `elements` channels from first_channel on */
    loop_value first_channel;
    int32_t extent[GRID_RANK];    /* of what is addressed: the tensor's grid or the packed rows */
    int32_t low[GRID_RANK];       /* packed: coordinate of the first row for output 0 */
    int32_t in_stride[GRID_RANK]; /* of the coordinates of neighbouring outputs */
};

/* Sets what does not depend on the task: kernel, root, grid, channels, and parameter if the root
 * is a plain load. `packed` is set unless it is. */
struct conv_input conv_input_of(const struct kernel *kernel, int value, bool out_side);

/* Makes it one that is packed, if it is not already. */
void conv_input_set_packed(struct conv_input *input);

/* Whether neighbouring points fall into few sets of a cache, which packing cures. */
bool conv_input_is_aliasing(const struct conv_input *input);

/* Makes it one that packs only `elements` channels; first_channel is to be set. */
void conv_input_set_part(struct conv_input *input, int64_t elements);

/* Elements of the local that it packs into. */
int64_t conv_input_elements(const struct conv_input *input);

/* Packs the rows that outputs from `first` on read, the prologue applied; element 0 of the local is
 * its element `base`. */
void conv_input_pack(const struct conv_input *input, loop_value image,
                     const loop_value first[GRID_RANK], loop_value base);

/* Packs `count` images of one point each, from `first` on. */
void conv_input_pack_images(const struct conv_input *input, loop_value first, loop_value count);

/* One element, or a vector. */
loop_value conv_input_load(const struct conv_input *input, loop_value index, int lanes);

/* Stores zeros into `count` elements of a local from `begin` on. */
void local_clear(struct loop_program *program, loop_value local, loop_value begin, int64_t count);

/* ---- conv_plan.c: convolutions and data gradients ---- */

enum {
    TILE_CLASSES = 4, /* the largest stride of a data gradient */
    ROW_IMAGES = 8,   /* images of one point that make a row */
};

/* One axis of a convolution over a class of its outputs. Output i is at coordinate
 * out_first + i out_step; its tap m is window position tap_first + m tap_step and reads input
 * coordinate i in_stride + in_first + m in_step. A convolution has one class; a data gradient one
 * for each residue of the output's coordinate by the stride. */
struct tile_axis {
    int32_t outputs, out_first, out_step;
    int32_t taps, tap_first, tap_step;
    int32_t in_stride, in_first, in_step;
};

struct conv_plan {
    const struct kernel *kernel;
    struct conv_input input;
    struct conv_blocks blocks;
    struct tile_axis axes[GRID_RANK][TILE_CLASSES];
    int classes[GRID_RANK];
    int32_t outputs[GRID_RANK]; /* of the largest class */
    int32_t rows;               /* of outputs in a task */
    int32_t images;             /* in a task; more than one only of whole grids */
    bool image_row;             /* a row is the task's images, of one point each */
};

/* Decides everything that is known of a kernel; false if the tiled schedule cannot build it. */
bool conv_plan_make(const struct kernel *kernel, struct conv_plan *plan);

/* Elements of the local that a task's side sums lie in: [image][sum][stride of the channels]. */
int64_t conv_plan_sums(const struct conv_plan *plan);

/* Elements of the local that a diagonal block's weights are spread to; 0 without such blocks. */
int64_t conv_plan_weights(const struct conv_plan *plan);

/* ---- conv_tile.c: one task and its tiles ---- */

/* A task's values. */
struct conv_tile {
    struct conv_plan plan;
    const struct kernel *kernel;
    struct loop_program *program;
    const struct conv_input *input;
    loop_value image, part_row, part_depth, part_split;
    loop_value slot;       /* of the image among the task's */
    loop_value images;     /* of a task of several: how many */
    loop_value row_length; /* of a row of images: how many */
    loop_value weights;    /* local: a diagonal block's weights, [window][channels][lanes] */
    loop_value sums;       /* local: the task's side sums, see conv_plan_sums */
};

/* Where a tile is: its class, block of channels and first output. */
struct conv_spot {
    const struct tile_axis *axes[GRID_RANK];
    struct conv_block block;
    loop_value at[GRID_RANK]; /* output number on each axis */
};

/* Where pixel `j` of a tile goes, and its first channel. */
struct place conv_tile_place(const struct conv_tile *tile, const struct conv_spot *spot, int j);

/* The element of the result, and of tensors that the epilogue loads, at vector `v` of a place. */
loop_value conv_tile_index(const struct conv_tile *tile, const struct place *place, int v);

/* ---- conv_sums.c: side sums ---- */

/* Declares and clears the local of a task's sums. */
void conv_sums_declare(struct conv_tile *tile);

/* Adds to a tile's sums what one vector of a pixel has for them; `is_first`: sets them. */
void conv_sums_add(const struct conv_tile *tile, const struct place *place, bool is_first,
                   loop_value *sums);

/* Adds a tile's sums of vector `v` to the image's. */
void conv_sums_keep(const struct conv_tile *tile, const struct conv_spot *spot, int v,
                    const loop_value *sums);

/* Stores the sums of the task's parts, in the order that kernel.h gives: several whole images, or
 * one part of one. */
void conv_sums_store(const struct conv_tile *tile);

/* ---- conv_prefetch.c: asking for memory ahead ---- */

/* In how many parts a tile of `pixels` asks for what its end loads and stores, while a loop of
 * `steps` sums: one, before the sum, where that are few lines. */
int conv_prefetch_parts(const struct conv_tile *tile, const struct conv_spot *spot, int pixels,
                        int32_t steps);

/* Asks for part `part` of them. */
void conv_prefetch_results(const struct conv_tile *tile, const struct conv_spot *spot, int pixels,
                           int parts, loop_value part);

/* Asks for what a block accesses at the end of a task of whole rows, at `count` of its points from
 * number `first` on: those follow each other in memory. */
void conv_prefetch_points(const struct conv_tile *tile, const struct conv_block *block,
                          loop_value first, int count);

/* Whether a tile of `pixels` asks for its share of the next rows while it sums, not before. */
bool conv_prefetch_by_steps(const struct conv_tile *tile, int pixels);

/* Asks for a tile's share of what the next task packs, where its rows follow this one's in memory:
 * each block of channels asks for its share of them, all or what is for step `step` of its sum, a
 * row of the weight. */
void conv_prefetch_next(const struct conv_tile *tile, const struct conv_spot *spot, int pixels,
                        loop_value step);

#endif
