/* Launching a phase's steps, capturing them and replaying them. See phases.h. */
#include "runtime/cuda/phases.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const phase_names[RNET_PHASE_COUNT] = {
    [RNET_PHASE_TRAIN] = "training",
    [RNET_PHASE_UPDATE] = "update",
    [RNET_PHASE_INFER] = "inference",
    [RNET_PHASE_LOSS] = "loss",
};

struct status phases_open(struct phases *phases, const struct rnet_program *program,
                          const struct cuda_code *code, const struct cuda_memory *memory,
                          const struct results *results, const struct cuda_step *step,
                          struct cudnn *cudnn, const struct filters *filters)
{
    *phases = (struct phases){
        .gpu = memory->gpu,
        .program = program,
        .results = results,
        .step = step,
        .filters = filters,
        .checks = getenv("RNET_CHECK_KERNELS") != NULL,
    };
    RETURN_IF_ERROR(launcher_open(&phases->launcher, code, memory, cudnn));
    return chains_open(&phases->chains, &phases->launcher);
}

static void run_forget(const struct phases *phases, struct phase_run *run)
{
    if (run->graph != NULL)
        phases->gpu->driver.graph_release(run->graph);
    *run = (struct phase_run){0};
}

void phases_release(struct phases *phases)
{
    for (int i = 0; i < phases->run_count; i++)
        run_forget(phases, &phases->runs[i]);
    chains_release(&phases->chains);
    launcher_release(&phases->launcher);
    *phases = (struct phases){0};
}

/* What is done at each step beside launching it. */
struct watch {
    bool waits;                /* wait for it, so that one that fails is known */
    struct CUevent_st **marks; /* NULL, or an event to record before each step and one at the end */
};

static struct status mark(const struct phases *phases, const struct watch *watch, uint64_t number)
{
    const struct driver *driver = &phases->gpu->driver;
    if (watch->marks == NULL)
        return status_ok();
    return driver_status(driver,
                         driver->event_record_with(watch->marks[number], phases->gpu->compute,
                                                   DRIVER_EVENT_RECORD_EXTERNAL),
                         "time a step on GPU %d", phases->gpu->number);
}

/* Puts a step on the stream, or the chain that begins with it; *length says how many steps that
 * were. */
static struct status step_launch(const struct phases *phases, const struct rnet_step *step,
                                 int64_t images, const struct filter_step *filters,
                                 uint32_t *length)
{
    RETURN_IF_ERROR(chains_run(&phases->chains, step, images, filters, length));
    if (*length > 0)
        return status_ok();
    *length = 1;
    return launcher_run(&phases->launcher, step, images, filters);
}

/* Puts a phase's steps and the copies of its results on the stream. */
static struct status phase_launch(const struct phases *phases, enum rnet_phase phase,
                                  int64_t images, const struct watch *watch)
{
    const struct rnet_program *program = phases->program;
    const struct rnet_steps *steps = &program->phases[phase];
    const struct filter_step *filters = filters_steps(phases->filters, phase, images);
    const struct driver *driver = &phases->gpu->driver;
    uint64_t done = 0;
    uint32_t length;
    for (uint64_t i = 0; i < steps->count; i++) {
        RETURN_IF_ERROR(mark(phases, watch, i));
        if (filters != NULL && i == 0)
            RETURN_IF_ERROR(filters_before(phases->filters, phase));
        if (i == done) {
            RETURN_IF_ERROR(step_launch(phases, &steps->steps[i], images,
                                        filters != NULL ? &filters[i] : NULL, &length));
            done += length;
        }
        if (filters != NULL && i + 1 == steps->count)
            RETURN_IF_ERROR(filters_behind(phases->filters, phase));
        if (watch->waits)
            RETURN_IF_ERROR(
                driver_status(driver, driver->stream_wait(phases->gpu->compute),
                              "go on: the kernel %s, step %" PRIu64 " of %s's %s phase at %" PRId64
                              " images, failed on GPU %d (%s)",
                              program->kernels[steps->steps[i].kernel].name, i, program->network,
                              phase_names[phase], images, phases->gpu->number, phases->gpu->name));
    }
    RETURN_IF_ERROR(mark(phases, watch, steps->count));
    return results_copy(phases->results, phase);
}

/* Puts a part of a step on the stream. */
static struct status part_launch(const struct phases *phases, enum cuda_step_part part,
                                 const struct watch *watch)
{
    const struct driver *driver = &phases->gpu->driver;
    RETURN_IF_ERROR(cuda_step_launch(phases->step, part));
    if (!watch->waits)
        return status_ok();
    return driver_status(driver, driver->stream_wait(phases->gpu->compute),
                         "go on: %s of %s's step failed on GPU %d (%s)", cuda_step_part_name(part),
                         phases->program->network, phases->gpu->number, phases->gpu->name);
}

