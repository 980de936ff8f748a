/* Several trainings that differ in their seed alone: --repeat N. */
#ifndef RUNTIME_REPEAT_H
#define RUNTIME_REPEAT_H

#include "runtime/training.h"

/* Trains once, and prints where things are. `history` (NULL: not wanted) takes the epochs. */
struct status train_once(const struct rnet_program *program, const struct train_options *options,
                         struct history *history);

/* Trains with the seeds options->seed and the `count` - 1 behind it, each into a directory of its
 * own in options->out. Prints the best, and the mean and deviation of all; writes them to
 * repeat.json and, with all curves, to report.html. */
struct status train_repeatedly(const struct rnet_program *program,
                               const struct train_options *options, int64_t count);

#endif
