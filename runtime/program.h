/* The contract between the compiler and the executables it makes.
 *
 * `rnet build` emits one constant `struct rnet_program` named rnet_program, and links it with the
 * runtime. This header is all that both sides share; it includes nothing of the project's, and
 * RNET_PROGRAM_VERSION changes whenever a structure here does.
 *
 * Memory is a handful of regions. The runtime allocates each once (rnet_program.region_bytes, at
 * the planned batch), 64-byte aligned and zeroed, and steps address them by region and offset.
 *
 * Layouts. An activation is [images][depth][height][width][channels], float32 (in the workspace of
 * a program of precision BF16 mostly bfloat16; never what is read back), with the stride of
 * the channels as its last extent: channels rounded up to 16, or the channels themselves where
 * there are at most 4. What lies in the padding lanes is unspecified. A weight of a convolution or
 * linear layer is [kernel depth][kernel height][kernel width][inputs per group][outputs], with the
 * outputs' stride rounded up to 16 and zeros in the padding; where rnet_parameter.block is not 0,
 * blocks of so many outputs lie one after the other, each in this order, the last of what is left.
 * A vector of one value a channel is padded to 16 too. */
#ifndef RUNTIME_PROGRAM_H
#define RUNTIME_PROGRAM_H

#include <stdint.h>

enum {
    RNET_PROGRAM_VERSION = 10,
    RNET_CHANNEL_PADDING = 16, /* channel strides are multiples of this */
    RNET_NARROW_CHANNELS = 4,  /* ... but for at most this many channels */
    RNET_WEIGHT_BLOCK = 32,    /* outputs of a weight's blocks, where it has some */
    RNET_RANK = 5,             /* the most axes of a parameter */
    RNET_KEY_WORDS = 2,        /* of a random layer's key */
    RNET_ARGUMENTS = 8,        /* the most numbers of a transform or schedule entry */
    RNET_GRID_RANK = 3,        /* depth, height, width; leading 1s for fewer */
};

/* Where an executable computes. */
enum rnet_target {
    RNET_TARGET_CPU,
    RNET_TARGET_CUDA, /* rnet_program.cuda says how */
};

/* How a program computes. Statistics, sums, gradients of parameters and the parameters themselves
 * are single precision always. */
enum rnet_precision {
    RNET_PRECISION_FP32, /* single precision throughout */
    RNET_PRECISION_TF32, /* products of convolutions may round their operands to TF32 */
    RNET_PRECISION_BF16, /* activations are stored as bfloat16, products round to it */
};

/* ORDER REGION: the compiler's plan printer and the runtime's allocator follow this order. */
enum rnet_region {
    RNET_REGION_WEIGHTS,    /* trained parameters; saved */
    RNET_REGION_STATISTICS, /* running mean and variance; saved */
    RNET_REGION_GRADIENTS,  /* same offsets as the weights */
    RNET_REGION_MOMENTUM,   /* same offsets as the weights */
    RNET_REGION_WORKSPACE,  /* everything that lives within one step */
    RNET_REGION_INPUT,      /* images, as an activation; filled by the runtime */
    RNET_REGION_LABELS,     /* int32 class of each image; filled by the runtime */
    RNET_REGION_SCALARS,    /* float32, indexed by enum rnet_scalar; filled by the runtime */
    RNET_REGION_KEYS,       /* int32, RNET_KEY_WORDS for each layer that draws random numbers;
                               filled by the runtime before each training step */
    /* What the runtime keeps of a training beside the program's own, where the recipe asks. */
    RNET_REGION_GRADIENT_SUM,       /* `accumulate`: of a step's batches; as the gradients */
    RNET_REGION_AVERAGE_WEIGHTS,    /* `ema`: the average of the weights; as the weights */
    RNET_REGION_AVERAGE_STATISTICS, /* `ema`: likewise of the statistics */
    RNET_REGION_COUNT
};

