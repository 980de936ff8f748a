/* Gathering records in bounded memory. See history.h. */
#include "runtime/history.h"

#include <inttypes.h>

#include "base/file.h"
#include "base/text.h"

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

struct status history_write_csv(const struct history *history, const char *path)
{
    struct arena arena = {0};
    struct text_builder text = {.arena = &arena};
    text_add(&text, "epoch,lr,train_loss,train_top1,val_loss,val_top1,val_top5,"
                    "images_per_second,waiting\n");
    for (size_t i = 0; i < history->epochs.count; i++) {
        const struct epoch_record *record = &history->epochs.items[i];
        text_add(&text, "%" PRId64 ",%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.6g,%.4g\n", record->epoch,
                 record->learning_rate, record->train_loss, record->train_top1,
                 record->validation_loss, record->validation_top1, record->validation_top5,
                 record->images_per_second, record->waiting);
    }
    struct status status = file_write(path, text_result(&text), text.length);
    arena_release(&arena);
    return status;
}
