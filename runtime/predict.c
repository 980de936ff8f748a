/* The command `predict`: image files through the network, the most likely classes out.
 *
 * The files are a data set without labels: the loader decodes them, applies the recipe's `evaluate`
 * (or stretches them to the input's size), and normalizes as the weights' metadata says. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "runtime/commands.h"
#include "runtime/executor_options.h"
#include "runtime/loader.h"
#include "runtime/metrics.h"
#include "runtime/weights.h"

enum { SHOWN = 5 /* classes, unless --top says otherwise */ };

struct predict_options {
    const char *weights;
    struct text_list images;
    int64_t top;
    struct executor_options computing;
    bool json;
};

/* What a run opens, to be released in one place. */
struct predict {
    struct arena arena;
    struct data_set data;
    struct executor executor;
    struct loader loader;
    struct weights_metadata metadata;
};

static void data_fill(struct predict *predict, const struct text_list *images)
{
    struct data_set *data = &predict->data;
    data->kind = "images";
    data->channels = DATA_COLOURS;
    data->size[0] = 1;
    data->parts[DATA_VALIDATION] = (struct data_part){
        .count = (int64_t)images->texts.count,
        .paths = images->texts.items,
        .labels = ARENA_ARRAY(&predict->arena, int32_t, images->texts.count),
    };
}

/* The weights' own normalization, or that of the recipe's kind of data set. */
static struct status normalization_choose(struct predict *predict,
                                          const struct predict_options *options)
{
    const char *kind = predict->executor.program->recipe.data;
    struct data_set *data = &predict->data;
    if (predict->metadata.normalizes) {
        data->mean = predict->metadata.mean;
        data->deviation = predict->metadata.deviation;
        return status_ok();
    }
    if (data_kind_normalization(kind, &data->mean, &data->deviation)) {
        fprintf(stderr, "note: %s does not say how images are normalized; as for %s\n",
                options->weights, kind);
        return status_ok();
    }
    return status_error(STATUS_INVALID,
                        "neither the metadata of %s nor the recipe says how images are normalized",
                        options->weights);
}

static struct status predict_open(const struct rnet_program *program,
                                  const struct predict_options *options, struct predict *predict)
{
    struct weights_options reading = {.metadata = &predict->metadata, .arena = &predict->arena};
    struct loader_options loading = {
        .part = DATA_VALIDATION,
        .augmentation = {program->recipe.evaluate, program->recipe.evaluate_count},
    };
    if (program->channels != DATA_COLOURS || program->spatial_rank != 2)
        return status_error(STATUS_INVALID, "%s does not take images in three colours",
                            program->network);
    if ((int64_t)options->images.texts.count < program->batch)
        loading.batch = (int64_t)options->images.texts.count;
    RETURN_IF_ERROR(executor_open_with(&predict->executor, program, &options->computing));
    RETURN_IF_ERROR(weights_read_with(&predict->executor, options->weights, &reading));
    data_fill(predict, &options->images);
    RETURN_IF_ERROR(normalization_choose(predict, options));
    return loader_open(&predict->loader, &predict->arena, &predict->data, &predict->executor,
                       &loading);
}

/* Turns logits into probabilities. */
static void softmax(const float *logits, double *scores, int64_t classes)
{
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < classes; i++)
        most = fmax(most, (double)logits[i]);
    for (int64_t i = 0; i < classes; i++)
        sum += scores[i] = exp((double)logits[i] - most);
    for (int64_t i = 0; i < classes; i++)
        scores[i] /= sum;
}

/* The class with the highest score that was not taken yet; it is marked by a score below 0. */
static int64_t best_take(double *scores, int64_t classes, double *score)
{
    int64_t best = 0;
    for (int64_t i = 1; i < classes; i++)
        if (scores[i] > scores[best])
            best = i;
    *score = scores[best];
    scores[best] = -1;
    return best;
}

static const char *class_name(const struct predict *predict, int64_t class)
{
    const struct weights_metadata *metadata = &predict->metadata;
    bool known = metadata->class_names != NULL && class < metadata->class_count;
    return known ? metadata->class_names[class] : NULL;
}

static void name_print_json(FILE *out, const char *name)
{
    struct arena arena = {0};
    struct text_builder text = {.arena = &arena};
    if (name != NULL)
        text_add_json(&text, name);
    fputs(name != NULL ? text_result(&text) : "null", out);
    arena_release(&arena);
}

