/* The commands of rnet: one file each. Each returns the process's exit status. */
#ifndef DRIVER_COMMANDS_H
#define DRIVER_COMMANDS_H

#include "driver/options.h"

int command_build(struct arena *arena, const struct options *options, char **argv);
int command_check(struct arena *arena, const struct options *options, char **argv);
int command_compare(struct arena *arena, const struct options *options, char **argv);
int command_diff(struct arena *arena, const struct options *options, char **argv);
int command_explore(struct arena *arena, const struct options *options, char **argv);
int command_graph(struct arena *arena, const struct options *options, char **argv);
int command_report(struct arena *arena, const struct options *options, char **argv);
int command_explain(struct arena *arena, const struct options *options, char **argv);
int command_format(struct arena *arena, const struct options *options, char **argv);
int command_lsp(struct arena *arena, const struct options *options, char **argv);
int command_run(struct arena *arena, const struct options *options, char **argv);

/* Prints a failure to standard error; returns its exit status. */
int report_failure(const struct status *status);

#endif
