/* SIGINT and SIGTERM ask a training to end after its step. */
#ifndef RUNTIME_INTERRUPT_H
#define RUNTIME_INTERRUPT_H

#include <stdbool.h>

/* From here on the first signal is remembered, and a second one ends the process at once. */
void interrupt_install(void);

bool interrupt_requested(void);

#endif
