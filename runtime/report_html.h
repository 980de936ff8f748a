/* report.html: one page with a training's curves and facts, without anything from outside. */
#ifndef RUNTIME_REPORT_HTML_H
#define RUNTIME_REPORT_HTML_H

#include <stdbool.h>

#include "runtime/history.h"
#include "runtime/mistakes.h"
#include "runtime/program.h"

struct report_facts {
    const struct rnet_program *program;
    const char *data, *init; /* as given; init may be NULL */
    int64_t train_images, validation_images;
    int64_t epochs, steps_per_epoch, steps; /* planned, planned, done */
    double learning_rate, seconds;
    int64_t seed;
    int threads;
    bool shuffled, augmented;
};

/* Writes the page, atomically. The mistakes are those of the last evaluation in `data`. */
struct status report_html_write(const char *path, const struct report_facts *facts,
                                const struct history *history, const struct mistakes *mistakes,
                                const struct data_set *data);

#endif
