/* The data set `shapes`: ten classes drawn in memory, 3 x 32 x 32, from a fixed seed.
 *
 * A class is a silhouette (disc, square, triangle, cross, ring) with a texture (stripes, checks).
 * Place, size, rotation, colours, the texture's direction, period and phase, and noise are random,
 * so neither a mean colour nor a fixed template tells the classes apart: that takes convolutions.
 * Image i is of class i mod 10 and depends on i alone. */
#include <math.h>
#include <stdbool.h>

#include "runtime/data.h"
#include "runtime/random.h"

enum {
    SHAPES_SIDE = 32,
    SHAPES_PIXELS = SHAPES_SIDE * SHAPES_SIDE,
    SHAPES_CLASSES = 10,
    SHAPES_TRAIN = 5000,
    SHAPES_VALIDATION = 1000,
    SHAPES_SAMPLES = 2, /* per pixel and axis, against jagged edges */
    SHAPES_SEED = 20160511,
};

enum silhouette { DISC, SQUARE, TRIANGLE, CROSS, RING };

static const char *const shapes_names[SHAPES_CLASSES] = {
    "striped disc",  "checked disc",  "striped square", "checked square", "striped triangle",
    "checked triangle", "striped cross", "checked cross",  "striped ring",   "checked ring",
};

const float data_shapes_mean[DATA_COLOURS] = {0.3f, 0.3f, 0.3f};
const float data_shapes_deviation[DATA_COLOURS] = {0.25f, 0.25f, 0.25f};

/* One image's random choices. Colours are in 0 ... 255. */
struct drawing {
    enum silhouette silhouette;
    bool checked;
    double centre_x, centre_y, radius, cosine, sine;
    double texture_cosine, texture_sine, period, phase_x, phase_y;
    double background[DATA_COLOURS], slope_x[DATA_COLOURS], slope_y[DATA_COLOURS];
    double bright[DATA_COLOURS], dark[DATA_COLOURS];
};

/* Whether (x, y), in units of the radius, lies inside. The shapes cover similar areas. */
static bool silhouette_holds(enum silhouette silhouette, double x, double y)
{
    double across = fabs(x), along = fabs(y), squared = x * x + y * y;
    switch (silhouette) {
    case DISC:
        return squared < 0.85 * 0.85;
    case SQUARE:
        return across < 0.76 && along < 0.76;
    case TRIANGLE:
        return y > -0.55 && 0.8660254 * across + 0.5 * y < 0.55;
    case CROSS:
        return (across < 0.36 && along < 1.05) || (along < 0.36 && across < 1.05);
    case RING:
        return squared < 1.0 && squared > 0.5 * 0.5;
    }
    return false;
}

static bool in_first_half(double periods)
{
    return periods - floor(periods) < 0.5;
}

/* Whether the texture shows its bright colour at the pixel position (x, y). */
static bool texture_is_bright(const struct drawing *drawing, double x, double y)
{
    double u = x * drawing->texture_cosine + y * drawing->texture_sine;
    double v = y * drawing->texture_cosine - x * drawing->texture_sine;
    bool first = in_first_half(u / drawing->period + drawing->phase_x);
    bool second = in_first_half(v / drawing->period + drawing->phase_y);
    return drawing->checked ? first == second : first;
}

static void colours_choose(struct drawing *drawing, struct random_source *random)
{
    for (int channel = 0; channel < DATA_COLOURS; channel++) {
        drawing->background[channel] = random_between(random, 10, 120);
        drawing->slope_x[channel] = random_between(random, -1.2, 1.2);
        drawing->slope_y[channel] = random_between(random, -1.2, 1.2);
        drawing->bright[channel] = random_between(random, 140, 255);
        drawing->dark[channel] = random_between(random, 0, 110);
    }
}

static struct drawing drawing_choose(int class, struct random_source *random)
{
    double rotation = random_between(random, 0, 2 * M_PI);
    double direction = random_between(random, 0, M_PI);
    struct drawing drawing = {
        .silhouette = (enum silhouette)(class / 2),
        .checked = class % 2 == 1,
        .centre_x = SHAPES_SIDE / 2.0 + random_between(random, -3, 3),
        .centre_y = SHAPES_SIDE / 2.0 + random_between(random, -3, 3),
        .radius = random_between(random, 10, 14),
        .cosine = cos(rotation),
        .sine = sin(rotation),
        .texture_cosine = cos(direction),
        .texture_sine = sin(direction),
        .phase_x = random_uniform(random),
        .phase_y = random_uniform(random),
    };
    drawing.period = drawing.checked ? random_between(random, 6.5, 8.5)
                                     : random_between(random, 4.5, 6.5);
    colours_choose(&drawing, random);
    return drawing;
}

