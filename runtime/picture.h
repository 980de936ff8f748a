/* Pictures as the network sees them: decoded, resized, cropped and flipped, still as bytes. */
#ifndef RUNTIME_PICTURE_H
#define RUNTIME_PICTURE_H

#include "runtime/augment.h"
#include "runtime/data.h"

/* How pictures become height x width RGB. Without transforms they are stretched to that. */
struct picture_recipe {
    struct augmentation augmentation;
    int64_t height, width;
};

/* Makes the picture in a file's `size` bytes. `out` is [height][width][IMAGE_COLOURS]. */
struct status picture_decode(const struct picture_recipe *recipe, const void *bytes, size_t size,
                             struct random_source *random, uint8_t *out);

/* Makes the picture of the file at `path`; the message of a failure names it. */
struct status picture_read(const struct picture_recipe *recipe, const char *path,
                           struct random_source *random, uint8_t *out);

/* Makes the picture of channels first, [IMAGE_COLOURS][height][width] bytes. */
struct status picture_convert(const struct picture_recipe *recipe, const uint8_t *planes,
                              int64_t height, int64_t width, struct random_source *random,
                              uint8_t *out);

#endif
