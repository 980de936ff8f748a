/* Arguments' addresses, and launching. See launcher.h. */
#include "runtime/cuda/launcher.h"

#include <stdlib.h>

struct status launcher_open(struct launcher *launcher, const struct cuda_code *code,
                            const struct cuda_memory *memory, struct cudnn *cudnn)
{
    const struct rnet_program *program = code->program;
    *launcher = (struct launcher){
        .code = code,
        .memory = memory,
        .cudnn = cudnn,
        .addresses = calloc(program->argument_count + 1, sizeof *launcher->addresses),
    };
    if (launcher->addresses == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for the step table");
    for (uint64_t i = 0; i < program->argument_count; i++) {
        const struct rnet_argument *argument = &program->arguments[i];
        launcher->addresses[i] = memory->regions[argument->region] + argument->offset;
    }
    return status_ok();
}

void launcher_release(struct launcher *launcher)
{
    free(launcher->addresses);
    *launcher = (struct launcher){0};
}

device_address launcher_filter(const struct launcher *launcher, const struct filter_step *filter)
{
    return filter != NULL && filter->has_place ? launcher->memory->filters + filter->offset : 0;
}

struct status launcher_run(const struct launcher *launcher, const struct rnet_step *step,
                           int64_t images, const struct filter_step *filter)
{
    const struct rnet_program *program = launcher->code->program;
    const struct rnet_kernel *kernel = &program->kernels[step->kernel];
    const struct rnet_cuda_kernel *cuda = &program->cuda->kernels[step->kernel];
    const device_address *addresses = launcher->addresses + step->first_argument;
    int64_t count = step->images != 0 ? step->images : images;
    bool taken;
    if (filter != NULL && filter->is_left_out)
        return status_ok();
    RETURN_IF_ERROR(cudnn_run(launcher->cudnn, step->kernel, count, addresses,
                              launcher_filter(launcher, filter), &taken));
    if (taken)
        return status_ok();
    struct cuda_launch launch = {
        .function = launcher->code->functions[step->kernel],
        .name = kernel->name,
        .threads = cuda->threads,
        .tasks_per_block = cuda->tasks_per_block,
        .shared_bytes = cuda->shared_bytes,
        .images = count,
        .tasks = cuda_task_count(kernel->images_per_task, kernel->tasks_per_group, count),
        .addresses = addresses,
        .address_count = step->argument_count,
    };
    return cuda_launch_run(&launch, launcher->code->gpu);
}