/* Pieces of work in a row. */
struct work {
    const struct phases *phases;
    const uint32_t *pieces;
    int count;
    int64_t images;
    struct watch watch;
};

static struct status work_put(void *context)
{
    const struct work *work = context;
    for (int i = 0; i < work->count; i++) {
        const uint32_t piece = work->pieces[i];
        if (piece < RNET_PHASE_COUNT)
            RETURN_IF_ERROR(
                phase_launch(work->phases, (enum rnet_phase)piece, work->images, &work->watch));
        else
            RETURN_IF_ERROR(part_launch(work->phases, (enum cuda_step_part)piece, &work->watch));
    }
    return status_ok();
}

/* Finds the run, or a place for it: a free one, or the one that was used longest ago. */
static struct phase_run *run_find(struct phases *phases, uint32_t mask, int64_t images)
{
    struct phase_run *oldest = &phases->runs[0];
    for (int i = 0; i < phases->run_count; i++) {
        struct phase_run *run = &phases->runs[i];
        if (run->pieces == mask && run->images == images)
            return run;
        if (run->used < oldest->used)
            oldest = run;
    }
    if (phases->run_count < PHASE_RUNS)
        oldest = &phases->runs[phases->run_count++];
    run_forget(phases, oldest);
    oldest->pieces = mask;
    oldest->images = images;
    return oldest;
}

struct status phases_run(struct phases *phases, const uint32_t *pieces, int count, int64_t images)
{
    const struct driver *driver = &phases->gpu->driver;
    uint32_t mask = 0;
    for (int i = 0; i < count; i++)
        mask |= 1u << pieces[i];
    struct phase_run *run = run_find(phases, mask, images);
    struct work work = {.phases = phases, .pieces = pieces, .count = count, .images = images};
    bool is_first = run->used == 0;
    run->used = ++phases->clock;
    if (is_first || phases->checks) {
        work.watch.waits = true;
        return work_put(&work);
    }
    if (run->graph == NULL)
        RETURN_IF_ERROR(gpu_capture(phases->gpu, work_put, &work, &run->graph));
    return driver_status(driver, driver->graph_launch(run->graph, phases->gpu->compute),
                         "launch a graph of %s's steps", phases->program->network);
}

/* ---- timing ---- */

static struct status marks_make(const struct phases *phases, uint64_t count,
                                struct CUevent_st **marks)
{
    for (uint64_t i = 0; i < count; i++)
        RETURN_IF_ERROR(gpu_event_create(phases->gpu, true, &marks[i]));
    return status_ok();
}

/* Runs the graph, and sets the time from each of `count` marks to the next. */
static struct status graph_time(const struct phases *phases, struct CUgraphExec_st *graph,
                                struct CUevent_st *const *marks, uint64_t count, double *seconds)
{
    const struct driver *driver = &phases->gpu->driver;
    float milliseconds = 0;
    RETURN_IF_ERROR(driver_status(driver, driver->graph_launch(graph, phases->gpu->compute),
                                  "launch a graph of %s's steps", phases->program->network));
    RETURN_IF_ERROR(gpu_wait(phases->gpu));
    for (uint64_t i = 0; i < count; i++) {
        RETURN_IF_ERROR(driver_status(driver,
                                      driver->event_elapsed(&milliseconds, marks[i], marks[i + 1]),
                                      "time a step on GPU %d", phases->gpu->number));
        seconds[i] = (double)milliseconds / 1e3;
    }
    return status_ok();
}

struct status phases_run_timed(const struct phases *phases, enum rnet_phase phase, int64_t images,
                               double *seconds)
{
    const uint64_t count = phases->program->phases[phase].count;
    struct CUevent_st **marks = calloc(count + 1, sizeof *marks);
    struct CUgraphExec_st *graph = NULL;
    struct work work = {
        .phases = phases,
        .pieces = &(uint32_t){phase},
        .count = 1,
        .images = images,
        .watch = {.marks = marks},
    };
    if (marks == NULL)
        return status_error(STATUS_MEMORY, "not enough memory to time %" PRIu64 " steps", count);
    struct status status = marks_make(phases, count + 1, marks);
    if (status_is_ok(&status))
        status = gpu_capture(phases->gpu, work_put, &work, &graph);
    if (status_is_ok(&status))
        status = graph_time(phases, graph, marks, count, seconds);
    if (graph != NULL)
        phases->gpu->driver.graph_release(graph);
    for (uint64_t i = 0; i <= count; i++)
        gpu_event_destroy(phases->gpu, marks[i]);
    free(marks);
    return status;
}
