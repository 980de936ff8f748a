/* rnet diff: what two networks, or one with two settings, have in common and what not. */
#include "compiler/diff.h"

#include "base/text.h"
#include "driver/commands.h"
#include "driver/measure.h"

/* The options of one side: its own settings behind the common ones, so that they count. */
static struct options side_options(struct arena *arena, const struct options *options,
                                   bool is_second)
{
    struct options side = *options;
    const struct definition *own = is_second ? options->only_b.items : options->only_a.items;
    const size_t count = is_second ? options->only_b.count : options->only_a.count;

    side.definitions.items = NULL;
    side.definitions.count = side.definitions.capacity = 0;
    for (size_t i = 0; i < options->definitions.count; i++)
        vector_push(&side.definitions, arena, options->definitions.items[i]);
    for (size_t i = 0; i < count; i++)
        vector_push(&side.definitions, arena, own[i]);
    if (is_second && options->second)
        side.file = options->second;
    if (is_second && options->network_b)
        side.network = options->network_b;
    return side;
}

/* "small.rnet -D depth=20". */
static const char *side_name(struct arena *arena, const struct options *side)
{
    struct text_builder text = {.arena = arena};

    text_add(&text, "%s", side->file);
    if (side->network)
        text_add(&text, " --network %s", side->network);
    for (size_t i = 0; i < side->definitions.count; i++)
        text_add(&text, " -D %s=%s", side->definitions.items[i].name,
                 side->definitions.items[i].value);
    return text_result(&text);
}

int command_diff(struct arena *arena, const struct options *options, char **argv)
{
    const struct options a = side_options(arena, options, false);
    const struct options b = side_options(arena, options, true);
    struct front front_a, front_b;
    struct report *report_a, *report_b;
    struct status status = measure_network(arena, &a, &front_a, &report_a);
    const struct diff *diff;

    (void)argv;
    if (status_is_ok(&status))
        status = measure_network(arena, &b, &front_b, &report_b);
    if (!status_is_ok(&status))
        return report_failure(&status);
    if (!report_a || !report_b)
        return 1;
    diff = diff_networks(report_a, report_b, arena);
    if (options->json)
        printf("%s\n", diff_json(diff, side_name(arena, &a), side_name(arena, &b), arena));
    else
        diff_print(diff, side_name(arena, &a), side_name(arena, &b), stdout);
    return 0;
}
