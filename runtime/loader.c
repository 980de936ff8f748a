/* Batches: each thread fills its share of the images. See loader.h. */
#include "runtime/loader.h"

#include "runtime/clock.h"

enum { AUGMENT_DRAWS = 64 /* the most draws of one image's augmentation */ };

struct filling {
    const struct loader *loader;
    int64_t first, count;
    const uint8_t *pictures; /* of the loader's threads; NULL: take the images from memory */
};

static void levels_compute(struct loader *loader)
{
    const struct data_set *data = loader->data;
    for (int channel = 0; channel < DATA_COLOURS && data->mean != NULL; channel++)
        for (int level = 0; level < LOADER_LEVELS; level++) {
            double value = level / 255.0;
            value = (value - (double)data->mean[channel]) / (double)data->deviation[channel];
            loader->levels[channel][level] = (float)value;
        }
}

/* Makes the picture at a place of the epoch's order; a prefetch_function. */
static struct status place_make(const void *context, int64_t place, uint8_t *out)
{
    const struct loader *loader = context;
    const struct data_set *data = loader->data;
    const struct data_part *part = &data->parts[loader->part];
    int64_t image = loader->order[place];
    struct random_source random = {loader->seed, random_stream(RANDOM_AUGMENT, loader->epoch),
                                   (uint64_t)image * AUGMENT_DRAWS};
    if (part->paths != NULL)
        return picture_read(&loader->pictures, part->paths[image], &random, out);
    int64_t plane = data->size[1] * data->size[2];
    return picture_convert(&loader->pictures, part->bytes + image * DATA_COLOURS * plane,
                           data->size[1], data->size[2], &random, out);
}

/* Starts the loader's own threads if its images need more than a copy. */
static struct status threads_start(struct loader *loader)
{
    const struct data_part *part = &loader->data->parts[loader->part];
    const struct rnet_program *program = loader->executor->program;
    if (part->paths == NULL && !augmentation_resizes(loader->augmentation))
        return status_ok();
    if (part->floats != NULL || program->spatial_rank != 2 || program->channels != DATA_COLOURS)
        return status_error(STATUS_INVALID, "only images of bytes in three colours are resized");
    loader->pictures =
        (struct picture_recipe){loader->augmentation, program->size[0], program->size[1]};
    struct prefetch_options options = {
        .make = place_make,
        .context = loader,
        .batch = loader->batch,
        .bytes = program->size[0] * program->size[1] * IMAGE_COLOURS,
        .threads = thread_team_count(loader->executor->team),
    };
    return prefetch_start(&options, &loader->prefetch);
}

struct status loader_open(struct loader *loader, struct arena *arena, const struct data_set *data,
                          struct executor *executor, const struct loader_options *options)
{
    const struct rnet_program *program = executor->program;
    const int64_t *wanted = program->size + (program->spatial_rank == 3 ? 1 : 0);
    *loader = (struct loader){
        .data = data,
        .executor = executor,
        .part = options->part,
        .augmentation = options->augmentation,
        .shuffle = options->shuffle,
        .batch = options->batch != 0 ? options->batch : program->batch,
        .seed = options->seed,
        .order = ARENA_ARRAY(arena, int64_t, data->parts[options->part].count),
    };
    levels_compute(loader);
    loader_start_epoch(loader, 0);
    RETURN_IF_ERROR(augmentation_check(options->augmentation, data->size[1], data->size[2],
                                       wanted[0], wanted[1]));
    return threads_start(loader);
}

void loader_close(struct loader *loader)
{
    prefetch_release(loader->prefetch);
    loader->prefetch = NULL;
}

void loader_start_epoch(struct loader *loader, int64_t epoch)
{
    int64_t count = loader->data->parts[loader->part].count;
    if (loader->prefetch != NULL)
        prefetch_rest(loader->prefetch);
    loader->epoch = (uint64_t)epoch;
    for (int64_t i = 0; i < count; i++)
        loader->order[i] = i;
    struct random_source random = {loader->seed, random_stream(RANDOM_SHUFFLE, loader->epoch), 0};
    if (loader->shuffle)
        random_order(&random, loader->order, count);
}

/* One row of a view: source columns left ... left + width - 1, some of them outside. */
struct row {
    int64_t source;  /* index of the source row's first pixel; -1: the row lies outside */
    int64_t width;   /* of the source */
    const struct view *view;
};

static int64_t row_pixel(const struct row *row, int64_t column)
{
    const struct view *view = row->view;
    int64_t x = view->left + (view->flipped ? view->width - 1 - column : column);
    return row->source < 0 || x < 0 || x >= row->width ? -1 : row->source + x;
}

