/* One training, and several with one seed each. See repeat.h. */
#include "runtime/repeat.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "runtime/interrupt.h"
#include "runtime/report_compare.h"
#include "runtime/report_network.h"
#include "runtime/run_read.h"

static void summary_print(const struct training *training)
{
    const struct epoch_record *best = history_best(&training->history);
    printf("%" PRId64 " steps; weights in %s", training->step, training->last_path);
    if (best != NULL)
        printf("\nbest validation top-1 %.2f %% in epoch %" PRId64 "; weights in %s",
               best->validation_top1, best->epoch + 1, training->best_path);
    printf("\ncurves in %s\n", training->report_path);
}

static void epochs_copy(const struct history *from, struct history *to)
{
    for (size_t i = 0; i < from->epochs.count; i++)
        history_add_epoch(to, &from->epochs.items[i]);
}

struct status train_once(const struct rnet_program *program, const struct train_options *options,
                         struct history *history)
{
    struct training training = {0};
    struct status status = training_open(&training, program, options);
    if (status_is_ok(&status)) {
        interrupt_install();
        status = training_run(&training);
    }
    if (status_is_ok(&status)) {
        progress_curve(&training.history);
        summary_print(&training);
        if (history != NULL)
            epochs_copy(&training.history, history);
    }
    training_release(&training);
    return status;
}

/* The errors of the runs, and what is said of them. */
struct outcome {
    double *best, *last;
    double best_mean, best_deviation, last_mean, last_deviation, least;
};

static struct outcome outcome_of(struct arena *arena, const struct report_run *runs, size_t count)
{
    struct outcome outcome = {
        .best = ARENA_ARRAY(arena, double, count),
        .last = ARENA_ARRAY(arena, double, count),
        .least = INFINITY,
    };
    for (size_t i = 0; i < count; i++) {
        outcome.best[i] = report_run_best(&runs[i]).mean;
        outcome.last[i] = report_run_last(&runs[i]).mean;
        outcome.least = fmin(outcome.least, outcome.best[i]);
    }
    mean_and_deviation(outcome.best, count, &outcome.best_mean, &outcome.best_deviation);
    mean_and_deviation(outcome.last, count, &outcome.last_mean, &outcome.last_deviation);
    return outcome;
}

static void numbers_add(struct text_builder *text, const char *name, const double *numbers,
                        size_t count)
{
    text_add(text, "\"%s\":[", name);
    for (size_t i = 0; i < count; i++)
        text_add(text, "%s%.9g", i == 0 ? "" : ",", numbers[i]);
    text_add(text, "],");
}

static struct status outcome_write(struct arena *arena, const struct outcome *outcome,
                                   const struct train_options *options, size_t count)
{
    struct text_builder text = {.arena = arena};
    text_add(&text, "{\"runs\":%zu,\"seed\":%" PRId64 ",", count, options->seed);
    numbers_add(&text, "best_errors", outcome->best, count);
    numbers_add(&text, "last_errors", outcome->last, count);
    text_add(&text,
             "\"best\":%.9g,\"best_mean\":%.9g,\"best_std\":%.9g,\"last_mean\":%.9g,"
             "\"last_std\":%.9g}\n",
             outcome->least, outcome->best_mean, outcome->best_deviation, outcome->last_mean,
             outcome->last_deviation);
    return file_write(arena_format(arena, "%s/repeat.json", options->out), text_result(&text),
                      text.length);
}

/* Tells how the runs ended; without a whole epoch there is nothing to tell. */
static struct status outcome_tell(struct arena *arena, const struct rnet_program *program,
                                  const struct train_options *options,
                                  const struct report_run *runs, size_t count)
{
    struct outcome outcome = outcome_of(arena, runs, count);
    if (!isfinite(outcome.best_mean))
        return status_ok();
    printf("top-1 error of %zu runs in %%: best %.2f; %.2f ± %.2f at their best, %.2f ± %.2f at "
           "the end\n",
           count, outcome.least, outcome.best_mean, outcome.best_deviation, outcome.last_mean,
           outcome.last_deviation);
    RETURN_IF_ERROR(outcome_write(arena, &outcome, options, count));
    const struct report_page page = {
        .title = program->network,
        .subtitle = arena_format(arena, "%zu seeds on %s", count, options->data),
        .differ_in_seed = true,
    };
    return report_compare_write(arena_format(arena, "%s/report.html", options->out), &page, runs,
                                count);
}

struct status train_repeatedly(const struct rnet_program *program,
                               const struct train_options *options, int64_t count)
{
    struct arena arena = {0};
    struct network_cost cost = network_cost(program);
    struct report_run *runs = ARENA_ARRAY(&arena, struct report_run, count);
    struct status status = status_ok();
    for (int64_t i = 0; i < count && status_is_ok(&status); i++) {
        struct train_options one = *options;
        struct history *history = ARENA_NEW(&arena, struct history);
        const struct history **seeds = ARENA_NEW(&arena, const struct history *);
        history->arena = &arena;
        seeds[0] = history;
        one.seed = options->seed + i;
        one.out = run_seed_directory(&arena, options->out, one.seed);
        fprintf(stderr, "run %" PRId64 " of %" PRId64 ": seed %" PRId64 "\n", i + 1, count,
                one.seed);
        status = train_once(program, &one, history);
        runs[i] = (struct report_run){
            .name = arena_format(&arena, "seed %" PRId64, one.seed),
            .seeds = seeds,
            .seed_count = 1,
            .parameters = cost.parameters,
            .gflops = cost.gflops,
        };
    }
    if (status_is_ok(&status))
        status = outcome_tell(&arena, program, options, runs, (size_t)count);
    arena_release(&arena);
    return status;
}
