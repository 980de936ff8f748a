/* Any bytes give a picture of the size that was asked for, or a refusal: JPEG and PNG headers,
 * windows, resizing. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "runtime/picture.h"
#include "tests/fuzz/fuzz.h"

const int fuzz_runs = 4000;

enum { HEIGHT = 19, WIDTH = 23, SIDE = 8 };

static size_t jpeg_seed(bool progressive, char *bytes, size_t capacity)
{
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct jpeg = {.err = jpeg_std_error(&errors)};
    unsigned char row[WIDTH * IMAGE_COLOURS], *line = row, *encoded = NULL;
    unsigned long size = 0;
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &encoded, &size);
    jpeg.image_height = HEIGHT;
    jpeg.image_width = WIDTH;
    jpeg.input_components = IMAGE_COLOURS;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    if (progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < HEIGHT; y++) {
        for (int i = 0; i < WIDTH * IMAGE_COLOURS; i++)
            row[i] = (unsigned char)(y * i);
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    if (size > capacity)
        size = 0;
    memcpy(bytes, encoded, size);
    free(encoded);
    return size;
}

static size_t png_seed(char *bytes, size_t capacity)
{
    static uint8_t pixels[HEIGHT * WIDTH * IMAGE_COLOURS];
    uint8_t *encoded = NULL;
    size_t size = 0;
    for (int i = 0; i < (int)sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i);
    struct status status = png_encode(pixels, HEIGHT, WIDTH, &encoded, &size);
    if (!status_is_ok(&status) || size > capacity)
        return 0;
    memcpy(bytes, encoded, size);
    free(encoded);
    return size;
}

size_t fuzz_seed(int number, char *bytes, size_t capacity)
{
    if (number == 0 || number == 1)
        return jpeg_seed(number == 1, bytes, capacity);
    return number == 2 ? png_seed(bytes, capacity) : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rnet_transform crop = {
        .name = "random_resized_crop", .arguments = {SIDE}, .argument_count = 1};
    struct picture_recipe recipe = {{&crop, 1}, SIDE, SIDE};
    struct random_source random = {1, size, 0};
    uint8_t out[SIDE * SIDE * IMAGE_COLOURS];
    int64_t height, width;
    struct status status = image_size(data, size, &height, &width);
    /* What is large and sound is only slow: a header of a few bytes may ask for any size. */
    if (status_is_ok(&status) && height * width <= 1 << 14)
        picture_decode(&recipe, data, size, &random, out);
    return 0;
}
