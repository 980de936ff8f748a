/* The commands of an executable, one file each. argv[0] is the program, argv[1] the command. */
#ifndef RUNTIME_COMMANDS_H
#define RUNTIME_COMMANDS_H

#include "base/status.h"
#include "runtime/program.h"

struct status command_train(const struct rnet_program *program, int argc, char **argv);
struct status command_eval(const struct rnet_program *program, int argc, char **argv);
struct status command_predict(const struct rnet_program *program, int argc, char **argv);
struct status command_forward(const struct rnet_program *program, int argc, char **argv);
struct status command_info(const struct rnet_program *program, int argc, char **argv);
struct status command_bench(const struct rnet_program *program, int argc, char **argv);

#endif
