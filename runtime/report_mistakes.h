/* The part of a run's page on what the network gets wrong. */
#ifndef RUNTIME_REPORT_MISTAKES_H
#define RUNTIME_REPORT_MISTAKES_H

#include "runtime/mistakes.h"
#include "runtime/page.h"

/* Adds the confusion matrix (of many classes: the pairs most often confused) and the images with
 * the highest loss. */
void report_mistakes_add(struct page *page, const struct mistakes *mistakes,
                         const struct data_set *data);

#endif
