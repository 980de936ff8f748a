/* What a checkpoint of a training holds: all that a run which goes on must have in common with one
 * that was never stopped, to the last bit. */
#ifndef RUNTIME_RESUME_H
#define RUNTIME_RESUME_H

#include "runtime/training.h"

/* Writes a checkpoint of the training as it stands between two steps. */
struct status training_save(struct training *training);

/* Takes the state of the newest sound checkpoint in the training's directory, and the place in
 * metrics.jsonl up to which it was written. `*found` is false where there is none. A checkpoint of
 * another network, data set or seed is an error. */
struct status training_restore(struct training *training, bool *found);

#endif
