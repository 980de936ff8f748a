/* Confusion and the worst mistakes as HTML. See report_mistakes.h. */
#include "runtime/report_mistakes.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>

enum { MATRIX_CLASSES = 30, PAIRS = 15, THUMBNAIL = 96 };

struct pair {
    int64_t count, label, predicted;
};

static const char *class_text(struct page *page, const struct data_set *data, int64_t class)
{
    if (data->class_names != NULL && class < data->class_count)
        return page_escaped(page->arena, data->class_names[class]);
    return arena_format(page->arena, "class %" PRId64, class);
}

static int64_t row_sum(const struct mistakes *mistakes, int64_t label)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < mistakes->classes; i++)
        sum += mistakes->confusion[label * mistakes->classes + i];
    return sum;
}

static void cell_add(struct page *page, int64_t count, int64_t of, bool right)
{
    double share = of > 0 ? (double)count / (double)of : 0;
    text_add(&page->html,
             "<td style=\"background:color-mix(in srgb,var(--%s) %.0f%%,var(--card))\">",
             right ? "train" : "validation", 100 * sqrt(share) * 0.85);
    if (count > 0)
        text_add(&page->html, "%" PRId64, count);
    text_add(&page->html, "</td>");
}

static void matrix_add(struct page *page, const struct mistakes *mistakes,
                       const struct data_set *data)
{
    int64_t classes = mistakes->classes;
    text_add(&page->html, "<h2>Confusion: what is (rows) and what was predicted (columns)</h2>\n"
                          "<div class=\"panel\"><table class=\"matrix\"><tr><th></th>");
    for (int64_t class = 0; class < classes; class++)
        text_add(&page->html, "<th>%s</th>", class_text(page, data, class));
    text_add(&page->html, "</tr>\n");
    for (int64_t label = 0; label < classes; label++) {
        int64_t sum = row_sum(mistakes, label);
        text_add(&page->html, "<tr><th>%s</th>", class_text(page, data, label));
        for (int64_t class = 0; class < classes; class++)
            cell_add(page, mistakes->confusion[label * classes + class], sum, label == class);
        text_add(&page->html, "</tr>\n");
    }
    text_add(&page->html, "</table></div>\n");
}

/* Puts the pair at its place among the most frequent ones. */
static void pair_insert(struct pair pairs[PAIRS], struct pair pair)
{
    for (int place = 0; place < PAIRS; place++) {
        if (pair.count <= pairs[place].count)
            continue;
        struct pair moved = pairs[place];
        pairs[place] = pair;
        pair = moved;
    }
}

static void pairs_add(struct page *page, const struct mistakes *mistakes,
                      const struct data_set *data)
{
    struct pair pairs[PAIRS] = {0};
    int64_t classes = mistakes->classes;
    for (int64_t i = 0; i < classes * classes; i++)
        if (i / classes != i % classes && mistakes->confusion[i] > pairs[PAIRS - 1].count)
            pair_insert(pairs, (struct pair){mistakes->confusion[i], i / classes, i % classes});
    text_add(&page->html, "<h2>Most often confused</h2>\n<div class=\"panel\"><table><tr>"
                          "<th>is</th><th>predicted</th><th>images</th><th>of</th></tr>\n");
    for (int i = 0; i < PAIRS && pairs[i].count > 0; i++)
        text_add(&page->html,
                 "<tr><td>%s</td><td>%s</td><td>%" PRId64 "</td><td>%" PRId64 "</td></tr>\n",
                 class_text(page, data, pairs[i].label), class_text(page, data, pairs[i].predicted),
                 pairs[i].count, row_sum(mistakes, pairs[i].label));
    text_add(&page->html, "</table></div>\n");
}

/* Floats as bytes, between the least and the greatest of the image. */
static const uint8_t *floats_spread(struct arena *arena, const float *values, int64_t count)
{
    uint8_t *bytes = ARENA_ARRAY(arena, uint8_t, count);
    float least = INFINITY, most = -INFINITY;
    for (int64_t i = 0; i < count; i++) {
        least = fminf(least, values[i]);
        most = fmaxf(most, values[i]);
    }
    for (int64_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(most > least ? 255 * (values[i] - least) / (most - least) : 0);
    return bytes;
}

static void thumbnail_add(struct page *page, const struct data_set *data, int64_t image)
{
    static const struct rnet_transform transforms[] = {
        {.name = "resize", .arguments = {THUMBNAIL}, .argument_count = 1},
        {.name = "center_crop", .arguments = {THUMBNAIL}, .argument_count = 1},
    };
    uint8_t pixels[THUMBNAIL * THUMBNAIL * IMAGE_COLOURS];
    const struct data_part *part = &data->parts[DATA_VALIDATION];
    int64_t height = data->size[1], width = data->size[2], plane = height * width;
    bool small = height > 0 && height <= THUMBNAIL && width <= THUMBNAIL;
    struct picture_recipe recipe = {{transforms, 2}, THUMBNAIL, THUMBNAIL};
    struct random_source random = {0};
    struct status status;
    if (small)
        recipe = (struct picture_recipe){{NULL, 0}, height, width};
    if (part->paths != NULL) {
        status = picture_read(&recipe, part->paths[image], &random, pixels);
    } else {
        int64_t count = data->channels * data->size[0] * plane;
        if (data->channels != IMAGE_COLOURS || data->size[0] != 1)
            return;
        const uint8_t *planes =
            part->bytes != NULL
                ? part->bytes + image * count
                : floats_spread(page->arena, part->floats + image * count, count);
        status = picture_convert(&recipe, planes, height, width, &random, pixels);
    }
    if (status_is_ok(&status))
        page_image(page, pixels, recipe.height, recipe.width);
}

static void worst_add(struct page *page, const struct mistakes *mistakes,
                      const struct data_set *data)
{
    if (mistakes->count == 0)
        return;
    text_add(&page->html, "<h2>Worst mistakes</h2>\n<div class=\"worst\">\n");
    for (int64_t i = 0; i < mistakes->count; i++) {
        const struct mistake *mistake = &mistakes->worst[i];
        text_add(&page->html, "<div>");
        thumbnail_add(page, data, mistake->image);
        text_add(&page->html,
                 "<b>%s</b><br><span>taken for</span> %s<br><span>with %.1f %%, loss %.2f</span>"
                 "</div>\n",
                 class_text(page, data, mistake->label),
                 class_text(page, data, mistake->predicted), 100 * mistake->confidence,
                 mistake->loss);
    }
    text_add(&page->html, "</div>\n");
}

void report_mistakes_add(struct page *page, const struct mistakes *mistakes,
                         const struct data_set *data)
{
    if (mistakes->images == 0)
        return;
    if (mistakes->classes <= MATRIX_CLASSES)
        matrix_add(page, mistakes, data);
    else
        pairs_add(page, mistakes, data);
    worst_add(page, mistakes, data);
}