enum rnet_scalar {
    RNET_SCALAR_LEARNING_RATE,
    RNET_SCALAR_MOMENTUM,
    RNET_SCALAR_WEIGHT_DECAY,
    RNET_SCALAR_GRADIENT_SCALE, /* what gradients are multiplied by before the update; read only
                                   where the recipe clips or accumulates */
    RNET_SCALAR_BATCHES,        /* whose gradients the update averages; for struct rnet_cuda's
                                   functions alone */
    RNET_SCALAR_COUNT = 16      /* the region holds this many */
};

/* Runs tasks [first, last) of a kernel over `images` images. Tasks are independent of each other;
 * which thread runs which never changes a bit of the result. */
typedef void rnet_kernel_function(void *const *buffers, int64_t images, int64_t first,
                                  int64_t last);

/* The least that a kernel must compute and move, whatever its code does. Over n images that is
 * n image_multiply_adds, and n image_bytes + ceil(n / chunk_images) chunk_bytes + fixed_bytes. */
struct rnet_work {
    int64_t image_multiply_adds; /* of convolutions and their gradients; else 0 */
    int64_t image_bytes;         /* of activations, labels and losses */
    int64_t chunk_bytes;         /* of partial sums */
    int64_t chunk_images;        /* 0 where there are no chunks */
    int64_t fixed_bytes;         /* of weights and vectors */
};

struct rnet_kernel {
    const char *name;
    rnet_kernel_function *run; /* NULL in a program for CUDA: see struct rnet_cuda_kernel */
    int64_t images_per_task;   /* 0: the number of tasks does not depend on the images */
    int64_t tasks_per_group;   /* tasks = ceil(images / images_per_task) * this, or just this */
    struct rnet_work work;
};

struct rnet_argument {
    uint64_t offset; /* bytes into the region */
    uint32_t region; /* enum rnet_region */
    uint32_t padding;
};

struct rnet_step {
    uint32_t kernel;         /* index into kernels */
    uint32_t first_argument; /* index into arguments */
    uint32_t argument_count;
    uint32_t chain; /* 0, or 1 + index into struct rnet_cuda's chains of the one that begins here */
    int64_t images; /* 0: as many as the batch holds; else this many, such as rows of weights */
};

struct rnet_steps {
    const struct rnet_step *steps;
    uint64_t count;
};

/* ORDER PHASE: how the step tables are used.
 *   a training step   TRAIN (forward, loss, gradients), then UPDATE
 *   evaluation        INFER, then LOSS
 *   raw outputs       INFER
 * A program that was built for inference alone has no steps of TRAIN and UPDATE, and one without
 * logits none of LOSS. */
enum rnet_phase {
    RNET_PHASE_TRAIN,
    RNET_PHASE_UPDATE,
    RNET_PHASE_INFER,
    RNET_PHASE_LOSS,
    RNET_PHASE_COUNT
};

/* ---- kernels for NVIDIA GPUs ----
 *
 * Regions lie in the device's memory, with the layouts above, each aligned to 256 bytes. Kernel k
 * of the program is the function named kernels[k].name of module cuda->kernels[k].module. Its
 * parameters are, in order: a device pointer for each argument of the step, then the number of
 * images and that of tasks, both int64_t. A launch has one dimension:
 *
 *   grid   ceil(tasks / tasks_per_block) blocks, tasks as struct rnet_kernel says
 *   block  threads
 *
 * One launch a step; each reads what steps before it wrote, so a phase is a chain on one stream.
 * The function itself leaves alone what lies beyond the last task or image. */

/* Code for one or more kernels. Try the cubin first: it fits GPUs of rnet_cuda.architecture and of
 * later minor versions of the same major one. The PTX is for newer GPUs. */
struct rnet_cuda_module {
    const void *cubin;
    const char *ptx; /* ends in a NUL, which is counted */
    uint64_t cubin_bytes, ptx_bytes;
};

