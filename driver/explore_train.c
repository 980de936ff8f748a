/* Training the variants in turn. See exploration.h.
 *
 * Seeds are the outer loop: after the first round all variants can be compared. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "driver/child.h"
#include "driver/commands.h"
#include "driver/exploration.h"
#include "driver/explore_progress.h"
#include "runtime/clock.h"
#include "runtime/progress.h"
#include "runtime/interrupt.h"
#include "runtime/run_read.h"

/* One training of a variant. */
struct task {
    const struct exploration *exploration;
    const struct variant *variant;
    int64_t seed; /* its number, from 0 */
    const char *directory, *program, *log;
};

static struct task task_of(const struct exploration *exploration, size_t number)
{
    struct arena *arena = exploration->arena;
    const size_t variants = exploration->varied.variant_count;
    const struct variant *variant = &exploration->variants[number % variants];
    const int64_t seed = (int64_t)(number / variants);
    const char *out = exploration->out;

    return (struct task){
        .exploration = exploration,
        .variant = variant,
        .seed = seed,
        .directory = exploration_run(exploration, variant, seed),
        .program = arena_format(arena, "%s%s/programs/%s", strchr(out, '/') ? "" : "./", out,
                                variant->folder),
        .log = arena_format(arena, "%s/logs/%s", out, variant->folder),
    };
}

/* ---- what is done ---- */

static bool is_diverged(const struct task *task)
{
    return access(exploration_diverged_mark(task->exploration, task->variant, task->seed), F_OK) ==
           0;
}

static bool is_finished(const struct task *task)
{
    struct run_record facts;
    const struct status status = run_read_facts(task->exploration->arena, task->directory, &facts);

    return status_is_ok(&status) && facts.finished;
}

/* "best top-1 error 12.34 %, last 13.00 %" */
static const char *outcome_text(const struct task *task)
{
    struct arena arena = {0};
    struct run_record record;
    const struct status status = run_read(&arena, task->directory, &record);
    const struct history *history = &record.history;
    const char *text = "without a whole epoch";

    if (status_is_ok(&status) && history->epochs.count > 0)
        text = arena_format(task->exploration->arena, "best top-1 error %.2f %%, last %.2f %%",
                            100 - history_best(history)->validation_top1,
                            100 - history->epochs.items[history->epochs.count - 1].validation_top1);
    arena_release(&arena);
    return text;
}

/* ---- one run ---- */

static int build_program(const struct task *task, const struct explore_progress *progress)
{
    struct arena arena = {0};
    struct options options = exploration_options(task->exploration, task->variant);

    explore_progress_say(progress, "building");
    options.output = task->program;
    options.silent = true;
    const int result = command_build(&arena, &options, NULL);
    arena_release(&arena);
    return interrupt_requested() ? EXIT_STOPPED : result;
}

/* The command line of the training, in the executable's own options. */
static char **train_arguments(const struct task *task)
{
    struct arena *arena = task->exploration->arena;
    const struct options *options = task->exploration->options;
    struct {
        VECTOR(char *) items;
    } list = {0};
    const char *const fixed[] = {
        task->program, "train",  "--data",
        options->data, "--out",  task->directory,
        "--resume",    "--seed", arena_format(arena, "%" PRId64, options->seed + task->seed)};

    for (size_t i = 0; i < countof(fixed); i++)
        vector_push(&list.items, arena, arena_format(arena, "%s", fixed[i]));
    if (options->epochs > 0)
        vector_push(&list.items, arena, arena_format(arena, "--epochs=%" PRId64, options->epochs));
    if (options->threads > 0)
        vector_push(&list.items, arena,
                    arena_format(arena, "--threads=%" PRId64, options->threads));
    for (char **extra = task->exploration->extra; *extra; extra++)
        vector_push(&list.items, arena, *extra);
    vector_push(&list.items, arena, (char *)NULL);
    return list.items.items;
}

/* Shows how far the run is; its length becomes known once it has begun. */
static void show_run(const struct task *task, struct run_record *facts,
                     struct explore_progress *progress)
{
    struct run_record read;

