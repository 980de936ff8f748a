/* The settings of a recipe, one table. */
#include <string.h>

#include "compiler/evaluate.h"
#include "compiler/recipe_elaborate.h"
#include "compiler/recipe_word.h"

enum { COUNT_LIMIT = 1000 * 1000 };

struct setting_definition {
    const char *name;
    enum word_role role; /* of its words; settings of numbers have none */
};

static const struct setting_definition settings[SETTING_COUNT] = {
    [SETTING_DATA] = {"data", WORD_DATA},
    [SETTING_AUGMENT] = {"augment", WORD_TRANSFORM},
    [SETTING_EVALUATE] = {"evaluate", WORD_TRANSFORM},
    [SETTING_EPOCHS] = {"epochs", WORD_DATA},
    [SETTING_BATCH] = {"batch", WORD_DATA},
    [SETTING_INIT] = {"init", WORD_INIT},
    [SETTING_OPTIMIZER] = {"optimizer", WORD_OPTIMIZER},
    [SETTING_SCHEDULE] = {"schedule", WORD_SCHEDULE},
};

static enum recipe_setting find_setting(const char *name)
{
    int setting = 0;

    while (setting < SETTING_COUNT && strcmp(settings[setting].name, name) != 0)
        setting++;
    return (enum recipe_setting)setting;
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

/* ---- numbers ---- */

bool recipe_read_count(struct context *context, const char *name, const struct argument *argument,
                       int64_t *out)
{
    const struct value value = argument->value;

    if (value.kind == VALUE_INTEGER && value.integer >= 1 && value.integer <= COUNT_LIMIT) {
        *out = value.integer;
        return true;
    }
    if (value.kind == VALUE_INTEGER)
        report(context, DIAGNOSTIC_BAD_SETTING, argument->span,
               "`%s` must lie between 1 and %d, not %lld", name, COUNT_LIMIT,
               (long long)value.integer);
    else if (value.kind != VALUE_POISON)
        report(context, DIAGNOSTIC_BAD_SETTING, argument->span, "`%s` must be an integer, not %s",
               name, value_kind_name(value.kind));
    return false;
}

/* ---- words ---- */

/* The words of a setting, checked for their role; NULL, reported, where they are none. */
static const struct word_chain *read_role(struct context *context, struct value value,
                                          enum recipe_setting setting, const struct node *node)
{
    static const struct word_chain nothing = {0};
    const enum word_role role = settings[setting].role;

    if (value.kind == VALUE_POISON)
        return NULL;
    if (value.kind == VALUE_BLOCK && value.block->kind == BLOCK_IDENTITY &&
        (role == WORD_TRANSFORM || role == WORD_SCHEDULE))
        return &nothing;
    if (value.kind != VALUE_WORDS) {
        report(context, DIAGNOSTIC_BAD_SETTING, node->span, "`%s` must be %s, not %s",
               settings[setting].name, word_role_name(role), value_kind_name(value.kind));
        return NULL;
    }
    for (size_t i = 0; i < value.words->count; i++) {
        const struct word *word = &value.words->items[i];

        if (word->definition->role == role)
            continue;
        report(context, DIAGNOSTIC_BAD_SETTING, word->span, "`%s` must be %s; `%s` is %s",
               settings[setting].name, word_role_name(role), word->definition->name,
               word_role_name(word->definition->role));
        return NULL;
    }
    return value.words;
}

static void read_words(struct context *context, const struct word_chain *chain,
                       struct recipe_words *out)
{
    struct recipe_word *items = ARENA_ARRAY(context->arena, struct recipe_word, chain->count + 1);

    for (size_t i = 0; i < chain->count; i++)
        recipe_word_read(context, &chain->items[i], &items[i]);
    *out = (struct recipe_words){items, chain->count};
}

/* The single word of a setting that is not a chain. */
static const struct word *read_single(struct context *context, const struct word_chain *chain,
                                      const struct node *node, const char *name)
{
    if (chain->count == 1)
        return &chain->items[0];
    report(context, DIAGNOSTIC_BAD_SETTING, node->span, "`%s` takes one word, not a chain", name);
    return NULL;
}

static void read_init(const struct word *word, struct recipe *out)
{
    const struct argument *mode = word->application.arguments;

    if (strcmp(word->definition->name, "xavier_uniform") == 0)
        out->init = WEIGHT_INIT_XAVIER_UNIFORM;
    else if (strcmp(word->definition->name, "xavier_normal") == 0)
        out->init = WEIGHT_INIT_XAVIER_NORMAL;
    else if (mode->value.kind == VALUE_WORDS &&
             strcmp(mode->value.words->items[0].definition->name, "fan_in") == 0)
        out->init = WEIGHT_INIT_HE_NORMAL_FAN_IN;
    else
        out->init = WEIGHT_INIT_HE_NORMAL_FAN_OUT;
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
    if (setting == SETTING_OPTIMIZER) {
        out->learning_rate = numbers.arguments[0];
        out->momentum = numbers.arguments[1];
        out->weight_decay = numbers.arguments[2];
    }
}

static void read_setting(struct context *context, const struct environment *environment,
                         enum recipe_setting setting, const struct node *node, struct recipe *out)
{
    const struct value value = evaluate(context, environment, node);
    const struct argument argument = {value, node->span};
    const struct word_chain *chain;
    const struct word *word;

    if (setting == SETTING_EPOCHS || setting == SETTING_BATCH) {
        recipe_read_count(context, settings[setting].name, &argument,
                          setting == SETTING_EPOCHS ? &out->epochs : &out->batch);
        return;
    }
    chain = read_role(context, value, setting, node);
    if (!chain)
        return;
    if (setting == SETTING_AUGMENT)
        read_words(context, chain, &out->augment);
    else if (setting == SETTING_EVALUATE)
        read_words(context, chain, &out->evaluate);
    else if (setting == SETTING_SCHEDULE)
        read_words(context, chain, &out->schedule);
    else if ((word = read_single(context, chain, node, settings[setting].name)))
        read_word(context, setting, word, out);
}

void recipe_settings_read(struct context *context, const struct environment *environment,
                          const struct node *body, struct recipe *out, bool given[SETTING_COUNT])
{
    for (size_t i = 0; i < body->count; i++) {
        const struct node *node = body->items[i];
        const enum recipe_setting setting =
            node->kind == NODE_SETTING ? find_setting(node->name) : SETTING_COUNT;

        if (setting == SETTING_COUNT)
            continue;
        given[setting] = true;
        read_setting(context, environment, setting, node->items[0], out);
    }
}
