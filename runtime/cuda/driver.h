/* NVIDIA's driver library, opened at run time: an executable for CUDA starts without it, and says
 * what is missing. */
#ifndef RUNTIME_CUDA_DRIVER_H
#define RUNTIME_CUDA_DRIVER_H

#include "base/status.h"
#include "runtime/cuda/driver_api.h"

/* Zero it, then open it. */
struct driver {
    void *library;
    int version; /* of CUDA that it supports: 12040 is 12.4 */
#define DRIVER_FUNCTION(name, symbol, parameters) unsigned int(*name) parameters;
#include "runtime/cuda/driver_functions.def"
#undef DRIVER_FUNCTION
};

/* Opens libcuda.so.1, finds all functions and initializes it. Says so where the library is missing,
 * too old, or finds no GPU. Close it also after a failure. */
struct status driver_open(struct driver *driver);

void driver_close(struct driver *driver);

/* OK for DRIVER_SUCCESS; else an error "cannot WHAT: NAME (text)", the format and what follows
 * giving WHAT. */
struct status driver_status(const struct driver *driver, unsigned int result, const char *format,
                            ...) __attribute__((format(printf, 3, 4)));

/* A symbol of an opened library; missing ones are an error that names the library. */
struct status library_symbol(void *library, const char *file, const char *symbol, void *out);

#endif