    if (facts->epochs == 0) {
        const struct status status =
            run_read_facts(task->exploration->arena, task->directory, &read);

        if (status_is_ok(&status))
            *facts = read;
    }
    if (facts->epochs == 0)
        return;
    const struct run_position position = run_position_read(task->directory);
    explore_progress_show(progress, facts, &position);
}

/* What a training that ended otherwise than well comes to: an exit status, said. */
static int run_failed(const struct task *task, const struct child *child, int result,
                      struct explore_progress *progress)
{
    const char *words = child_last_words(task->exploration->arena, child);

    if (result == EXIT_STOPPED || interrupt_requested()) {
        explore_progress_say(progress, "stopped; the same command goes on");
        return EXIT_STOPPED;
    }
    if (result == EXIT_DIVERGED) {
        const struct status status =
            file_write(exploration_diverged_mark(task->exploration, task->variant, task->seed),
                       words, strlen(words));

        explore_progress_end(progress, true);
        explore_progress_say(progress, "%s", words);
        return status_is_ok(&status) ? EXIT_DIVERGED : report_failure(&status);
    }
    if (result < 0)
        explore_progress_say(progress,
                             "its training was killed by signal %d; the same command "
                             "goes on",
                             -result);
    else
        explore_progress_say(progress, "%s", words);
    fprintf(stderr, "rnet: a training failed; all that it said is in %s\n", task->log);
    return result == EXIT_USAGE ? EXIT_USAGE : 1;
}

static int train_run(const struct task *task, struct explore_progress *progress)
{
    struct child child;
    struct run_record facts = {0};
    char duration[32], left[64];
    int result;

    explore_progress_say(progress, "training%s", run_is_there(task->directory) ? ", further" : "");
    const struct status status = child_start(&child, train_arguments(task), task->log);
    if (!status_is_ok(&status))
        return report_failure(&status);
    while (!child_wait(&child, &result))
        show_run(task, &facts, progress);
    if (result != 0)
        return run_failed(task, &child, result, progress);
    progress_duration(duration, clock_seconds() - progress->run_started);
    explore_progress_end(progress, true);
    explore_progress_left(progress, left);
    explore_progress_say(progress, "%s, in %s%s", outcome_text(task), duration, left);
    return 0;
}

static int do_task(const struct task *task, struct explore_progress *progress)
{
    int result = 0;

    if (interrupt_requested())
        return EXIT_STOPPED;
    if (is_diverged(task)) {
        explore_progress_say(progress, "diverged before");
        result = EXIT_DIVERGED;
    } else if (is_finished(task)) {
        explore_progress_say(progress, "finished before, %s", outcome_text(task));
    } else {
        if (access(task->program, X_OK) != 0)
            result = build_program(task, progress);
        return result == 0 ? train_run(task, progress) : result;
    }
    explore_progress_end(progress, false);
    return result;
}

/* ---- all of them ---- */

static double work_of(const struct exploration *exploration)
{
    double work = 0;

    for (size_t i = 0; i < exploration->varied.variant_count; i++)
        work += exploration->variants[i].macs * (double)exploration->seeds;
    return work;
}

static const char *task_name(const struct task *task)
{
    const struct exploration *exploration = task->exploration;

    if (exploration->seeds == 1)
        return task->variant->name;
    return arena_format(exploration->arena, "%s seed %" PRId64, task->variant->name,
                        exploration->options->seed + task->seed);
}

int exploration_train(struct exploration *exploration)
{
    const size_t count = exploration->varied.variant_count * (size_t)exploration->seeds;
    struct explore_progress progress = explore_progress_start(count, work_of(exploration));
    int outcome = 0;

    for (size_t i = 0; i < count; i++) {
        const struct task task = task_of(exploration, i);

        explore_progress_run(&progress, i + 1, task_name(&task), task.variant->macs);
        const int result = do_task(&task, &progress);
        const struct status shown = exploration_show(exploration, NULL);
        if (result != 0 && result != EXIT_DIVERGED)
            return result;
        if (!status_is_ok(&shown))
            return report_failure(&shown);
        outcome = result != 0 ? result : outcome;
    }
    return outcome;
}
