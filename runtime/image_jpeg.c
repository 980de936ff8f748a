/* JPEG through libjpeg-turbo. See image.h.
 *
 * Rows above and below what is wanted, and columns beside it, are skipped as far as that leaves the
 * rest as it is. The library reports errors by a callback that must not return, hence longjmp. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "runtime/image.h"

enum {
    CMYK = 4,
    SCANS = 500,              /* of a progressive file; each costs a pass over the picture */
    MEMORY = 1024 * 1024 * 1024,
    MARGIN = 32, /* columns beside a crop: what upsampling looks at, up to whole blocks */
};

/* Everything that must survive a longjmp lives here. */
struct decoder {
    struct jpeg_error_mgr errors; /* first: the library knows only this address */
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf failed;
    char message[JMSG_LENGTH_MAX];
    struct image *image;
    uint8_t *line; /* one CMYK row, from the library's pool */
};

static void error_take(j_common_ptr jpeg)
{
    struct decoder *decoder = (struct decoder *)(void *)jpeg->err;
    jpeg->err->format_message(jpeg, decoder->message);
    longjmp(decoder->failed, 1);
}

/* A file that ends early is damaged; other warnings are about what the library has repaired. */
static void message_take(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF)
        error_take(jpeg);
}

static void output_nothing(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void progress_watch(j_common_ptr common)
{
    struct decoder *decoder = (struct decoder *)(void *)common->err;
    if (decoder->jpeg.input_scan_number <= SCANS)
        return;
    snprintf(decoder->message, sizeof decoder->message, "it has more than %d scans", SCANS);
    longjmp(decoder->failed, 1);
}

static void decoder_prepare(struct decoder *decoder)
{
    *decoder = (struct decoder){0};
    decoder->jpeg.err = jpeg_std_error(&decoder->errors);
    decoder->errors.error_exit = error_take;
    decoder->errors.emit_message = message_take;
    decoder->errors.output_message = output_nothing;
    decoder->progress.progress_monitor = progress_watch;
}

static void header_read(struct decoder *decoder, const void *bytes, size_t size)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &decoder->progress;
    jpeg->mem->max_memory_to_use = MEMORY;
    jpeg_mem_src(jpeg, bytes, size);
    jpeg_read_header(jpeg, TRUE);
    bool four = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
    jpeg->out_color_space = four ? JCS_CMYK : JCS_RGB;
}

/* Pillow's conversion. Adobe's files hold the inverse of each value. */
static void row_from_cmyk(const uint8_t *cmyk, int64_t width, bool inverted, uint8_t *rgb)
{
    for (int64_t x = 0; x < width; x++, cmyk += CMYK, rgb += IMAGE_COLOURS) {
        int black = inverted ? 255 - cmyk[3] : cmyk[3], light = 255 - black;
        for (int c = 0; c < IMAGE_COLOURS; c++) {
            int product = (inverted ? 255 - cmyk[c] : cmyk[c]) * light + 128;
            int value = light - ((product + (product >> 8)) >> 8);
            rgb[c] = (uint8_t)(value < 0 ? 0 : value);
        }
    }
}

/* Narrows the columns that are decoded to those of the window, roughly, and sets the window. */
static void columns_narrow(struct decoder *decoder, struct box *window)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    int64_t whole = jpeg->output_width;
    int64_t left = window->left > MARGIN ? window->left - MARGIN : 0;
    int64_t right = window->left + window->width + MARGIN;
    JDIMENSION offset = (JDIMENSION)left;
    JDIMENSION width = (JDIMENSION)((right < whole ? right : whole) - left);
    if (width < jpeg->output_width)
        jpeg_crop_scanline(jpeg, &offset, &width);
    else
        offset = 0;
    window->left = offset;
    window->width = jpeg->output_width;
}

static void rows_read(struct decoder *decoder)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    const struct box *window = &decoder->image->window;
    bool four = jpeg->out_color_space == JCS_CMYK;
    if (four)
        decoder->line = jpeg->mem->alloc_large((j_common_ptr)jpeg, JPOOL_IMAGE,
                                               (size_t)window->width * CMYK);
    if (window->top > 0)
        jpeg_skip_scanlines(jpeg, (JDIMENSION)window->top);
    for (int64_t row = 0; row < window->height; row++) {
        uint8_t *pixels = decoder->image->pixels + row * window->width * IMAGE_COLOURS;
        JSAMPROW line = four ? decoder->line : pixels;
        jpeg_read_scanlines(jpeg, &line, 1);
        if (four)
            row_from_cmyk(line, window->width, jpeg->saw_Adobe_marker, pixels);
    }
}

static struct status picture_read(struct decoder *decoder, const struct box *wanted)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    struct box window = {0, 0, jpeg->image_height, jpeg->image_width};
    /* Before the library takes memory in proportion to what the header says. */
    if ((int64_t)jpeg->image_height * jpeg->image_width > IMAGE_PIXELS)
        return image_allocate(decoder->image, jpeg->image_height, jpeg->image_width, &window);
    jpeg_start_decompress(jpeg);
    int64_t height = jpeg->output_height, width = jpeg->output_width;
    if (wanted != NULL) {
        window = *wanted;
        columns_narrow(decoder, &window);
    }
    RETURN_IF_ERROR(image_allocate(decoder->image, height, width, &window));
    rows_read(decoder);
    return status_ok();
}

struct status jpeg_decode(const void *bytes, size_t size, const struct box *wanted,
                          struct image *image, int64_t *height, int64_t *width)
{
    struct decoder decoder;
    struct status status = status_ok();
    decoder_prepare(&decoder);
    decoder.image = image;
    if (setjmp(decoder.failed) != 0) {
        jpeg_destroy_decompress(&decoder.jpeg);
        return status_error(STATUS_INVALID, "it is not a sound JPEG file: %s", decoder.message);
    }
    header_read(&decoder, bytes, size);
    *height = decoder.jpeg.image_height;
    *width = decoder.jpeg.image_width;
    if (image != NULL)
        status = picture_read(&decoder, wanted);
    jpeg_destroy_decompress(&decoder.jpeg);
    return status;
}
