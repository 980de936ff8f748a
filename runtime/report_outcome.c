/* What came out of runs, in numbers. See report_compare.h. */
#include "runtime/report_compare.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

void mean_and_deviation(const double *numbers, size_t count, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        sum += numbers[i];
    *mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (numbers[i] - *mean) * (numbers[i] - *mean);
    *deviation = count > 1 ? sqrt(squares / (double)(count - 1)) : 0;
}

const char *report_whole(struct arena *arena, double number)
{
    enum { GROUP = 3 };
    if (!(number > 0) || !isfinite(number))
        return "";
    const char *digits = arena_format(arena, "%.0f", number);
    struct text_builder text = {.arena = arena};
    for (size_t left = strlen(digits); left > 0; left--) {
        text_add_bytes(&text, digits++, 1);
        if (left > 1 && left % GROUP == 1)
            text_add(&text, ",");
    }
    return text_result(&text);
}

/* Which epoch of a history counts; NULL without one. */
typedef const struct epoch_record *epoch_choice(const struct history *history);

static const struct epoch_record *history_last(const struct history *history)
{
    size_t count = history->epochs.count;
    return count > 0 ? &history->epochs.items[count - 1] : NULL;
}

static struct report_error error_of(const struct report_run *run, epoch_choice *choose)
{
    struct arena arena = {0};
    double *errors = ARENA_ARRAY(&arena, double, run->seed_count);
    struct report_error error = {(double)NAN, (double)NAN, (double)NAN};
    size_t count = 0;
    for (size_t i = 0; i < run->seed_count; i++) {
        const struct epoch_record *record = choose(run->seeds[i]);
        if (record == NULL)
            continue;
        errors[count] = 100 - record->validation_top1;
        error.least = fmin(error.least, errors[count++]);
    }
    if (count > 0)
        mean_and_deviation(errors, count, &error.mean, &error.deviation);
    arena_release(&arena);
    return error;
}

struct report_error report_run_best(const struct report_run *run)
{
    return error_of(run, history_best);
}

struct report_error report_run_last(const struct report_run *run)
{
    return error_of(run, history_last);
}

size_t report_run_epochs(const struct report_run *run)
{
    size_t least = run->seeds[0]->epochs.count;
    for (size_t i = 1; i < run->seed_count; i++)
        if (run->seeds[i]->epochs.count < least)
            least = run->seeds[i]->epochs.count;
    return least;
}

double report_run_speed(const struct report_run *run)
{
    double seconds_per_image = 0;
    size_t count = 0;
    for (size_t i = 0; i < run->seed_count; i++)
        for (size_t j = 0; j < run->seeds[i]->epochs.count; j++) {
            double speed = run->seeds[i]->epochs.items[j].images_per_second;
            if (!(speed > 0))
                continue;
            seconds_per_image += 1 / speed;
            count++;
        }
    return count > 0 ? (double)count / seconds_per_image : (double)NAN;
}

size_t report_best_run(const struct report_run *runs, size_t count)
{
    size_t best = count;
    double least = INFINITY;
    for (size_t i = 0; i < count; i++) {
        double mean = report_run_best(&runs[i]).mean;
        if (!(mean < least))
            continue;
        least = mean;
        best = i;
    }
    return best;
}