static void class_print(FILE *out, const struct predict *predict, bool json, int64_t place,
                        int64_t class, double score)
{
    const char *name = class_name(predict, class);
    if (json) {
        fprintf(out, "%s{\"index\":%" PRId64 ",\"name\":", place == 0 ? "" : ",", class);
        name_print_json(out, name);
        fprintf(out, ",\"score\":");
        json_number_print(out, score);
        fprintf(out, "}");
    } else if (name != NULL) {
        fprintf(out, "  %6.2f %%  %s\n", 100 * score, name);
    } else {
        fprintf(out, "  %6.2f %%  class %" PRId64 "\n", 100 * score, class);
    }
}

static void image_print(FILE *out, const struct predict *predict,
                        const struct predict_options *options, int64_t image, const float *logits,
                        double *scores)
{
    int64_t classes = predict->executor.program->classes;
    int64_t top = options->top < classes ? options->top : classes;
    const char *path = options->images.texts.items[image];
    if (options->json) {
        fprintf(out, "%s{\"image\":", image == 0 ? "" : ",");
        name_print_json(out, path);
        fprintf(out, ",\"classes\":[");
    } else {
        fprintf(out, "%s\n", path);
    }
    softmax(logits, scores, classes);
    for (int64_t place = 0; place < top; place++) {
        double score;
        int64_t class = best_take(scores, classes, &score);
        class_print(out, predict, options->json, place, class, score);
    }
    if (options->json)
        fprintf(out, "]}");
}

static struct status images_run(FILE *out, struct predict *predict,
                                const struct predict_options *options)
{
    const struct rnet_program *program = predict->executor.program;
    double *scores = ARENA_ARRAY(&predict->arena, double, program->classes);
    int64_t count = (int64_t)options->images.texts.count, images;
    int64_t stride = channel_stride(program->classes);
    for (int64_t done = 0; done < count; done += images) {
        RETURN_IF_ERROR(loader_fill(&predict->loader, done, &images));
        const float *logits;
        RETURN_IF_ERROR(executor_run(&predict->executor, RNET_PHASE_INFER, images));
        RETURN_IF_ERROR(
            executor_read(&predict->executor, program->logits, images * stride, &logits));
        for (int64_t i = 0; i < images; i++)
            image_print(out, predict, options, done + i, logits + i * stride, scores);
    }
    return status_ok();
}

/* A JSON document is printed when it is whole, lines as they come. */
static struct status predict_run(struct predict *predict, const struct predict_options *options)
{
    char *document = NULL;
    size_t size;
    if (!options->json)
        return images_run(stdout, predict, options);
    FILE *out = open_memstream(&document, &size);
    if (out == NULL)
        return status_error(STATUS_MEMORY, "not enough memory for the results");
    struct status status = images_run(out, predict, options);
    if (fclose(out) != 0 && status_is_ok(&status))
        status = status_error(STATUS_MEMORY, "not enough memory for the results");
    if (status_is_ok(&status))
        printf("[%s]\n", document);
    free(document);
    return status;
}

static void predict_release(struct predict *predict)
{
    loader_close(&predict->loader);
    executor_release(&predict->executor);
    arena_release(&predict->arena);
}

struct status command_predict(const struct rnet_program *program, int argc, char **argv)
{
    struct predict predict = {0};
    struct predict_options options = {.top = SHOWN, .images.arena = &predict.arena};
    const struct option_entry entries[] = {
        {"weights", OPTION_TEXT, "FILE", "weights, as safetensors", .target = &options.weights,
         .required = true},
        {"top", OPTION_INTEGER, "K", "classes to print for each image (default: 5)",
         .target = &options.top, .minimum = 1},
        EXECUTOR_OPTION_ENTRIES(options.computing),
        {"json", OPTION_FLAG, NULL, "print one JSON list", .target = &options.json},
    };
    const struct option_set set = {"predict",       "Classifies JPEG and PNG files.",
                                   entries,         sizeof entries / sizeof *entries,
                                   &options.images, "IMAGE..."};
    bool helped;
    struct status status = options_parse(&set, argc, argv, &helped);
    if (status_is_ok(&status) && !helped)
        status = predict_open(program, &options, &predict);
    if (status_is_ok(&status) && !helped)
        status = predict_run(&predict, &options);
    predict_release(&predict);
    return status;
}
