/* Pictures from JPEG and PNG files, as RGB bytes.
 *
 * Files come from anywhere: sizes are limited before memory is taken, and a file that ends early or
 * is damaged beyond what the libraries repair is refused. Gray, palette and CMYK become RGB, an
 * alpha channel is dropped; an orientation in the metadata is not applied, as in torchvision. */
#ifndef RUNTIME_IMAGE_H
#define RUNTIME_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
    IMAGE_COLOURS = 3,
    IMAGE_SIDE = 65500,                      /* the longest side, which is JPEG's */
    IMAGE_PIXELS = 100 * 1000 * 1000,        /* the most of a picture */
    IMAGE_FILE_BYTES = 256 * 1024 * 1024,    /* the largest file */
};

/* A rectangle of whole pixels. */
struct box {
    int64_t top, left, height, width;
};

/* A window on a picture: rows of RGB without gaps. */
struct image {
    int64_t height, width; /* of the whole picture */
    struct box window;     /* what `pixels` holds of it */
    uint8_t *pixels;       /* malloc'ed */
};

/* Reads the size of the picture in a file's `size` bytes from its header. */
struct status image_size(const void *bytes, size_t size, int64_t *height, int64_t *width);

/* Decodes at least what `wanted` covers of the picture, exactly as a whole decoding would; all of
 * it where `wanted` is NULL. Release the image unless this fails. */
struct status image_decode(const void *bytes, size_t size, const struct box *wanted,
                           struct image *image);

/* Makes room for a window of a picture of that size; the pixels are not set. */
struct status image_allocate(struct image *image, int64_t height, int64_t width,
                             const struct box *window);
void image_release(struct image *image);

/* The formats, each in its file. A NULL `image` asks for the size alone. */
struct status jpeg_decode(const void *bytes, size_t size, const struct box *wanted,
                          struct image *image, int64_t *height, int64_t *width);
struct status png_decode(const void *bytes, size_t size, struct image *image, int64_t *height,
                         int64_t *width);

/* Encodes height x width RGB pixels as a PNG file. `*out_bytes` is malloc'ed. */
struct status png_encode(const uint8_t *pixels, int64_t height, int64_t width,
                         uint8_t **out_bytes, size_t *out_size);

#endif
