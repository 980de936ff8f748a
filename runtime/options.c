/* Parsing `--name VALUE`, `--name=VALUE` and flags against a table. See options.h. */
#include "runtime/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { HELP_COLUMN = 24, SUGGESTION_DISTANCE = 2 };

static void help_line(const struct option_entry *entry)
{
    int width = printf("  --%s%s%s", entry->name, entry->argument ? " " : "",
                       entry->argument ? entry->argument : "");
    printf("%*s%s\n", width < HELP_COLUMN ? HELP_COLUMN - width : 1, "", entry->help);
}

static void help_print(const struct option_set *set, const char *program)
{
    printf("Usage: %s %s", program, set->command);
    for (size_t i = 0; i < set->count; i++)
        if (set->entries[i].required)
            printf(" --%s %s", set->entries[i].name, set->entries[i].argument);
    printf(" [OPTION...]%s%s\n%s\n\n", set->operand ? " " : "", set->operand ? set->operand : "",
           set->summary);
    for (size_t i = 0; i < set->count; i++)
        help_line(&set->entries[i]);
    help_line(&(struct option_entry){.name = "help", .help = "print this"});
}

static const struct option_entry *option_find(const struct option_set *set, const char *name,
                                              size_t length)
{
    for (size_t i = 0; i < set->count; i++)
        if (strlen(set->entries[i].name) == length && !memcmp(set->entries[i].name, name, length))
            return &set->entries[i];
    return NULL;
}

static struct status option_unknown(const struct option_set *set, const char *given)
{
    for (size_t i = 0; given[0] == '-' && given[1] == '-' && i < set->count; i++)
        if (text_distance(given + 2, set->entries[i].name, SUGGESTION_DISTANCE) <=
            SUGGESTION_DISTANCE)
            return status_error(STATUS_USAGE, "%s has no option %s; did you mean --%s?",
                                set->command, given, set->entries[i].name);
    const char *what = given[0] == '-' ? "option" : "argument";
    return status_error(STATUS_USAGE, "%s has no %s %s", set->command, what, given);
}

static struct status integer_read(const struct option_entry *entry, const char *text)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0)
        return status_error(STATUS_USAGE, "--%s takes a whole number, not \"%s\"", entry->name,
                            text);
    if ((double)value < entry->minimum)
        return status_error(STATUS_USAGE, "--%s must be at least %.0f", entry->name,
                            entry->minimum);
    *(int64_t *)entry->target = value;
    return status_ok();
}

static struct status real_read(const struct option_entry *entry, const char *text)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value))
        return status_error(STATUS_USAGE, "--%s takes a number, not \"%s\"", entry->name, text);
    if (value < entry->minimum)
        return status_error(STATUS_USAGE, "--%s must be at least %g", entry->name,
                            entry->minimum);
    *(double *)entry->target = value;
    return status_ok();
}

static struct status value_read(const struct option_entry *entry, const char *text)
{
    if (entry->kind == OPTION_INTEGER)
        return integer_read(entry, text);
    if (entry->kind == OPTION_REAL)
        return real_read(entry, text);
    if (text[0] == '\0')
        return status_error(STATUS_USAGE, "--%s must not be empty", entry->name);
    if (entry->kind == OPTION_LIST) {
        struct text_list *list = entry->target;
        vector_push(&list->texts, list->arena, text);
    } else {
        *(const char **)entry->target = text;
    }
    return status_ok();
}

/* Reads the option at argv[*index] and its value, and moves *index to the last word it used. */
static struct status option_read(const struct option_set *set, int argc, char **argv, int *index)
{
    const char *given = argv[*index];
    const char *equals = strchr(given, '=');
    size_t length = equals ? (size_t)(equals - given) : strlen(given);
    const struct option_entry *entry = NULL;
    if (length > 2 && given[0] == '-' && given[1] == '-')
        entry = option_find(set, given + 2, length - 2);
    if (entry == NULL)
        return option_unknown(set, given);
    if (entry->kind == OPTION_FLAG) {
        if (equals)
            return status_error(STATUS_USAGE, "--%s takes no value", entry->name);
        *(bool *)entry->target = true;
        return status_ok();
    }
    if (equals)
        return value_read(entry, equals + 1);
    if (*index + 1 >= argc)
        return status_error(STATUS_USAGE, "--%s needs a value: --%s %s", entry->name, entry->name,
                            entry->argument);
    return value_read(entry, argv[++*index]);
}

static struct status required_check(const struct option_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct option_entry *entry = &set->entries[i];
        if (entry->required && *(const char **)entry->target == NULL)
            return status_error(STATUS_USAGE, "%s needs --%s %s", set->command, entry->name,
                                entry->argument);
    }
    return status_ok();
}

struct status options_parse(const struct option_set *set, int argc, char **argv, bool *helped)
{
    bool only_operands = false;
    *helped = false;
    for (int i = 2; i < argc; i++) {
        if (set->operands != NULL && (only_operands || argv[i][0] != '-' || argv[i][1] == '\0')) {
            vector_push(&set->operands->texts, set->operands->arena, argv[i]);
            continue;
        }
        if (set->operands != NULL && strcmp(argv[i], "--") == 0) {
            only_operands = true;
            continue;
        }
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            help_print(set, argv[0]);
            *helped = true;
            return status_ok();
        }
        RETURN_IF_ERROR(option_read(set, argc, argv, &i));
    }
    RETURN_IF_ERROR(required_check(set));
    if (set->operands != NULL && set->operands->texts.count == 0)
        return status_error(STATUS_USAGE, "%s needs %s", set->command, set->operand);
    return status_ok();
}
