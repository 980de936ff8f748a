/* Opening libcuda.so.1, and its results as messages. See driver.h. */
#include "runtime/cuda/driver.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char file[] = "libcuda.so.1";

enum { OLDEST_VERSION = 12000, MAJOR = 1000, MINOR = 10, WHAT_BYTES = 300 };

struct status library_symbol(void *library, const char *name, const char *symbol, void *out)
{
    void *address = dlsym(library, symbol);
    if (address == NULL)
        return status_error(STATUS_INVALID, "%s has no function %s: it is too old for this program",
                            name, symbol);
    memcpy(out, &address, sizeof address);
    return status_ok();
}

static struct status functions_find(struct driver *driver)
{
#define DRIVER_FUNCTION(name, symbol, parameters)                                                  \
    RETURN_IF_ERROR(library_symbol(driver->library, file, #symbol, &driver->name));
#include "runtime/cuda/driver_functions.def"
#undef DRIVER_FUNCTION
    return status_ok();
}

static struct status version_check(struct driver *driver)
{
    RETURN_IF_ERROR(driver_status(driver, driver->driver_version(&driver->version),
                                  "ask the NVIDIA driver for its version"));
    if (driver->version >= OLDEST_VERSION)
        return status_ok();
    return status_error(STATUS_INVALID,
                        "the NVIDIA driver is too old: it supports CUDA %d.%d, and at least %d.%d "
                        "is needed",
                        driver->version / MAJOR, driver->version % MAJOR / MINOR,
                        OLDEST_VERSION / MAJOR, OLDEST_VERSION % MAJOR / MINOR);
}

static struct status initialize(struct driver *driver)
{
    unsigned int result = driver->init(0);
    if (result == DRIVER_NO_DEVICE)
        return status_error(
            STATUS_INVALID,
            "no NVIDIA GPU was found; a network built with --target cpu needs none");
    if (result == DRIVER_SYSTEM_DRIVER_MISMATCH)
        return status_error(STATUS_INVALID,
                            "%s and the kernel's NVIDIA driver are of different "
                            "versions: install the same one, or restart",
                            file);
    return driver_status(driver, result, "initialize the NVIDIA driver");
}

struct status driver_open(struct driver *driver)
{
    driver->library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (driver->library == NULL)
        return status_error(STATUS_INVALID,
                            "no NVIDIA driver was found (%s); a network built with --target cpu "
                            "needs none",
                            dlerror());
    RETURN_IF_ERROR(functions_find(driver));
    RETURN_IF_ERROR(version_check(driver));
    return initialize(driver);
}

void driver_close(struct driver *driver)
{
    if (driver->library != NULL)
        dlclose(driver->library);
    *driver = (struct driver){0};
}

struct status driver_status(const struct driver *driver, unsigned int result, const char *format,
                            ...)
{
    char what[WHAT_BYTES];
    const char *name = NULL, *text = NULL;
    if (result == DRIVER_SUCCESS)
        return status_ok();
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    driver->error_name(result, &name);
    driver->error_text(result, &text);
    enum status_code code = result == DRIVER_OUT_OF_MEMORY ? STATUS_MEMORY : STATUS_IO;
    return status_error(code, "cannot %s: %s (%s)", what, name != NULL ? name : "unknown error",
                        text != NULL ? text : "no description");
}
