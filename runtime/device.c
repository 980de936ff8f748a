/* Opening an executor on a device, and passing on what it is asked. See execute.h. */
#include "runtime/device.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/processor.h"

enum { HUGE_PAGE = 2 << 20, MOST_DEVICES = 1024, MOST_THREADS = 65536 };

int64_t channel_stride(int64_t channels)
{
    if (channels <= RNET_NARROW_CHANNELS)
        return channels;
    return (channels + RNET_CHANNEL_PADDING - 1) / RNET_CHANNEL_PADDING * RNET_CHANNEL_PADDING;
}

static const char *const region_names[RNET_REGION_COUNT] = {
    "weights", "statistics", "gradients", "momentum",     "workspace",       "input",
    "labels",  "scalars",    "keys",      "gradient_sum", "average_weights", "average_statistics",
};

const char *executor_region_name(enum rnet_region region)
{
    return region_names[region];
}

struct status executor_map_region(struct executor *executor, enum rnet_region region)
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

/* Takes the number from "cuda" or "cuda:N". */
static bool number_read(const char *text, int64_t *number)
{
    char *end;
    *number = 0;
    if (*text == '\0')
        return true;
    if (*text != ':' || text[1] < '0' || text[1] > '9')
        return false;
    *number = strtoll(text + 1, &end, 10);
    return *end == '\0' && *number < MOST_DEVICES;
}

/* Finds the device that an option names, or the one that the program is for. */
static struct status device_choose(const struct rnet_program *program, const char *text,
                                   const struct device_operations **operations, int64_t *number)
{
    const bool is_cuda = program->target == RNET_TARGET_CUDA;
    const char *compiled = is_cuda ? "cuda" : "cpu";
    *number = 0;
    *operations = is_cuda ? &cuda_operations : &cpu_operations;
    if (text == NULL)
        return status_ok();
    bool asks_cuda = strncmp(text, "cuda", 4) == 0;
    if (asks_cuda ? !number_read(text + 4, number) : strcmp(text, "cpu") != 0)
        return status_error(STATUS_USAGE, "--device is cpu, cuda or cuda:N, not %s", text);
    if (asks_cuda != is_cuda)
        return status_error(STATUS_INVALID,
                            "this network was compiled for --target %s: it cannot run on %s, but "
                            "one built with --target %s can, with the same weights",
                            compiled, text, asks_cuda ? "cuda" : "cpu");
    return status_ok();
}

static struct status team_open(struct executor *executor, int64_t threads)
{
    if (threads > MOST_THREADS)
        return status_error(STATUS_INVALID, "%lld threads are more than the %d that are supported",
                            (long long)threads, MOST_THREADS);
    int count = threads == 0 ? threads_available() : (int)threads;
    return thread_team_start(count, &executor->team);
}

struct status executor_open_with(struct executor *executor, const struct rnet_program *program,
                                 const struct executor_options *options)
{
    const struct device_operations *operations;
    int64_t number;
    *executor = (struct executor){.program = program};
    if (program->version != RNET_PROGRAM_VERSION)
        return status_error(STATUS_INVALID,
                            "the network was compiled for version %u of the runtime, this is %d",
                            program->version, RNET_PROGRAM_VERSION);
    RETURN_IF_ERROR(device_choose(program, options->device, &operations, &number));
    RETURN_IF_ERROR(processor_check(program->instruction_sets));
    executor->batch_counters = calloc(program->parameter_count + 1, sizeof(int64_t));
    if (executor->batch_counters == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for the parameters' table");
    RETURN_IF_ERROR(team_open(executor, options->threads));
    executor->operations = operations;
    return operations->open(executor, options, number);
}

struct status executor_open(struct executor *executor, const struct rnet_program *program,
                            int64_t threads)
{
    return executor_open_with(executor, program, &(struct executor_options){.threads = threads});
}

void executor_release(struct executor *executor)
{
    thread_team_release(executor->team);
    if (executor->operations != NULL)
        executor->operations->release(executor);
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        if (executor->mapped[region] != 0)
            munmap(executor->regions[region], executor->mapped[region]);
    free(executor->batch_counters);
    *executor = (struct executor){0};
}

struct status executor_submit(struct executor *executor, int64_t images)
{
    return executor->operations->submit(executor, images);
}

struct status executor_run(struct executor *executor, enum rnet_phase phase, int64_t images)
{
    return executor->operations->run(executor, &phase, 1, images);
}

struct status executor_run_timed(struct executor *executor, enum rnet_phase phase, int64_t images,
                                 double *step_seconds)
{
    return executor->operations->run_timed(executor, phase, images, step_seconds);
}

struct status executor_limits(struct executor *executor, struct machine_limits *out)
{
    return executor->operations->limits(executor, out);
}

struct status executor_run_step(struct executor *executor, int64_t images)
{
    static const enum rnet_phase phases[] = {RNET_PHASE_TRAIN, RNET_PHASE_UPDATE};
    return executor->operations->run(executor, phases, 2, images);
}

struct status executor_read(struct executor *executor, struct rnet_location location, int64_t count,
                            const float **out)
{
    return executor->operations->read(executor, location, count, out);
}

struct status executor_fetch(const struct executor *executor, enum rnet_region region)
{
    return executor->operations->fetch(executor, region);
}

void executor_changed(const struct executor *executor, enum rnet_region region)
{
    executor->operations->changed(executor, region);
}

struct status executor_write(const struct executor *executor, enum rnet_region region,
                             uint64_t offset, const void *bytes, size_t size)
{
    return executor->operations->write(executor, region, offset, bytes, size);
}

struct status executor_wait(struct executor *executor)
{
    return executor->operations->wait(executor);
}

const char *executor_device_name(const struct executor *executor)
{
    return executor->operations->name(executor);
}

int64_t executor_device_bytes(const struct executor *executor)
{
    return executor->operations->bytes(executor);
}

float *executor_scalars(const struct executor *executor)
{
    return (float *)(void *)executor->regions[RNET_REGION_SCALARS];
}
