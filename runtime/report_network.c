/* Reading the network's report, and drawing its stages. See report_network.h. */
#include "runtime/report_network.h"

#include <string.h>

#include "runtime/json.h"

static const struct json *report_parse(struct arena *arena, const struct rnet_program *program)
{
    return json_parse(arena, program->report_json, strlen(program->report_json));
}

static double member(const struct json *object, const char *name)
{
    return json_number(json_member(object, name));
}

struct network_cost network_cost(const struct rnet_program *program)
{
    struct arena arena = {0};
    const struct json *report = report_parse(&arena, program);
    struct network_cost cost = {member(report, "parameters"), member(report, "macs"),
                                member(report, "gflops")};
    arena_release(&arena);
    return cost;
}

/* "64 x 32 x 32" */
static const char *extents_text(struct arena *arena, const struct json *extents)
{
    struct text_builder text = {.arena = arena};
    for (size_t i = 0; json_is(extents, JSON_ARRAY) && i < extents->count; i++)
        text_add(&text, "%s%.0f", i == 0 ? "" : " × ", json_number(&extents->items[i]));
    return text_result(&text);
}

static void bar_add(struct page *page, double share, const char *text)
{
    text_add(&page->html,
             "<td>%s <span class=\"track\"><span class=\"bar\" style=\"width:%.0f%%\"></span>"
             "</span></td>",
             text, 1 + 99 * share);
}

static double share_of(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void stage_add(struct page *page, const struct json *stage, double parameters, double macs)
{
    struct arena *arena = page->arena;
    const struct json *name = json_member(stage, "name");
    text_add(&page->html, "<tr><td>%s</td><td>%.0f</td><td>%.0f</td><td>%s</td>",
             page_escaped(arena, json_is(name, JSON_TEXT) ? name->text : ""),
             member(stage, "blocks"), member(stage, "layers"),
             extents_text(arena, json_member(stage, "output")));
    bar_add(page, share_of(member(stage, "parameters"), parameters),
            arena_format(arena, "%.2f M", member(stage, "parameters") / 1e6));
    bar_add(page, share_of(member(stage, "macs"), macs),
            arena_format(arena, "%.1f M", member(stage, "macs") / 1e6));
    text_add(&page->html, "</tr>\n");
}

void report_network_add(struct page *page, const struct rnet_program *program)
{
    const struct json *report = report_parse(page->arena, program);
    const struct json *stages = json_member(report, "stages");
    double parameters = member(report, "parameters"), macs = member(report, "macs");
    text_add(&page->html,
             "<h2>Network: %.3f M parameters, %.3f G multiply-adds an image</h2>\n"
             "<div class=\"panel\"><table><tr><th>stage</th><th>blocks</th><th>layers</th>"
             "<th>output</th><th>parameters</th><th>multiply-adds</th></tr>\n"
             "<tr><td>input</td><td></td><td></td><td>%s</td><td></td><td></td></tr>\n",
             parameters / 1e6, macs / 1e9,
             extents_text(page->arena, json_member(report, "input")));
    for (size_t i = 0; json_is(stages, JSON_ARRAY) && i < stages->count; i++)
        stage_add(page, &stages->items[i], parameters, macs);
    text_add(&page->html, "</table></div>\n");
}
