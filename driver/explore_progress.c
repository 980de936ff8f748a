/* Lines about the run under way. See explore_progress.h.
 *
 * Work is counted in multiply-adds: variants of one network differ in size, and the pace of those
 * that are done says how long the others take. */
#include "driver/explore_progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "runtime/clock.h"
#include "runtime/progress.h"

static const double terminal_interval = 0.2, line_interval = 15;

struct explore_progress explore_progress_start(size_t count, double work)
{
    const double now = clock_seconds();

    return (struct explore_progress){
        .terminal = isatty(STDERR_FILENO) == 1,
        .count = count,
        .work_left = work,
        .started = now,
        .shown = now,
    };
}

void explore_progress_run(struct explore_progress *progress, size_t number, const char *name,
                          double work)
{
    progress->number = number;
    progress->name = name;
    progress->run_work = work;
    progress->first_share = -1;
    progress->share = 0;
    progress->run_started = progress->shown = clock_seconds();
}

/* Work that this process has done, in the run under way too. */
static double work_done(const struct explore_progress *progress)
{
    const double now = progress->share - progress->first_share;

    return progress->work_done + (progress->first_share >= 0 ? now * progress->run_work : 0);
}

static void clear_line(const struct explore_progress *progress)
{
    if (progress->terminal)
        fputs("\r\033[K", stderr);
}

static int terminal_width(void)
{
    struct winsize size;
    enum { USUAL_WIDTH = 80 };

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1
                                                                           : USUAL_WIDTH;
}

/* How long it will take, for the run and for all; empty while nothing is known of the pace. */
static void time_left(const struct explore_progress *progress, char text[96])
{
    char run[32], all[32];
    const double done = work_done(progress);
    const double pace = (clock_seconds() - progress->started) / done;
    const double left = (1 - progress->share) * progress->run_work;

    text[0] = '\0';
    if (done <= 0)
        return;
    snprintf(text, 96, "  %s left, %s in all", progress_duration(run, left * pace),
             progress_duration(all, (progress->work_left - progress->share * progress->run_work) *
                                        pace));
}

void explore_progress_left(const struct explore_progress *progress, char text[64])
{
    char all[32];
    const double pace = (clock_seconds() - progress->started) / progress->work_done;

    text[0] = '\0';
    if (progress->work_done > 0 && progress->work_left > 0)
        snprintf(text, 64, "; about %s left", progress_duration(all, progress->work_left * pace));
}

static void print_position(const struct explore_progress *progress, const struct run_record *facts,
                           const struct run_position *position)
{
    char line[512], left[96];

    time_left(progress, left);
    snprintf(line, sizeof line,
             "%zu/%zu %s  epoch %" PRId64 "/%" PRId64 ", %.0f %%  loss %.3f  %.0f images/s%s",
             progress->number, progress->count, progress->name, position->epoch + 1, facts->epochs,
             100 * progress->share, position->loss, position->images_per_second, left);
    clear_line(progress);
    if (progress->terminal)
        fprintf(stderr, "%.*s", terminal_width(), line);
    else
        fprintf(stderr, "%s\n", line);
    fflush(stderr);
}

void explore_progress_show(struct explore_progress *progress, const struct run_record *facts,
                           const struct run_position *position)
{
    const double now = clock_seconds();
    const double steps = (double)facts->epochs * (double)facts->steps_per_epoch;

    if (steps <= 0 || position->step == 0)
        return;
    progress->share = (double)position->step / steps;
    if (progress->first_share < 0)
        progress->first_share = progress->share;
    if (now - progress->shown < (progress->terminal ? terminal_interval : line_interval))
        return;
    progress->shown = now;
    print_position(progress, facts, position);
}

void explore_progress_say(const struct explore_progress *progress, const char *format, ...)
{
    va_list arguments;

    clear_line(progress);
    fprintf(stderr, "%zu/%zu %s: ", progress->number, progress->count, progress->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\n", stderr);
}

void explore_progress_end(struct explore_progress *progress, bool was_trained)
{
    progress->share = 1;
    if (was_trained)
        progress->work_done = work_done(progress);
    progress->work_left -= progress->run_work;
    progress->first_share = -1;
}
