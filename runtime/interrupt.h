/* SIGINT and SIGTERM ask a training to end after its step; SIGBUS tells of a lost file. */
#ifndef RUNTIME_INTERRUPT_H
#define RUNTIME_INTERRUPT_H

#include <stdbool.h>

/* From here on the first signal is remembered, and a second one ends the process at once. */
void interrupt_install(void);

bool interrupt_requested(void);

/* From here on, a mapped file that is cut short while it is in use ends the process with a message
 * and exit status 1. */
void interrupt_guard_files(void);

#endif
