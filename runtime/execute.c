/* The processor as a device: argument addresses and the walk over a phase's steps. See device.h.
 *
 * A thread owns a contiguous range of a step's tasks, so that it meets the same images in the next
 * step, and takes it in a few pieces; when it is done it takes pieces that slower threads still
 * have. While a step runs out of one set of ranges, each thread prepares its own range of the
 * next step in the other set; the barrier between steps publishes them. */
#include "runtime/device.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/clock.h"
#include "runtime/machine_limits.h"

enum {
    PIECES = 4, /* of a range; fewer cost balance, more cost calls */
};

struct task_range {
    _Alignas(64) atomic_llong next;
    int64_t last;
};

struct walk {
    struct executor *executor;
    const struct rnet_steps *steps;
    int64_t images;
    double *step_seconds; /* NULL: nobody asks */
};

static struct status buffers_resolve(struct executor *executor)
{
    const struct rnet_program *program = executor->program;
    executor->buffers = calloc(program->argument_count + 1, sizeof *executor->buffers);
    if (executor->buffers == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for the step table");
    for (uint64_t i = 0; i < program->argument_count; i++) {
        const struct rnet_argument *argument = &program->arguments[i];
        executor->buffers[i] = executor->regions[argument->region] + argument->offset;
    }
    return status_ok();
}

static struct status ranges_allocate(struct executor *executor)
{
    int count = thread_team_count(executor->team);
    size_t bytes = 2 * (size_t)count * sizeof *executor->ranges;
    executor->ranges = aligned_alloc(_Alignof(struct task_range), bytes);
    if (executor->ranges == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for %d threads", count);
    return status_ok();
}

static struct status cpu_open(struct executor *executor, const struct executor_options *options,
                              int64_t number)
{
    (void)options, (void)number;
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        RETURN_IF_ERROR(executor_map_region(executor, (enum rnet_region)region));
    RETURN_IF_ERROR(buffers_resolve(executor));
    return ranges_allocate(executor);
}

static void cpu_release(struct executor *executor)
{
    free(executor->buffers);
    free(executor->ranges);
}

static int64_t step_images(const struct walk *walk, const struct rnet_step *step)
{
    return step->images != 0 ? step->images : walk->images;
}

static int64_t step_tasks(const struct walk *walk, const struct rnet_step *step)
{
    const struct rnet_kernel *kernel = &walk->executor->program->kernels[step->kernel];
    int64_t per_task = kernel->images_per_task;
    if (per_task == 0)
        return kernel->tasks_per_group;
    return (step_images(walk, step) + per_task - 1) / per_task * kernel->tasks_per_group;
}

static struct task_range *range_at(const struct walk *walk, uint64_t step, int thread)
{
    int threads = thread_team_count(walk->executor->team);
    return &walk->executor->ranges[(step % 2 == 0 ? 0 : threads) + thread];
}

/* Sets a thread's own range of a step; past the last step there is nothing to set. */
static void range_prepare(const struct walk *walk, uint64_t step, int thread)
{
    if (step >= walk->steps->count)
        return;
    int64_t tasks = step_tasks(walk, &walk->steps->steps[step]);
    int64_t threads = thread_team_count(walk->executor->team);
    struct task_range *range = range_at(walk, step, thread);
    atomic_store_explicit(&range->next, tasks * thread / threads, memory_order_relaxed);
    range->last = tasks * (thread + 1) / threads;
}

/* Runs what is left of one range, piece by piece. */
static void range_run(const struct walk *walk, const struct rnet_step *step,
                      struct task_range *range, int64_t piece)
{
    const struct executor *executor = walk->executor;
    const struct rnet_kernel *kernel = &executor->program->kernels[step->kernel];
    void *const *buffers = executor->buffers + step->first_argument;
    while (atomic_load_explicit(&range->next, memory_order_relaxed) < range->last) {
        int64_t first = atomic_fetch_add_explicit(&range->next, piece, memory_order_relaxed);
        if (first >= range->last)
            return;
        int64_t last = first + piece < range->last ? first + piece : range->last;
        kernel->run(buffers, step_images(walk, step), first, last);
    }
}

static void step_run(const struct walk *walk, uint64_t index, int thread)
{
    const struct rnet_step *step = &walk->steps->steps[index];
    int threads = thread_team_count(walk->executor->team);
    int64_t share = (step_tasks(walk, step) + threads - 1) / threads;
    int64_t piece = threads == 1 ? share : (share + PIECES - 1) / PIECES;
    for (int i = 0; i < threads; i++)
        range_run(walk, step, range_at(walk, index, (thread + i) % threads), piece);
}

static void walk_thread(void *context, int thread)
{
    const struct walk *walk = context;
    double *seconds = thread == 0 ? walk->step_seconds : NULL;
    double start = seconds != NULL ? clock_seconds() : 0;
    for (uint64_t index = 0; index < walk->steps->count; index++) {
        range_prepare(walk, index + 1, thread);
        step_run(walk, index, thread);
        if (index + 1 < walk->steps->count || walk->step_seconds != NULL)
            thread_team_barrier(walk->executor->team);
        if (seconds != NULL) {
            double end = clock_seconds();
            seconds[index] = end - start;
            start = end;
        }
    }
}

static void phase_run(struct executor *executor, enum rnet_phase phase, int64_t images,
                      double *step_seconds)
{
    struct walk walk = {executor, &executor->program->phases[phase], images, step_seconds};
    for (int thread = 0; thread < thread_team_count(executor->team); thread++)
        range_prepare(&walk, 0, thread);
    thread_team_run(executor->team, walk_thread, &walk);
}

/* ---- the rest of a device: all memory is the host's, and nothing runs later ---- */

static struct status cpu_run(struct executor *executor, const enum rnet_phase *phases, int count,
                             int64_t images)
{
    for (int i = 0; i < count; i++)
        phase_run(executor, phases[i], images, NULL);
    return status_ok();
}

static struct status cpu_run_timed(struct executor *executor, enum rnet_phase phase, int64_t images,
                                   double *step_seconds)
{
    phase_run(executor, phase, images, step_seconds);
    return status_ok();
}

static struct status cpu_limits(struct executor *executor, struct machine_limits *out)
{
    return machine_limits_measure(executor->team, out);
}

static struct status cpu_submit(struct executor *executor, int64_t images)
{
    (void)executor, (void)images;
    return status_ok();
}

static struct status cpu_read(struct executor *executor, struct rnet_location location,
                              int64_t count, const float **out)
{
    (void)count;
    *out = (const float *)(const void *)(executor->regions[location.region] + location.offset);
    return status_ok();
}

static struct status cpu_fetch(const struct executor *executor, enum rnet_region region)
{
    (void)executor, (void)region;
    return status_ok();
}

static void cpu_changed(const struct executor *executor, enum rnet_region region)
{
    (void)executor, (void)region;
}

static struct status cpu_write(const struct executor *executor, enum rnet_region region,
                               uint64_t offset, const void *bytes, size_t size)
{
    if (bytes != NULL)
        memcpy(executor->regions[region] + offset, bytes, size);
    else
        memset(executor->regions[region] + offset, 0, size);
    return status_ok();
}

static struct status cpu_wait(struct executor *executor)
{
    (void)executor;
    return status_ok();
}

static const char *cpu_name(const struct executor *executor)
{
    (void)executor;
    return "cpu";
}

static int64_t cpu_bytes(const struct executor *executor)
{
    (void)executor;
    return 0;
}

const struct device_operations cpu_operations = {
    .kind = "cpu",
    .open = cpu_open,
    .release = cpu_release,
    .submit = cpu_submit,
    .run = cpu_run,
    .run_timed = cpu_run_timed,
    .limits = cpu_limits,
    .read = cpu_read,
    .fetch = cpu_fetch,
    .changed = cpu_changed,
    .write = cpu_write,
    .wait = cpu_wait,
    .name = cpu_name,
    .bytes = cpu_bytes,
};
