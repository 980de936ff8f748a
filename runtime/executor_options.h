/* The options of a command that say where and how to compute: rows of its table of options. */
#ifndef RUNTIME_EXECUTOR_OPTIONS_H
#define RUNTIME_EXECUTOR_OPTIONS_H

#include "runtime/execute.h"
#include "runtime/options.h"

/* `options` is a struct executor_options. */
#define EXECUTOR_OPTION_ENTRIES(options)                                                           \
    {"threads",                                                                                    \
     OPTION_INTEGER,                                                                               \
     "N",                                                                                          \
     "threads (default: one for each processor)",                                                  \
     .target = &(options).threads,                                                                 \
     .minimum = 1},                                                                                \
        {"device", OPTION_TEXT, "cpu|cuda:N", "which GPU (default: cuda:0 if built for CUDA)",     \
         .target = &(options).device},                                                             \
    {                                                                                              \
        "tune", OPTION_FLAG, NULL, "on a GPU, measure ways to compute convolutions first",         \
            .target = &(options).tune                                                              \
    }

#endif
