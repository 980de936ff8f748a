/* Which format a file is in, and the limits that hold for all of them. See image.h. */
#include "runtime/image.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool begins_with(const void *bytes, size_t size, const char *magic, size_t length)
{
    return size >= length && memcmp(bytes, magic, length) == 0;
}

static struct status decode(const void *bytes, size_t size, const struct box *wanted,
                            struct image *image, int64_t *height, int64_t *width)
{
    static const char jpeg[] = "\xff\xd8\xff", png[] = "\x89PNG\r\n\x1a\n";
    if (begins_with(bytes, size, jpeg, sizeof jpeg - 1))
        return jpeg_decode(bytes, size, wanted, image, height, width);
    if (begins_with(bytes, size, png, sizeof png - 1))
        return png_decode(bytes, size, image, height, width);
    return status_error(STATUS_INVALID, "it is neither a JPEG nor a PNG file");
}

struct status image_size(const void *bytes, size_t size, int64_t *height, int64_t *width)
{
    return decode(bytes, size, NULL, NULL, height, width);
}

struct status image_decode(const void *bytes, size_t size, const struct box *wanted,
                           struct image *image)
{
    int64_t height, width;
    *image = (struct image){0};
    struct status status = decode(bytes, size, wanted, image, &height, &width);
    if (!status_is_ok(&status))
        image_release(image);
    return status;
}

struct status image_allocate(struct image *image, int64_t height, int64_t width,
                             const struct box *window)
{
    if (height < 1 || width < 1 || height > IMAGE_SIDE || width > IMAGE_SIDE ||
        height * width > IMAGE_PIXELS)
        return status_error(STATUS_INVALID,
                            "a picture of %lld x %lld is beyond the limit of %d million pixels",
                            (long long)height, (long long)width, IMAGE_PIXELS / 1000000);
    *image = (struct image){height, width, *window,
                            malloc((size_t)(window->height * window->width * IMAGE_COLOURS))};
    if (image->pixels == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for a picture of %lld x %lld",
                            (long long)height, (long long)width);
    return status_ok();
}

void image_release(struct image *image)
{
    free(image->pixels);
    *image = (struct image){0};
}
