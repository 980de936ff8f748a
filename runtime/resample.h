/* Resizing pictures: bilinear with antialiasing, as Pillow and torchvision do it, to the bit.
 * (Since version 13, Pillow filters the columns first where that is cheaper, which can change a
 * value by one.) */
#ifndef RUNTIME_RESAMPLE_H
#define RUNTIME_RESAMPLE_H

#include "runtime/image.h"

/* Resizes what `box` covers of the image (it lies in the image's window) to height x width RGB
 * pixels at `out`. Nothing outside of the box is looked at. */
struct status image_resample(const struct image *image, const struct box *box, int64_t height,
                             int64_t width, uint8_t *out);

#endif
