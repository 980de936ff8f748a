/* Steps are calls; arguments are slices of regions, whose bounds the interpreter checks. */
#include "tests/ops/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/loop_eval.h"

static void fail(const char *what, const char *problem)
{
    fprintf(stderr, "%s: %s\n", what, problem);
    exit(1);
}

static void run_passes(struct machine *machine, bool fuse)
{
    size_t count;
    const struct pass *passes = compiler_passes(&count);

    for (size_t i = 0; i < count; i++) {
        const char *problem;

        if (!fuse && strcmp(passes[i].name, "fuse") == 0)
            continue;
        passes[i].run(&machine->compilation);
        problem = passes[i].check(&machine->compilation);
        if (problem)
            fail(passes[i].name, problem);
    }
}

void machine_init(struct machine *machine, struct arena *arena, struct graph *graph,
                  tensor_id logits, const struct recipe *recipe, const struct target *target,
                  bool fuse)
{
    const struct plan *plan = &machine->compilation.plan;

    memset(machine, 0, sizeof *machine);
    machine->arena = arena;
    machine->compilation.arena = arena;
    machine->compilation.elaboration.graph = graph;
    machine->compilation.elaboration.recipe = *recipe;
    vector_push(&graph->outputs, arena, (struct graph_output){"logits", logits});
    run_passes(machine, fuse);
    machine->programs = ARENA_ARRAY(arena, struct loop_program *, plan->kernels.items.count);
    for (size_t k = 0; k < plan->kernels.items.count; k++)
        machine->programs[k] = schedule_kernel(arena, plan->kernels.items.items[k], target, NULL);
    for (int region = 0; region < RNET_REGION_COUNT; region++)
        machine->regions[region] =
            ARENA_ARRAY(arena, double, plan->region_bytes[region] / sizeof(float));
    machine->labels = ARENA_ARRAY(arena, int32_t, recipe->batch);
    machine->keys =
        ARENA_ARRAY(arena, int32_t, plan->region_bytes[RNET_REGION_KEYS] / sizeof(int32_t) + 1);
}

static void *buffer_data(const struct machine *machine, const struct buffer *buffer)
{
    const size_t first = buffer->offset / sizeof(float);

    if (buffer->region == RNET_REGION_LABELS)
        return machine->labels + first;
    if (buffer->region == RNET_REGION_KEYS)
        return machine->keys + first;
    return machine->regions[buffer->region] + first;
}

static void run_call(struct machine *machine, const struct calls *calls, const struct call *call,
                     int64_t images)
{
    const struct loop_program *program = machine->programs[call->kernel];
    struct loop_buffer buffers[KERNEL_PARAMETERS];
    const char *problem;

    for (int a = 0; a < call->argument_count; a++) {
        const struct buffer *buffer = &calls->buffers.items[call->arguments[a]];

        buffers[a].count = buffer->bytes / sizeof(float);
        buffers[a].data = buffer_data(machine, buffer);
    }
    if (call->images > 0)
        images = call->images;
    problem = loop_eval(program, buffers, images, 0, loop_task_count(program, images), LOOP_DOUBLE);
    if (problem)
        fail(program->name, problem);
}

void machine_run(struct machine *machine, enum rnet_phase phase, int64_t images)
{
    const bool training = phase == RNET_PHASE_TRAIN || phase == RNET_PHASE_UPDATE;
    const struct plan *plan = &machine->compilation.plan;
    const struct calls *calls = training ? plan->train : plan->infer;

    for (size_t c = 0; c < calls->items.count; c++)
        if (calls->items.items[c].phase == phase)
            run_call(machine, calls, &calls->items.items[c], images);
}

double machine_loss(const struct machine *machine, int64_t images, bool training)
{
    const struct plan *plan = &machine->compilation.plan;
    const struct calls *calls = training ? plan->train : plan->infer;
    const struct buffer *buffer = &calls->buffers.items[calls->loss];
    const double *losses = machine->regions[buffer->region] + buffer->offset / sizeof(float);
    double sum = 0;

    for (int64_t n = 0; n < images; n++)
        sum += losses[n];
    return sum / (double)images;
}

size_t machine_weight_count(const struct machine *machine)
{
    return machine->compilation.plan.region_bytes[RNET_REGION_WEIGHTS] / sizeof(float);
}

/* The column of element `i` of a parameter that lies in blocks of `width` columns. */
static size_t column_of(size_t i, size_t rows, size_t stride, size_t width)
{
    const size_t begin = i / (rows * width) * width;
    const size_t left = stride - begin < width ? stride - begin : width;

    return begin + (i - begin * rows) % left;
}

const bool *machine_weight_mask(const struct machine *machine)
{
    const struct plan *plan = &machine->compilation.plan;
    const size_t count = machine_weight_count(machine);
    bool *mask = ARENA_ARRAY(machine->arena, bool, count);

    for (size_t t = 0; t < plan->graph->tensors.count; t++) {
        const struct tensor *tensor = &plan->graph->tensors.items[t];
        const size_t stride = (size_t)vector_stride(tensor->channels);
        const size_t first = plan->layout.offsets[t] / sizeof(float);
        size_t rows = 1;

        if (tensor->kind != TENSOR_PARAMETER)
            continue;
        for (int axis = 1; axis < tensor->rank; axis++)
            rows *= (size_t)tensor->shape[axis];
        const size_t width = tensor->rank > 1 ? plan->layout.weight_block : stride;
        for (size_t i = 0; i < rows * stride; i++)
            mask[first + i] = column_of(i, rows, stride, width) < (size_t)tensor->channels;
    }
    return mask;
}
