/* One loop for each operation, over a thread's part of the arrays. See floats.h. */
#include "runtime/floats.h"

#include <math.h>
#include <string.h>

enum { GRAIN = 16 /* a cache line, so that no two threads write into the same one */ };

struct job;

/* Works on the elements [first, last). */
typedef void job_function(const struct job *job, int64_t first, int64_t last);

struct job {
    job_function *function;
    float *out;
    const float *in;
    float *other; /* of an exchange */
    float share;
    int64_t count;
    int threads;
};

static void job_thread(void *context, int thread)
{
    const struct job *job = context;
    int64_t grains = (job->count + GRAIN - 1) / GRAIN;
    int64_t first = grains * thread / job->threads * GRAIN;
    int64_t last = grains * (thread + 1) / job->threads * GRAIN;
    job->function(job, first, last < job->count ? last : job->count);
}

static void job_run(struct thread_team *team, struct job job)
{
    job.threads = thread_team_count(team);
    thread_team_run(team, job_thread, &job);
}

static void copy(const struct job *job, int64_t first, int64_t last)
{
    if (first < last)
        memcpy(job->out + first, job->in + first, (size_t)(last - first) * sizeof *job->out);
}

static void add(const struct job *job, int64_t first, int64_t last)
{
    for (int64_t i = first; i < last; i++)
        job->out[i] += job->in[i];
}

static void approach(const struct job *job, int64_t first, int64_t last)
{
    for (int64_t i = first; i < last; i++)
        job->out[i] += job->share * (job->in[i] - job->out[i]);
}

static void swap(const struct job *job, int64_t first, int64_t last)
{
    for (int64_t i = first; i < last; i++) {
        float kept = job->out[i];
        job->out[i] = job->other[i];
        job->other[i] = kept;
    }
}

void floats_copy(struct thread_team *team, float *out, const float *in, int64_t count)
{
    job_run(team, (struct job){.function = copy, .out = out, .in = in, .count = count});
}

void floats_add(struct thread_team *team, float *out, const float *in, int64_t count)
{
    job_run(team, (struct job){.function = add, .out = out, .in = in, .count = count});
}

void floats_approach(struct thread_team *team, float *out, const float *in, int64_t count,
                     float share)
{
    job_run(team, (struct job){
                      .function = approach, .out = out, .in = in, .share = share, .count = count});
}

void floats_swap(struct thread_team *team, float *first, float *second, int64_t count)
{
    job_run(team, (struct job){.function = swap, .out = first, .other = second, .count = count});
}

const float *floats_find_not_finite(const float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return &values[i];
    return NULL;
}