enum rnet_cuda_pass {
    RNET_CUDA_FORWARD,         /* y = x * weight */
    RNET_CUDA_DATA_GRADIENT,   /* dx = dy * transposed weight */
    RNET_CUDA_WEIGHT_GRADIENT, /* dweight = x * dy */
};

enum {
    RNET_CUDA_NO_ARGUMENT = -1,
};

/* A function beside the kernels, launched as a kernel is. */
struct rnet_cuda_function {
    const char *name; /* NULL: the program has no use for it */
    uint32_t module, threads, tasks_per_block, shared_bytes;
    int64_t images_per_task, tasks_per_group; /* as in struct rnet_kernel */
};

/* What a kernel computes that a library could do in its place: one pass of a convolution between
 *
 *   x, dx  [images][x_grid][x_channels]
 *   y, dy  [images][y_grid][y_channels]
 *   y[n,q,k] = sum over window position w and channel c of k's group of
 *              x[n, q stride - padding + w dilation, c] weight[w,c,k]
 *
 * whichever pass it is. A linear layer is one on grids of one point. Weights are
 *
 *   FORWARD          [window][x_channels / groups][y_channels, padded]
 *   DATA_GRADIENT    [window][y_channels / groups][x_channels, padded]: of each group inputs and
 *                    outputs are exchanged, the window is not reversed
 *   WEIGHT_GRADIENT  result: [chunk][window][x_channels / groups][y_channels, padded], with
 *                    ceil(images / chunk_images) chunks that are summed later. Whoever computes the
 *                    whole gradient at once writes it to chunk 0 and zeros to the others.
 *
 * Channels of activations are padded as all are. Padding of weights is zero and stays so.
 *
 * The generated kernel may do more: apply expressions to what it loads, or to the result as it
 * stores. Only where the flags below are all set is the kernel nothing but the convolution. */
struct rnet_cuda_convolution {
    uint32_t pass; /* enum rnet_cuda_pass */
    uint32_t groups;
    int32_t x_grid[RNET_GRID_RANK], y_grid[RNET_GRID_RANK];
    int32_t x_channels, y_channels;
    int32_t window[RNET_GRID_RANK], stride[RNET_GRID_RANK];
    int32_t padding[RNET_GRID_RANK], dilation[RNET_GRID_RANK];
    int32_t chunk_images; /* WEIGHT_GRADIENT */
    /* Which arguments of the step are what; RNET_CUDA_NO_ARGUMENT where the pass has none, or
     * where an expression stands in its place. */
    int32_t x;              /* FORWARD, WEIGHT_GRADIENT: loaded */
    int32_t dy;             /* DATA_GRADIENT, WEIGHT_GRADIENT: loaded */
    int32_t weight;         /* FORWARD, DATA_GRADIENT */
    int32_t output;         /* y, dx or dweight: the first output */
    uint8_t loads_plainly;  /* x and dy are tensors as they lie in memory */
    uint8_t stores_plainly; /* the output is the convolution's result */
    uint8_t is_only_output; /* nothing else is stored, such as sums a channel */
    uint8_t is_bfloat16;    /* x, y and their gradients are; else float32. Where they are not all
                               the same, loads_plainly is not set */
    uint8_t spare[8];
    /* Copies between a weight as it lies and the filter as libraries want it, dense:
     * [y_channels][window][x_channels / groups]. Its parameters:
     *
     *   FORWARD, DATA_GRADIENT  weight, filter, images, tasks
     *   WEIGHT_GRADIENT         filter, output, images, tasks: the filter to chunk 0, with zeros in
     *                           its padding, and zeros to all other chunks
     *
     * The filter is float32, or bfloat16 where the convolution is; the weight and output, float32.
     * NULL: a library cannot be used. */
    const struct rnet_cuda_function *filter;
};

/* What a kernel beside a convolution does, where that need not be done if a library computes the
 * convolution from a filter, or leaves one. */
