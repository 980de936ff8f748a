/* A few validation images with what the network makes of them, for people. */
#ifndef RUNTIME_SHOW_H
#define RUNTIME_SHOW_H

#include "runtime/loader.h"

/* Runs the network on the loader's first images, as many as fit a batch and at most `count`, and
 * prints for each its class, the three most likely classes and, on a terminal with color, the
 * image itself. */
struct status show_predictions(struct loader *loader, int64_t count);

#endif
