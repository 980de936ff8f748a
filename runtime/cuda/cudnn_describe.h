/* Saying what is to be computed in the words of cuDNN's graph API: descriptors, made by a series of
 * calls that each may fail. A description goes on to the end and remembers the first failure, which
 * mostly means that the library does not support what is described. */
#ifndef RUNTIME_CUDA_CUDNN_DESCRIBE_H
#define RUNTIME_CUDA_CUDNN_DESCRIBE_H

#include "runtime/cuda/cudnn.h"

struct cudnn_describe {
    const struct cudnn *cudnn;
    struct cudnn_plans *plans; /* owns the descriptors */
    const struct rnet_cuda_convolution *convolution;
    const struct rnet_cuda_chain *chain; /* that begins with the convolution; NULL: it is all */
    unsigned int failure;                /* the first; 0: none */
};

/* What the plans' tensors are called: those of the convolution that lie in memory, whichever pass
 * it is, and a chain's inputs and results, by their numbers. */
enum cudnn_tensor_id {
    CUDNN_ID_X = 'x',
    CUDNN_ID_W = 'w',
    CUDNN_ID_Y = 'y',
    CUDNN_ID_INPUT = 1000,
    CUDNN_ID_RESULT = 2000,
    CUDNN_ID_VIRTUAL = 3000, /* what lies nowhere, by the descriptor's number */
};

void *describe_make(struct cudnn_describe *describe, unsigned int type);
void describe_set(struct cudnn_describe *describe, void *made, unsigned int attribute,
                  unsigned int type, int64_t count, const void *values);
/* One number, or of an enumeration. */
void describe_set_one(struct cudnn_describe *describe, void *made, unsigned int attribute,
                      unsigned int type, int64_t value);
void describe_set_descriptor(struct cudnn_describe *describe, void *made, unsigned int attribute,
                             void *value);
/* Says on what the described is to run: with our handle, or on a GPU that is described itself. An
 * attribute 0 is one that does not exist. */
void describe_set_gpu(struct cudnn_describe *describe, void *made, unsigned int handle,
                      unsigned int gpu);
void describe_finalize(struct cudnn_describe *describe, void *made);
void describe_note(struct cudnn_describe *describe, unsigned int result);

/* Describes the convolution or chain, over plans->images images. Channels lie last, our padding of
 * them being strides; filters are dense. Returns the operation graph. */
void *describe_graph(struct cudnn_describe *describe);

#endif