enum rnet_cuda_role {
    RNET_CUDA_NO_ROLE,
    RNET_CUDA_TRANSPOSE, /* (weight, result): from a FORWARD weight to a DATA_GRADIENT one */
    RNET_CUDA_FLIP,      /* (weight, result), of one group: to the weight of that FORWARD pass which
                            is the data gradient: [window, reversed][y_channels][x_channels, padded] */
    RNET_CUDA_SUM_CHUNKS, /* (chunks, sum): the chunks of a WEIGHT_GRADIENT added up */
};

/* What is done to a value at a point. */
enum rnet_cuda_operation_kind {
    RNET_CUDA_POINT_ADD,
    RNET_CUDA_POINT_SUBTRACT,
    RNET_CUDA_POINT_MULTIPLY,
    RNET_CUDA_POINT_IF_POSITIVE, /* a > 0 ? b : 0 */
    RNET_CUDA_POINT_RELU,        /* a > 0 ? a : 0 */
};

/* An operation on two values (struct rnet_cuda_chain). */
struct rnet_cuda_operation {
    uint8_t kind; /* enum rnet_cuda_operation_kind */
    uint8_t a, b; /* RELU has no b; a is no VECTOR */
    uint8_t spare;
};

enum rnet_cuda_operand_kind {
    RNET_CUDA_TENSOR, /* [images][grid][channels] */
    RNET_CUDA_VECTOR, /* [channels], float32 */
    RNET_CUDA_SUMS,   /* [chunk][channels with an activation's stride], float32: sums over the
                         points of chunk_images images each; only those over all chunks count */
};

/* Argument `argument` of a chain's step number `step`. */
struct rnet_cuda_operand {
    uint8_t step, argument;
    uint8_t kind; /* enum rnet_cuda_operand_kind */
    uint8_t is_bfloat16;
};

enum {
    RNET_CUDA_CHAIN_STEPS = 3,
    RNET_CUDA_CHAIN_INPUTS = 8,
    RNET_CUDA_CHAIN_OPERATIONS = 16,
    RNET_CUDA_CHAIN_RESULTS = 4,
    /* Numbers of values: 0 is what the convolution gives, in float32. */
    RNET_CUDA_CHAIN_INPUT = 1,
    RNET_CUDA_CHAIN_OPERATION = RNET_CUDA_CHAIN_INPUT + RNET_CUDA_CHAIN_INPUTS,
};

/* Two or three steps, one behind the other, that a library may compute in one piece: a FORWARD pass
 * or DATA_GRADIENT of a convolution, what is done to its result at each point, and sums a channel.
 * All there is lies on the grid of the convolution's result and has its channels. Whoever computes
 * the chain stores the results below and need not store what else the steps do: nothing reads that.
 * No result lies where an input does, or what the convolution loads. */
struct rnet_cuda_chain {
    uint32_t kernels[RNET_CUDA_CHAIN_STEPS]; /* of the steps */
    uint32_t length, input_count, operation_count, result_count;
    int32_t chunk_images; /* of sums */
    struct rnet_cuda_operand inputs[RNET_CUDA_CHAIN_INPUTS], results[RNET_CUDA_CHAIN_RESULTS];
    struct rnet_cuda_operation operations[RNET_CUDA_CHAIN_OPERATIONS];
    uint8_t values[RNET_CUDA_CHAIN_RESULTS]; /* that the results hold */
};

/* How a kernel is launched; one for each of rnet_program.kernels, in their order. */
struct rnet_cuda_kernel {
    uint32_t module;       /* index into modules */
    uint32_t threads;      /* of a block */
    uint32_t shared_bytes; /* dynamic shared memory; over 48 KiB the function's attribute
                              MAX_DYNAMIC_SHARED_SIZE_BYTES must be raised first */
    uint32_t tasks_per_block;
    uint32_t first_output; /* arguments of a step from here on are stored to */
    uint32_t role;         /* enum rnet_cuda_role */
    const struct rnet_cuda_convolution *convolution; /* NULL: no library does this */
};