static void row_fill_bytes(const struct row *row, const uint8_t *channel, const float *levels,
                           float *out, int64_t stride)
{
    for (int64_t column = 0; column < row->view->width; column++) {
        int64_t pixel = row_pixel(row, column);
        out[column * stride] = levels[pixel < 0 ? 0 : channel[pixel]];
    }
}

static void row_fill_floats(const struct row *row, const float *channel, float *out,
                            int64_t stride)
{
    for (int64_t column = 0; column < row->view->width; column++) {
        int64_t pixel = row_pixel(row, column);
        out[column * stride] = pixel < 0 ? 0.0f : channel[pixel];
    }
}

/* Fills one channel of one image, all its frames. `base` is the channel's first pixel. */
static void channel_fill(const struct loader *loader, int64_t base, int64_t channel,
                         const struct view *view, float *out)
{
    const struct data_set *data = loader->data;
    const struct data_part *part = &data->parts[loader->part];
    int64_t stride = channel_stride(data->channels);
    int64_t height = data->size[1], width = data->size[2];
    for (int64_t line = 0; line < data->size[0] * view->height; line++) {
        int64_t y = view->top + line % view->height, frame = line / view->height;
        bool outside = y < 0 || y >= height;
        struct row row = {outside ? -1 : (frame * height + y) * width, width, view};
        float *target = out + line * view->width * stride + channel;
        if (part->bytes != NULL)
            row_fill_bytes(&row, part->bytes + base, loader->levels[channel], target, stride);
        else
            row_fill_floats(&row, part->floats + base, target, stride);
    }
}

/* Takes a picture of the loader's threads: as the network's input, but for the normalization. */
static void picture_fill(const struct loader *loader, const uint8_t *pictures, int64_t slot)
{
    int64_t count = loader->pictures.height * loader->pictures.width * IMAGE_COLOURS;
    const uint8_t *picture = pictures + slot * count;
    float *out = (float *)(void *)loader->executor->regions[RNET_REGION_INPUT] + slot * count;
    for (int64_t i = 0; i < count; i += IMAGE_COLOURS)
        for (int c = 0; c < IMAGE_COLOURS; c++)
            out[i + c] = loader->levels[c][picture[i + c]];
}

static void image_fill(const struct loader *loader, int64_t image, int64_t slot)
{
    const struct data_set *data = loader->data;
    const struct rnet_program *program = loader->executor->program;
    struct random_source random = {loader->seed, random_stream(RANDOM_AUGMENT, loader->epoch),
                                   (uint64_t)image * AUGMENT_DRAWS};
    struct view view = augmentation_draw(loader->augmentation, data->size[1], data->size[2],
                                         &random);
    int64_t plane = data->size[0] * data->size[1] * data->size[2];
    int64_t shown = data->size[0] * view.height * view.width * channel_stride(data->channels);
    float *out = (float *)(void *)loader->executor->regions[RNET_REGION_INPUT] + slot * shown;
    for (int64_t channel = 0; channel < program->channels; channel++)
        channel_fill(loader, (image * data->channels + channel) * plane, channel, &view, out);
}

static void share_fill(void *context, int thread)
{
    const struct filling *filling = context;
    const struct loader *loader = filling->loader;
    int32_t *labels = (int32_t *)(void *)loader->executor->regions[RNET_REGION_LABELS];
    int64_t threads = thread_team_count(loader->executor->team);
    int64_t last = filling->count * (thread + 1) / threads;
    for (int64_t slot = filling->count * thread / threads; slot < last; slot++) {
        int64_t image = loader->order[filling->first + slot];
        if (filling->pictures != NULL)
            picture_fill(loader, filling->pictures, slot);
        else
            image_fill(loader, image, slot);
        labels[slot] = loader->data->parts[loader->part].labels[image];
    }
}

struct status loader_fill(struct loader *loader, int64_t first, int64_t *images)
{
    double start = clock_seconds();
    int64_t count = loader->data->parts[loader->part].count, left = count - first;
    struct filling filling = {loader, first, left < loader->batch ? left : loader->batch, NULL};
    *images = filling.count;
    if (left <= 0)
        return status_ok();
    if (loader->prefetch != NULL)
        RETURN_IF_ERROR(prefetch_take(loader->prefetch, first, count, &filling.pictures));
    thread_team_run(loader->executor->team, share_fill, &filling);
    struct status status = executor_submit(loader->executor, filling.count);
    loader->waited += clock_seconds() - start;
    return status;
}
