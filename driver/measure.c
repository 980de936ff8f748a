/* Elaboration, the passes without code generation, the report. */
#include "driver/measure.h"

#include "driver/memory_limit.h"

static void plan_memory(struct compilation *compilation)
{
    size_t count;
    const struct pass *passes = compiler_passes(&count);

    for (size_t i = 0; i < count; i++)
        passes[i].run(compilation);
}

struct status measure_network(struct arena *arena, const struct options *options,
                              struct front *out_front, struct report **out_report)
{
    struct compilation *compilation = ARENA_NEW(arena, struct compilation);
    enum report_count count = REPORT_MACS;

    *out_report = NULL;
    if (options->count && !report_count_find(options->count, &count))
        return status_error(STATUS_USAGE, "--count %s: expected macs, thop or thop-all",
                            options->count);
    if (!front_run(arena, options, out_front))
        return status_ok();
    compilation->arena = arena;
    compilation->sources = &out_front->sources;
    compilation->elaboration = out_front->elaboration;
    compilation->memory_limit = options->memory_limit;
    if (report_can_plan(&compilation->elaboration)) {
        plan_memory(compilation);
        RETURN_IF_ERROR(memory_limit_check(compilation));
    }
    *out_report = report_make(compilation, count, arena);
    return status_ok();
}
