/* Convolutions by cuDNN, where it is there and takes them; else the generated kernels run.
 *
 * A kernel that is nothing but one pass of a convolution (struct rnet_cuda_convolution) is
 * described to cuDNN's graph API in NHWC, our padding of channels being strides. Of the engines
 * that its heuristics propose, in their order, the first is taken that is deterministic, keeps to
 * the program's precision and makes do with the workspace; with `tune` a few are timed, and the
 * fastest is taken. Filters are dense for cuDNN, [outputs][window][inputs], and are copied before
 * (or, for a weight gradient, after) each use, by functions of the program; or together with others
 * (filters.h).
 *
 * With `tune` chains of steps that begin with a convolution (struct rnet_cuda_chain) are described
 * too, at the largest batch; whether one is taken is up to chains.h. */
#ifndef RUNTIME_CUDA_CUDNN_H
#define RUNTIME_CUDA_CUDNN_H

#include "runtime/cuda/code.h"
#include "runtime/cuda/cudnn_api.h"
#include "runtime/cuda/memory.h"

enum {
    CUDNN_CANDIDATES = 6,
    CUDNN_CHAIN_CANDIDATES = 1, /* cuDNN compiles most of these when it plans them */
    CUDNN_DESCRIPTORS = 192,
};

/* One way to compute something. */
struct cudnn_candidate {
    void *plan;
    int64_t workspace_bytes;
};

/* The ways to compute a kernel, or a chain, over so many images. */
struct cudnn_plans {
    struct cudnn_plans *next; /* over another number of images */
    int64_t images;
    struct cudnn_candidate candidates[CUDNN_CANDIDATES];
    int candidate_count;                  /* 0: cuDNN does not take it */
    int chosen;                           /* -1: not timed yet */
    void *descriptors[CUDNN_DESCRIPTORS]; /* that the plans may refer to */
    int descriptor_count;
};

/* Zero it, then open it. */
struct cudnn {
    const struct gpu *gpu;
    const struct cuda_code *code;
    const struct rnet_program *program;
    void *library;
    size_t (*get_version)(void);
#define CUDNN_FUNCTION(name, symbol, parameters) unsigned int(*name) parameters;
#include "runtime/cuda/cudnn_functions.def"
#undef CUDNN_FUNCTION
    void *described_gpu;         /* that plans are for, where there is no handle */
    struct cudnnContext *handle; /* NULL: there is no cuDNN */
    bool tunes;
    struct CUfunc_st **filter_copies; /* of each kernel; NULL: not for cuDNN */
    struct cudnn_plans **kernels;     /* of each: by number of images */
    struct cudnn_plans **chains;      /* of each, at the largest batch; NULL: not described */
    const struct cuda_memory *memory; /* NULL until it is there */
    struct cuda_scratch scratch;      /* as memory has it, or will */
    char note[160];                   /* why there is no cuDNN, or what it is: "cuDNN 9.13.0" */
};

/* Opens libcudnn.so.9 for a program that has convolutions for it, and plans them at the largest
 * batch, with `tune` chains as well, which sets `scratch`. That the library is missing or too old
 * is no error, but noted. With RNET_NO_CUDNN in the environment it is not opened. Release it also
 * after a failure. */
struct status cudnn_open(struct cudnn *cudnn, const struct cuda_code *code, bool tune);

/* Opens the library without a GPU, for plans on one that is described, as JSON in the words of
 * cuDNN 9.8 and later. Nothing can run. */
struct status cudnn_open_described(struct cudnn *cudnn, const struct rnet_program *program,
                                   const char *gpu);

void cudnn_release(struct cudnn *cudnn);

/* In how many ways cuDNN can compute kernel `number` over `images` images, of those that are
 * looked at; 0: it does not take it. `*workspace_bytes` is of the first. */
int cudnn_plan(struct cudnn *cudnn, uint32_t number, int64_t images, int64_t *workspace_bytes);

/* The same of chain `number`, over as many images as a batch has. */
int cudnn_plan_chain(struct cudnn *cudnn, uint32_t number, int64_t *workspace_bytes);

/* Puts kernel `number` over `images` images on the computing stream, with the addresses of its
 * step's arguments; *taken says whether cuDNN does it. `filter` is where the filter lies or is to
 * be left; 0: it is copied from and to the arguments. The first time for a number of images must
 * not be captured. */
struct status cudnn_run(struct cudnn *cudnn, uint32_t number, int64_t images,
                        const device_address *arguments, device_address filter, bool *taken);

/* Where a chain's tensors lie. */
struct cudnn_chain_places {
    const device_address *arguments; /* of the convolution's step */
    device_address filter;           /* as for cudnn_run */
    device_address inputs[RNET_CUDA_CHAIN_INPUTS], results[RNET_CUDA_CHAIN_RESULTS];
};

/* Puts a chain on the computing stream, in way number `way` of those that cudnn_plan_chain counts;
 * *runs says whether cuDNN could. */
struct status cudnn_run_chain(struct cudnn *cudnn, uint32_t number, int way,
                              const struct cudnn_chain_places *places, bool *runs);

#endif
