/* What the processor can do at most, measured now: the roof that rates are compared with. */
#ifndef RUNTIME_MACHINE_LIMITS_H
#define RUNTIME_MACHINE_LIMITS_H

#include "base/status.h"
#include "runtime/threads.h"

struct machine_limits {
    double flop_per_second; /* single-precision multiply-adds in registers, two operations each */
    double byte_per_second; /* a = b + s c over arrays far larger than the caches: two bytes read
                               for each one written */
};

/* Measures for a fraction of a second, on all threads of the team together, with the widest vectors
 * that the processor has. Takes 384 MiB meanwhile. */
struct status machine_limits_measure(struct thread_team *team, struct machine_limits *out);

#endif
