/* The bar, the lines and the plot at the end. See progress.h. */
#include "runtime/progress.h"

#include <inttypes.h>
#include <unistd.h>

#include "runtime/clock.h"

enum {
    BAR_WIDTH = 24,
    CURVE_ROWS = 6,
    CURVE_COLUMNS = 60,
    EIGHTHS = 8, /* a character of the plot has so many levels */
    MINUTE = 60,
    HOUR = 3600,
};

static const double bar_interval = 0.1, line_interval = 30;

struct progress progress_start(int64_t epochs, int64_t steps_per_epoch, int64_t total_steps,
                               int64_t first)
{
    double now = clock_seconds();
    return (struct progress){
        .terminal = isatty(STDERR_FILENO) == 1,
        .epochs = epochs,
        .steps_per_epoch = steps_per_epoch,
        .total_steps = total_steps,
        .first = first,
        .started = now,
        .shown = now,
    };
}

const char *progress_duration(char text[32], double seconds)
{
    int64_t whole = (int64_t)seconds;
    if (whole >= HOUR)
        snprintf(text, 32, "%" PRId64 ":%02d:%02d", whole / HOUR, (int)(whole / MINUTE % MINUTE),
                 (int)(whole % MINUTE));
    else
        snprintf(text, 32, "%d:%02d", (int)(whole / MINUTE), (int)(whole % MINUTE));
    return text;
}

static void time_left_print(const struct progress *progress, int64_t steps)
{
    double elapsed = clock_seconds() - progress->started;
    double pace = steps > progress->first ? elapsed / (double)(steps - progress->first) : 0;
    char text[32];
    fprintf(stderr, "%s left",
            progress_duration(text, pace * (double)(progress->total_steps - steps)));
}

static void bar_print(int64_t done, int64_t all)
{
    int64_t filled = done * BAR_WIDTH / all;
    fputs("[", stderr);
    for (int64_t i = 0; i < BAR_WIDTH; i++)
        fputs(i < filled ? "\u2588" : "\u00b7", stderr);
    fputs("]", stderr);
}

void progress_wait(const char *what, int64_t done, int64_t all)
{
    if (all == 0 || isatty(STDERR_FILENO) != 1)
        return;
    fprintf(stderr, "\r\033[K%s  ", what);
    bar_print(done, all);
    fprintf(stderr, " %" PRId64 "/%" PRId64 "%s", done, all, done == all ? "\r\033[K" : "");
    fflush(stderr);
}

void progress_clear(const struct progress *progress)
{
    if (progress->terminal)
        fputs("\r\033[K", stderr);
}

void progress_step(struct progress *progress, const struct step_record *record)
{
    double now = clock_seconds();
    if (now - progress->shown < (progress->terminal ? bar_interval : line_interval))
        return;
    progress->shown = now;
    int64_t step = record->step - record->epoch * progress->steps_per_epoch;
    progress_clear(progress);
    fprintf(stderr, "epoch %" PRId64 "/%" PRId64 "  ", record->epoch + 1, progress->epochs);
    if (progress->terminal)
        bar_print(step, progress->steps_per_epoch);
    fprintf(stderr, " step %" PRId64 "/%" PRId64 "  loss %.4f  %.0f images/s  ", step,
            progress->steps_per_epoch, record->loss, record->images_per_second);
    time_left_print(progress, record->step);
    fputs(progress->terminal ? "" : "\n", stderr);
    fflush(stderr);
}

void progress_epoch(struct progress *progress, const struct epoch_record *record, int64_t steps)
{
    progress_clear(progress);
    fprintf(stderr,
            "epoch %" PRId64 "/%" PRId64 "  lr %-6.4g  train: loss %.4f, top-1 %6.2f %%  "
            "validation: loss %.4f, top-1 %6.2f %%, top-5 %6.2f %%  %.0f images/s  ",
            record->epoch + 1, progress->epochs, record->learning_rate, record->train_loss,
            record->train_top1, record->validation_loss, record->validation_top1,
            record->validation_top5, record->images_per_second);
    time_left_print(progress, steps);
    fputs("\n", stderr);
    progress->shown = clock_seconds();
}

/* Prints the part of a column's bar that lies in row `row` (0: the lowest). */
static void cell_print(double share, int row)
{
    static const char *const blocks[EIGHTHS + 1] = {
        " ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588",
    };
    int level = (int)(share * CURVE_ROWS * EIGHTHS + 0.5) - row * EIGHTHS;
    fputs(blocks[level < 0 ? 0 : level > EIGHTHS ? EIGHTHS : level], stderr);
}

void progress_curve(const struct history *history)
{
    size_t count = history->epochs.count;
    size_t columns = count < CURVE_COLUMNS ? count : CURVE_COLUMNS;
    if (count < 2)
        return;
    fputs("\nvalidation top-1 by epoch\n", stderr);
    for (int row = CURVE_ROWS - 1; row >= 0; row--) {
        const char *label = row == CURVE_ROWS - 1 ? "100 %" : row == 0 ? "0 %" : "";
        fprintf(stderr, "%6s \u2502", label);
        for (size_t column = 0; column < columns; column++) {
            size_t epoch = column * (count - 1) / (columns - 1);
            cell_print(history->epochs.items[epoch].validation_top1 / 100, row);
        }
        fputs("\n", stderr);
    }
    fprintf(stderr, "%6s \u2514", "");
    for (size_t column = 0; column < columns; column++)
        fputs("\u2500", stderr);
    fprintf(stderr, " %zu epochs\n\n", count);
}
