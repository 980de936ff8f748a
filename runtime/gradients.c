/* Summing gradients and measuring them. See gradients.h. */
#include "runtime/gradients.h"

#include <math.h>

#include "runtime/floats.h"
#include "runtime/parameters.h"

enum {
    LANES = RNET_CHANNEL_PADDING,
    BLOCK_FLOATS = 1 << 14, /* about as many a block has */
};

/* PyTorch's, which keeps a gradient of zero from a division by zero. */
static const double norm_epsilon = 1e-6;

static float *gradients_of(const struct executor *executor)
{
    return (float *)(void *)executor->regions[RNET_REGION_GRADIENTS];
}

static int64_t gradient_count(const struct executor *executor)
{
    return (int64_t)(executor->program->region_bytes[RNET_REGION_GRADIENTS] / sizeof(float));
}

static int64_t rows_per_block(int64_t stride)
{
    return stride < BLOCK_FLOATS ? BLOCK_FLOATS / stride : 1;
}

/* Cuts one parameter's gradient into blocks; where `blocks` is NULL it only counts them. */
static size_t parameter_cut(const struct executor *executor, const struct rnet_parameter *parameter,
                            struct gradient_block *blocks)
{
    int64_t width = parameter->shape[0];
    int64_t stride = (width + LANES - 1) / LANES * LANES;
    if (parameter->kind == RNET_PARAMETER_WEIGHT)
        width = stride; /* its padding, wherever it lies, is zero */
    int64_t rows = parameter_stored(parameter) / stride, most = rows_per_block(stride);
    const float *first = gradients_of(executor) + parameter->offset / sizeof(float);
    size_t count = 0;
    for (int64_t row = 0; row < rows; row += most, count++)
        if (blocks != NULL)
            blocks[count] = (struct gradient_block){
                first + row * stride, rows - row < most ? rows - row : most, width, stride};
    return count;
}

static size_t parameters_cut(const struct executor *executor, const struct frozen *frozen,
                             struct gradient_block *blocks)
{
    const struct rnet_program *program = executor->program;
    size_t count = 0;
    for (uint64_t i = 0; i < program->parameter_count; i++) {
        const struct rnet_parameter *parameter = &program->parameters[i];
        if (parameter->kind == RNET_PARAMETER_BATCH_COUNTER ||
            parameter->region != RNET_REGION_WEIGHTS || frozen_has(frozen, parameter))
            continue;
        count += parameter_cut(executor, parameter, blocks != NULL ? blocks + count : NULL);
    }
    return count;
}

void gradients_open(struct gradients *gradients, struct arena *arena,
                    const struct executor *executor, const struct frozen *frozen)
{
    const struct rnet_recipe *recipe = &executor->program->recipe;
    *gradients = (struct gradients){.executor = executor};
    if (recipe->accumulate > 1)
        gradients->sum = (float *)(void *)executor->regions[RNET_REGION_GRADIENT_SUM];
    if (recipe->clip <= 0)
        return;
    size_t count = parameters_cut(executor, frozen, NULL);
    gradients->blocks = ARENA_ARRAY(arena, struct gradient_block, count + 1);
    gradients->squares = ARENA_ARRAY(arena, double, count + 1);
    gradients->block_count = parameters_cut(executor, frozen, gradients->blocks);
}

struct status gradients_add(struct gradients *gradients, bool is_last)
{
    const struct executor *executor = gradients->executor;
    const int64_t count = gradient_count(executor);
    const bool is_first = gradients->batches++ == 0;
    if (gradients->sum == NULL || (is_first && is_last))
        return status_ok();
    RETURN_IF_ERROR(executor_fetch(executor, RNET_REGION_GRADIENTS));
    if (is_last) {
        floats_add(executor->team, gradients_of(executor), gradients->sum, count);
        executor_changed(executor, RNET_REGION_GRADIENTS);
    } else {
        (is_first ? floats_copy : floats_add)(executor->team, gradients->sum,
                                              gradients_of(executor), count);
    }
    return status_ok();
}

/* Lane by lane, in an order that is fixed and that vector instructions can keep. */
static double block_squares(const struct gradient_block *block)
{
    double lanes[LANES] = {0}, sum = 0;
    for (int64_t row = 0; row < block->rows; row++) {
        const float *values = block->first + row * block->stride;
        int64_t column = 0;
        for (; column + LANES <= block->width; column += LANES)
            for (int lane = 0; lane < LANES; lane++)
                lanes[lane] += (double)values[column + lane] * (double)values[column + lane];
        for (int lane = 0; column + lane < block->width; lane++)
            lanes[lane] += (double)values[column + lane] * (double)values[column + lane];
    }
    for (int lane = 0; lane < LANES; lane++)
        sum += lanes[lane];
    return sum;
}

static void squares_thread(void *context, int thread)
{
    struct gradients *gradients = context;
    size_t threads = (size_t)thread_team_count(gradients->executor->team);
    size_t count = gradients->block_count, number = (size_t)thread;
    for (size_t i = count * number / threads; i < count * (number + 1) / threads; i++)
        gradients->squares[i] = block_squares(&gradients->blocks[i]);
}

static double norm_measure(struct gradients *gradients)
{
    double sum = 0;
    thread_team_run(gradients->executor->team, squares_thread, gradients);
    for (size_t i = 0; i < gradients->block_count; i++)
        sum += gradients->squares[i];
    return sqrt(sum);
}

struct status gradients_finish(struct gradients *gradients, double *norm)
{
    const struct executor *executor = gradients->executor;
    const double limit = executor->program->recipe.clip;
    double scale = 1.0 / (double)gradients->batches;
    *norm = 0;
    if (gradients->blocks != NULL) {
        RETURN_IF_ERROR(executor_fetch(executor, RNET_REGION_GRADIENTS));
        *norm = scale * norm_measure(gradients);
        scale *= fmin(1, limit / (*norm + norm_epsilon));
    }
    executor_scalars(executor)[RNET_SCALAR_GRADIENT_SCALE] = (float)scale;
    gradients->batches = 0;
    return status_ok();
}
