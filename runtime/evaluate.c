/* Evaluation, and the command `eval`. See evaluate.h. */
#include "runtime/evaluate.h"

#include <inttypes.h>
#include <math.h>

#include "runtime/commands.h"
#include "runtime/executor_options.h"
#include "runtime/interrupt.h"
#include "runtime/metrics.h"
#include "runtime/options.h"
#include "runtime/show.h"
#include "runtime/weights.h"

enum { TOP = 5 };

struct eval_options {
    const char *data, *weights;
    struct executor_options computing;
    int64_t show; /* how many images to print with their predictions */
    bool json;
};

struct status tally_add(struct tally *tally, struct executor *executor, struct rnet_location loss,
                        struct rnet_location rank, int64_t images)
{
    const float *losses, *ranks;
    RETURN_IF_ERROR(executor_read(executor, loss, images, &losses));
    RETURN_IF_ERROR(executor_read(executor, rank, images, &ranks));
    for (int64_t i = 0; i < images; i++) {
        const bool is_ranked = isfinite(losses[i]); /* nothing is above what is not a number */
        tally->loss += (double)losses[i];
        tally->top1 += is_ranked && ranks[i] < 1;
        tally->top5 += is_ranked && ranks[i] < TOP;
    }
    tally->images += images;
    return status_ok();
}

double tally_loss(const struct tally *tally)
{
    return tally->loss / (double)tally->images;
}

double tally_top1(const struct tally *tally)
{
    return 100.0 * (double)tally->top1 / (double)tally->images;
}

double tally_top5(const struct tally *tally)
{
    return 100.0 * (double)tally->top5 / (double)tally->images;
}

/* Adds up what the phases have left of a batch, which is the next of the loader's order. */
static struct status batch_add(struct loader *loader, struct tally *tally,
                               struct mistakes *mistakes, int64_t images)
{
    struct executor *executor = loader->executor;
    const struct rnet_program *program = executor->program;
    if (mistakes != NULL) {
        RETURN_IF_ERROR(mistakes_see(mistakes, executor, images));
        RETURN_IF_ERROR(mistakes_add(mistakes, loader, tally->images, images));
    }
    return tally_add(tally, executor, program->loss, program->rank, images);
}

struct status evaluate_images(struct loader *loader, struct tally *tally, struct mistakes *mistakes,
                              bool *whole)
{
    struct executor *executor = loader->executor;
    int64_t images;
    *tally = (struct tally){0};
    if (mistakes != NULL)
        mistakes_clear(mistakes);
    RETURN_IF_ERROR(loader_fill(loader, 0, &images));
    while (images > 0 && !interrupt_requested()) {
        int64_t next;
        RETURN_IF_ERROR(executor_run(executor, RNET_PHASE_INFER, images));
        RETURN_IF_ERROR(executor_run(executor, RNET_PHASE_LOSS, images));
        /* While the device computes. */
        RETURN_IF_ERROR(loader_fill(loader, tally->images + images, &next));
        RETURN_IF_ERROR(batch_add(loader, tally, mistakes, images));
        images = next;
    }
    *whole = images == 0;
    return status_ok();
}

static void tally_print_json(const struct tally *tally)
{
    printf("{\"images\":%" PRId64 ",\"loss\":", tally->images);
    json_number_print(stdout, tally_loss(tally));
    printf(",\"top1\":");
    json_number_print(stdout, tally_top1(tally));
    printf(",\"top5\":");
    json_number_print(stdout, tally_top5(tally));
    printf("}\n");
}

static void tally_print(const struct tally *tally)
{
    printf("%" PRId64 " images: loss %.4f, top-1 %.2f %%, top-5 %.2f %%\n", tally->images,
           tally_loss(tally), tally_top1(tally), tally_top5(tally));
}

static struct status evaluate(const struct rnet_program *program,
                              const struct eval_options *options, struct data_set *data,
                              struct executor *executor, struct loader *loader)
{
    struct tally tally;
    bool whole;
    struct loader_options loading = {
        .part = DATA_VALIDATION,
        .augmentation = {program->recipe.evaluate, program->recipe.evaluate_count},
    };
    RETURN_IF_ERROR(data_set_open(data, options->data, DATA_NEEDS_VALIDATION, program));
    RETURN_IF_ERROR(executor_open_with(executor, program, &options->computing));
    RETURN_IF_ERROR(weights_read(executor, options->weights));
    RETURN_IF_ERROR(loader_open(loader, &data->arena, data, executor, &loading));
    RETURN_IF_ERROR(evaluate_images(loader, &tally, NULL, &whole));
    if (!options->json && options->show > 0)
        RETURN_IF_ERROR(show_predictions(loader, options->show));
    (options->json ? tally_print_json : tally_print)(&tally);
    return status_ok();
}

struct status command_eval(const struct rnet_program *program, int argc, char **argv)
{
    struct eval_options options = {0};
    const struct option_entry entries[] = {
        {"data", OPTION_TEXT, "SPEC", "cifar10:DIR, cifar100:DIR, imagenet:DIR, npy:DIR or shapes",
         .target = &options.data, .required = true},
        {"weights", OPTION_TEXT, "FILE", "weights, as safetensors", .target = &options.weights,
         .required = true},
        EXECUTOR_OPTION_ENTRIES(options.computing),
        {"show", OPTION_INTEGER, "N", "also print the first N images' predictions",
         .target = &options.show, .minimum = 0},
        {"json", OPTION_FLAG, NULL, "print one JSON object", .target = &options.json},
    };
    const struct option_set set = {"eval",  "Measures loss and accuracy on the validation part.",
                                   entries, sizeof entries / sizeof *entries,
                                   NULL,    NULL};
    bool helped;
    RETURN_IF_ERROR(options_parse(&set, argc, argv, &helped));
    if (helped)
        return status_ok();
    struct data_set data = {0};
    struct executor executor = {0};
    struct loader loader = {0};
    struct status status = evaluate(program, &options, &data, &executor, &loader);
    loader_close(&loader);
    executor_release(&executor);
    data_set_release(&data);
    return status;
}
