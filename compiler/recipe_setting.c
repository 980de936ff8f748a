/* The settings of a recipe, one table. */
#include <string.h>

#include "compiler/evaluate.h"
#include "compiler/recipe_elaborate.h"
#include "compiler/recipe_word.h"

enum setting_kind {
    KIND_WHOLE, /* an integer, in an int64_t */
    KIND_REAL,  /* a number, in a double */
    KIND_CHAIN, /* words one after the other, in a struct recipe_words */
    KIND_WORD,  /* one word */
    KIND_NAMES, /* labels of the network */
};

struct setting_definition {
    const char *name;
    enum setting_kind kind;
    enum word_role role;     /* of the words */
    double minimum, maximum; /* of the number */
    size_t offset;           /* in struct recipe, but for KIND_WORD */
};

#define FIELD(field) offsetof(struct recipe, field)

static const struct setting_definition settings[SETTING_COUNT] = {
    [SETTING_DATA] = {"data", KIND_WORD, WORD_DATA, 0, 0, 0},
    [SETTING_AUGMENT] = {"augment", KIND_CHAIN, WORD_TRANSFORM, 0, 0, FIELD(augment)},
    [SETTING_EVALUATE] = {"evaluate", KIND_CHAIN, WORD_TRANSFORM, 0, 0, FIELD(evaluate)},
    [SETTING_CLIPS] = {"clips", KIND_WHOLE, 0, 1, 1000, FIELD(clips)},
    [SETTING_EPOCHS] = {"epochs", KIND_WHOLE, 0, 1, 1e6, FIELD(epochs)},
    [SETTING_BATCH] = {"batch", KIND_WHOLE, 0, 1, 1e6, FIELD(batch)},
    [SETTING_ACCUMULATE] = {"accumulate", KIND_WHOLE, 0, 1, 1e6, FIELD(accumulate)},
    [SETTING_INIT] = {"init", KIND_WORD, WORD_INIT, 0, 0, 0},
    [SETTING_ZERO_INIT] = {"zero_init", KIND_NAMES, WORD_NETWORK, 0, 0, FIELD(zero_init)},
    [SETTING_LOSS] = {"loss", KIND_WORD, WORD_LOSS, 0, 0, 0},
    [SETTING_LABEL_SMOOTHING] = {"label_smoothing", KIND_REAL, 0, 0, 1, FIELD(label_smoothing)},
    [SETTING_OPTIMIZER] = {"optimizer", KIND_WORD, WORD_OPTIMIZER, 0, 0, 0},
    [SETTING_CLIP] = {"clip", KIND_REAL, 0, 0, 1e9, FIELD(clip)},
    [SETTING_SCHEDULE] = {"schedule", KIND_CHAIN, WORD_SCHEDULE, 0, 0, FIELD(schedule)},
    [SETTING_EMA] = {"ema", KIND_REAL, 0, 0, 1, FIELD(ema)},
};

static enum recipe_setting find_setting(const char *name)
{
    int setting = 0;

    while (setting < SETTING_COUNT && strcmp(settings[setting].name, name) != 0)
        setting++;
    return (enum recipe_setting)setting;
}

const char *recipe_setting_name(enum recipe_setting setting)
{
    return settings[setting].name;
}

bool recipe_setting_names_network(const char *name)
{
    return find_setting(name) == SETTING_ZERO_INIT;
}

void recipe_setting_check_name(struct context *context, const struct node *setting)
{
    const char *names[SETTING_COUNT];
    struct diagnostic *diagnostic;

    if (find_setting(setting->name) != SETTING_COUNT)
        return;
    for (int i = 0; i < SETTING_COUNT; i++)
        names[i] = settings[i].name;
    diagnostic = report(context, DIAGNOSTIC_BAD_SETTING, setting->name_span,
                        "recipes have no setting `%s`", setting->name);
    diagnostic_suggest(context->diagnostics, diagnostic, setting->name, names, SETTING_COUNT);
}

static void *field_of(struct recipe *recipe, const struct setting_definition *definition)
{
    return (char *)recipe + definition->offset;
}

/* ---- numbers ---- */

