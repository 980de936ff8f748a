/* The transforms, as steps on a view. See augment.h.
 *
 *     resize(s)           the shorter side becomes s
 *     random_resized_crop(s)  8 to 100 % of the area, of shape 3:4 to 4:3, resized to s x s
 *     pad(n)              n black pixels on every side
 *     random_crop(s)      a random s x s window
 *     center_crop(s)      the s x s window in the middle
 *     horizontal_flip     mirrors every other image (an argument replaces the chance of 0.5)
 *
 * Sizes and places are rounded as torchvision rounds them. */
#include "runtime/augment.h"

#include <math.h>
#include <string.h>

enum transform_kind {
    RESIZE,
    RANDOM_RESIZED_CROP,
    PAD,
    RANDOM_CROP,
    CENTER_CROP,
    HORIZONTAL_FLIP,
    TRANSFORM_COUNT
};

enum { CROP_ATTEMPTS = 10 };

static const double least_area = 0.08, narrowest = 3.0 / 4, widest = 4.0 / 3;

static const struct {
    const char *name;
    uint32_t least, most; /* arguments */
} transform_table[TRANSFORM_COUNT] = {
    [RESIZE] = {"resize", 1, 1},
    [RANDOM_RESIZED_CROP] = {"random_resized_crop", 1, 1},
    [PAD] = {"pad", 1, 1},
    [RANDOM_CROP] = {"random_crop", 1, 1},
    [CENTER_CROP] = {"center_crop", 1, 1},
    [HORIZONTAL_FLIP] = {"horizontal_flip", 0, 1},
};

/* Returns TRANSFORM_COUNT for an unknown name. */
static enum transform_kind transform_find(const char *name)
{
    int kind = 0;
    while (kind < TRANSFORM_COUNT && strcmp(transform_table[kind].name, name) != 0)
        kind++;
    return (enum transform_kind)kind;
}

static bool resizes(enum transform_kind kind)
{
    return kind == RESIZE || kind == RANDOM_RESIZED_CROP;
}

bool augmentation_resizes(struct augmentation augmentation)
{
    return augmentation.count > 0 && resizes(transform_find(augmentation.transforms[0].name));
}

static struct view view_resized(struct box part, int64_t height, int64_t width)
{
    return (struct view){
        .height = height,
        .width = width,
        .resized = true,
        .part = part,
        .grid_height = height,
        .grid_width = width,
    };
}

struct view view_stretched(int64_t height, int64_t width, int64_t wanted_height,
                           int64_t wanted_width)
{
    return view_resized((struct box){0, 0, height, width}, wanted_height, wanted_width);
}

static struct view view_shorter_side(const struct view *source, int64_t size)
{
    int64_t height = source->height, width = source->width;
    struct box whole = {0, 0, height, width};
    if (width <= height)
        return view_resized(whole, (int64_t)((double)(size * height) / (double)width), size);
    return view_resized(whole, size, (int64_t)((double)(size * width) / (double)height));
}

/* The largest part in the middle of an allowed shape; for sources of extreme shapes. */
static struct box middle_part(int64_t height, int64_t width)
{
    double ratio = (double)width / (double)height;
    struct box part = {0, 0, height, width};
    if (ratio < narrowest)
        part.height = (int64_t)nearbyint((double)width / narrowest);
    else if (ratio > widest)
        part.width = (int64_t)nearbyint((double)height * widest);
    part.top = (height - part.height) / 2;
    part.left = (width - part.width) / 2;
    return part;
}

static struct box random_part(int64_t height, int64_t width, struct random_source *random)
{
    for (int attempt = 0; attempt < CROP_ATTEMPTS; attempt++) {
        double area = (double)(height * width) * random_between(random, least_area, 1);
        double ratio = exp(random_between(random, log(narrowest), log(widest)));
        struct box part = {
            .height = (int64_t)nearbyint(sqrt(area / ratio)),
            .width = (int64_t)nearbyint(sqrt(area * ratio)),
        };
        if (part.height < 1 || part.height > height || part.width < 1 || part.width > width)
            continue;
        part.top = random_below(random, height - part.height + 1);
        part.left = random_below(random, width - part.width + 1);
        return part;
    }
    return middle_part(height, width);
}

/* Narrows the view to a window whose corner, as the image is shown, is (row, column). */
static void view_crop(struct view *view, int64_t size, int64_t row, int64_t column)
{
    view->top += row;
    view->left += view->flipped ? view->width - size - column : column;
    view->height = view->width = size;
}

