/* Regions, argument addresses and the walk over a phase's steps. See execute.h.
 *
 * A thread owns a contiguous range of a step's tasks, so that it meets the same images in the next
 * step, and takes it in a few pieces; when it is done it takes pieces that slower threads still
 * have. While a step runs out of one set of ranges, each thread prepares its own range of the
 * next step in the other set; the barrier between steps publishes them. */
#include "runtime/execute.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    HUGE_PAGE = 2 << 20,
    PIECES = 4, /* of a range; fewer cost balance, more cost calls */
    MOST_THREADS = 65536,
};

struct task_range {
    _Alignas(64) atomic_llong next;
    int64_t last;
};

struct walk {
    struct executor *executor;
    const struct rnet_steps *steps;
    int64_t images;
};

int64_t channel_stride(int64_t channels)
{
    if (channels <= RNET_NARROW_CHANNELS)
        return channels;
    return (channels + RNET_CHANNEL_PADDING - 1) / RNET_CHANNEL_PADDING * RNET_CHANNEL_PADDING;
}

static const char *const region_names[RNET_REGION_COUNT] = {
    "weights", "statistics", "gradients", "momentum", "workspace",
    "input",   "labels",     "scalars",   "keys",
};

const char *executor_region_name(enum rnet_region region)
{
    return region_names[region];
}

static struct status region_map(struct executor *executor, int region)
{
    size_t size = executor->program->region_bytes[region];
    if (size == 0)
        return status_ok();
    if (size >= HUGE_PAGE)
        size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return status_error(STATUS_MEMORY, "not enough memory for the %s: %.1f MiB are needed",
                            region_names[region], (double)size / 0x1p20);
    madvise(memory, size, MADV_HUGEPAGE);
    executor->regions[region] = memory;
    executor->mapped[region] = size;
    return status_ok();
}

static struct status buffers_resolve(struct executor *executor)
{
    const struct rnet_program *program = executor->program;
    executor->buffers = calloc(program->argument_count + 1, sizeof *executor->buffers);
    executor->batch_counters = calloc(program->parameter_count + 1, sizeof(int64_t));
    if (executor->buffers == NULL || executor->batch_counters == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for the step table");
    for (uint64_t i = 0; i < program->argument_count; i++) {
        const struct rnet_argument *argument = &program->arguments[i];
        executor->buffers[i] = executor->regions[argument->region] + argument->offset;
    }
    return status_ok();
}

static struct status team_open(struct executor *executor, int64_t threads)
{
    if (threads > MOST_THREADS)
        return status_error(STATUS_INVALID, "%lld threads are more than the %d that are supported",
                            (long long)threads, MOST_THREADS);
    int count = threads == 0 ? threads_available() : (int)threads;
    size_t bytes = 2 * (size_t)count * sizeof *executor->ranges;
    executor->ranges = aligned_alloc(_Alignof(struct task_range), bytes);
    if (executor->ranges == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for %d threads", count);
    return thread_team_start(count, &executor->team);
}

struct status executor_open(struct executor *executor, const struct rnet_program *program,
                            int64_t threads)
{
    *executor = (struct executor){.program = program};
    if (program->version != RNET_PROGRAM_VERSION)
        return status_error(STATUS_INVALID,
                            "the network was compiled for version %u of the runtime, this is %d",
                            program->version, RNET_PROGRAM_VERSION);
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        RETURN_IF_ERROR(region_map(executor, region));
    RETURN_IF_ERROR(buffers_resolve(executor));
    return team_open(executor, threads);
}

void executor_release(struct executor *executor)
{
    thread_team_release(executor->team);
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        if (executor->regions[region] != NULL)
            munmap(executor->regions[region], executor->mapped[region]);
    free(executor->buffers);
    free(executor->ranges);
    free(executor->batch_counters);
    *executor = (struct executor){0};
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
    for (uint64_t index = 0; index < walk->steps->count; index++) {
        range_prepare(walk, index + 1, thread);
        step_run(walk, index, thread);
        if (index + 1 < walk->steps->count)
            thread_team_barrier(walk->executor->team);
    }
}

void executor_run(struct executor *executor, enum rnet_phase phase, int64_t images)
{
    struct walk walk = {executor, &executor->program->phases[phase], images};
    for (int thread = 0; thread < thread_team_count(executor->team); thread++)
        range_prepare(&walk, 0, thread);
    thread_team_run(executor->team, walk_thread, &walk);
}

const float *executor_result(const struct executor *executor, struct rnet_location location)
{
    return (const float *)(const void *)(executor->regions[location.region] + location.offset);
}

float *executor_scalars(const struct executor *executor)
{
    return (float *)(void *)executor->regions[RNET_REGION_SCALARS];
}
