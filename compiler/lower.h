/* From operations to calls of kernels on buffers.
 *
 * A call names a kernel by number and its arguments by buffer; a buffer is a piece of a memory
 * region whose place is found later (memory.h). Each buffer of the workspace is written by one
 * call only, so passes over calls need no alias analysis; weights, momentum and running statistics
 * are the exception: they are updated in place. */
#ifndef COMPILER_LOWER_H
#define COMPILER_LOWER_H

#include "compiler/graph.h"
#include "compiler/kernel.h"
#include "compiler/recipe.h"
#include "runtime/program.h"

typedef uint32_t buffer_id;
typedef uint32_t call_id; /* its number in a sequence */

enum { BUFFER_NONE = UINT32_MAX, CALL_NONE = UINT32_MAX };

struct buffer {
    enum rnet_region region;
    enum kernel_storage storage;
    tensor_id tensor; /* what it holds, or TENSOR_NONE for scratch */
    uint64_t bytes;   /* at the planned batch */
    uint64_t offset;  /* into the region */
    bool is_result;   /* read by the runtime after the step: lives to the end */
};

struct call {
    uint32_t kernel; /* in calls.kernels */
    uint8_t phase;   /* enum rnet_phase */
    uint8_t argument_count;
    int64_t images;       /* 0: as many as the batch holds */
    buffer_id *arguments; /* one a parameter of the kernel, in order */
    const char *path;     /* of the operation it came from */
    const struct rnet_cuda_chain *chain; /* that begins here, or NULL (chain.h) */
};

/* A sequence of calls, in order of execution. */
struct calls {
    struct arena *arena;
    struct kernel_set kernels;
    VECTOR(struct call) items;
    VECTOR(struct buffer) buffers;
    int64_t batch;
    bool has_chains;           /* chain_find looks for some */
    buffer_id loss, rank;      /* results; BUFFER_NONE where there is no loss */
    VECTOR(buffer_id) outputs; /* results: of the graph's outputs, in inference */
};

/* The weights' and statistics' places: the same for training and inference. Parameters that weight
 * decay covers come first. */
struct parameter_layout {
    uint64_t *offsets; /* for each tensor that is a parameter or statistic: bytes in its region */
    uint64_t decayed_bytes; /* of the weights' region: those that decay */
    uint64_t weight_bytes, statistic_bytes;
    uint16_t weight_block; /* columns of a weight's blocks (kernel.h), or 0 */
};

/* `keeps_convolutions`: a library may compute them, which wants weights in one block. */
struct parameter_layout parameter_layout(const struct graph *graph, const struct recipe *recipe,
                                         bool keeps_convolutions, struct arena *arena);

enum lower_part {
    LOWER_NOTHING,
    LOWER_TRAINING,  /* the training step: TRAIN and UPDATE phases */
    LOWER_INFERENCE, /* the forward pass: INFER and LOSS */
};

/* For whom is lowered. */
struct lower_target {
    bool keeps_convolutions; /* a library may compute them, weight gradients all at once */
    enum rnet_precision precision;
};

/* Lowers a part of the graph, for batches of the recipe's size. */
struct calls *lower_graph(struct arena *arena, const struct graph *graph,
                          const struct recipe *recipe, const struct parameter_layout *layout,
                          enum lower_part part, struct lower_target target);

/* ---- for the definitions in op_*.c ---- */

struct lowering {
    struct arena *arena;
    const struct graph *graph;
    const struct recipe *recipe;
    const struct parameter_layout *layout;
    struct calls *calls;
    buffer_id *buffers;      /* for each tensor: its buffer, or BUFFER_NONE so far */
    const uint8_t *storages; /* of each tensor: enum kernel_storage */
    bool training;
    struct lower_target target;
    enum rnet_phase phase; /* of the calls that are appended */
};

/* A call being put together. Start with call_begin. */
struct call_builder {
    struct lowering *lowering;
    struct kernel kernel;
    buffer_id inputs[KERNEL_PARAMETERS], outputs[KERNEL_PARAMETERS];
    int input_count, output_count;
    buffer_id weight; /* or labels; BUFFER_NONE if the anchor has none */
    int64_t images;
};

/* The buffer of a tensor, made at first use. */
buffer_id lower_buffer(struct lowering *lowering, tensor_id tensor);

/* A buffer of the workspace that holds no tensor: in single precision, like another one, or as an
 * activation of the batch. */
buffer_id lower_scratch(struct lowering *lowering, uint64_t bytes);
buffer_id lower_scratch_like(struct lowering *lowering, buffer_id buffer);
buffer_id lower_scratch_activation(struct lowering *lowering, const struct tensor *tensor,
                                   enum kernel_storage storage);

/* Says that `tensor` is what `other` is: it gets no buffer of its own, and no call. */
void lower_same(struct lowering *lowering, tensor_id tensor, tensor_id other);

/* The key of random layer `number`, as the runtime sets it for each step. */
buffer_id lower_key(struct lowering *lowering, int32_t number);

/* Into chunks of how many images a sum over the batch is cut: a few dozen chunks at most, on a GPU
 * a few hundred. */
int32_t lower_chunk_images(const struct lowering *lowering);
/* Bytes of one partial result of `elements` float32 for each chunk of `chunk_images`. */
uint64_t lower_chunk_bytes(const struct lowering *lowering, int32_t chunk_images, int64_t elements);
/* As lower_chunk_images, for a weight gradient: fewer, larger chunks where a partial result is
 * large. A library that has the whole gradient at once fills the other chunks with zeros. */
int32_t lower_weight_chunk_images(const struct lowering *lowering, const struct kernel *kernel,
                                  enum kernel_storage storage, int64_t elements);

struct call_builder call_begin(struct lowering *lowering, enum kernel_anchor anchor);

/* Sets the kernel's in_ or out_ grid and channels to a tensor's. */
void call_in(struct call_builder *call, const struct tensor *tensor);
void call_out(struct call_builder *call, const struct tensor *tensor);

/* Appends the call that adds up partial results, `elements` of them a chunk of `chunk_images`, into
 * `total`. */
void lower_chunk_sum(struct lowering *lowering, buffer_id chunks, int32_t chunk_images,
                     int64_t elements, buffer_id total, const char *path);

/* An expression that loads from a buffer; the same buffer is one parameter however often loaded. */
uint16_t call_load(struct call_builder *call, buffer_id buffer, enum access access);
uint16_t call_scalar(struct call_builder *call, enum rnet_scalar scalar);

/* A random number of the layer's key; see enum expression_op. */
uint16_t call_random(struct call_builder *call, buffer_id keys, enum access access);

/* Adds an output that stores `value` (POINTWISE, CHANNEL_SUM, VECTOR). */
void call_store(struct call_builder *call, uint16_t value, buffer_id output);

/* Adds an operand (the next of kernel.values) of another anchor. */
void call_operand(struct call_builder *call, uint16_t value);
/* Adds an output of another anchor. */
void call_output(struct call_builder *call, buffer_id output);

/* Appends the finished call. An input that is also an output becomes one parameter, in place. */
void call_end(struct call_builder *call, const char *path);

#endif
