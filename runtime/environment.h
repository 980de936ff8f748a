/* Where a run took place. */
#ifndef RUNTIME_ENVIRONMENT_H
#define RUNTIME_ENVIRONMENT_H

#include "base/arena.h"

/* The processor's name and the memory, such as "Ryzen 9, 16 processors, 31 GiB". */
const char *environment_machine(struct arena *arena);

/* The operating system, such as "Linux 6.1.0 x86_64". */
const char *environment_system(struct arena *arena);

/* Now, in UTC: "2026-03-01 12:30 UTC". */
const char *environment_time(struct arena *arena);

#endif
