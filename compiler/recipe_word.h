/* The words that recipes are made of: data sets, image transforms, schedules, initializers,
 * optimizers. One table; what a word does is the runtime's matter. */
#ifndef COMPILER_RECIPE_WORD_H
#define COMPILER_RECIPE_WORD_H

#include "compiler/context.h"
#include "compiler/recipe.h"

enum word_role {
    WORD_DATA,
    WORD_TRANSFORM,
    WORD_SCHEDULE,
    WORD_INIT,
    WORD_FAN, /* the argument of an initializer */
    WORD_OPTIMIZER,
};

enum word_argument_type {
    WORD_WHOLE,
    WORD_REAL,
    WORD_LIST, /* of numbers; at most one a word, stored last */
    WORD_MODE, /* a word of the role WORD_FAN */
};

enum { WORD_ARGUMENTS = 3 };

struct word_parameter {
    const char *name;
    enum word_argument_type type;
    bool required;
    double minimum, maximum;
    double fallback;
};

struct word_definition {
    const char *name;
    enum word_role role;
    struct word_parameter parameters[WORD_ARGUMENTS];
    size_t parameter_count;
};

/* Fills context->words. */
void recipe_words_declare(struct context *context);

/* Reports arguments of the wrong type or size and turns them to poison. */
void recipe_word_check(struct context *context, const struct word_definition *definition,
                       struct argument *arguments);

/* Spreads a word's arguments out; false, reported, where one is missing or wrong. */
bool recipe_word_read(struct context *context, const struct word *word, struct recipe_word *out);

/* "an image transform": for sentences. */
const char *word_role_name(enum word_role role);

#endif
