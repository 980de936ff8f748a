/* The words that recipes are made of: data sets, image transforms, schedules, initializers,
 * optimizers, losses. One table; what a word does is the runtime's matter. */
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
    WORD_DECAY, /* an argument of the optimizer */
    WORD_LOSS,
    WORD_NETWORK, /* a name that the network gives: in no table, known once the graph is there */
};

enum word_argument_type {
    WORD_WHOLE,
    WORD_REAL,
    WORD_FLAG,
    WORD_LIST,   /* of numbers, ascending; at most one a word, stored last */
    WORD_SIDES,  /* an integer, or a list of one an axis, stored last */
    WORD_CHOICE, /* a word of the parameter's role */
};

enum { WORD_ARGUMENTS = 5 };

struct word_parameter {
    const char *name;
    enum word_argument_type type;
    bool required;
    double minimum, maximum;
    double fallback;
    enum word_role role; /* WORD_CHOICE */
};

struct word_definition {
    const char *name;
    enum word_role role;
    struct word_parameter parameters[WORD_ARGUMENTS];
    size_t parameter_count;
};

/* Fills context->words. */
void recipe_words_declare(struct context *context);

/* The word for a name that the network gives. */
struct value recipe_word_of_network(struct context *context, const char *name, struct span span);

/* Whether arguments of this word are names that the network gives. */
bool recipe_word_names_network(const struct word_definition *definition);

/* The definition of a word in the table; NULL if there is none. */
const struct word_definition *recipe_word_find(const char *name);

/* Reports arguments of the wrong type or size and turns them to poison. */
void recipe_word_check(struct context *context, const struct word_definition *definition,
                       struct argument *arguments);

/* Whether an argument suits a parameter; reported if not. Nothing and poison do. */
bool recipe_word_check_argument(struct context *context, const struct word_parameter *parameter,
                                const struct argument *argument);

/* Spreads a word's arguments out; false, reported, where one is missing or wrong. */
bool recipe_word_read(struct context *context, const struct word *word, struct recipe_word *out);

/* "an image transform": for sentences. */
const char *word_role_name(enum word_role role);

#endif
