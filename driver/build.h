/* What `rnet build` would compile, known without generating code. */
#ifndef DRIVER_BUILD_H
#define DRIVER_BUILD_H

#include "driver/front.h"

struct build_identity {
    uint64_t hash; /* of network, recipe and target: of all that decides what a training does */
    double macs;   /* multiply-adds for one image */
    const char *network;
};

/* Of what front_examine found to be compilable. STATUS_USAGE for options of `build` that make no
 * sense. */
struct status build_identify(struct arena *arena, const struct options *options,
                             const struct front *front, struct build_identity *out);

#endif
