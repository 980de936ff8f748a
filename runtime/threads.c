/* The thread team: two gates, one that starts a run and one that closes a barrier.
 *
 * A gate is a generation number. Who waits remembers the old number, spins, then sleeps on the
 * condition; who opens adds one, and wakes only if somebody sleeps. Both sides write first and
 * then read what the other wrote (sequentially consistent), so no wake-up is lost. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "runtime/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SPIN_ROUNDS = 4000, CACHE_LINE = 64 };

struct gate {
    _Alignas(CACHE_LINE) atomic_uint generation;
    atomic_int sleepers;
    pthread_mutex_t mutex;
    pthread_cond_t opened;
};

struct worker {
    struct thread_team *team;
    pthread_t thread;
    int number;
};

struct thread_team {
    struct gate start, barrier;
    _Alignas(CACHE_LINE) atomic_int arrived;
    int count;       /* of threads, with the caller */
    int started;     /* of workers that run */
    int spin_rounds; /* none where threads outnumber processors */
    bool quitting;
    thread_team_function *function;
    void *context;
    struct worker *workers;
};

static void processor_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void gate_open(struct gate *gate)
{
    atomic_fetch_add(&gate->generation, 1);
    if (atomic_load(&gate->sleepers) == 0)
        return;
    pthread_mutex_lock(&gate->mutex);
    pthread_cond_broadcast(&gate->opened);
    pthread_mutex_unlock(&gate->mutex);
}

static void gate_sleep(struct gate *gate, unsigned old)
{
    pthread_mutex_lock(&gate->mutex);
    atomic_fetch_add(&gate->sleepers, 1);
    while (atomic_load(&gate->generation) == old)
        pthread_cond_wait(&gate->opened, &gate->mutex);
    atomic_fetch_sub(&gate->sleepers, 1);
    pthread_mutex_unlock(&gate->mutex);
}

static void gate_wait(struct gate *gate, unsigned old, int spin_rounds)
{
    for (int round = 0; round < spin_rounds; round++) {
        if (atomic_load_explicit(&gate->generation, memory_order_acquire) != old)
            return;
        processor_relax();
    }
    gate_sleep(gate, old);
}

static void gate_prepare(struct gate *gate)
{
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_cond_init(&gate->opened, NULL);
}

static void gate_destroy(struct gate *gate)
{
    pthread_mutex_destroy(&gate->mutex);
    pthread_cond_destroy(&gate->opened);
}

void thread_team_barrier(struct thread_team *team)
{
    unsigned old = atomic_load(&team->barrier.generation);
    if (atomic_fetch_add(&team->arrived, 1) == team->count - 1) {
        atomic_store(&team->arrived, 0);
        gate_open(&team->barrier);
    } else {
        gate_wait(&team->barrier, old, team->spin_rounds);
    }
}

static void *worker_main(void *argument)
{
    const struct worker *worker = argument;
    struct thread_team *team = worker->team;
    for (unsigned generation = 0;; generation++) {
        gate_wait(&team->start, generation, team->spin_rounds);
        if (team->quitting)
            return NULL;
        team->function(team->context, worker->number);
        thread_team_barrier(team);
    }
}

int threads_available(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

/* The first thread's stack grows as far as its limit says when it does, whatever it was before. */
static struct status raise_stack_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= THREAD_STACK_BYTES)
        return status_ok();
    limit.rlim_cur = THREAD_STACK_BYTES;
    if (setrlimit(RLIMIT_STACK, &limit) != 0)
        return status_error(STATUS_MEMORY,
                            "the limit of stacks (ulimit -s) is too low: %d KiB are needed",
                            THREAD_STACK_BYTES >> 10);
    return status_ok();
}

static struct status workers_start(struct thread_team *team)
{
    pthread_attr_t attributes;
    struct status status = raise_stack_limit();
    if (!status_is_ok(&status))
        return status;
    int error = pthread_attr_init(&attributes);
    if (error == 0)
        error = pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    if (error != 0)
        return status_error(STATUS_IO, "cannot give threads their stacks: %s", strerror(error));
    for (int i = 0; i < team->count - 1; i++) {
        struct worker *worker = &team->workers[i];
        *worker = (struct worker){.team = team, .number = i + 1};
        error = pthread_create(&worker->thread, &attributes, worker_main, worker);
        if (error != 0) {
            status = status_error(STATUS_IO, "cannot start thread %d of %d: %s", i + 2, team->count,
                                  strerror(error));
            break;
        }
        team->started++;
    }
    pthread_attr_destroy(&attributes);
    return status;
}

struct status thread_team_start(int count, struct thread_team **out)
{
    struct thread_team *team = aligned_alloc(CACHE_LINE, sizeof *team);
    struct worker *workers = calloc((size_t)count, sizeof *workers);
    *out = NULL;
    if (team == NULL || workers == NULL) {
        free(team);
        free(workers);
        return status_error(STATUS_MEMORY, "not enough memory for %d threads", count);
    }
    memset(team, 0, sizeof *team);
    team->count = count;
    team->spin_rounds = count <= threads_available() ? SPIN_ROUNDS : 0;
    team->workers = workers;
    gate_prepare(&team->start);
    gate_prepare(&team->barrier);
    struct status status = workers_start(team);
    if (status_is_ok(&status))
        *out = team;
    else
        thread_team_release(team);
    return status;
}

void thread_team_release(struct thread_team *team)
{
    if (team == NULL)
        return;
    team->quitting = true;
    gate_open(&team->start);
    for (int i = 0; i < team->started; i++)
        pthread_join(team->workers[i].thread, NULL);
    gate_destroy(&team->start);
    gate_destroy(&team->barrier);
    free(team->workers);
    free(team);
}

int thread_team_count(const struct thread_team *team)
{
    return team->count;
}

void thread_team_run(struct thread_team *team, thread_team_function *function, void *context)
{
    if (team->count == 1) {
        function(context, 0);
        return;
    }
    team->function = function;
    team->context = context;
    gate_open(&team->start);
    function(context, 0);
    thread_team_barrier(team);
}
