/* Pictures: what decoding and resizing give, to the bit, and what is refused. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <jpeglib.h>

#include "runtime/image.h"
#include "runtime/picture.h"
#include "runtime/resample.h"
#include "tests/unit/suite.h"

enum { HEIGHT = 53, WIDTH = 37, SIZE = HEIGHT * WIDTH * IMAGE_COLOURS };

static uint8_t pixel(int y, int x, int c)
{
    return (uint8_t)(y * y * 7 + x * x * 13 + x * y * 5 + c * 91 + (x * 31 + y * 17) % 23 * 9);
}

static void image_draw(uint8_t *pixels)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < IMAGE_COLOURS; c++)
                pixels[(y * WIDTH + x) * IMAGE_COLOURS + c] = pixel(y, x, c);
}

/* A soft picture as a JPEG file with subsampled colours; `channels` 1, 3 or 4. Free it. */
static uint8_t *jpeg_encode(int height, int width, int channels, bool progressive, size_t *size)
{
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct jpeg = {.err = jpeg_std_error(&errors)};
    uint8_t *bytes = NULL, *row = malloc((size_t)(width * channels));
    unsigned long length = 0;
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &length);
    jpeg.image_height = (JDIMENSION)height;
    jpeg.image_width = (JDIMENSION)width;
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    if (progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < height; y++) {
        for (int i = 0; i < width * channels; i++)
            row[i] = (uint8_t)(y * 3 + i / channels * 2 + i % channels * 40);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(row);
    *size = length;
    return bytes;
}

START_TEST(resizing_is_that_of_pillow)
{
    static const struct {
        int height, width;
        uLong sum; /* of Image.resize((width, height), BILINEAR), rows before columns */
    } sizes[] = {
        {20, 24, 0xd2ba0687}, {64, 80, 0x0c2bc986}, {53, 11, 0x4756036f}, {7, 37, 0x2a3495e9},
    };
    static uint8_t pixels[SIZE], out[80 * 80 * IMAGE_COLOURS];
    struct box whole = {0, 0, HEIGHT, WIDTH}, part = {10, 5, 40, 25};
    struct image image = {HEIGHT, WIDTH, whole, pixels};
    image_draw(pixels);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int height = sizes[i].height, width = sizes[i].width;
        ck_assert(image_resample(&image, &whole, height, width, out).code == STATUS_OK);
        uInt size = (uInt)(height * width * IMAGE_COLOURS);
        ck_assert_uint_eq(crc32(0, out, size), sizes[i].sum);
    }
    ck_assert(image_resample(&image, &part, 16, 16, out).code == STATUS_OK);
    ck_assert_uint_eq(crc32(0, out, 16 * 16 * IMAGE_COLOURS), 0x40808755);
}
END_TEST

START_TEST(png_comes_back_as_it_was)
{
    static uint8_t pixels[SIZE];
    struct image image;
    uint8_t *bytes;
    size_t size;
    image_draw(pixels);
    ck_assert(png_encode(pixels, HEIGHT, WIDTH, &bytes, &size).code == STATUS_OK);
    ck_assert_str_eq(image_decode(bytes, size, NULL, &image).message, "");
    ck_assert_int_eq(image.height, HEIGHT);
    ck_assert_int_eq(image.width, WIDTH);
    ck_assert_mem_eq(image.pixels, pixels, SIZE);
    image_release(&image);
    for (size_t cut = 1; cut < size; cut += 1 + size / 50) {
        uint8_t *less = malloc(size - cut);
        memcpy(less, bytes, size - cut);
        ck_assert_int_ne(image_decode(less, size - cut, NULL, &image).code, STATUS_OK);
        free(less);
    }
    free(bytes);
}
END_TEST

/* Whether what the window has of the picture is as in the whole of it. */
static bool window_fits(const struct image *window, const struct image *whole,
                        const struct box *box)
{
    for (int64_t y = box->top; y < box->top + box->height; y++) {
        const uint8_t *have = window->pixels + ((y - window->window.top) * window->window.width +
                                                box->left - window->window.left) *
                                                   IMAGE_COLOURS;
        const uint8_t *want = whole->pixels + (y * whole->width + box->left) * IMAGE_COLOURS;
        if (memcmp(have, want, (size_t)(box->width * IMAGE_COLOURS)) != 0)
            return false;
    }
    return true;
}

