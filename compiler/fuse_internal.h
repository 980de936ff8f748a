/* What the files of fusion share. A call is visited once, in order of execution: first the
 * producers that were left for it are put into it (fuse_build.c), then fuse.c decides whether it is
 * itself left for its readers. */
#ifndef COMPILER_FUSE_INTERNAL_H
#define COMPILER_FUSE_INTERNAL_H

#include "compiler/lower.h"

/* Who reads a buffer. */
struct readers {
    VECTOR(call_id) calls; /* in order of execution, each once */
    bool only_points;      /* all loads are ACCESS_POINT, by calls that may compute the value
                              themselves */
};

/* A visited call that was not emitted: its readers compute it. */
struct deferred {
    const struct call_builder *call; /* complete but for numbering; NULL: the call was emitted */
    call_id into;                    /* put into this call alone; CALL_NONE: inlined */
};

struct fusion {
    struct calls *calls;
    struct arena *scratch;     /* for what no result keeps */
    struct lowering lowering;  /* what call builders want */
    const struct call *before; /* the calls as they came */
    size_t count;
    bool keeps_convolutions;
    struct readers *readers;   /* of each buffer */
    call_id *producer;         /* of each buffer: the call that writes it, or CALL_NONE */
    struct deferred *deferred; /* by each buffer that such a call would have written */
    int32_t *parts;            /* of each buffer of side sums: how many an image has; else 0 */
    /* Of each call: */
    uint8_t *load;     /* parameters promised to it */
    uint8_t *size;     /* expressions promised to it */
    bool *has_joined;  /* another's results will be stored by it */
    bool *is_taken;    /* it will be the epilogue of a convolution */
    bool *is_absorbed; /* a sum that a convolution collects */
};

static inline const struct kernel *fusion_kernel(const struct fusion *fusion, call_id call)
{
    return fusion->calls->kernels.items.items[fusion->before[call].kernel];
}

static inline bool is_pointwise(const struct kernel *kernel)
{
    return kernel->anchor == KERNEL_POINTWISE;
}

/* ---- fuse_build.c ---- */

/* The call with everything that was left for it in its place. */
struct call_builder fuse_rebuild(struct fusion *fusion, call_id id);

/* Copies the expression `root` of `from`, whose parameter p is buffers[p], into a call that is
 * being put together. */
uint16_t fuse_copy_value(const struct fusion *fusion, struct call_builder *to,
                         const struct kernel *from, const buffer_id *buffers, uint16_t root);

/* ---- fuse_sums.c ---- */

/* Lets a convolution that is about to be emitted, as number `id`, collect the channel sums over
 * what it stores. */
void fuse_sums(struct fusion *fusion, struct call_builder *call, call_id id);

#endif
