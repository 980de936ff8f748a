/* How a network is trained: what `train` and `recipe` declarations come to. */
#ifndef COMPILER_RECIPE_H
#define COMPILER_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lang/source.h"

enum { RECIPE_ARGUMENTS = 8 };

/* One element of a chain of recipe words, such as pad(4) or step(at = [81, 122], factor = 0.1):
 * numbers in the order of the word's declaration; a list comes last, spread out. */
struct recipe_word {
    const char *name;
    double arguments[RECIPE_ARGUMENTS];
    uint32_t argument_count;
    struct span span;
};

struct recipe_words {
    const struct recipe_word *items;
    size_t count;
};

/* Names that the network gives: of outputs, or labels of layers. */
struct recipe_name {
    const char *name;
    struct span span;
};

struct recipe_names {
    const struct recipe_name *items;
    size_t count;
};

/* `init`: how convolutions' weights begin. */
enum weight_init {
    WEIGHT_INIT_HE_NORMAL_FAN_OUT, /* variance 2 / (outputs x window), not divided by groups */
    WEIGHT_INIT_HE_NORMAL_FAN_IN,
    WEIGHT_INIT_XAVIER_UNIFORM,
    WEIGHT_INIT_XAVIER_NORMAL,
};

enum recipe_loss {
    LOSS_CROSS_ENTROPY, /* softmax cross-entropy of the only output */
    LOSS_MULTIBOX,      /* of two outputs: boxes and classes */
};

/* The settings that a recipe may have. */
enum recipe_setting {
    SETTING_DATA,
    SETTING_AUGMENT,
    SETTING_EVALUATE,
    SETTING_CLIPS,
    SETTING_EPOCHS,
    SETTING_BATCH,
    SETTING_ACCUMULATE,
    SETTING_INIT,
    SETTING_ZERO_INIT,
    SETTING_LOSS,
    SETTING_LABEL_SMOOTHING,
    SETTING_OPTIMIZER,
    SETTING_CLIP,
    SETTING_SCHEDULE,
    SETTING_EMA,
    SETTING_COUNT
};

struct recipe {
    const char *name; /* "cifar_sgd", or the network's where the settings stand in `train` itself */
    struct span span; /* of the network's name in its `train` declaration, or in its own */
    const char *data; /* "cifar10" */
    struct recipe_words augment, evaluate, schedule;
    int64_t clips; /* of a video, whose logits are averaged in evaluation; 0: not given */
    int64_t epochs, batch;
    int64_t accumulate; /* batches whose gradients one update averages; 1: each its own */
    enum weight_init init;
    struct recipe_names zero_init; /* labels of layers whose weights begin as zeros */
    enum recipe_loss loss;
    struct recipe_names loss_outputs; /* in the order of the loss's parameters */
    double label_smoothing;           /* the share of the target spread over all classes */
    double learning_rate, momentum, weight_decay;
    bool nesterov;
    bool decays_weights_only; /* no weight decay of biases and of normalizations' parameters */
    double clip;              /* largest norm of all gradients together; 0: any */
    double ema;               /* decay of the moving average of the weights; 0: none is kept */
    /* Where each setting, and these arguments of the optimizer, were given; source 0: nowhere. */
    struct span places[SETTING_COUNT];
    struct span nesterov_place, decay_place;
};

#endif
