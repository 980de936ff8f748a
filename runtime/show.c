/* Images are drawn with half blocks: one character is two pixels, one above the other. */
#include "runtime/show.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GUESSES = 3, PIXELS = 32 /* of a drawing's side */ };

static const char *class_name(const struct data_set *data, int64_t class, char *number, size_t size)
{
    if (data->class_names && class < data->class_count)
        return data->class_names[class];
    snprintf(number, size, "class %" PRId64, class);
    return number;
}

/* The best class that scores below `limit` (or ties with it, behind `after`). */
static int64_t next_best(const float *logits, int64_t classes, float limit, int64_t after)
{
    int64_t best = -1;

    for (int64_t c = 0; c < classes; c++) {
        const bool is_next = logits[c] < limit || (!(logits[c] > limit) && c > after);

        if (is_next && (best < 0 || logits[c] > logits[best]))
            best = c;
    }
    return best;
}

static double softmax_sum(const float *logits, int64_t classes, float largest)
{
    double sum = 0;

    for (int64_t c = 0; c < classes; c++)
        sum += exp((double)(logits[c] - largest));
    return sum;
}

static void print_guesses(const struct loader *loader, const float *logits)
{
    const int64_t classes = loader->executor->program->classes;
    int64_t class = next_best(logits, classes, INFINITY, -1);
    const float largest = class >= 0 ? logits[class] : 0;
    const double sum = softmax_sum(logits, classes, largest);

    for (int guess = 0; guess < GUESSES && class >= 0; guess++) {
        char number[32];

        printf("  %s %.1f %%", class_name(loader->data, class, number, sizeof number),
               100 * exp((double)(logits[class] - largest)) / sum);
        class = next_best(logits, classes, logits[class], class);
    }
}

/* ---- drawing ---- */

static unsigned byte_at(const struct data_set *data, int64_t image, int64_t channel, int64_t y,
                        int64_t x)
{
    const struct data_part *part = &data->parts[DATA_VALIDATION];
    const int64_t used = channel < data->channels ? channel : data->channels - 1;

    return part->bytes[((image * data->channels + used) * data->size[1] + y) * data->size[2] + x];
}

static void set_color(const struct data_set *data, int64_t image, const char *which, int64_t y,
                      int64_t x)
{
    printf("\033[%s;2;%u;%u;%um", which, byte_at(data, image, 0, y, x),
           byte_at(data, image, 1, y, x), byte_at(data, image, 2, y, x));
}

static void draw(const struct data_set *data, int64_t image)
{
    const int64_t rows = data->size[1] < PIXELS ? data->size[1] : PIXELS;
    const int64_t columns = data->size[2] < PIXELS ? data->size[2] : PIXELS;

    for (int64_t row = 0; row + 1 < rows; row += 2) {
        for (int64_t column = 0; column < columns; column++) {
            const int64_t x = column * data->size[2] / columns;

            set_color(data, image, "38", row * data->size[1] / rows, x);
            set_color(data, image, "48", (row + 1) * data->size[1] / rows, x);
            fputs("\u2580", stdout);
        }
        puts("\033[0m");
    }
}

static bool can_draw(const struct data_set *data)
{
    return isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && data->size[0] == 1 &&
           data->parts[DATA_VALIDATION].bytes;
}

struct status show_predictions(struct loader *loader, int64_t count)
{
    struct executor *executor = loader->executor;
    const struct rnet_program *program = executor->program;
    const float *logits;
    int64_t filled;

    RETURN_IF_ERROR(loader_fill(loader, 0, &filled));
    RETURN_IF_ERROR(executor_run(executor, RNET_PHASE_INFER, filled));
    RETURN_IF_ERROR(executor_read(executor, program->logits,
                                  filled * channel_stride(program->classes), &logits));
    for (int64_t i = 0; i < filled && i < count; i++) {
        const int64_t image = loader->order[i];
        const int32_t label = loader->data->parts[DATA_VALIDATION].labels[image];
        const float *scores = logits + i * channel_stride(program->classes);
        const bool is_right = next_best(scores, program->classes, INFINITY, -1) == label;
        char number[32];

        if (can_draw(loader->data))
            draw(loader->data, image);
        printf("%s %-22s", is_right ? "right" : "wrong",
               class_name(loader->data, label, number, sizeof number));
        print_guesses(loader, scores);
        putchar('\n');
    }
    return status_ok();
}