/* ORDER FUNCTION: what stands between the gradients and the next step, where the recipe asks for
 * it. A row is 16 floats, and `images` of a launch the number of rows, or of blocks. A block is two
 * int32: the row at which it begins, and how many floats it has. A float64 lies as two float32, the
 * nearest and what is left. */
enum rnet_cuda_function_kind {
    /* `accumulate`: rows out, in: out = out + in */
    RNET_CUDA_ADD,
    /* `ema`: rows average, values: average = average + (float)(1 - ema) (values - average) */
    RNET_CUDA_AVERAGE,
    /* `clip`: gradients, blocks, norms: the norm of each block, as float64 */
    RNET_CUDA_BLOCK_NORMS,
    /* `clip`: norms, scalars, norm: the norm of all blocks together, divided by the scalar BATCHES,
     * as float64; and the scalar GRADIENT_SCALE, which limits it as runtime/gradients.h says */
    RNET_CUDA_LIMIT,
    /* Weights to filters, filters to gradients: from, to, copies, parts; `images` is the number of
     * parts. A part is two int32: a copy, and the first of RNET_CUDA_PART elements of it. A copy is
     * the int32 of enum rnet_cuda_copy: element e of it, (i, j, k) row-major in [][extent 1][extent
     * 2], goes to `to` + e. It is that of `from` + i stride 0 + j stride 1 + k stride 2, and 0
     * where k is not below `valid`. */
    RNET_CUDA_TO_FILTERS,
    RNET_CUDA_FROM_FILTERS,
    RNET_CUDA_FUNCTION_COUNT
};

enum rnet_cuda_copy {
    RNET_CUDA_COPY_FROM,
    RNET_CUDA_COPY_TO,
    RNET_CUDA_COPY_COUNT, /* elements of the copy */
    RNET_CUDA_COPY_EXTENT_1,
    RNET_CUDA_COPY_EXTENT_2,
    RNET_CUDA_COPY_STRIDE_0,
    RNET_CUDA_COPY_STRIDE_1,
    RNET_CUDA_COPY_STRIDE_2,
    RNET_CUDA_COPY_VALID,
    RNET_CUDA_COPY_NUMBERS,
    RNET_CUDA_PART = 1024,
};

struct rnet_cuda {
    const struct rnet_cuda_module *modules;
    const struct rnet_cuda_kernel *kernels;
    uint64_t module_count;
    uint32_t architecture; /* of the cubins: 90 for sm_90 */
    uint32_t precision;    /* enum rnet_precision */
    struct rnet_cuda_function functions[RNET_CUDA_FUNCTION_COUNT];
    const struct rnet_cuda_chain *chains;
    uint64_t chain_count;
};

/* Where a step leaves something that the runtime reads. */
struct rnet_location {
    uint64_t offset; /* bytes into the region */
    uint32_t region;
    uint32_t padding;
};

/* One of the network's outputs: an activation that INFER leaves. */
struct rnet_output {
    const char *name;
    struct rnet_location location;
    int64_t channels;             /* its stride as for every activation */
    int64_t size[RNET_GRID_RANK]; /* of the grid: the first spatial_rank count, the others are 1 */
    uint32_t spatial_rank;        /* 0: one value a channel */
    uint32_t padding;
};

enum rnet_parameter_kind {
    RNET_PARAMETER_WEIGHT,        /* a convolution's or linear layer's weight */
    RNET_PARAMETER_VECTOR,        /* one value a channel: bias, scale, running mean ... */
    RNET_PARAMETER_BATCH_COUNTER, /* num_batches_tracked: no memory in a region */
};

enum rnet_initializer {
    RNET_INIT_CONSTANT, /* init_value */
    RNET_INIT_NORMAL,   /* standard deviation init_value */
    RNET_INIT_UNIFORM,  /* in [-init_value, init_value) */
};

