/* Peak arithmetic and memory traffic. See machine_limits.h.
 *
 * The runtime is compiled for any processor of its architecture, so the two loops are written once
 * over vectors of any width, compiled for each, and chosen when they run. The best of several
 * rounds counts: other work on the machine can only slow one down. */
#include "runtime/machine_limits.h"

#include <stdint.h>
#include <sys/mman.h>

#include "runtime/clock.h"

enum {
    SUMS = 12, /* independent, to hide the latency of two units */
    PEAK_LOOPS = 1 << 19,
    ROUNDS = 8,
    ELEMENTS = 1 << 25, /* of each of the three arrays */
    BLOCK = 1 << 12,    /* threads get whole blocks */
};

/* Keeps `loops` times SUMS vectors of multiply-adds going; returns something made of all. */
typedef float peak_loop(int64_t loops);
/* a = b + s c over `count` elements, a multiple of BLOCK. */
typedef void triad_loop(float *a, const float *b, const float *c, int64_t count);

struct loops {
    peak_loop *peak;
    triad_loop *triad;
    int lanes;
};

#define DEFINE_LOOPS(suffix, bytes, attribute)                                                     \
    typedef float vector_##suffix __attribute__((vector_size(bytes), may_alias));                  \
    attribute static float peak_##suffix(int64_t loops)                                            \
    {                                                                                              \
        vector_##suffix sums[SUMS] = {{0}}, total = {0};                                           \
        vector_##suffix scale = total + 0.999f, shift = total + 0.001f;                            \
        _Pragma("GCC unroll 12") for (int i = 0; i < SUMS; i++)                                    \
            __asm__("" : "+x"(sums[i])); /* not all the same, for all that the compiler knows */   \
        for (int64_t loop = 0; loop < loops; loop++)                                               \
            _Pragma("GCC unroll 12") for (int i = 0; i < SUMS; i++)                                \
                sums[i] = sums[i] * scale + shift;                                                 \
        _Pragma("GCC unroll 12") for (int i = 0; i < SUMS; i++) total += sums[i];                  \
        return total[0];                                                                           \
    }                                                                                              \
    attribute static void triad_##suffix(float *a, const float *b, const float *c, int64_t count)  \
    {                                                                                              \
        enum { LANES = (bytes) / sizeof(float) };                                                  \
        for (int64_t i = 0; i < count; i += LANES)                                                 \
            *(vector_##suffix *)(void *)(a + i) =                                                  \
                *(const vector_##suffix *)(const void *)(b + i) +                                  \
                *(const vector_##suffix *)(const void *)(c + i) * 0.5f;                            \
    }

DEFINE_LOOPS(16, 16, )
#ifdef __x86_64__
DEFINE_LOOPS(32, 32, __attribute__((target("avx2,fma"))))
DEFINE_LOOPS(64, 64, __attribute__((target("avx512f"))))
#endif

static struct loops loops_choose(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        return (struct loops){peak_64, triad_64, 16};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return (struct loops){peak_32, triad_32, 8};
#endif
    return (struct loops){peak_16, triad_16, 4};
}

struct measurement {
    const struct thread_team *team;
    struct loops loops;
    float *arrays[3];
};

static void peak_thread(void *context, int thread)
{
    const struct measurement *measurement = context;
    volatile float used = measurement->loops.peak(PEAK_LOOPS);
    (void)used, (void)thread;
}

static void triad_thread(void *context, int thread)
{
    const struct measurement *measurement = context;
    float *const *arrays = measurement->arrays;
    int64_t blocks = ELEMENTS / BLOCK, threads = thread_team_count(measurement->team);
    int64_t first = blocks * thread / threads * BLOCK;
    int64_t last = blocks * (thread + 1) / threads * BLOCK;
    measurement->loops.triad(arrays[0] + first, arrays[1] + first, arrays[2] + first,
                             last - first);
}

/* The shortest of some rounds, after one that does not count. */
static double least_seconds(struct thread_team *team, thread_team_function *function,
                            struct measurement *measurement)
{
    double least = 0;
    for (int round = -1; round < ROUNDS; round++) {
        double start = clock_seconds();
        thread_team_run(team, function, measurement);
        double seconds = clock_seconds() - start;
        if (round == 0 || seconds < least)
            least = seconds;
    }
    return least;
}

struct status machine_limits_measure(struct thread_team *team, struct machine_limits *out)
{
    enum { ARRAYS = 3 };
    size_t bytes = ELEMENTS * sizeof(float);
    struct measurement measurement = {.team = team, .loops = loops_choose()};
    float *memory = mmap(NULL, ARRAYS * bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return status_error(STATUS_MEMORY, "not enough memory to measure the machine");
    madvise(memory, ARRAYS * bytes, MADV_HUGEPAGE);
    for (int64_t i = 0; i < ARRAYS * (int64_t)ELEMENTS; i += BLOCK / (int)sizeof(float))
        memory[i] = 1; /* each page, or those only read would all be the same empty one */
    for (int i = 0; i < ARRAYS; i++)
        measurement.arrays[i] = memory + i * (int64_t)ELEMENTS;
    out->origin = "the machine, measured now";
    double operations = 2.0 * SUMS * measurement.loops.lanes * PEAK_LOOPS;
    out->flop_per_second = operations * thread_team_count(team) /
                           least_seconds(team, peak_thread, &measurement);
    out->byte_per_second =
        (double)(ARRAYS * bytes) / least_seconds(team, triad_thread, &measurement);
    munmap(memory, ARRAYS * bytes);
    return status_ok();
}
