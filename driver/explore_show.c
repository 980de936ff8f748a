/* The comparison of an exploration's runs, as far as they are. */
#include <inttypes.h>
#include <unistd.h>

#include "base/text.h"
#include "driver/comparison.h"
#include "driver/exploration.h"

static struct status add_seeds(const struct exploration *exploration, struct comparison *comparison,
                               const struct variant *variant, struct compared_run *run)
{
    for (int64_t i = 0; i < exploration->seeds; i++) {
        const char *directory = exploration_run(exploration, variant, i);

        if (access(exploration_diverged_mark(exploration, variant, i), F_OK) == 0)
            run->note = "diverged";
        if (run_is_there(directory))
            RETURN_IF_ERROR(comparison_read_seed(comparison, run, directory));
    }
    if ((int64_t)run->seeds.count < exploration->seeds && !run->note)
        run->note = "not finished";
    return status_ok();
}

static struct status add_variant(const struct exploration *exploration,
                                 struct comparison *comparison, const struct variant *variant)
{
    struct arena *arena = exploration->arena;
    struct compared_run run = {
        .name = variant->name,
        .directory = arena_format(arena, "%s/%s", exploration->out, variant->folder),
    };

    RETURN_IF_ERROR(add_seeds(exploration, comparison, variant, &run));
    if (run.seeds.count == 0)
        return status_ok();
    for (size_t i = 0; i < exploration->varied.items.count; i++)
        vector_push(&run.settings, arena, variant->settings[i]);
    vector_push(&comparison->runs, arena, run);
    return status_ok();
}

/* Such as "stages × project on cifar10:DIR, 12 epochs each". */
static const char *subtitle(const struct exploration *exploration,
                            const struct comparison *comparison)
{
    struct text_builder text = {.arena = exploration->arena};
    const struct varied_parameters *varied = &exploration->varied;

    for (size_t i = 0; i < varied->items.count; i++)
        text_add(&text, "%s%s", i == 0 ? "" : " × ", varied->items.items[i].name);
    text_add(&text, ": %zu variants on %s, %" PRId64 " epochs each", varied->variant_count,
             exploration->options->data, comparison->runs.items[0].seeds.items[0].epochs);
    if (comparison->runs.count < varied->variant_count)
        text_add(&text, "; %zu are still to come", varied->variant_count - comparison->runs.count);
    return text_result(&text);
}

static struct status show(const struct exploration *exploration, FILE *stream)
{
    struct comparison comparison = {.arena = exploration->arena, .title = exploration->network};
    const char *page = arena_format(exploration->arena, "%s/report.html", exploration->out);

    for (size_t i = 0; i < exploration->varied.variant_count; i++)
        RETURN_IF_ERROR(add_variant(exploration, &comparison, &exploration->variants[i]));
    if (comparison.runs.count == 0)
        return status_ok();
    comparison.subtitle = subtitle(exploration, &comparison);
    comparison_find_facts(&comparison);
    RETURN_IF_ERROR(comparison_write_page(&comparison, page));
    if (stream && exploration->options->json) {
        comparison_print_json(&comparison, stream);
    } else if (stream) {
        comparison_print(&comparison, stream);
        fprintf(stream, "\ncurves in %s\n", page);
    }
    return status_ok();
}

/* Histories may be long: they are given back at once. */
struct status exploration_show(const struct exploration *exploration, FILE *stream)
{
    struct arena arena = {0};
    struct exploration scratch = *exploration;

    scratch.arena = &arena;
    const struct status status = show(&scratch, stream);
    arena_release(&arena);
    return status;
}