static void background_add(const struct drawing *drawing, double x, double y,
                           double sum[DATA_COLOURS])
{
    for (int channel = 0; channel < DATA_COLOURS; channel++)
        sum[channel] += drawing->background[channel] +
                        drawing->slope_x[channel] * (x - SHAPES_SIDE / 2.0) +
                        drawing->slope_y[channel] * (y - SHAPES_SIDE / 2.0);
}

static void pixel_add(const struct drawing *drawing, double x, double y, double sum[DATA_COLOURS])
{
    double dx = x - drawing->centre_x, dy = y - drawing->centre_y;
    double u = (dx * drawing->cosine + dy * drawing->sine) / drawing->radius;
    double v = (dy * drawing->cosine - dx * drawing->sine) / drawing->radius;
    if (!silhouette_holds(drawing->silhouette, u, v)) {
        background_add(drawing, x, y, sum);
        return;
    }
    const double *colour = texture_is_bright(drawing, dx, dy) ? drawing->bright : drawing->dark;
    for (int channel = 0; channel < DATA_COLOURS; channel++)
        sum[channel] += colour[channel];
}

static void pixel_mean(const struct drawing *drawing, int row, int column,
                       double mean[DATA_COLOURS])
{
    double sum[DATA_COLOURS] = {0};
    for (int sample = 0; sample < SHAPES_SAMPLES * SHAPES_SAMPLES; sample++) {
        double x = column + (sample % SHAPES_SAMPLES + 0.5) / SHAPES_SAMPLES;
        double y = row + ((sample - sample % SHAPES_SAMPLES) / (double)SHAPES_SAMPLES + 0.5) /
                             SHAPES_SAMPLES;
        pixel_add(drawing, x, y, sum);
    }
    for (int channel = 0; channel < DATA_COLOURS; channel++)
        mean[channel] = sum[channel] / (SHAPES_SAMPLES * SHAPES_SAMPLES);
}

static void image_draw(uint64_t image, int class, uint8_t *pixels)
{
    struct random_source random = {SHAPES_SEED, random_stream(RANDOM_SHAPES, image), 0};
    struct drawing drawing = drawing_choose(class, &random);
    for (int position = 0; position < SHAPES_PIXELS; position++) {
        double mean[DATA_COLOURS];
        pixel_mean(&drawing, position / SHAPES_SIDE, position % SHAPES_SIDE, mean);
        struct random_block noise = random_block(random.seed, random.stream, random.index++);
        for (int channel = 0; channel < DATA_COLOURS; channel++) {
            double error = (double)noise.words[channel] * 0x1p-32 - 0.5;
            double value = mean[channel] + 40.0 * error;
            pixels[channel * SHAPES_PIXELS + position] = (uint8_t)fmin(fmax(value, 0), 255);
        }
    }
}

static struct data_part part_draw(struct arena *arena, uint64_t first, int64_t count)
{
    enum { BYTES = DATA_COLOURS * SHAPES_PIXELS };
    uint8_t *pixels = ARENA_ARRAY(arena, uint8_t, count * BYTES);
    int32_t *labels = ARENA_ARRAY(arena, int32_t, count);
    for (int64_t i = 0; i < count; i++) {
        labels[i] = (int32_t)(i % SHAPES_CLASSES);
        image_draw(first + (uint64_t)i, labels[i], pixels + i * BYTES);
    }
    return (struct data_part){.count = count, .bytes = pixels, .labels = labels};
}

struct status data_open_shapes(struct data_set *data, const char *path, unsigned parts)
{
    if (path[0] != '\0')
        return status_error(STATUS_USAGE, "--data shapes takes no path");
    data->channels = DATA_COLOURS;
    data->size[0] = 1;
    data->size[1] = data->size[2] = SHAPES_SIDE;
    data->mean = data_shapes_mean;
    data->deviation = data_shapes_deviation;
    data->class_names = shapes_names;
    data->class_count = SHAPES_CLASSES;
    if (parts & DATA_NEEDS_TRAIN)
        data->parts[DATA_TRAIN] = part_draw(&data->arena, 0, SHAPES_TRAIN);
    if (parts & DATA_NEEDS_VALIDATION)
        data->parts[DATA_VALIDATION] = part_draw(&data->arena, SHAPES_TRAIN, SHAPES_VALIDATION);
    return status_ok();
}
