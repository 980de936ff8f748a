/* The commands of rnet: one file each. Each returns the process's exit status. */
#ifndef DRIVER_COMMANDS_H
#define DRIVER_COMMANDS_H

#include "driver/options.h"

int command_build(struct arena *arena, const struct options *options, char **argv);
int command_check(struct arena *arena, const struct options *options, char **argv);
int command_run(struct arena *arena, const struct options *options, char **argv);

/* Prints a failure to standard error; returns its exit status. */
int report_failure(const struct status *status);

#endif
