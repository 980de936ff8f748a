/* The loss and the accuracy of the current weights over a part of a data set. */
#ifndef RUNTIME_EVALUATE_H
#define RUNTIME_EVALUATE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/loader.h"
#include "runtime/mistakes.h"

/* Sums over images; each is exact or in double, in the order of the images. */
struct tally {
    int64_t images, top1, top5;
    double loss;
};

/* Adds the losses and ranks that a step left at these locations for its `images` images. */
struct status tally_add(struct tally *tally, struct executor *executor, struct rnet_location loss,
                        struct rnet_location rank, int64_t images);

double tally_loss(const struct tally *tally); /* mean */
double tally_top1(const struct tally *tally); /* percent */
double tally_top5(const struct tally *tally);

/* Evaluates all images of the loader; gives up, and `*whole` is false, when a signal asks for the
 * end. `mistakes` takes what was wrong; NULL: that is not wanted. */
struct status evaluate_images(struct loader *loader, struct tally *tally, struct mistakes *mistakes,
                              bool *whole);

#endif