struct rnet_parameter {
    const char *name;         /* as PyTorch names it: "layer1.0.conv1.weight" */
    int64_t shape[RNET_RANK]; /* as PyTorch shapes it: [outputs, inputs per group, kernel...] */
    double init_value;
    uint64_t offset; /* bytes into the region */
    uint32_t region; /* WEIGHTS or STATISTICS */
    uint32_t rank;   /* 0 for a batch counter, 1 for a vector */
    uint32_t kind;   /* enum rnet_parameter_kind */
    uint32_t init;   /* enum rnet_initializer */
    uint32_t block;  /* WEIGHT: outputs of a block; 0: all are one */
    uint32_t padding;
};

/* One element of `augment` or `evaluate`: pad, random_crop, horizontal_flip, resize ... */
struct rnet_transform {
    const char *name;
    double arguments[RNET_ARGUMENTS];
    uint32_t argument_count;
    uint32_t padding;
};

/* One element of `schedule`, applied one after the other: "step" (arguments: factor, milestones
 * in epochs ...), "cosine", "warmup" (arguments: epochs). */
struct rnet_schedule {
    const char *name;
    double arguments[RNET_ARGUMENTS];
    uint32_t argument_count;
    uint32_t padding;
};

/* The training recipe that was compiled in. */
struct rnet_recipe {
    const char *name; /* such as "cifar_sgd" */
    const char *data; /* kind of data set: "cifar10" */
    const struct rnet_transform *augment;
    const struct rnet_transform *evaluate;
    const struct rnet_schedule *schedule;
    uint32_t augment_count, evaluate_count, schedule_count;
    uint32_t padding;
    int64_t epochs;
    double learning_rate, momentum, weight_decay;
    double label_smoothing; /* compiled in; for the record */
    double clip;            /* largest norm of all gradients together; 0: any */
    double ema;             /* decay of the moving average of the weights; 0: none is kept */
    int64_t accumulate;     /* batches whose gradients one update averages; at least 1 */
    uint32_t nesterov, decays_weights_only; /* compiled in; for the record */
};

struct rnet_program {
    uint32_t version;        /* RNET_PROGRAM_VERSION */
    uint32_t spatial_rank;   /* 2 or 3 */
    const char *network;     /* its name */
    const char *compiled;    /* how it was built: compiler version, target, options */
    const char *report_json; /* the network's report, a JSON object */
    int64_t batch;           /* the most images a step takes */
    int64_t channels;        /* of the input; its stride as above */
    int64_t size[3];         /* grid of the input: height, width, or depth, height, width */
    int64_t classes;         /* of the logits; 0 where there are none, but other outputs */
    uint64_t region_bytes[RNET_REGION_COUNT];
    struct rnet_location logits; /* after INFER: [images][stride of classes] float32 */
    struct rnet_location train_loss, train_rank; /* after TRAIN: [images] float32 each */
    struct rnet_location loss, rank;             /* after LOSS: [images] float32 each */
    /* loss: softmax cross-entropy of each image. rank: how many classes score above the true one
     * (those that tie count when their index is lower), so top-k is rank < k. */
    const struct rnet_kernel *kernels;
    const struct rnet_argument *arguments;
    const struct rnet_parameter *parameters;
    struct rnet_steps phases[RNET_PHASE_COUNT];
    uint64_t kernel_count, argument_count, parameter_count;
    const struct rnet_output *outputs; /* logits are one too */
    uint64_t output_count;
    struct rnet_recipe recipe;
    const struct rnet_cuda *cuda; /* RNET_TARGET_CUDA; else NULL */
    uint32_t target;              /* enum rnet_target */
    uint32_t padding;
    const char *instruction_sets; /* that kernels may use of the processor, as LLVM names them,
                                     separated by spaces */
};

extern const struct rnet_program rnet_program;

#endif
