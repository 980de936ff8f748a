/* Keeping an average beside the weights. See weight_average.h. */
#include "runtime/weight_average.h"

#include "runtime/floats.h"

/* A region of the average, and the one that it follows. */
struct averaged {
    enum rnet_region average, values;
};

static const struct averaged averaged[] = {
    {RNET_REGION_AVERAGE_WEIGHTS, RNET_REGION_WEIGHTS},
    {RNET_REGION_AVERAGE_STATISTICS, RNET_REGION_STATISTICS},
};
enum { AVERAGED_COUNT = sizeof averaged / sizeof *averaged };

static float *region_values(const struct executor *executor, enum rnet_region region)
{
    return (float *)(void *)executor->regions[region];
}

static int64_t region_count(const struct executor *executor, const struct averaged *pair)
{
    return (int64_t)(executor->program->region_bytes[pair->average] / sizeof(float));
}

struct status weight_average_update(const struct executor *executor, int64_t step)
{
    const float share = (float)(1 - executor->program->recipe.ema);
    for (int i = 0; i < AVERAGED_COUNT; i++) {
        const struct averaged *pair = &averaged[i];
        const int64_t count = region_count(executor, pair);
        if (count == 0)
            continue;
        RETURN_IF_ERROR(executor_fetch(executor, pair->values));
        RETURN_IF_ERROR(executor_fetch(executor, pair->average));
        float *out = region_values(executor, pair->average);
        const float *values = region_values(executor, pair->values);
        if (step <= 1)
            floats_copy(executor->team, out, values, count);
        else
            floats_approach(executor->team, out, values, count, share);
        executor_changed(executor, pair->average);
    }
    return status_ok();
}

struct status weight_average_exchange(const struct executor *executor)
{
    for (int i = 0; i < AVERAGED_COUNT; i++) {
        const struct averaged *pair = &averaged[i];
        if (region_count(executor, pair) == 0)
            continue;
        RETURN_IF_ERROR(executor_fetch(executor, pair->values));
        RETURN_IF_ERROR(executor_fetch(executor, pair->average));
        floats_swap(executor->team, region_values(executor, pair->average),
                    region_values(executor, pair->values), region_count(executor, pair));
        executor_changed(executor, pair->average);
        executor_changed(executor, pair->values);
    }
    return status_ok();
}
