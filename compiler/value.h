/* Compile-time values of the language: numbers, lists, maps, and blocks themselves.
 *
 * A value is small, immutable and copied freely; what it points to lives in the elaboration's
 * arena. A poison value stands where a mistake was reported: whatever touches it stays silent and
 * gives poison. A block value holds no weights and no shapes: it is run on a tensor later. */
#ifndef COMPILER_VALUE_H
#define COMPILER_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "compiler/graph.h"
#include "lang/ast.h"

struct scope;
struct word_definition; /* compiler/recipe_word.h */

enum value_kind {
    VALUE_UNBOUND, /* an argument that was not given */
    VALUE_POISON,
    VALUE_INTEGER,
    VALUE_NUMBER,
    VALUE_BOOLEAN,
    VALUE_LIST,
    VALUE_MAP,
    VALUE_BLOCK,
    VALUE_FUNCTION,
    VALUE_WORDS,
    VALUE_RECIPE,
};

/* The functions on values that the language has. */
enum function { FUNCTION_REPEAT, FUNCTION_SUM, FUNCTION_LEN, FUNCTION_COUNT };

struct value {
    enum value_kind kind;
    union {
        int64_t integer;
        double number;
        bool boolean;
        const struct value_list *list;
        const struct value_map *map;
        const struct block *block;
        enum function function;
        const struct word_chain *words;
        const struct recipe_value *recipe;
    };
};

struct value_list {
    const struct value *items;
    size_t count;
    bool has_block; /* itself or in a list in it */
};

struct value_map {
    const int64_t *keys;
    const struct value *values;
    size_t count;
};

/* What can be called: a name and its parameters. Names are interned. */
struct signature {
    const char *name;
    const char *const *parameters;
    const bool *required;
    size_t count;
};

/* An argument that was bound, and where it is written. */
struct argument {
    struct value value; /* VALUE_UNBOUND where nothing is bound */
    struct span span;
};

/* A callee with some of its parameters bound; as many arguments as the signature has. */
struct application {
    const struct signature *signature;
    const struct argument *arguments;
};

/* A block, stage, network or recipe that a file declares. */
struct declaration {
    const struct node *node;
    struct scope *scope; /* of its file */
    struct signature signature;
};

enum block_kind {
    BLOCK_POISON,
    BLOCK_IDENTITY,
    BLOCK_LAYER,
    BLOCK_DECLARED, /* `block` */
    BLOCK_STAGE,
    BLOCK_CHAIN,
    BLOCK_SUM,
    BLOCK_PRODUCT,
    BLOCK_JOIN,
    BLOCK_LABEL,
    BLOCK_REPEAT,
};

struct block {
    enum block_kind kind;
    struct span span;                      /* where it is used: what was written there last */
    struct span made;                      /* where its arguments were bound last */
    struct application application;        /* LAYER, DECLARED, STAGE */
    enum op_kind op;                       /* LAYER */
    const struct declaration *declaration; /* DECLARED, STAGE */
    const struct block *const *parts;      /* CHAIN, SUM, PRODUCT, JOIN; LABEL and REPEAT: one */
    size_t part_count;
    const char *label; /* LABEL */
    int64_t count;     /* REPEAT */
};

/* `pad(4) >> random_crop(32)`: words of recipes, one after the other. */
struct word {
    const struct word_definition *definition;
    struct application application;
    struct span span;
};

struct word_chain {
    const struct word *items;
    size_t count;
};

struct recipe_value {
    const struct declaration *declaration;
    struct application application;
    struct span span;
};

struct value value_poison(void);
struct value value_integer(int64_t integer);
struct value value_number(double number);
struct value value_boolean(bool boolean);
struct value value_block(const struct block *block);

/* A list of `count` values at `items`, which it borrows. */
struct value value_list(struct arena *arena, const struct value *items, size_t count);

/* "an integer", "a list": for sentences. */
const char *value_kind_name(enum value_kind kind);

bool value_is_numeric(struct value value);

/* An integer's or number's value as a double. */
double value_as_double(struct value value);

/* A list with a block in it, or with such a list: it means their join where a block is required. */
bool value_is_join(struct value value);

/* The value as the language writes it; what is long is cut with "...". */
const char *value_text(struct value value, struct arena *arena);

/* The name a block goes by in messages: a layer's or declaration's, else "this block". */
const char *block_name(const struct block *block);

/* The position of a parameter in a signature, or -1. `name` is interned. */
int signature_find(const struct signature *signature, const char *name);

#endif
