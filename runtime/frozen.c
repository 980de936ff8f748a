/* Putting frozen parameters back after each update. See frozen.h. */
#include "runtime/frozen.h"

#include "runtime/parameters.h"
#include "runtime/weights.h"

static void range_add(struct frozen *frozen, struct arena *arena, const struct executor *executor,
                      const struct rnet_parameter *parameter)
{
    size_t size = (size_t)parameter_stored(parameter) * sizeof(float);
    char *weights = executor->regions[RNET_REGION_WEIGHTS] + parameter->offset;
    char *momentum = executor->regions[RNET_REGION_MOMENTUM];
    struct frozen_range range = {
        .weights = weights,
        .momentum = momentum != NULL ? momentum + parameter->offset : NULL,
        .kept = arena_copy(arena, weights, size),
        .size = size,
    };
    vector_push(&frozen->ranges, arena, range);
}

struct status frozen_open(struct frozen *frozen, struct arena *arena,
                          const struct executor *executor, const struct text_list *labels)
{
    const struct rnet_program *program = executor->program;
    frozen->executor = executor;
    RETURN_IF_ERROR(executor_fetch(executor, RNET_REGION_WEIGHTS));
    for (size_t label = 0; label < labels->texts.count; label++) {
        const char *text = labels->texts.items[label];
        size_t before = frozen->ranges.count;
        for (uint64_t i = 0; i < program->parameter_count; i++)
            if (program->parameters[i].kind != RNET_PARAMETER_BATCH_COUNTER &&
                program->parameters[i].region == RNET_REGION_WEIGHTS &&
                name_has_label(program->parameters[i].name, text))
                range_add(frozen, arena, executor, &program->parameters[i]);
        if (frozen->ranges.count == before)
            return status_error(STATUS_USAGE, "no parameter of %s has the label %s",
                                program->network, text);
    }
    return status_ok();
}

bool frozen_has(const struct frozen *frozen, const struct rnet_parameter *parameter)
{
    const char *weights = frozen->executor->regions[RNET_REGION_WEIGHTS] + parameter->offset;
    for (size_t i = 0; i < frozen->ranges.count; i++)
        if (frozen->ranges.items[i].weights == weights)
            return true;
    return false;
}

static struct status range_restore(const struct executor *executor,
                                   const struct frozen_range *range)
{
    uint64_t offset = (uint64_t)(range->weights - executor->regions[RNET_REGION_WEIGHTS]);
    RETURN_IF_ERROR(
        executor_write(executor, RNET_REGION_WEIGHTS, offset, range->kept, range->size));
    if (range->momentum == NULL)
        return status_ok();
    return executor_write(executor, RNET_REGION_MOMENTUM, offset, NULL, range->size);
}

struct status frozen_restore(const struct frozen *frozen)
{
    for (size_t i = 0; i < frozen->ranges.count; i++)
        RETURN_IF_ERROR(range_restore(frozen->executor, &frozen->ranges.items[i]));
    return status_ok();
}
