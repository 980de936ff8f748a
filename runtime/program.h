/* The contract between the compiler and the executables it makes.
 *
 * `rnet build` emits one constant `struct rnet_program` named rnet_program, and links it with the
 * runtime. This header is all that both sides share; it includes nothing of the project's, and
 * RNET_PROGRAM_VERSION changes whenever a structure here does.
 *
 * Memory is a handful of regions. The runtime allocates each once (rnet_program.region_bytes, at
 * the planned batch), 64-byte aligned and zeroed, and steps address them by region and offset.
 *
 * Layouts. An activation is [images][depth][height][width][channels], float32, with the stride of
 * the channels as its last extent: channels rounded up to 16, or the channels themselves where
 * there are at most 4. What lies in the padding lanes is unspecified. A weight of a convolution or
 * linear layer is [kernel depth][kernel height][kernel width][inputs per group][outputs], with the
 * outputs' stride rounded up to 16 and zeros in the padding. A vector of one value a channel is
 * padded to 16 too. */
#ifndef RUNTIME_PROGRAM_H
#define RUNTIME_PROGRAM_H

#include <stdint.h>

enum {
    RNET_PROGRAM_VERSION = 2,
    RNET_CHANNEL_PADDING = 16, /* channel strides are multiples of this */
    RNET_NARROW_CHANNELS = 4,  /* ... but for at most this many channels */
    RNET_RANK = 5,             /* the most axes of a parameter */
    RNET_ARGUMENTS = 8,        /* the most numbers of a transform or schedule entry */
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
    RNET_REGION_COUNT
};

enum rnet_scalar {
    RNET_SCALAR_LEARNING_RATE,
    RNET_SCALAR_MOMENTUM,
    RNET_SCALAR_WEIGHT_DECAY,
    RNET_SCALAR_GRADIENT_SCALE, /* what gradients are multiplied by before the update; read only
                                   where the recipe clips or accumulates */
    RNET_SCALAR_COUNT = 16 /* the region holds this many */
};

/* Runs tasks [first, last) of a kernel over `images` images. Tasks are independent of each other;
 * which thread runs which never changes a bit of the result. */
typedef void rnet_kernel_function(void *const *buffers, int64_t images, int64_t first,
                                  int64_t last);

struct rnet_kernel {
    const char *name;
    rnet_kernel_function *run;
    int64_t images_per_task; /* 0: the number of tasks does not depend on the images */
    int64_t tasks_per_group; /* tasks = ceil(images / images_per_task) * this, or just this */
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
    uint32_t padding;
    int64_t images; /* 0: as many as the batch holds; else this many, such as rows of weights */
};

struct rnet_steps {
    const struct rnet_step *steps;
    uint64_t count;
};

/* ORDER PHASE: how the step tables are used.
 *   a training step   TRAIN (forward, loss, gradients), then UPDATE
 *   evaluation        INFER, then LOSS
 *   raw logits        INFER */
enum rnet_phase {
    RNET_PHASE_TRAIN,
    RNET_PHASE_UPDATE,
    RNET_PHASE_INFER,
    RNET_PHASE_LOSS,
    RNET_PHASE_COUNT
};

/* Where a step leaves something that the runtime reads. */
struct rnet_location {
    uint64_t offset; /* bytes into the region */
    uint32_t region;
    uint32_t padding;
};

enum rnet_parameter_kind {
    RNET_PARAMETER_WEIGHT,        /* a convolution's or linear layer's weight */
    RNET_PARAMETER_VECTOR,        /* one value a channel: bias, scale, running mean ... */
    RNET_PARAMETER_BATCH_COUNTER, /* num_batches_tracked: no memory in a region */
};

enum rnet_initializer {
    RNET_INIT_CONSTANT,      /* init_value */
    RNET_INIT_NORMAL,        /* standard deviation init_value */
    RNET_INIT_UNIFORM,       /* in [-init_value, init_value) */
};

struct rnet_parameter {
    const char *name;          /* as PyTorch names it: "layer1.0.conv1.weight" */
    int64_t shape[RNET_RANK];  /* as PyTorch shapes it: [outputs, inputs per group, kernel...] */
    double init_value;
    uint64_t offset;           /* bytes into the region */
    uint32_t region;           /* WEIGHTS or STATISTICS */
    uint32_t rank;             /* 0 for a batch counter, 1 for a vector */
    uint32_t kind;             /* enum rnet_parameter_kind */
    uint32_t init;             /* enum rnet_initializer */
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
    const char *name;      /* such as "cifar_sgd" */
    const char *data;      /* kind of data set: "cifar10" */
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
    uint32_t version; /* RNET_PROGRAM_VERSION */
    uint32_t spatial_rank; /* 2 or 3 */
    const char *network;  /* its name */
    const char *compiled; /* how it was built: compiler version, target, options */
    const char *report_json; /* the network's report, a JSON object */
    int64_t batch;        /* the most images a step takes */
    int64_t channels;     /* of the input; its stride as above */
    int64_t size[3];      /* grid of the input: height, width, or depth, height, width */
    int64_t classes;      /* of the logits */
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
    struct rnet_recipe recipe;
};

extern const struct rnet_program rnet_program;

#endif
