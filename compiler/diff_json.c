/* A comparison as one JSON object. */
#include "base/text.h"
#include "compiler/diff.h"

static void add_side(struct text_builder *text, const char *key, const char *name,
                     const struct report *report)
{
    text_add(text, "\"%s\":{\"name\":", key);
    text_add_json(text, name);
    text_add(text, ",\"layers\":%lld,\"parameters\":%lld,\"macs\":%lld,\"gflops\":",
             (long long)report->total.layers, (long long)report->total.parameters,
             (long long)report->total.macs);
    report_add_billions(text, report->total.work);
    text_add(text, ",\"activation_bytes\":%lld", (long long)report->total.activation_bytes);
    if (report->has_memory)
        text_add(text, ",\"train_memory_bytes\":%llu,\"infer_memory_bytes\":%llu",
                 (unsigned long long)report->train_bytes, (unsigned long long)report->infer_bytes);
    else
        text_add(text, ",\"train_memory_bytes\":null,\"infer_memory_bytes\":null");
    text_add(text, ",\"main_path\":");
    report_add_gates(text, &report->main_path);
    text_add(text, ",\"main_path_total\":");
    report_add_gates(text, &report->main_path_total);
    text_add(text, "}");
}

static void add_difference(struct text_builder *text, const struct difference *difference)
{
    static const char *const kinds[] = {[DIFFERENCE_ONLY_A] = "only_a",
                                        [DIFFERENCE_ONLY_B] = "only_b",
                                        [DIFFERENCE_CHANGED] = "changed"};

    text_add(text, "{\"kind\":\"%s\",\"what\":\"%s\",\"name\":", kinds[difference->kind],
             difference->is_block ? "block" : "layer");
    text_add_json(text, difference->name);
    text_add(text, ",\"place\":");
    text_add_json(text, difference->place);
    text_add(text, ",\"op\":\"%s\",\"detail\":", difference->op);
    text_add_json(text, difference->detail);
    text_add(text, "}");
}

const char *diff_json(const struct diff *diff, const char *name_a, const char *name_b,
                      struct arena *arena)
{
    struct text_builder text = {.arena = arena};

    text_add(&text, "{\"count\":\"%s\",", report_count_name(diff->a->count));
    add_side(&text, "a", name_a, diff->a);
    text_add(&text, ",");
    add_side(&text, "b", name_b, diff->b);
    text_add(&text, ",\"differences\":[");
    for (size_t i = 0; i < diff->items.count; i++) {
        text_add(&text, "%s", i == 0 ? "" : ",");
        add_difference(&text, &diff->items.items[i]);
    }
    text_add(&text, "]}");
    return text_result(&text);
}