static bool check_number(struct context *context, const struct setting_definition *definition,
                         const struct argument *argument)
{
    const struct value value = argument->value;
    const bool whole = definition->kind == KIND_WHOLE;

    if (!value_is_numeric(value) || (whole && value.kind != VALUE_INTEGER)) {
        report(context, DIAGNOSTIC_BAD_SETTING, argument->span, "`%s` must be %s, not %s",
               definition->name, whole ? "an integer" : "a number", value_kind_name(value.kind));
        return false;
    }
    if (value_as_double(value) >= definition->minimum &&
        value_as_double(value) <= definition->maximum)
        return true;
    report(context, DIAGNOSTIC_BAD_SETTING, argument->span,
           "`%s` must lie between %.0f and %.0f, not %s", definition->name, definition->minimum,
           definition->maximum, value_text(value, context->arena));
    return false;
}

static void read_number(struct context *context, const struct setting_definition *definition,
                        const struct argument *argument, struct recipe *out)
{
    if (!check_number(context, definition, argument))
        return;
    if (definition->kind == KIND_WHOLE)
        *(int64_t *)field_of(out, definition) = argument->value.integer;
    else
        *(double *)field_of(out, definition) = value_as_double(argument->value);
}

/* ---- words ---- */

/* The words of a setting, checked for their role; NULL, reported, where they are none. */
static const struct word_chain *read_role(struct context *context, struct value value,
                                          const struct setting_definition *definition,
                                          struct span span)
{
    static const struct word_chain nothing = {0};

    if (value.kind == VALUE_BLOCK && value.block->kind == BLOCK_IDENTITY &&
        definition->kind == KIND_CHAIN)
        return &nothing;
    if (value.kind != VALUE_WORDS) {
        report(context, DIAGNOSTIC_BAD_SETTING, span, "`%s` must be %s, not %s", definition->name,
               word_role_name(definition->role), value_kind_name(value.kind));
        return NULL;
    }
    for (size_t i = 0; i < value.words->count; i++) {
        const struct word *word = &value.words->items[i];

        if (word->definition->role == definition->role)
            continue;
        report(context, DIAGNOSTIC_BAD_SETTING, word->span, "`%s` must be %s; `%s` is %s",
               definition->name, word_role_name(definition->role), word->definition->name,
               word_role_name(word->definition->role));
        return NULL;
    }
    return value.words;
}

static void read_chain(struct context *context, const struct word_chain *chain,
                       struct recipe_words *out)
{
    struct recipe_word *items = ARENA_ARRAY(context->arena, struct recipe_word, chain->count + 1);

    for (size_t i = 0; i < chain->count; i++)
        recipe_word_read(context, &chain->items[i], &items[i]);
    *out = (struct recipe_words){items, chain->count};
}

static void read_init(const struct word *word, struct recipe *out)
{
    const struct argument *mode = word->application.arguments;

    if (strcmp(word->definition->name, "xavier_uniform") == 0)
        out->init = WEIGHT_INIT_XAVIER_UNIFORM;
    else if (strcmp(word->definition->name, "xavier_normal") == 0)
        out->init = WEIGHT_INIT_XAVIER_NORMAL;
    else if (strcmp(mode->value.words->items[0].definition->name, "fan_in") == 0)
        out->init = WEIGHT_INIT_HE_NORMAL_FAN_IN;
    else
        out->init = WEIGHT_INIT_HE_NORMAL_FAN_OUT;
}

static void read_loss(struct context *context, const struct word *word, struct recipe *out)
{
    const size_t count = word->definition->parameter_count;
    struct recipe_name *names = ARENA_ARRAY(context->arena, struct recipe_name, count + 1);

    for (size_t i = 0; i < count; i++) {
        const struct argument *argument = &word->application.arguments[i];

        names[i] =
            (struct recipe_name){argument->value.words->items[0].definition->name, argument->span};
    }
    out->loss = count > 0 ? LOSS_MULTIBOX : LOSS_CROSS_ENTROPY;
    out->loss_outputs = (struct recipe_names){names, count};
}

static void read_word(struct context *context, enum recipe_setting setting, const struct word *word,
                      struct recipe *out)
{
    struct recipe_word numbers;

    if (!recipe_word_read(context, word, &numbers))
        return;
    if (setting == SETTING_DATA)
        out->data = numbers.name;
    if (setting == SETTING_INIT)
        read_init(word, out);
    if (setting == SETTING_LOSS)
        read_loss(context, word, out);
    for (size_t i = 0; setting == SETTING_OPTIMIZER && i < word->definition->parameter_count; i++)
        recipe_optimizer_read(context, i, &word->application.arguments[i], out);
}

