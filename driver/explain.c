/* rnet explain: what a diagnostic means; without a code, the list of all. */
#include "lang/explain.h"

#include <string.h>

#include "driver/commands.h"

/* Prints a file indented, without trailing blanks. */
static void print_example(const char *title, const char *text)
{
    printf("\n%s:\n\n", title);
    while (*text) {
        const int length = (int)strcspn(text, "\n");

        printf("%s%.*s\n", length > 0 ? "    " : "", length, text);
        text += length + 1;
    }
}

static void print_explanation(const struct explanation *explanation)
{
    printf("%s: %s\n\n%s", explanation->code, explanation->meaning, explanation->text);
    if (*explanation->wrong == '\0')
        return;
    print_example("Wrong", explanation->wrong);
    print_example("Mended", explanation->mended);
}

/* "; did you mean E0012?", or nothing. */
static const char *suggestion(struct arena *arena, const char *code)
{
    size_t nearest = 2;
    const char *found = NULL;

    for (size_t i = 0; i < DIAGNOSTIC_CODE_COUNT; i++) {
        const char *candidate = explanations()[i].code;
        const size_t distance = text_distance(code, candidate, nearest);
        if (distance > nearest)
            continue;
        found = candidate;
        if (distance == 0)
            break;
        nearest = distance - 1;
    }
    return found ? arena_format(arena, "; did you mean %s?", found) : "";
}

int command_explain(struct arena *arena, const struct options *options, char **argv)
{
    const char *code = options->words.count > 0 ? options->words.items[0] : NULL;

    (void)argv;
    if (!code) {
        for (size_t i = 0; i < DIAGNOSTIC_CODE_COUNT; i++)
            printf("%s  %s\n", explanations()[i].code, explanations()[i].meaning);
        return 0;
    }
    const struct explanation *explanation = explanation_find(code);
    if (!explanation) {
        const struct status status =
            status_error(STATUS_USAGE, "there is no diagnostic %s%s", code,
                         suggestion(arena, code));

        return report_failure(&status);
    }
    print_explanation(explanation);
    return 0;
}
