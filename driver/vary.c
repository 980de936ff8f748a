/* From --vary to variants. See vary.h. */
#include "driver/vary.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"

/* ---- reading ---- */

static const char *trim(struct arena *arena, const char *text, size_t length)
{
    while (length > 0 && isspace((unsigned char)*text))
        text++, length--;
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    return arena_copy_text(arena, text, length);
}

/* How the character changes the depth of brackets. */
static int bracket(char character)
{
    return strchr("([{", character) ? 1 : strchr(")]}", character) ? -1 : 0;
}

/* The length of the value at `text`: up to a comma outside of brackets, or all. */
static size_t value_length(const char *text, int *depth)
{
    size_t length = 0;

    *depth = 0;
    for (; text[length] && (text[length] != ',' || *depth > 0); length++) {
        *depth += bracket(text[length]);
        if (*depth < 0)
            break;
    }
    return length;
}

static struct status add_value(struct arena *arena, struct varied_parameter *parameter,
                               const char *value)
{
    if (*value == '\0')
        return status_error(STATUS_USAGE, "--vary %s: a value is missing", parameter->name);
    for (size_t i = 0; i < parameter->values.count; i++)
        if (strcmp(parameter->values.items[i], value) == 0)
            return status_error(STATUS_USAGE, "--vary %s: %s stands there twice", parameter->name,
                                value);
    vector_push(&parameter->values, arena, value);
    return status_ok();
}

static struct status read_values(struct arena *arena, struct varied_parameter *parameter,
                                 const char *text)
{
    for (;; text++) {
        int depth;
        const size_t length = value_length(text, &depth);

        if (depth != 0)
            return status_error(STATUS_USAGE, "--vary %s: the brackets of %s do not match",
                                parameter->name, text);
        RETURN_IF_ERROR(add_value(arena, parameter, trim(arena, text, length)));
        text += length;
        if (*text == '\0')
            return status_ok();
    }
}

static struct status read_parameter(struct arena *arena, const struct options *options,
                                    const char *text, struct varied_parameters *out)
{
    const char *equals = strchr(text, '=');
    struct varied_parameter parameter = {0};

    if (equals)
        parameter.name = trim(arena, text, (size_t)(equals - text));
    if (!equals || *parameter.name == '\0')
        return status_error(STATUS_USAGE, "--vary %s: expected NAME=A,B,...", text);
    for (size_t i = 0; i < out->items.count; i++)
        if (strcmp(out->items.items[i].name, parameter.name) == 0)
            return status_error(STATUS_USAGE, "--vary %s stands there twice", parameter.name);
    for (size_t i = 0; i < options->definitions.count; i++)
        if (strcmp(options->definitions.items[i].name, parameter.name) == 0)
            return status_error(STATUS_USAGE, "%s is varied, so -D can't set it", parameter.name);
    RETURN_IF_ERROR(read_values(arena, &parameter, equals + 1));
    vector_push(&out->items, arena, parameter);
    return status_ok();
}

struct status vary_read(struct arena *arena, const struct options *options,
                        struct varied_parameters *out)
{
    *out = (struct varied_parameters){.variant_count = 1};
    if (options->varied.count == 0)
        return status_error(STATUS_USAGE, "what varies? say --vary NAME=A,B,...");
    for (size_t i = 0; i < options->varied.count; i++) {
        RETURN_IF_ERROR(read_parameter(arena, options, options->varied.items[i], out));
        out->variant_count *= out->items.items[i].values.count;
        if (out->variant_count > MOST_VARIANTS)
            return status_error(STATUS_USAGE, "--vary makes more than %d variants", MOST_VARIANTS);
    }
    return status_ok();
}

/* ---- variants ---- */

struct report_setting *vary_settings(struct arena *arena, const struct varied_parameters *varied,
                                     size_t number)
{
    const size_t count = varied->items.count;
    struct report_setting *settings = ARENA_ARRAY(arena, struct report_setting, count);

    for (size_t i = count; i-- > 0;) {
        const struct varied_parameter *parameter = &varied->items.items[i];

        settings[i].name = parameter->name;
        settings[i].value = parameter->values.items[number % parameter->values.count];
        number /= parameter->values.count;
    }
    return settings;
}

static const char *joined(struct arena *arena, const struct report_setting *settings, size_t count,
                          const char *separator)
{
    struct text_builder text = {.arena = arena};

    for (size_t i = 0; i < count; i++)
        text_add(&text, "%s%s=%s", i == 0 ? "" : separator, settings[i].name, settings[i].value);
    return text_result(&text);
}

const char *vary_name(struct arena *arena, const struct report_setting *settings, size_t count)
{
    return joined(arena, settings, count, " ");
}

const char *vary_folder(struct arena *arena, const struct report_setting *settings, size_t count)
{
    enum { LONGEST = 120 };
    const char *name = joined(arena, settings, count, "-");
    const char *exact = vary_name(arena, settings, count);
    const size_t length = strlen(name);
    char *folder = arena_copy_text(arena, name, length < LONGEST ? length : LONGEST);

    for (char *at = folder; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("._=-", *at))
            *at = '_';
    if (strcmp(folder, name) == 0 && *folder != '.')
        return folder;
    return arena_format(arena, "v-%s-%08" PRIx32, folder,
                        (uint32_t)hash_bytes(exact, strlen(exact)));
}
