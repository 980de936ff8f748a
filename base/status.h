/* What may fail because of the world: files, memory limits, devices. Mistakes in a user's source
 * are diagnostics (lang/diagnostic.h), mistakes of ours are assertions. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdbool.h>

enum status_code {
    STATUS_OK = 0,
    STATUS_INVALID,   /* the input is malformed or does not fit */
    STATUS_IO,        /* the operating system said no */
    STATUS_MEMORY,    /* not enough memory */
    STATUS_USAGE,     /* a wrong command line */
    STATUS_DIVERGED,  /* a loss that is not finite */
    STATUS_STOPPED,   /* a signal asked for the end */
};

struct status {
    enum status_code code;
    char message[500]; /* a whole sentence for the user, with path and reason; empty when OK */
};

static inline struct status status_ok(void)
{
    return (struct status){STATUS_OK, ""};
}

static inline bool status_is_ok(const struct status *status)
{
    return status->code == STATUS_OK;
}

/* Makes a status with a message as printf makes it; too long a message is cut. */
struct status status_error(enum status_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Exit statuses beyond 0 and 1: wrong usage, a loss that is not finite, stopped by a signal. */
enum { EXIT_USAGE = 2, EXIT_DIVERGED = 70, EXIT_STOPPED = 75 };

/* The exit status of a program that ends with a status of this code. */
int status_exit_code(const struct status *status);

#define RETURN_IF_ERROR(expression)                                                                \
    do {                                                                                           \
        struct status status_of_call = (expression);                                               \
        if (!status_is_ok(&status_of_call))                                                        \
            return status_of_call;                                                                 \
    } while (0)

#endif
