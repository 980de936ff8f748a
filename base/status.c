/* Making a status and mapping it to the exit statuses that the command line promises. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

struct status status_error(enum status_code code, const char *format, ...)
{
    struct status status = {.code = code};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(status.message, sizeof status.message, format, arguments);
    va_end(arguments);
    return status;
}

int status_exit_code(const struct status *status)
{
    switch (status->code) {
    case STATUS_OK: return 0;
    case STATUS_USAGE: return EXIT_USAGE;
    case STATUS_DIVERGED: return EXIT_DIVERGED;
    case STATUS_STOPPED: return EXIT_STOPPED;
    case STATUS_INVALID:
    case STATUS_IO:
    case STATUS_MEMORY: break;
    }
    return 1;
}
