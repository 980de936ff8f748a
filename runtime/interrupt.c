/* The one piece of mutable global state: a signal handler has nowhere else to write. */
#include "runtime/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_BY_SIGNAL = 128 };

static volatile sig_atomic_t signals_seen;

static void signal_note(int number)
{
    if (signals_seen != 0)
        _exit(EXIT_BY_SIGNAL + number);
    signals_seen = 1;
}

void interrupt_install(void)
{
    struct sigaction action = {.sa_handler = signal_note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool interrupt_requested(void)
{
    return signals_seen != 0;
}

static void file_lost(int number)
{
    static const char message[] = "a data file was cut short while it was in use\n";
    (void)number;
    /* Whether the message arrives or not, there is nothing else to do. */
    while (write(STDERR_FILENO, message, sizeof message - 1) < 0 && errno == EINTR)
        continue;
    _exit(EXIT_FAILURE);
}

void interrupt_guard_files(void)
{
    struct sigaction action = {.sa_handler = file_lost};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}
