/* The command `train`. Setting up is in training_setup.c, the loop in training.c. */
#include <inttypes.h>

#include "runtime/commands.h"
#include "runtime/interrupt.h"
#include "runtime/options.h"
#include "runtime/training.h"

static void summary_print(const struct training *training)
{
    const struct epoch_record *best = history_best(&training->history);
    printf("%" PRId64 " steps; weights in %s", training->step, training->last_path);
    if (best != NULL)
        printf("\nbest validation top-1 %.2f %% in epoch %" PRId64 "; weights in %s",
               best->validation_top1, best->epoch + 1, training->best_path);
    printf("\ncurves in %s\n", training->report_path);
}

static struct status train(const struct rnet_program *program,
                           const struct train_options *options)
{
    struct training training = {0};
    struct status status = training_open(&training, program, options);
    if (status_is_ok(&status)) {
        interrupt_install();
        status = training_run(&training);
    }
    if (status_is_ok(&status)) {
        progress_curve(&training.history);
        summary_print(&training);
    }
    training_release(&training);
    return status;
}

struct status command_train(const struct rnet_program *program, int argc, char **argv)
{
    struct train_options options = {.steps = -1, .learning_rate = -1};
    const struct option_entry entries[] = {
        {"data", OPTION_TEXT, "SPEC", "cifar10:DIR, cifar100:DIR, npy:DIR or shapes",
         .target = &options.data, .required = true},
        {"out", OPTION_TEXT, "DIR", "where the run goes; made if missing", .target = &options.out,
         .required = true},
        {"epochs", OPTION_INTEGER, "N", "the recipe's milestones and warmup are stretched with it",
         .target = &options.epochs, .minimum = 1},
        {"steps", OPTION_INTEGER, "N", "end after N optimizer steps", .target = &options.steps},
        {"lr", OPTION_REAL, "X", "replaces the base learning rate",
         .target = &options.learning_rate},
        {"seed", OPTION_INTEGER, "N", "of weights, order and augmentation (default: 0)",
         .target = &options.seed},
        {"threads", OPTION_INTEGER, "N", "threads (default: one for each processor)",
         .target = &options.threads, .minimum = 1},
        {"init", OPTION_TEXT, "FILE", "start from these weights", .target = &options.init},
        {"no-shuffle", OPTION_FLAG, NULL, "take the images in the order of the files",
         .target = &options.no_shuffle},
        {"no-augment", OPTION_FLAG, NULL, "no random augmentation", .target = &options.no_augment},
    };
    const struct option_set set = {"train", "Trains by the recipe compiled in.", entries,
                                   sizeof entries / sizeof *entries};
    bool helped;
    RETURN_IF_ERROR(options_parse(&set, argc, argv, &helped));
    return helped ? status_ok() : train(program, &options);
}
