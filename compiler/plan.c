/* Putting the plan together, and checking sequences of calls. */
#include "compiler/plan.h"

#include <math.h>
#include <string.h>

static double fan(const struct tensor *tensor, bool out)
{
    double window = 1;

    for (int axis = 2; axis < tensor->rank; axis++)
        window *= tensor->shape[axis];
    return window * tensor->shape[out ? 0 : 1];
}

/* He et al., "Delving deep into rectifiers", 2015; Glorot and Bengio, 2010. fan_out is not divided
 * by the groups, as PyTorch's is not. */
static struct parameter_start weight_start(const struct tensor *tensor, enum weight_init init)
{
    const double in = fan(tensor, false), out = fan(tensor, true);

    switch (init) {
    case WEIGHT_INIT_HE_NORMAL_FAN_OUT:
        return (struct parameter_start){RNET_INIT_NORMAL, sqrt(2 / out)};
    case WEIGHT_INIT_HE_NORMAL_FAN_IN:
        return (struct parameter_start){RNET_INIT_NORMAL, sqrt(2 / in)};
    case WEIGHT_INIT_XAVIER_UNIFORM:
        return (struct parameter_start){RNET_INIT_UNIFORM, sqrt(6 / (in + out))};
    case WEIGHT_INIT_XAVIER_NORMAL:
        return (struct parameter_start){RNET_INIT_NORMAL, sqrt(2 / (in + out))};
    }
    return (struct parameter_start){RNET_INIT_CONSTANT, 0};
}

/* Whether the recipe's zero_init names the layer of this parameter: by its label, or by the whole
 * path. */
static bool starts_at_zero(const struct tensor *tensor, const struct recipe *recipe)
{
    const char *end = strrchr(tensor->name, '.');
    const size_t length = end ? (size_t)(end - tensor->name) : 0;

    for (size_t i = 0; i < recipe->zero_init.count; i++) {
        const char *label = recipe->zero_init.items[i].name;
        const size_t size = strlen(label);

        if (size <= length && memcmp(end - size, label, size) == 0 &&
            (size == length || end[-(ptrdiff_t)size - 1] == '.'))
            return true;
    }
    return false;
}

struct parameter_start parameter_start(const struct tensor *tensor, const struct recipe *recipe)
{
    if (tensor->kind == TENSOR_PARAMETER && starts_at_zero(tensor, recipe))
        return (struct parameter_start){RNET_INIT_CONSTANT, 0};
    switch ((enum initializer)tensor->initializer) {
    case INITIALIZER_ZERO:
        break;
    case INITIALIZER_ONE:
        return (struct parameter_start){RNET_INIT_CONSTANT, 1};
    case INITIALIZER_WEIGHT:
        return weight_start(tensor, recipe->init);
    case INITIALIZER_LINEAR:
        return (struct parameter_start){RNET_INIT_UNIFORM, 1 / sqrt((double)tensor->fan_in)};
    case INITIALIZER_VALUE:
        return (struct parameter_start){RNET_INIT_CONSTANT, tensor->initial_value};
    }
    return (struct parameter_start){RNET_INIT_CONSTANT, 0};
}

/* Moves the kernels that calls use into the plan's set; those that fusion left unused stay out. */
static void merge_kernels(struct plan *plan, struct calls *calls)
{
    for (size_t c = 0; c < calls->items.count; c++) {
        struct call *call = &calls->items.items[c];

        call->kernel = kernel_set_add(&plan->kernels, calls->kernels.items.items[call->kernel]);
    }
    calls->kernels = plan->kernels;
}

static uint64_t region_end(const struct calls *calls, enum rnet_region region)
{
    uint64_t end = 0;

    for (size_t b = 0; b < calls->buffers.count; b++) {
        const struct buffer *buffer = &calls->buffers.items[b];

        if (buffer->region == region && buffer->offset + buffer->bytes > end)
            end = buffer->offset + buffer->bytes;
    }
    return end;
}

/* What a training keeps besides, for the recipe. */
static void add_recipe_regions(struct plan *plan)
{
    uint64_t *bytes = plan->region_bytes;

    if (plan->recipe->accumulate > 1)
        bytes[RNET_REGION_GRADIENT_SUM] = bytes[RNET_REGION_GRADIENTS];
    if (plan->recipe->ema > 0) {
        bytes[RNET_REGION_AVERAGE_WEIGHTS] = bytes[RNET_REGION_WEIGHTS];
        bytes[RNET_REGION_AVERAGE_STATISTICS] = bytes[RNET_REGION_STATISTICS];
    }
}

void plan_finish(struct plan *plan, uint64_t train_workspace, uint64_t infer_workspace)
{
    uint64_t *bytes = plan->region_bytes;
    const bool trains = plan->train->items.count > 0;

    plan->kernels.arena = plan->train->arena;
    plan->kernels.table.arena = plan->train->arena;
    merge_kernels(plan, plan->train);
    merge_kernels(plan, plan->infer);
    plan->train->kernels = plan->kernels;
    bytes[RNET_REGION_WEIGHTS] = plan->layout.weight_bytes;
    bytes[RNET_REGION_GRADIENTS] = trains ? plan->layout.weight_bytes : 0;
    bytes[RNET_REGION_MOMENTUM] = trains ? plan->layout.weight_bytes : 0;
    bytes[RNET_REGION_STATISTICS] = plan->layout.statistic_bytes;
    bytes[RNET_REGION_WORKSPACE] =
        train_workspace > infer_workspace ? train_workspace : infer_workspace;
    bytes[RNET_REGION_INPUT] = region_end(plan->infer, RNET_REGION_INPUT);
    bytes[RNET_REGION_LABELS] = (uint64_t)plan->batch * sizeof(int32_t); /* also without a loss */
    bytes[RNET_REGION_KEYS] = region_end(plan->train, RNET_REGION_KEYS);
    bytes[RNET_REGION_SCALARS] = RNET_SCALAR_COUNT * sizeof(float);
    if (trains)
        add_recipe_regions(plan);
}

/* ---- the verifier ---- */

static const char *check_call(const struct calls *calls, uint32_t c, bool *written)
{
    const struct call *call = &calls->items.items[c];
    const struct kernel *kernel = calls->kernels.items.items[call->kernel];
    const char *problem = kernel_check(kernel, calls->arena);

    if (problem)
        return arena_format(calls->arena, "call %u (%s): %s", c, call->path, problem);
    if (kernel->parameter_count != call->argument_count)
        return arena_format(calls->arena, "call %u (%s): %d arguments for %d parameters", c,
                            call->path, call->argument_count, kernel->parameter_count);
    for (int p = 0; p < call->argument_count; p++) {
        const buffer_id buffer = call->arguments[p];
        const bool is_output = p >= kernel_first_output(kernel);

        if (calls->buffers.items[buffer].region != RNET_REGION_WORKSPACE)
            continue;
        if (is_output == written[buffer])
            return arena_format(calls->arena, "call %u (%s): buffer %u is %s", c, call->path,
                                buffer, is_output ? "written twice" : "read before it is written");
        written[buffer] = true;
    }
    return NULL;
}

const char *calls_check(const struct calls *calls)
{
    bool *written = ARENA_ARRAY(calls->arena, bool, calls->buffers.count);

    for (uint32_t c = 0; c < calls->items.count; c++) {
        const char *problem = check_call(calls, c, written);

        if (problem)
            return problem;
    }
    return NULL;
}
