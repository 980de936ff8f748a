/* The command `train`. Setting up is in training_setup.c, the loop in training.c, and what may be
 * done several times in repeat.c. */
#include "runtime/commands.h"
#include "runtime/executor_options.h"
#include "runtime/options.h"
#include "runtime/repeat.h"

struct status command_train(const struct rnet_program *program, int argc, char **argv)
{
    struct arena arena = {0};
    int64_t repeat = 0;
    struct train_options options = {
        .steps = -1, .learning_rate = -1, .reset.arena = &arena, .frozen.arena = &arena};
    const struct option_entry entries[] = {
        {"data", OPTION_TEXT, "SPEC", "cifar10:DIR, cifar100:DIR, imagenet:DIR, npy:DIR or shapes",
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
        EXECUTOR_OPTION_ENTRIES(options.computing),
        {"init", OPTION_TEXT, "FILE", "start from these weights", .target = &options.init},
        {"reset", OPTION_LIST, "LABEL", "with --init: but not these layers' (may be repeated)",
         .target = &options.reset},
        {"freeze", OPTION_LIST, "LABEL", "leave these layers' weights as they are (repeatable)",
         .target = &options.frozen},
        {"resume", OPTION_FLAG, NULL, "go on from the newest checkpoint in DIR",
         .target = &options.resume},
        {"checkpoint-every", OPTION_INTEGER, "STEPS", "besides the one at the end of each epoch",
         .target = &options.checkpoint_every, .minimum = 1},
        {"repeat", OPTION_INTEGER, "N", "N seeds in a row, each into DIR/seed-K", .target = &repeat,
         .minimum = 1},
        {"tensorboard", OPTION_FLAG, NULL, "also write an event file for TensorBoard",
         .target = &options.tensorboard},
        {"no-shuffle", OPTION_FLAG, NULL, "take the images in the order of the files",
         .target = &options.no_shuffle},
        {"no-augment", OPTION_FLAG, NULL, "no random augmentation", .target = &options.no_augment},
    };
    const struct option_set set = {"train", "Trains by the recipe compiled in.", entries,
                                   sizeof entries / sizeof *entries, NULL, NULL};
    bool helped;
    struct status status = options_parse(&set, argc, argv, &helped);
    if (status_is_ok(&status) && options.reset.texts.count > 0 && options.init == NULL)
        status = status_error(STATUS_USAGE, "--reset needs --init FILE");
    if (status_is_ok(&status) && !helped)
        status = repeat == 0 ? train_once(program, &options, NULL)
                             : train_repeatedly(program, &options, repeat);
    arena_release(&arena);
    return status;
}
