/* Checking all variants before any is trained. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "driver/build.h"
#include "driver/commands.h"
#include "driver/exploration.h"

/* The check while it goes through the variants. */
struct check {
    struct exploration *exploration;
    struct table printed; /* texts of diagnostics */
    size_t failures;
};

/* Prints the diagnostics of a variant, unless those of an earlier one were the same. */
static void print_once(struct check *check, const struct variant *variant,
                       const struct front *front)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    if (!stream)
        return;
    front_print(front, stream, front_is_coloured());
    fclose(stream);
    if (size > 0 && !table_find(&check->printed, text, size)) {
        table_set(&check->printed, text, size, 1);
        fprintf(stderr, "%s:\n%s", variant->name, text);
    }
    free(text);
}

static struct status check_variant(struct check *check, struct variant *variant)
{
    struct arena arena = {0};
    struct exploration *exploration = check->exploration;
    const struct options options = exploration_options(exploration, variant);
    struct front front;
    struct status status = status_ok();

    if (front_examine(&arena, &options, &front)) {
        struct build_identity identity;

        status = build_identify(&arena, &options, &front, &identity);
        if (status_is_ok(&status)) {
            variant->identity = identity.hash;
            variant->macs = identity.macs;
            exploration->network = arena_format(exploration->arena, "%s", identity.network);
        }
    } else {
        check->failures++;
    }
    print_once(check, variant, &front);
    arena_release(&arena);
    return status;
}

int exploration_check(struct exploration *exploration)
{
    struct check check = {exploration, {.arena = exploration->arena}, 0};
    const size_t count = exploration->varied.variant_count;

    for (size_t i = 0; i < count; i++) {
        const struct status status = check_variant(&check, &exploration->variants[i]);

        if (!status_is_ok(&status))
            return report_failure(&status);
    }
    if (check.failures == 0)
        return 0;
    fprintf(stderr, "rnet: %zu of %zu variants can't be built; nothing was trained\n",
            check.failures, count);
    return 1;
}
