/* Which levels of processors this machine can run the code of. */
#ifndef TESTS_UNIT_RUNNABLE_CPUS_H
#define TESTS_UNIT_RUNNABLE_CPUS_H

#include <stddef.h>

enum { RUNNABLE_CPUS = 4 /* the most */ };

/* Sets the names, this processor's own first; returns how many. */
static inline size_t runnable_cpus(const char *cpus[RUNNABLE_CPUS])
{
    size_t count = 0;
    cpus[count++] = "native";
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        cpus[count++] = "x86-64-v2";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        cpus[count++] = "x86-64-v3";
    if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        cpus[count++] = "x86-64-v4";
#endif
    return count;
}

#endif
