/* A program that runs while rnet watches it.
 *
 * It stands in a process group of its own, so that Ctrl-C reaches rnet alone, which asks it to end
 * once (with SIGTERM); and it is killed when rnet dies. */
#ifndef DRIVER_CHILD_H
#define DRIVER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/status.h"

struct child {
    pid_t process;
    const char *path, *log;
    off_t log_begin; /* where in the log what this process says begins */
    bool is_asked;   /* to end */
};

/* Runs arguments[0]; standard output and error are appended to the file `log`. */
struct status child_start(struct child *child, char *const *arguments, const char *log);

/* Waits a moment; whether the program has ended, and how: its exit status, or minus the number of
 * the signal that killed it. Passes on that rnet was asked to stop. */
bool child_wait(struct child *child, int *out_status);

/* The last line that the program wrote, without its own name; "" if it wrote none. */
const char *child_last_words(struct arena *arena, const struct child *child);

#endif
