/* Reading stages and blocks off the dotted names of layers. */
#include "compiler/stage_path.h"

#include <string.h>

static bool is_number(const char *text, size_t length)
{
    return length > 0 && strspn(text, "0123456789") >= length;
}

bool stage_path_read(const char *path, struct stage_path *out)
{
    const char *part = path;
    bool found = false;

    for (const char *dot = strchr(part, '.'); dot; part = dot + 1, dot = strchr(part, '.')) {
        if (is_number(part, (size_t)(dot - part))) {
            out->stage = part > path ? (size_t)(part - path) - 1 : 0;
            out->block = (size_t)(dot - path);
            found = true;
        } else if (found) {
            break;
        }
    }
    return found;
}

size_t scope_length(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot ? (size_t)(dot - path) : 0;
}
