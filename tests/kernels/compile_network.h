/* A network's kernels, for tests that take all of them. */
#ifndef TESTS_KERNELS_COMPILE_NETWORK_H
#define TESTS_KERNELS_COMPILE_NETWORK_H

#include "compiler/pass.h"

struct network_options {
    const char *depth;       /* of -D depth; NULL: the file's own */
    bool keeps_convolutions; /* as for a GPU */
    bool inference;          /* no training step */
    enum rnet_precision precision;
};

/* Elaborates a file and runs all passes, each checked. RNET_STDLIB names the standard library's
 * folder. Prints what is wrong and returns false if anything is. */
bool compile_network(struct arena *arena, struct source_set *sources, const char *path,
                     const struct network_options *options, struct compilation *out);

#endif
