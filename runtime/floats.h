/* Long arrays of floats, worked on by a thread team.
 *
 * Each number of a result depends on the numbers at its own place alone, so the number of threads
 * never changes a bit. Arrays do not overlap. */
#ifndef RUNTIME_FLOATS_H
#define RUNTIME_FLOATS_H

#include <stdint.h>

#include "runtime/threads.h"

/* out = in */
void floats_copy(struct thread_team *team, float *out, const float *in, int64_t count);

/* out = out + in */
void floats_add(struct thread_team *team, float *out, const float *in, int64_t count);

/* out = out + share (in - out) */
void floats_approach(struct thread_team *team, float *out, const float *in, int64_t count,
                     float share);

/* The first that is not finite; NULL: all are. Borrowed. */
const float *floats_find_not_finite(const float *values, int64_t count);

/* Exchanges the contents. */
void floats_swap(struct thread_team *team, float *first, float *second, int64_t count);

#endif
