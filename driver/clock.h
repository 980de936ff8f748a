/* How long each phase took: --time. */
#ifndef DRIVER_CLOCK_H
#define DRIVER_CLOCK_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

struct phase_clock {
    bool enabled;
    struct timespec last;
};

static inline struct phase_clock phase_clock_start(bool enabled)
{
    struct phase_clock clock = {.enabled = enabled};

    clock_gettime(CLOCK_MONOTONIC, &clock.last);
    return clock;
}

/* Prints the time since the last call, as the time of `phase`. */
static inline void phase_clock_lap(struct phase_clock *clock, const char *phase)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (clock->enabled)
        fprintf(stderr, "time %-10s %9.3f ms\n", phase,
                (double)(now.tv_sec - clock->last.tv_sec) * 1e3 +
                    (double)(now.tv_nsec - clock->last.tv_nsec) / 1e6);
    clock->last = now;
}

#endif
