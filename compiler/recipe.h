/* How a network is trained: what `train` and `recipe` declarations come to. */
#ifndef COMPILER_RECIPE_H
#define COMPILER_RECIPE_H

#include <stddef.h>
#include <stdint.h>

enum { RECIPE_ARGUMENTS = 8 };

/* One element of a chain of recipe words, such as pad(4) or step(at = [81, 122], factor = 0.1):
 * numbers in the order of the word's declaration; a list comes last, spread out. */
struct recipe_word {
    const char *name;
    double arguments[RECIPE_ARGUMENTS];
    uint32_t argument_count;
};

struct recipe_words {
    const struct recipe_word *items;
    size_t count;
};

/* `init`: how convolutions' weights begin. */
enum weight_init {
    WEIGHT_INIT_HE_NORMAL_FAN_OUT, /* normal, variance 2 / (outputs x window); not divided by groups */
    WEIGHT_INIT_HE_NORMAL_FAN_IN,
    WEIGHT_INIT_XAVIER_UNIFORM,
    WEIGHT_INIT_XAVIER_NORMAL,
};

struct recipe {
    const char *name; /* "cifar_sgd", or the network's where the settings stand in `train` itself */
    const char *data; /* "cifar10" */
    struct recipe_words augment, evaluate, schedule;
    int64_t epochs, batch;
    enum weight_init init;
    double learning_rate, momentum, weight_decay;
};

#endif
