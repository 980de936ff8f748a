/* Schedules and their stretching. See learning_rate.h. */
#include "runtime/learning_rate.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"

enum schedule_kind { STEP, COSINE, WARMUP, SCHEDULE_COUNT };

static const struct {
    const char *name;
    uint32_t least, most; /* arguments */
} schedule_table[SCHEDULE_COUNT] = {
    [STEP] = {"step", 1, RNET_ARGUMENTS},
    [COSINE] = {"cosine", 0, 0},
    [WARMUP] = {"warmup", 1, 1},
};

static enum schedule_kind schedule_find(const char *name)
{
    int kind = 0;
    while (kind < SCHEDULE_COUNT && strcmp(schedule_table[kind].name, name) != 0)
        kind++;
    return (enum schedule_kind)kind;
}

static struct status schedule_check(const struct rnet_schedule *entry)
{
    enum schedule_kind kind = schedule_find(entry->name);
    if (kind == SCHEDULE_COUNT)
        return status_error(STATUS_INVALID, "this runtime has no schedule %s", entry->name);
    if (entry->argument_count < schedule_table[kind].least ||
        entry->argument_count > schedule_table[kind].most)
        return status_error(STATUS_INVALID, "the schedule %s does not take %u arguments",
                            entry->name, entry->argument_count);
    return status_ok();
}

static void milestones_stretch(struct rnet_schedule *entry, int64_t from, int64_t to,
                               struct text_builder *note)
{
    text_add(note, "; milestones");
    for (uint32_t i = 1; i < entry->argument_count; i++)
        text_add(note, " %g", entry->arguments[i]);
    text_add(note, " become");
    for (uint32_t i = 1; i < entry->argument_count; i++) {
        entry->arguments[i] = floor(entry->arguments[i] * (double)to / (double)from);
        text_add(note, " %g", entry->arguments[i]);
    }
}

static void schedule_stretch(struct rnet_schedule *entry, int64_t from, int64_t to,
                             struct text_builder *note)
{
    enum schedule_kind kind = schedule_find(entry->name);
    if (kind == STEP && entry->argument_count > 1)
        milestones_stretch(entry, from, to, note);
    if (kind != WARMUP)
        return;
    double before = entry->arguments[0];
    entry->arguments[0] = before * (double)to / (double)from;
    text_add(note, "; warmup of %g becomes %g", before, entry->arguments[0]);
}

struct status learning_rate_open(struct learning_rate *rate, struct arena *arena,
                                 const struct rnet_recipe *recipe, int64_t epochs,
                                 int64_t steps_per_epoch, const char **note)
{
    *rate = (struct learning_rate){recipe->learning_rate, recipe->schedule,
                                   recipe->schedule_count, epochs, steps_per_epoch};
    *note = NULL;
    for (uint32_t i = 0; i < recipe->schedule_count; i++)
        RETURN_IF_ERROR(schedule_check(&recipe->schedule[i]));
    if (epochs == recipe->epochs || recipe->epochs <= 0)
        return status_ok();
    struct rnet_schedule *stretched =
        ARENA_ARRAY(arena, struct rnet_schedule, recipe->schedule_count + 1);
    struct text_builder text = {.arena = arena};
    text_add(&text, "the recipe's %" PRId64 " epochs become %" PRId64, recipe->epochs, epochs);
    for (uint32_t i = 0; i < recipe->schedule_count; i++) {
        stretched[i] = recipe->schedule[i];
        schedule_stretch(&stretched[i], recipe->epochs, epochs, &text);
    }
    rate->entries = stretched;
    *note = text_result(&text);
    return status_ok();
}

static double step_factor(const struct rnet_schedule *entry, int64_t epoch)
{
    double factor = 1;
    for (uint32_t i = 1; i < entry->argument_count; i++)
        if ((double)epoch >= entry->arguments[i])
            factor *= entry->arguments[0];
    return factor;
}

double learning_rate_at(const struct learning_rate *rate, int64_t epoch, int64_t step)
{
    double value = rate->base;
    double position = (double)epoch + (double)step / (double)rate->steps_per_epoch;
    for (uint32_t i = 0; i < rate->count; i++) {
        const struct rnet_schedule *entry = &rate->entries[i];
        enum schedule_kind kind = schedule_find(entry->name);
        if (kind == STEP)
            value *= step_factor(entry, epoch);
        if (kind == COSINE)
            value *= 0.5 * (1 + cos(M_PI * position / (double)rate->epochs));
        /* The first step must move already, hence the rate at the step's end. */
        double warm = position + 1.0 / (double)rate->steps_per_epoch;
        if (kind == WARMUP && warm < entry->arguments[0])
            value *= warm / entry->arguments[0];
    }
    return value;
}
