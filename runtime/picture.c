/* From a file's bytes through a view to the network's pixels. See picture.h. */
#include "runtime/picture.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "runtime/resample.h"

static struct view view_choose(const struct picture_recipe *recipe, int64_t height,
                               int64_t width, struct random_source *random)
{
    if (recipe->augmentation.count == 0)
        return view_stretched(height, width, recipe->height, recipe->width);
    return augmentation_draw(recipe->augmentation, height, width, random);
}

/* Copies what the view shows of a grid of pixels; outside of the grid it is black. */
static void window_copy(const struct view *view, const uint8_t *grid, int64_t height,
                        int64_t width, uint8_t *out)
{
    memset(out, 0, (size_t)(view->height * view->width * IMAGE_COLOURS));
    for (int64_t row = 0; row < view->height; row++) {
        int64_t y = view->top + row;
        if (y < 0 || y >= height)
            continue;
        for (int64_t column = 0; column < view->width; column++) {
            int64_t x = view->left + (view->flipped ? view->width - 1 - column : column);
            if (x >= 0 && x < width)
                memcpy(out + (row * view->width + column) * IMAGE_COLOURS,
                       grid + (y * width + x) * IMAGE_COLOURS, IMAGE_COLOURS);
        }
    }
}

/* An extreme shape can grow beyond all measure when its shorter side is set. */
static struct status grid_check(const struct view *view)
{
    if (!view->resized || view->grid_height * view->grid_width <= IMAGE_PIXELS)
        return status_ok();
    return status_error(STATUS_INVALID, "it would be resized to %lld x %lld pixels",
                        (long long)view->grid_height, (long long)view->grid_width);
}

/* Shows the image, whose window holds at least the view's part. */
static struct status view_show(const struct view *view, const struct image *image, uint8_t *out)
{
    if (!view->resized) {
        window_copy(view, image->pixels, image->height, image->width, out);
        return status_ok();
    }
    int64_t pixels = view->grid_height * view->grid_width;
    uint8_t *grid = malloc((size_t)(pixels * IMAGE_COLOURS));
    if (grid == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for a picture");
    struct status status =
        image_resample(image, &view->part, view->grid_height, view->grid_width, grid);
    if (status_is_ok(&status))
        window_copy(view, grid, view->grid_height, view->grid_width, out);
    free(grid);
    return status;
}

struct status picture_decode(const struct picture_recipe *recipe, const void *bytes, size_t size,
                             struct random_source *random, uint8_t *out)
{
    int64_t height, width;
    struct image image;
    RETURN_IF_ERROR(image_size(bytes, size, &height, &width));
    struct view view = view_choose(recipe, height, width, random);
    RETURN_IF_ERROR(grid_check(&view));
    RETURN_IF_ERROR(image_decode(bytes, size, view.resized ? &view.part : NULL, &image));
    struct status status = view_show(&view, &image, out);
    image_release(&image);
    return status;
}

struct status picture_read(const struct picture_recipe *recipe, const char *path,
                           struct random_source *random, uint8_t *out)
{
    struct arena arena = {0};
    char *bytes;
    size_t size;
    struct status status = file_read(&arena, path, IMAGE_FILE_BYTES, &bytes, &size);
    if (status_is_ok(&status)) {
        status = picture_decode(recipe, bytes, size, random, out);
        if (!status_is_ok(&status))
            status = status_error(status.code, "cannot use %s: %s", path, status.message);
    }
    arena_release(&arena);
    return status;
}

struct status picture_convert(const struct picture_recipe *recipe, const uint8_t *planes,
                              int64_t height, int64_t width, struct random_source *random,
                              uint8_t *out)
{
    struct box whole = {0, 0, height, width};
    struct image image;
    struct view view = view_choose(recipe, height, width, random);
    RETURN_IF_ERROR(grid_check(&view));
    RETURN_IF_ERROR(image_allocate(&image, height, width, &whole));
    for (int64_t i = 0; i < height * width; i++)
        for (int c = 0; c < IMAGE_COLOURS; c++)
            image.pixels[i * IMAGE_COLOURS + c] = planes[c * height * width + i];
    struct status status = view_show(&view, &image, out);
    image_release(&image);
    return status;
}