static void view_apply(struct view *view, const struct rnet_transform *transform,
                       struct random_source *random)
{
    int64_t size = (int64_t)transform->arguments[0];
    switch (transform_find(transform->name)) {
    case RESIZE:
        *view = view_shorter_side(view, size);
        break;
    case RANDOM_RESIZED_CROP:
        *view = view_resized(random_part(view->height, view->width, random), size, size);
        break;
    case PAD:
        view->top -= size;
        view->left -= size;
        view->height += 2 * size;
        view->width += 2 * size;
        break;
    case RANDOM_CROP: {
        int64_t row = random_below(random, view->height - size + 1);
        view_crop(view, size, row, random_below(random, view->width - size + 1));
        break;
    }
    case CENTER_CROP:
        view_crop(view, size, (int64_t)nearbyint((double)(view->height - size) / 2),
                  (int64_t)nearbyint((double)(view->width - size) / 2));
        break;
    case HORIZONTAL_FLIP: {
        double chance = transform->argument_count > 0 ? transform->arguments[0] : 0.5;
        view->flipped ^= random_uniform(random) < chance;
        break;
    }
    case TRANSFORM_COUNT:
        break;
    }
}

static struct status transform_check(const struct rnet_transform *transform,
                                     const struct view *view)
{
    enum { LARGEST = 1 << 20 };
    enum transform_kind kind = transform_find(transform->name);
    const char *name = transform->name;
    if (kind == TRANSFORM_COUNT)
        return status_error(STATUS_INVALID, "this runtime has no transform %s", name);
    if (transform->argument_count < transform_table[kind].least ||
        transform->argument_count > transform_table[kind].most)
        return status_error(STATUS_INVALID, "%s does not take %u arguments", name,
                            transform->argument_count);
    if (kind == HORIZONTAL_FLIP)
        return status_ok();
    if (!(transform->arguments[0] >= 0 && transform->arguments[0] <= LARGEST))
        return status_error(STATUS_INVALID, "%s(%g) is out of range", name,
                            transform->arguments[0]);
    int64_t size = (int64_t)transform->arguments[0];
    if (resizes(kind))
        return size >= 1 ? status_ok() : status_error(STATUS_INVALID, "%s(0) is empty", name);
    if (kind != PAD && (size < 1 || size > view->height || size > view->width))
        return status_error(STATUS_INVALID, "%s(%lld) does not fit an image of %lld x %lld", name,
                            (long long)size, (long long)view->height, (long long)view->width);
    return status_ok();
}

static struct status source_check(struct augmentation augmentation, int64_t height, int64_t width,
                                  int64_t wanted_height, int64_t wanted_width)
{
    struct view view = {.height = height, .width = width};
    struct random_source random = {0};
    for (uint32_t i = 0; i < augmentation.count; i++) {
        RETURN_IF_ERROR(transform_check(&augmentation.transforms[i], &view));
        if (i > 0 && resizes(transform_find(augmentation.transforms[i].name)))
            return status_error(STATUS_INVALID, "%s must come first",
                                augmentation.transforms[i].name);
        view_apply(&view, &augmentation.transforms[i], &random);
    }
    if (view.height != wanted_height || view.width != wanted_width)
        return status_error(STATUS_INVALID,
                            "the images come out as %lld x %lld, the network takes %lld x %lld",
                            (long long)view.height, (long long)view.width,
                            (long long)wanted_height, (long long)wanted_width);
    return status_ok();
}

struct status augmentation_check(struct augmentation augmentation, int64_t height, int64_t width,
                                 int64_t wanted_height, int64_t wanted_width)
{
    enum { SHORT = 97, LONG = 307 };
    if (height > 0)
        return source_check(augmentation, height, width, wanted_height, wanted_width);
    if (augmentation.count > 0 && !augmentation_resizes(augmentation))
        return status_error(STATUS_INVALID,
                            "the images have many sizes; resize or random_resized_crop must come "
                            "before %s", augmentation.transforms[0].name);
    if (augmentation.count == 0)
        return status_ok();
    RETURN_IF_ERROR(source_check(augmentation, SHORT, LONG, wanted_height, wanted_width));
    return source_check(augmentation, LONG, SHORT, wanted_height, wanted_width);
}

struct view augmentation_draw(struct augmentation augmentation, int64_t height, int64_t width,
                              struct random_source *random)
{
    struct view view = {.height = height, .width = width};
    for (uint32_t i = 0; i < augmentation.count; i++)
        view_apply(&view, &augmentation.transforms[i], random);
    return view;
}
