/* What an evaluation gets wrong: which classes for which, and the worst images. */
#ifndef RUNTIME_MISTAKES_H
#define RUNTIME_MISTAKES_H

#include "runtime/loader.h"

enum { MISTAKES_SHOWN = 24 };

struct mistake {
    int64_t image; /* of the part */
    int32_t label, predicted;
    double confidence; /* in what was predicted */
    double loss;
};

/* Zero it, then open it. */
struct mistakes {
    int64_t classes;
    int64_t *confusion; /* images by [true class][predicted class] */
    int32_t *predicted; /* of the batch at hand */
    float *confidence;
    struct mistake worst[MISTAKES_SHOWN]; /* by falling loss */
    int64_t count;                        /* of `worst` */
    int64_t images;
};

/* Makes room in the arena for what the program can get wrong. */
void mistakes_open(struct mistakes *mistakes, struct arena *arena,
                   const struct rnet_program *program);

void mistakes_clear(struct mistakes *mistakes);

/* After INFER: keeps what is predicted for the `images` images of the batch. */
struct status mistakes_see(struct mistakes *mistakes, struct executor *executor, int64_t images);

/* After LOSS: counts that batch, which began at place `first` of the loader's order. */
struct status mistakes_add(struct mistakes *mistakes, const struct loader *loader, int64_t first,
                           int64_t images);

#endif
