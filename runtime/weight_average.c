/* Keeping an average beside the weights. See weight_average.h. */
#include "runtime/weight_average.h"

#include "runtime/floats.h"

/* ORDER AVERAGED */
static const enum rnet_region averaged[AVERAGED_COUNT] = {RNET_REGION_WEIGHTS,
                                                          RNET_REGION_STATISTICS};

static float *region_values(const struct weight_average *average, enum rnet_region region)
{
    return (float *)(void *)average->executor->regions[region];
}

void weight_average_open(struct weight_average *average, struct arena *arena,
                         const struct executor *executor)
{
    const struct rnet_program *program = executor->program;
    *average = (struct weight_average){.executor = executor};
    if (program->recipe.ema <= 0)
        return;
    for (int i = 0; i < AVERAGED_COUNT; i++) {
        int64_t count = (int64_t)(program->region_bytes[averaged[i]] / sizeof(float));
        average->regions[i] = (struct averaged_region){
            .region = averaged[i],
            .values = count > 0 ? ARENA_ARRAY(arena, float, count) : NULL,
            .count = count,
        };
    }
}

struct status weight_average_update(const struct weight_average *average, int64_t step)
{
    const float share = (float)(1 - average->executor->program->recipe.ema);
    struct thread_team *team = average->executor->team;
    for (int i = 0; i < AVERAGED_COUNT; i++) {
        const struct averaged_region *copy = &average->regions[i];
        if (copy->values == NULL)
            continue;
        RETURN_IF_ERROR(executor_fetch(average->executor, copy->region));
        const float *values = region_values(average, copy->region);
        if (step <= 1)
            floats_copy(team, copy->values, values, copy->count);
        else
            floats_approach(team, copy->values, values, copy->count, share);
    }
    return status_ok();
}

struct status weight_average_exchange(const struct weight_average *average)
{
    for (int i = 0; i < AVERAGED_COUNT; i++) {
        const struct averaged_region *copy = &average->regions[i];
        if (copy->values == NULL)
            continue;
        RETURN_IF_ERROR(executor_fetch(average->executor, copy->region));
        floats_swap(average->executor->team, copy->values, region_values(average, copy->region),
                    copy->count);
        executor_changed(average->executor, copy->region);
    }
    return status_ok();
}
