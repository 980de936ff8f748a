/* Filling parameters by their initializers. See initialize.h. */
#include "runtime/initialize.h"

#include "base/arena.h"
#include "runtime/parameters.h"
#include "runtime/random.h"

enum { NORMALS = 4 }; /* a random block gives so many */

static void fill_constant(float *values, int64_t count, double value)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)value;
}

static void fill_normal(float *values, int64_t count, double deviation, uint64_t seed,
                        uint64_t stream)
{
    for (int64_t first = 0; first < count; first += NORMALS) {
        float normals[NORMALS];
        random_normals(seed, stream, (uint64_t)(first / NORMALS), normals);
        for (int64_t i = first; i < count && i < first + NORMALS; i++)
            values[i] = (float)(deviation * (double)normals[i - first]);
    }
}

static void fill_uniform(float *values, int64_t count, double limit, uint64_t seed,
                         uint64_t stream)
{
    struct random_source random = {seed, stream, 0};
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)random_between(&random, -limit, limit);
}

static void fill(const struct rnet_parameter *parameter, float *values, uint64_t seed,
                 uint64_t stream)
{
    int64_t count = parameter_elements(parameter);
    switch ((enum rnet_initializer)parameter->init) {
    case RNET_INIT_CONSTANT:
        fill_constant(values, count, parameter->init_value);
        break;
    case RNET_INIT_NORMAL:
        fill_normal(values, count, parameter->init_value, seed, stream);
        break;
    case RNET_INIT_UNIFORM:
        fill_uniform(values, count, parameter->init_value, seed, stream);
        break;
    }
}

void parameters_initialize(const struct executor *executor, uint64_t seed)
{
    const struct rnet_program *program = executor->program;
    struct arena scratch = {0};
    for (uint64_t i = 0; i < program->parameter_count; i++) {
        const struct rnet_parameter *parameter = &program->parameters[i];
        if (parameter->kind == RNET_PARAMETER_BATCH_COUNTER)
            continue;
        float *values = ARENA_ARRAY(&scratch, float, parameter_elements(parameter));
        fill(parameter, values, seed, random_stream(RANDOM_PARAMETER, i));
        char *memory = executor->regions[parameter->region] + parameter->offset;
        parameter_pack(parameter, values, (float *)(void *)memory);
        arena_reset(&scratch);
    }
    executor_changed(executor, RNET_REGION_WEIGHTS);
    executor_changed(executor, RNET_REGION_STATISTICS);
    arena_release(&scratch);
}
