/* What a machine can do at most: the roof that rates are compared with. */
#ifndef RUNTIME_MACHINE_LIMITS_H
#define RUNTIME_MACHINE_LIMITS_H

#include "base/status.h"
#include "runtime/threads.h"

struct machine_limits {
    const char *origin;     /* whose, and how they are known */
    double flop_per_second; /* single-precision multiply-adds, two operations each */
    double byte_per_second; /* to and from memory, over arrays far larger than the caches */
};

/* The processor's: multiply-adds in registers, and a = b + s c, which reads two bytes for each one
 * that it writes. Measures for a fraction of a second, on all threads of the team together, with
 * the widest vectors that the processor has. Takes 384 MiB meanwhile. */
struct status machine_limits_measure(struct thread_team *team, struct machine_limits *out);

#endif