START_TEST(a_window_is_as_in_the_whole)
{
    for (int kind = 0; kind < 6; kind++) {
        static const int channels[] = {1, 3, 4};
        struct random_source random = {7, (uint64_t)kind, 0};
        struct image whole, window;
        size_t size;
        uint8_t *bytes = jpeg_encode(150, 211, channels[kind / 2], kind % 2 == 1, &size);
        ck_assert_str_eq(image_decode(bytes, size, NULL, &whole).message, "");
        for (int i = 0; i < 100; i++) {
            struct box box = {.height = 1 + random_below(&random, whole.height),
                              .width = 1 + random_below(&random, whole.width)};
            box.top = random_below(&random, whole.height - box.height + 1);
            box.left = random_below(&random, whole.width - box.width + 1);
            ck_assert_str_eq(image_decode(bytes, size, &box, &window).message, "");
            ck_assert(window_fits(&window, &whole, &box));
            image_release(&window);
        }
        image_release(&whole);
        free(bytes);
    }
}
END_TEST

START_TEST(what_is_damaged_is_refused)
{
    size_t size;
    struct image image;
    uint8_t *bytes = jpeg_encode(80, 90, 3, false, &size);
    ck_assert(image_decode(bytes, size, NULL, &image).code == STATUS_OK);
    image_release(&image);
    for (size_t keep = 0; keep < size - 2; keep += 1 + size / 40)
        ck_assert_int_eq(image_decode(bytes, keep, NULL, &image).code, STATUS_INVALID);
    free(bytes);
    ck_assert_ptr_nonnull(
        strstr(image_decode("GIF89a", 6, NULL, &image).message, "neither a JPEG nor a PNG"));
}
END_TEST

static void set_size(uint8_t *at, int bytes, unsigned long value)
{
    for (int i = bytes - 1; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
}

START_TEST(a_bomb_is_refused_before_it_takes_memory)
{
    static uint8_t pixels[SIZE];
    struct image image;
    uint8_t *bytes;
    size_t size, at = 0;
    ck_assert(png_encode(pixels, HEIGHT, WIDTH, &bytes, &size).code == STATUS_OK);
    set_size(bytes + 16, 4, 60000);
    set_size(bytes + 20, 4, 60000);
    set_size(bytes + 29, 4, crc32(0, bytes + 12, 17));
    ck_assert_ptr_nonnull(strstr(image_decode(bytes, size, NULL, &image).message, "beyond the"));
    free(bytes);
    bytes = jpeg_encode(80, 90, 3, true, &size);
    while (bytes[at] != 0xff || bytes[at + 1] != 0xc2) /* the frame header */
        at++;
    set_size(bytes + at + 5, 2, 65000);
    set_size(bytes + at + 7, 2, 65000);
    ck_assert_ptr_nonnull(strstr(image_decode(bytes, size, NULL, &image).message, "beyond the"));
    free(bytes);
}
END_TEST

START_TEST(a_strip_does_not_grow_without_bound)
{
    const struct rnet_transform transforms[] = {
        {.name = "resize", .arguments = {256}, .argument_count = 1},
        {.name = "center_crop", .arguments = {224}, .argument_count = 1},
    };
    struct picture_recipe recipe = {{transforms, 2}, 224, 224};
    static uint8_t pixels[2 * 30000 * IMAGE_COLOURS], out[224 * 224 * IMAGE_COLOURS];
    struct random_source random = {0};
    uint8_t *bytes;
    size_t size;
    ck_assert(png_encode(pixels, 2, 30000, &bytes, &size).code == STATUS_OK);
    struct status status = picture_decode(&recipe, bytes, size, &random, out);
    ck_assert_ptr_nonnull(strstr(status.message, "it would be resized to 256 x 3840000"));
    free(bytes);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        resizing_is_that_of_pillow,
        png_comes_back_as_it_was,
        a_window_is_as_in_the_whole,
        what_is_damaged_is_refused,
        a_bomb_is_refused_before_it_takes_memory,
        a_strip_does_not_grow_without_bound,
    };
    return run_suite("image", tests, sizeof tests / sizeof *tests);
}