/* ---- names that the network gives ---- */

static bool read_name(struct context *context, const struct setting_definition *definition,
                      struct value value, struct span span, struct recipe_name *out)
{
    if (value.kind == VALUE_WORDS && value.words->count == 1 &&
        value.words->items[0].definition->role == WORD_NETWORK) {
        *out = (struct recipe_name){value.words->items[0].definition->name,
                                    value.words->items[0].span};
        return true;
    }
    report(context, DIAGNOSTIC_BAD_SETTING, span, "`%s` takes labels of layers, not %s",
           definition->name, value_kind_name(value.kind));
    return false;
}

static void read_names(struct context *context, const struct setting_definition *definition,
                       const struct argument *argument, struct recipe *out)
{
    const struct value value = argument->value;
    const struct value_list single = {.items = &value, .count = 1};
    const struct value_list *list = value.kind == VALUE_LIST ? value.list : &single;
    struct recipe_name *names = ARENA_ARRAY(context->arena, struct recipe_name, list->count + 1);

    for (size_t i = 0; i < list->count; i++) {
        if (!read_name(context, definition, list->items[i], argument->span, &names[i]))
            return;
    }
    *(struct recipe_names *)field_of(out, definition) = (struct recipe_names){names, list->count};
}

/* ---- all together ---- */

static void read_words(struct context *context, enum recipe_setting setting,
                       const struct argument *argument, struct recipe *out)
{
    const struct setting_definition *definition = &settings[setting];
    const struct word_chain *chain =
        read_role(context, argument->value, definition, argument->span);

    if (!chain)
        return;
    if (definition->kind == KIND_CHAIN)
        read_chain(context, chain, field_of(out, definition));
    else if (chain->count == 1)
        read_word(context, setting, &chain->items[0], out);
    else
        report(context, DIAGNOSTIC_BAD_SETTING, argument->span, "`%s` takes one word, not a chain",
               definition->name);
}

void recipe_setting_read(struct context *context, enum recipe_setting setting,
                         const struct argument *argument, struct recipe *out)
{
    const struct setting_definition *definition = &settings[setting];

    out->places[setting] = argument->span;
    if (argument->value.kind == VALUE_POISON)
        return;
    if (definition->kind == KIND_WHOLE || definition->kind == KIND_REAL)
        read_number(context, definition, argument, out);
    else if (definition->kind == KIND_NAMES)
        read_names(context, definition, argument, out);
    else
        read_words(context, setting, argument, out);
}

void recipe_settings_read(struct context *context, const struct environment *environment,
                          const struct node *body, struct recipe *out)
{
    for (size_t i = 0; i < body->count; i++) {
        const struct node *node = body->items[i];
        const enum recipe_setting setting =
            node->kind == NODE_SETTING ? find_setting(node->name) : SETTING_COUNT;
        struct environment inner = *environment;
        struct argument argument;

        if (setting == SETTING_COUNT)
            continue;
        inner.names_network = recipe_setting_names_network(node->name);
        argument =
            (struct argument){evaluate(context, &inner, node->items[0]), node->items[0]->span};
        recipe_setting_read(context, setting, &argument, out);
    }
}

void recipe_optimizer_read(struct context *context, size_t number, const struct argument *argument,
                           struct recipe *out)
{
    enum { LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, NESTEROV, DECAY };
    double *const numbers[] = {&out->learning_rate, &out->momentum, &out->weight_decay};
    const struct word_parameter *parameter = &recipe_word_find("sgd")->parameters[number];
    const struct value value = argument->value;

    if (value.kind == VALUE_UNBOUND || value.kind == VALUE_POISON ||
        !recipe_word_check_argument(context, parameter, argument))
        return;
    if (number <= WEIGHT_DECAY) {
        *numbers[number] = value_as_double(value);
    } else if (number == NESTEROV) {
        out->nesterov = value.boolean;
        out->nesterov_place = argument->span;
    } else {
        out->decays_weights_only = strcmp(value.words->items[0].definition->name, "weights") == 0;
        out->decay_place = argument->span;
    }
}
