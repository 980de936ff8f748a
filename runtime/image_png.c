/* PNG through libpng, both ways. See image.h. The library reports errors by longjmp. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "runtime/image.h"

enum {
    CHUNKS = 100,                     /* the most that the library keeps */
    CHUNK_BYTES = 8 * 1024 * 1024,    /* of text and profiles, which are not for us */
    ENCODED_FIRST = 4096,
};

/* Everything that must survive a longjmp lives here. */
struct codec {
    png_structp png;
    png_infop info;
    const uint8_t *next; /* of the bytes to read */
    size_t left;
    uint8_t *out; /* of the bytes written */
    size_t size, capacity;
    png_bytep *rows;
    struct image *image;
    struct status status; /* of what is not the library's to find */
    char message[128];
};

static void error_take(png_structp png, const char *message)
{
    struct codec *codec = png_get_error_ptr(png);
    snprintf(codec->message, sizeof codec->message, "%s", message);
    png_longjmp(png, 1);
}

static void warning_drop(png_structp png, const char *message)
{
    (void)png, (void)message;
}

static void bytes_take(png_structp png, png_bytep out, size_t size)
{
    struct codec *codec = png_get_io_ptr(png);
    if (size > codec->left)
        png_error(png, "it ends early");
    memcpy(out, codec->next, size);
    codec->next += size;
    codec->left -= size;
}

static struct status codec_failed(const struct codec *codec)
{
    if (!status_is_ok(&codec->status))
        return codec->status;
    return status_error(STATUS_INVALID, "it is not a sound PNG file: %s", codec->message);
}

/* Any picture as eight bits of red, green and blue. */
static void transforms_set(struct codec *codec)
{
    png_structp png = codec->png;
    png_set_strip_16(png);
    png_set_expand(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, codec->info);
    if (png_get_rowbytes(png, codec->info) !=
        (size_t)png_get_image_width(png, codec->info) * IMAGE_COLOURS)
        png_error(png, "its pixels are of an unknown kind");
}

static void header_read(struct codec *codec, int64_t *height, int64_t *width)
{
    png_set_user_limits(codec->png, IMAGE_SIDE, IMAGE_SIDE);
    png_set_chunk_cache_max(codec->png, CHUNKS);
    png_set_chunk_malloc_max(codec->png, CHUNK_BYTES);
    png_read_info(codec->png, codec->info);
    *height = png_get_image_height(codec->png, codec->info);
    *width = png_get_image_width(codec->png, codec->info);
}

static void picture_read(struct codec *codec, int64_t height, int64_t width)
{
    struct box window = {0, 0, height, width};
    codec->status = image_allocate(codec->image, height, width, &window);
    if (!status_is_ok(&codec->status))
        png_error(codec->png, "");
    transforms_set(codec);
    codec->rows = malloc((size_t)height * sizeof *codec->rows);
    if (codec->rows == NULL) {
        codec->status = status_error(STATUS_MEMORY, "not enough memory for a picture");
        png_error(codec->png, "");
    }
    for (int64_t row = 0; row < height; row++)
        codec->rows[row] = codec->image->pixels + row * width * IMAGE_COLOURS;
    png_read_image(codec->png, codec->rows);
    png_read_end(codec->png, NULL);
}

struct status png_decode(const void *bytes, size_t size, struct image *image, int64_t *height,
                         int64_t *width)
{
    struct codec codec = {.next = bytes, .left = size, .image = image};
    codec.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &codec, error_take, warning_drop);
    if (codec.png != NULL)
        codec.info = png_create_info_struct(codec.png);
    struct status status = status_ok();
    if (codec.info == NULL)
        status = status_error(STATUS_MEMORY, "not enough memory for the PNG library");
    else if (setjmp(png_jmpbuf(codec.png)) != 0)
        status = codec_failed(&codec);
    else {
        png_set_read_fn(codec.png, &codec, bytes_take);
        header_read(&codec, height, width);
        if (image != NULL)
            picture_read(&codec, *height, *width);
    }
    png_destroy_read_struct(&codec.png, &codec.info, NULL);
    free(codec.rows);
    return status;
}

static void bytes_keep(png_structp png, png_bytep bytes, size_t size)
{
    struct codec *codec = png_get_io_ptr(png);
    if (size > codec->capacity - codec->size) {
        size_t capacity = 2 * (codec->size + size) + ENCODED_FIRST;
        uint8_t *larger = realloc(codec->out, capacity);
        if (larger == NULL)
            png_error(png, "not enough memory");
        codec->out = larger;
        codec->capacity = capacity;
    }
    memcpy(codec->out + codec->size, bytes, size);
    codec->size += size;
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

static void picture_write(struct codec *codec, const uint8_t *pixels, int64_t height,
                          int64_t width)
{
    png_set_write_fn(codec->png, codec, bytes_keep, flush_nothing);
    png_set_IHDR(codec->png, codec->info, (png_uint_32)width, (png_uint_32)height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(codec->png, codec->info);
    for (int64_t row = 0; row < height; row++)
        png_write_row(codec->png, pixels + row * width * IMAGE_COLOURS);
    png_write_end(codec->png, NULL);
}

struct status png_encode(const uint8_t *pixels, int64_t height, int64_t width,
                         uint8_t **out_bytes, size_t *out_size)
{
    struct codec codec = {0};
    struct status status = status_ok();
    codec.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &codec, error_take, warning_drop);
    if (codec.png != NULL)
        codec.info = png_create_info_struct(codec.png);
    if (codec.info == NULL)
        status = status_error(STATUS_MEMORY, "not enough memory for the PNG library");
    else if (setjmp(png_jmpbuf(codec.png)) != 0)
        status = status_error(STATUS_MEMORY, "cannot encode a PNG file: %s", codec.message);
    else
        picture_write(&codec, pixels, height, width);
    png_destroy_write_struct(&codec.png, &codec.info);
    if (!status_is_ok(&status)) {
        free(codec.out);
        return status;
    }
    *out_bytes = codec.out;
    *out_size = codec.size;
    return status;
}
