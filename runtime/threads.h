/* A team of threads that stays together: run a function on all of them, meet at a barrier.
 *
 * Thread 0 is the caller. Waiting spins for a moment and then sleeps, so that short steps follow
 * each other fast and an idle team costs nothing; any number of threads works on any machine. */
#ifndef RUNTIME_THREADS_H
#define RUNTIME_THREADS_H

#include "base/status.h"

enum {
    THREAD_STACK_BYTES = 8 << 20, /* of each thread: kernels' locals lie there, and may be half of
                                     it (codegen/loop.h) */
};

struct thread_team;

/* Runs once on every thread of the team, with its number in [0, count). */
typedef void thread_team_function(void *context, int thread);

/* How many processors this process may use. */
int threads_available(void);

/* Starts `count` - 1 threads (count >= 1) and raises the limit of the caller's stack to
 * THREAD_STACK_BYTES; an error if it is lower and may not be raised. The team is released by
 * thread_team_release. */
struct status thread_team_start(int count, struct thread_team **team);

/* Ends the threads. NULL is an empty team. */
void thread_team_release(struct thread_team *team);

int thread_team_count(const struct thread_team *team);

/* Runs `function` on all threads and returns when all are done; what they wrote is visible. */
void thread_team_run(struct thread_team *team, thread_team_function *function, void *context);

/* Inside thread_team_run: waits until every thread of the team is here. */
void thread_team_barrier(struct thread_team *team);

#endif
