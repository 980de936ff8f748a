/* Asking the system about itself. See environment.h. */
#include "runtime/environment.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "runtime/threads.h"

/* The value of the first line of /proc/cpuinfo that names the processor. */
static const char *processor_name(struct arena *arena)
{
    static const char key[] = "model name";
    char line[256];
    const char *name = "processor";
    FILE *stream = fopen("/proc/cpuinfo", "re");
    while (stream != NULL && fgets(line, sizeof line, stream) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, key, sizeof key - 1) != 0 || colon == NULL)
            continue;
        name = arena_format(arena, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (stream != NULL)
        fclose(stream);
    return name;
}

const char *environment_machine(struct arena *arena)
{
    double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE);
    return arena_format(arena, "%s, %d processors, %.0f GiB", processor_name(arena),
                        threads_available(), bytes / 0x1p30);
}

const char *environment_system(struct arena *arena)
{
    struct utsname name;
    if (uname(&name) != 0)
        return "unknown";
    return arena_format(arena, "%s %s %s", name.sysname, name.release, name.machine);
}

const char *environment_time(struct arena *arena)
{
    char text[64] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts) != NULL)
        strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
    return arena_format(arena, "%s", text);
}
