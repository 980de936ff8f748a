/* Gathering records in bounded memory. See history.h. */
#include "runtime/history.h"

static void series_halve(struct step_series *series)
{
    for (int64_t i = 0; i < HISTORY_POINTS / 2; i++)
        series->points[i] = 0.5 * (series->points[2 * i] + series->points[2 * i + 1]);
    series->count = HISTORY_POINTS / 2;
    series->span *= 2;
}

void history_add_step(struct history *history, double loss)
{
    struct step_series *series = &history->steps;
    if (series->span == 0)
        series->span = 1;
    series->pending_sum += loss;
    if (++series->pending < series->span)
        return;
    series->points[series->count++] = series->pending_sum / (double)series->pending;
    series->pending_sum = 0;
    series->pending = 0;
    if (series->count == HISTORY_POINTS)
        series_halve(series);
}

void history_add_epoch(struct history *history, const struct epoch_record *record)
{
    vector_push(&history->epochs, history->arena, *record);
}

const struct epoch_record *history_best(const struct history *history)
{
    const struct epoch_record *best = NULL;
    for (size_t i = 0; i < history->epochs.count; i++)
        if (best == NULL || history->epochs.items[i].validation_top1 > best->validation_top1)
            best = &history->epochs.items[i];
    return best;
}
