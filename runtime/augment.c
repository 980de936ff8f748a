/* The transforms, as steps on a view. See augment.h.
 *
 *     pad(n)              n black pixels on every side
 *     random_crop(s)      a random s x s window
 *     center_crop(s)      the s x s window in the middle
 *     horizontal_flip     mirrors every other image (an argument replaces the chance of 0.5) */
#include "runtime/augment.h"

#include <string.h>

enum transform_kind { PAD, RANDOM_CROP, CENTER_CROP, HORIZONTAL_FLIP, TRANSFORM_COUNT };

static const struct {
    const char *name;
    uint32_t least, most; /* arguments */
} transform_table[TRANSFORM_COUNT] = {
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
        view_crop(view, size, (view->height - size) / 2, (view->width - size) / 2);
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
    if (kind != PAD && (size < 1 || size > view->height || size > view->width))
        return status_error(STATUS_INVALID, "%s(%lld) does not fit an image of %lld x %lld", name,
                            (long long)size, (long long)view->height, (long long)view->width);
    return status_ok();
}

struct status augmentation_check(struct augmentation augmentation, int64_t height, int64_t width,
                                 int64_t wanted_height, int64_t wanted_width)
{
    struct view view = {.height = height, .width = width};
    struct random_source random = {0};
    for (uint32_t i = 0; i < augmentation.count; i++) {
        RETURN_IF_ERROR(transform_check(&augmentation.transforms[i], &view));
        view_apply(&view, &augmentation.transforms[i], &random);
    }
    if (view.height != wanted_height || view.width != wanted_width)
        return status_error(STATUS_INVALID,
                            "the images come out as %lld x %lld, the network takes %lld x %lld",
                            (long long)view.height, (long long)view.width,
                            (long long)wanted_height, (long long)wanted_width);
    return status_ok();
}

struct view augmentation_draw(struct augmentation augmentation, int64_t height, int64_t width,
                              struct random_source *random)
{
    struct view view = {.height = height, .width = width};
    for (uint32_t i = 0; i < augmentation.count; i++)
        view_apply(&view, &augmentation.transforms[i], random);
    return view;
}
