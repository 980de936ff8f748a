/* What the processor can do at most, measured now: arithmetic in registers and memory traffic, on
 * one thread and on several (runtime/machine_limits.h says how).
 *
 *     limits [--threads N] [--json]        N: 2 if not given */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/machine_limits.h"

static struct machine_limits measure(int threads)
{
    struct thread_team *team = NULL;
    struct machine_limits limits = {0};
    struct status status = thread_team_start(threads, &team);
    if (status_is_ok(&status))
        status = machine_limits_measure(team, &limits);
    thread_team_release(team);
    if (!status_is_ok(&status)) {
        fprintf(stderr, "limits: %s\n", status.message);
        exit(1);
    }
    return limits;
}

static int usage(void)
{
    fputs("usage: limits [--threads N] [--json]\n", stderr);
    return 2;
}

int main(int count, char **arguments)
{
    int threads = 2, json = 0;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--json") == 0)
            json = 1;
        else if (strcmp(arguments[i], "--threads") == 0 && i + 1 < count)
            threads = atoi(arguments[++i]);
        else
            return usage();
    }
    if (threads < 1)
        return usage();
    const struct machine_limits one = measure(1), all = threads > 1 ? measure(threads) : one;
    printf(json ? "{\"threads\":%d,\"gflop_per_second\":%.6g,\"gbyte_per_second\":%.6g,"
                  "\"one_thread\":{\"gflop_per_second\":%.6g,\"gbyte_per_second\":%.6g}}\n"
                : "%d threads %8.1f GFLOP/s %8.1f GB/s\none thread %7.1f GFLOP/s %8.1f GB/s\n",
           threads, all.flop_per_second / 1e9, all.byte_per_second / 1e9, one.flop_per_second / 1e9,
           one.byte_per_second / 1e9);
    return 0;
}
